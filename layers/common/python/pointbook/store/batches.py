"""Batches of requests: DynamoDB throttles them by leaving a part of them out."""

from collections.abc import Callable, Iterable

from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable

_TRIES = 8
_PAUSE_FIRST_SECONDS = 0.05


def send_all[T](send: Callable[[list[T]], list[T]], batch: Iterable[T], clock: Clock) -> None:
    """Send a batch, and what `send` returns as left out again, with exponential backoff.

    Raises LedgerUnavailable where something is left out each time.
    """
    left = list(batch)
    for tries in range(_TRIES):
        left = send(left)
        if not left:
            return
        clock.sleep(_PAUSE_FIRST_SECONDS * 2**tries)
    raise LedgerUnavailable(retry_after_seconds=1)
