"""The pace of background calls to one shop's Admin API, by the costs that Shopify reports.

Shopify gives each shop a bucket of points that fills at a constant rate, and every call takes its
cost from it. The bucket is shared with codes for holds and Flow's triggers, which customers wait
for: background calls take half of what flows in, and none while the bucket is less than half full.
"""

from typing import TYPE_CHECKING

from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock

if TYPE_CHECKING:
    from pointbook.shopify.admin import Cost

SHARE = 0.5
"""The part of the rate that these calls take."""

RESERVE = 0.5
"""The part of the bucket that is left to other calls."""

UNKNOWN_SECONDS = 0.2
"""The pause after a call whose answer did not name its cost: that of one which costs 10 of 100."""


class Pace:
    """The pace of the calls to one shop."""

    def __init__(self, clock: Clock) -> None:
        """`clock` waits."""
        self._clock = clock
        self._next_at = clock.monotonic()

    def wait(self, deadline: Deadline) -> bool:
        """Wait until the next call is allowed; False, at once, if that is after the deadline."""
        seconds = self._next_at - self._clock.monotonic()
        if not deadline.allows(max(0.0, seconds)):
            return False
        if seconds > 0:
            self._clock.sleep(seconds)
        self._next_at = self._clock.monotonic() + UNKNOWN_SECONDS
        return True

    def spent(self, cost: "Cost") -> None:
        """Set the pause after a call by its cost."""
        missing = RESERVE * cost.maximum - cost.available
        seconds = max(cost.points / SHARE, missing) / cost.restored_per_second
        self._next_at = self._clock.monotonic() + seconds
