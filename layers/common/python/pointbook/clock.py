"""The ledger's clock: the system's, in whole milliseconds; on a laptop it can be moved ahead."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """The system's time."""

    def now(self) -> datetime:
        """Return the time, aware, UTC, in whole milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        time.sleep(seconds)


class MovedClock(SystemClock):
    """The system's time plus the offset in a file; for the laptop stack only.

    The file has `{"offset_seconds": 172800}`. It is read at every call, so that all functions have
    the same time.
    """

    def __init__(self, offset_file: Path) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """Return the moved time, aware, UTC, in whole milliseconds."""
        offset = json.loads(self._offset_file.read_text(encoding="utf-8"))
        return super().now() + timedelta(seconds=offset["offset_seconds"])
