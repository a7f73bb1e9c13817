"""The clock that all functions of the laptop stack share: a file with its offset in seconds.

Each function reads the file on each call (LOCAL_CLOCK_FILE), which takes about ten microseconds and
needs no server. The clock moves forward only, because the ledger's time does; it is persisted with
the state.
"""

import json
import threading
from pathlib import Path

_AHEAD_MAX_SECONDS = 100 * 366 * 86_400


class ClockRefused(Exception):
    """The clock cannot be set to this offset; the text says why."""


class Clock:
    """The clock file; only the reverse proxy writes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        if not file.exists():
            self._write(0)

    @property
    def offset_seconds(self) -> int:
        """How many seconds the functions' clock is ahead of real time."""
        return int(json.loads(self._file.read_text(encoding="utf-8"))["offset_seconds"])

    def move(self, offset_seconds: object) -> int:
        """Set the offset. Raises ClockRefused if it is not a whole number or moves back."""
        if not isinstance(offset_seconds, int) or isinstance(offset_seconds, bool):
            raise ClockRefused("offset_seconds must be a whole number.")
        if offset_seconds > _AHEAD_MAX_SECONDS:
            raise ClockRefused(f"offset_seconds must be at most {_AHEAD_MAX_SECONDS}.")
        with self._lock:
            now = self.offset_seconds
            if offset_seconds < now:
                raise ClockRefused(f"The clock is {now} s ahead and moves forward only.")
            self._write(offset_seconds)
        return offset_seconds

    def _write(self, offset_seconds: int) -> None:
        """Replace the file atomically: no reader sees half of it."""
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"offset_seconds": offset_seconds}), encoding="utf-8")
        new.replace(self._file)
