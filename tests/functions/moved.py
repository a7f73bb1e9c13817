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


def clock_file(folder: Path) -> Path:
    """The file, with the clock at the machine's own time."""
    file = folder / "clock.json"
    move(file)
    return file


def move(file: Path, **ahead: float) -> None:
    """Put the clock so far ahead of the machine's time."""
    seconds = int(timedelta(**ahead).total_seconds())
    file.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")
