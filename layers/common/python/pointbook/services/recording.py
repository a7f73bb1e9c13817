"""Writes to the table that have to be recorded, since what is not recorded is sent again."""

from collections.abc import Callable

from pointbook.deadline import Backoff, no_jitter, retry
from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable

_WRITE_SECONDS = 2.0


def record_by[T](clock: Clock, write: Callable[[], T]) -> T:
    """Write with retries for two seconds of `clock`. Raises LedgerUnavailable."""
    return retry(write, Backoff(clock, _WRITE_SECONDS, no_jitter), LedgerUnavailable)
