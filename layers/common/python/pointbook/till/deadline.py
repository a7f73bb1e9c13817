"""The time that is left for one question to the till."""

import time
from dataclasses import dataclass
from typing import Self

from pointbook.till.errors import TillTimeout


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, which no change of the wall clock moves."""

    at_seconds: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """The moment so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left_seconds(self) -> float:
        """Seconds left, more than zero; raises TillTimeout when there are none."""
        left = self.at_seconds - time.monotonic()
        if left <= 0:
            raise TillTimeout("the time for the till is used up")
        return left
