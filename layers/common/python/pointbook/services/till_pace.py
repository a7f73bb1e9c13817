"""The pace of calls to the till: one limit for all instances together, by the second.

Tills limit a whole contract, whichever of our functions or stores calls. Every HTTP call asks
first; one that finds the second full waits for the next, as long as its deadline allows.
"""

import math
import time
from collections.abc import Callable
from datetime import datetime

from pointbook.deadline import JITTER, Deadline, DeadlinePassed
from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable
from pointbook.till.errors import TillThrottled, TillTimeout, TillUnavailable


class PaceReached(TillThrottled):
    """Our own limit leaves no call before the deadline. The till was not asked."""

    code = "pace_reached"
    shown_as = "timeout"


class TillPace:
    """Called with the deadline before each HTTP call; waits, or raises PaceReached."""

    def __init__(
        self,
        count: Callable[[datetime, int], int],
        calls_per_second: int,
        clock: Clock,
        share: float = 1.0,
        random: Callable[[], float] = JITTER,
    ) -> None:
        """`count` adds one call if there were fewer than a number in this second.

        `share` < 1 leaves the rest of each second's calls to others.
        """
        self._count = count
        self._calls = max(1, math.floor(calls_per_second * share))
        self._clock = clock
        self._random = random
        self._waited_at = -math.inf

    def has_waited_since(self, monotonic_seconds: float) -> bool:
        """Whether a call of this process had to wait since then, and so had less time of its own.

        The time is that of `time.monotonic`.
        """
        return self._waited_at >= monotonic_seconds

    def __call__(self, deadline: Deadline) -> None:
        """Wait until a call is allowed. Raises TillTimeout, PaceReached or TillUnavailable."""
        try:
            while wait_seconds := self._count(self._clock.now(), self._calls):
                self._waited_at = time.monotonic()
                deadline.check()
                # What is left of the second, and then not all at once.
                now = self._clock.now()
                left_seconds = wait_seconds - now.microsecond / 1_000_000
                pause_seconds = left_seconds + self._random() * 0.2
                if not deadline.allows(pause_seconds):
                    raise PaceReached("the rate limit of calls to the till was hit", wait_seconds)
                self._clock.sleep(pause_seconds)
                self._waited_at = time.monotonic()
        except DeadlinePassed as error:
            raise TillTimeout("no call was allowed in time") from error
        except LedgerUnavailable as error:
            raise TillUnavailable("the table with the till's pace cannot be reached") from error
