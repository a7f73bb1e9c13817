"""Batches of requests: DynamoDB throttles them by leaving some of them out."""

from collections.abc import Callable, Iterable

from pointbook.deadline import Backoff, no_jitter
from pointbook.domain.ports import Clock

_SECONDS = 10.0


def send_all[T](send: Callable[[list[T]], list[T]], batch: Iterable[T], clock: Clock) -> None:
    """Send a batch, and retry what `send` returns as left out. Raises LedgerUnavailable in time."""
    backoff = Backoff(clock, _SECONDS, no_jitter)
    left = list(batch)
    while left := send(left):
        backoff.pause()
