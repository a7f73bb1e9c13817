"""Puts a copy of the table back: deletes what is not in it, and writes what differs.

For a table that nobody else writes. Cut off anywhere, it is finished by another run.

An account never stands half-way between two of its states: its partition is changed in one
transaction. Only where more than 100 items differ are there several, and then entries that the
account as it was needs are written first, the account and its newest entries change together, and
what is left above its version is deleted last; verification finds what a run left there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import batched

from pointbook.deadline import Backoff, no_jitter, retry
from pointbook.domain.ports import Clock, StoreUnavailable
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.errors import LedgerUnavailable
from pointbook.store import keys
from pointbook.store.batches import send_all
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.stored_items import BATCH_ITEMS
from pointbook.store.table import Delete, Page, Put, Table
from pointbook.store.table_differences import Difference, TableDifferences
from pointbook.store.values import Item, Stored

_SECONDS = 60.0
"""How long one request is retried while a table is throttled."""

_ACTIONS_MAX = 100
"""What one transaction takes."""


class TableRestore:
    """A copy, and the live table that is to be like it. Raises LedgerUnavailable, StoreRefused."""

    def __init__(self, copy: Table, live: Table, clock: Clock) -> None:
        """Write to `live`, never to `copy`."""
        self._copy = copy
        self._live = live
        self._clock = clock

    def load(self, found: TableDifferences, progress: Callable[[int], None]) -> None:
        """Read both tables."""
        of_copy = found.load("copy", partial(self._page, self._copy), progress)
        found.load("live", partial(self._page, self._live), lambda done: progress(of_copy + done))

    def apply(self, difference: Difference) -> None:
        """Make one partition what it is in the copy."""
        written = self._items(difference.pk, difference.written)
        deleted = [keys.key(difference.pk, sk) for sk in reversed(difference.deleted)]
        account = keys.key(difference.pk, keys.ACCOUNT)
        accounts = [item for item in written if keys.key_of(item) == account]
        others = [item for item in written if keys.key_of(item) != account]
        if not accounts and account not in deleted:
            self._put(others)
            self._delete(deleted)
            return
        if account in deleted:  # together with as much as possible
            deleted = [account, *(key for key in deleted if key != account)]
        together = _ACTIONS_MAX - len(accounts)
        if len(others) + len(deleted) > together:
            self._put(others)
            others = []
        first, rest = deleted[: together - len(others)], deleted[together - len(others) :]
        puts = [Put(dict(item)) for item in (*others, *accounts)]
        self._retry(partial(self._live.transact, [*puts, *map(Delete, first)]))
        self._delete(rest)

    def reopen_erasures(self, found: TableDifferences) -> list[PrivacyRequest]:
        """Open those erasures again that were done, or asked for, since the copy.

        privacy_watch carries them out on the accounts as the copy had them.
        """
        return reopen_erasures(PrivacyRequests(self._live), PrivacyRequests(self._copy).at, found)

    def _items(self, pk: str, sort_keys: Sequence[str]) -> list[Stored]:
        found: list[Stored] = []
        for batch in batched(sort_keys, _ACTIONS_MAX, strict=False):
            batch_keys = [keys.key(pk, sk) for sk in batch]
            items: list[Stored] = self._retry(partial(self._copy.snapshot, batch_keys))
            found += items
        if len(found) < len(sort_keys):
            raise LedgerUnavailable(retry_after_seconds=1)  # the copy changes: run it again
        return found

    def _put(self, found: Iterable[Stored]) -> None:
        for batch in batched(map(dict, found), BATCH_ITEMS, strict=False):
            send_all(self._all_or_left(self._live.batch_put), batch, self._clock)

    def _delete(self, found: Iterable[Item]) -> None:
        for batch in batched(found, BATCH_ITEMS, strict=False):
            send_all(self._all_or_left(self._live.batch_delete), batch, self._clock)

    def _all_or_left(
        self, send: Callable[[Iterable[Item]], list[Item]]
    ) -> Callable[[list[Item]], list[Item]]:
        return lambda left: self._retry(partial(send, left))

    def _page(self, table: Table, last_key: Item | None) -> Page:
        return self._retry(partial(table.everything, last_key, consistent=True))

    def _retry[T](self, call: Callable[[], T]) -> T:
        return retry(call, Backoff(self._clock, _SECONDS, no_jitter), on=StoreUnavailable)


def reopen_erasures(
    live: PrivacyRequests,
    before_at: Callable[[Item], PrivacyRequest | None],
    found: TableDifferences,
) -> list[PrivacyRequest]:
    """The same for any copy; `before_at` finds its request under a key."""
    reopened: list[PrivacyRequest] = []
    for pk, sk in found.differing(keys.PRIVACY_REQUEST):
        now = live.at(keys.key(pk, sk))
        if now is None or now.kind is Kind.DATA:
            continue
        before = before_at(keys.key(pk, sk))
        request = replace(_reopened(now, before, found), revision=now.revision)
        if request != now:
            saved = live.save(request)
            assert saved is not None, "nobody else writes the table"
            reopened.append(saved)
    return reopened


def _reopened(
    now: PrivacyRequest, before: PrivacyRequest | None, found: TableDifferences
) -> PrivacyRequest:
    """The request that erases again what the copy brings back."""
    if before is not None and before.state is State.OPEN:
        return before.with_orders_of(now)  # goes on where it was
    orders = now.order_ids
    if now.customer_id is not None:
        orders = tuple(dict.fromkeys((*orders, *found.orders_of(now.shop, now.customer_id))))
    anew = now.reopened(confirmed=False)
    return replace(anew, order_ids=orders, pseudonyms={}, counts={}, finished_at=None)
