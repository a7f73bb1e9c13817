"""Batches of requests: DynamoDB throttles them by leaving some of them out."""

from collections.abc import Callable, Iterable

from pointbook.deadline import Backoff, no_jitter
from pointbook.domain.ports import Clock
from pointbook.store.table import Table
from pointbook.store.values import Item, Stored

_SECONDS = 10.0


def send_all[T](send: Callable[[list[T]], list[T]], batch: Iterable[T], clock: Clock) -> None:
    """Send a batch, and retry what `send` returns as left out. Raises LedgerUnavailable in time."""
    backoff = Backoff(clock, _SECONDS, no_jitter)
    left = list(batch)
    while left := send(left):
        backoff.pause()


def read_all(table: Table, keys: Iterable[Item], clock: Clock) -> list[Stored]:
    """Return the items that there are of a batch of keys. Raises LedgerUnavailable in time."""
    found: list[Stored] = []
    batch = list(keys)

    def read(left: list[Item]) -> list[Item]:
        page, left_out = table.batch_get(left)
        found.extend(page)
        return left_out

    if batch:
        send_all(read, batch, clock)
    return found
