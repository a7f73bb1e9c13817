"""The ledger's clock: the system's, in whole milliseconds; on a laptop, moved ahead by a file."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Aware, UTC, in whole milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class MovedClock(SystemClock):
    """The system's time plus the whole seconds that a file names; the laptop stack's only.

    The file holds `{"offset_seconds": 172800}`. It is read at every call, so that all functions see
    the same time at once.
    """

    def __init__(self, offset_file: Path) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """Aware, UTC, in whole milliseconds, moved."""
        offset = json.loads(self._offset_file.read_text(encoding="utf-8"))
        return super().now() + timedelta(seconds=offset["offset_seconds"])
