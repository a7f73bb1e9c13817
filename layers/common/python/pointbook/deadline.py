"""The time that is left for one question to somebody outside."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


class DeadlinePassed(TimeoutError):
    """There is no time left."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, which no change of the wall clock moves."""

    at_seconds: float
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)

    @classmethod
    def after(cls, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> Self:
        """The moment so many seconds from now."""
        return cls(monotonic() + seconds, monotonic)

    def left_seconds(self) -> float:
        """Seconds left, more than zero; raises DeadlinePassed when there are none."""
        left = self.at_seconds - self.monotonic()
        if left <= 0:
            raise DeadlinePassed("the time for this call is used up")
        return left

    def allows(self, seconds: float) -> bool:
        """Whether there is something left after so many seconds."""
        return self.monotonic() + seconds < self.at_seconds
