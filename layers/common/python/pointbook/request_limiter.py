"""Rate limit on the requests of one customer, counted in this process.

A count in the table would cost a write for each read. So each instance of a function counts for
itself, and a customer whose requests meet several instances gets the limit of each: a brake on
scripts and on loops of a page, not a budget. Limits on the account as a whole are API Gateway's.
"""

from collections import Counter
from collections.abc import Callable
from math import ceil

from pointbook.errors import RateLimited

WINDOW_SECONDS = 60


class RequestLimiter:
    """Counts requests by customer within windows of a minute; a new window forgets the last."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        """Allow each customer `per_minute` requests in a window of `monotonic` seconds."""
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._window = -1
        self._counts = Counter[tuple[str, str]]()

    def count(self, shop: str, customer_id: str) -> None:
        """Count one request. Raises RateLimited, until the window is over, beyond the limit."""
        now = self._monotonic()
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window, self._counts = window, Counter()
        self._counts[shop, customer_id] += 1
        if self._counts[shop, customer_id] > self._per_minute:
            raise RateLimited(ceil((window + 1) * WINDOW_SECONDS - now))
