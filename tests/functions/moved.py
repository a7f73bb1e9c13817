"""The ledger's clock in tests of functions: a file that moves it ahead."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from pointbook.clock import SystemClock


class LateClock(SystemClock):
    """The machine's clock, put ahead by `late`."""

    def __init__(self) -> None:
        self.late = timedelta()

    def now(self) -> datetime:
        """Aware, UTC, in whole milliseconds, later than it is."""
        return super().now() + self.late


class ClockFile:
    """A file that puts the clock ahead of the machine's; its text is its path."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock.json"
        self.move()

    def move(self, **ahead: float) -> None:
        """Put the clock so far ahead of the machine's time."""
        seconds = int(timedelta(**ahead).total_seconds())
        self._file.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")

    def __str__(self) -> str:
        return str(self._file)
