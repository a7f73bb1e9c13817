"""Reads a table for an export while the ledger moves: each account with all that belongs to it.

The whole table is read once, in any order. Then every account is looked at again: one that has not
been written since the beginning cannot have changed while it was read. The others are read again
with their orders, their holds and the customers who were merged into them, until the account is
the same before and after. Since whatever moves points writes the account in the same transaction,
all of that is then as of one version.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched

from pointbook.deadline import Backoff, no_jitter, retry
from pointbook.domain.chain import milliseconds
from pointbook.domain.ports import Clock, StoreUnavailable
from pointbook.errors import LedgerUnavailable
from pointbook.store import keys
from pointbook.store.batches import send_all
from pointbook.store.export_format import shop_of
from pointbook.store.export_work import ExportWork, customers_in
from pointbook.store.partition_checks import plain_key
from pointbook.store.table import BATCH_KEYS_MAX, Table
from pointbook.store.values import (
    Item,
    Stored,
    optional_int,
    text,
    text_of,
    texts_of,
)

ATTEMPTS = 10
"""How often an account is read again that is written all the time."""

BEFORE = timedelta(minutes=5)
"""Whoever was written so shortly before the beginning is read again, too: clocks differ, a write
takes its time, and the first reading may be a little behind."""

_SECONDS = 60.0
"""How long one request is retried while the table is throttled."""

_NOT_EXPORTED = frozenset({keys.ACCESS_TOKEN, keys.HOLD_CALLS, keys.METAFIELDS_WRITER})
"""A secret that only its stack can read, and what is of this minute."""

BEGAN = "began_at"
"""The note of a work file that says when its first run began."""

_AFTER, _SCANNED, _SETTLED = "after", "scanned", "settled"
_END = "end"

type Progress = Callable[[int], None]


class TableExport:
    """The reading of one table into a work file. Raises LedgerUnavailable, StoreRefused."""

    def __init__(self, table: Table, work: ExportWork, clock: Clock, now: datetime) -> None:
        """Begin `now`, by the ledger's clock, or go on with what the work file has."""
        self._table = table
        self._work = work
        self._clock = clock
        if not work.note(BEGAN):
            work.set_note(BEGAN, now.astimezone(UTC).isoformat(timespec="milliseconds"))
        self._recent = milliseconds(datetime.fromisoformat(work.note(BEGAN)) - BEFORE)

    def scan(self, shop: str | None, progress: Progress) -> None:
        """Read the table, or the items of one shop; `progress` gets the items looked at."""
        after, scanned = self._work.note(_AFTER), int(self._work.note(_SCANNED) or 0)
        while after != _END:
            last = keys.key(*after.split(" ", 1)) if after else None
            page = self._retry(partial(self._table.everything, last))
            scanned += page.scanned
            after = " ".join(plain_key(page.last_key)) if page.last_key else _END
            with self._work.transaction():
                self._work.put(one for one in page.items if _is_exported(one, shop))
                self._work.set_note(_AFTER, after)
                self._work.set_note(_SCANNED, str(scanned))
            progress(scanned)

    def settle(self, progress: Progress) -> int:
        """Read again who was written meanwhile; returns how many accounts that were."""
        read, done = 0, 0
        while batch := self._work.customers(self._work.note(_SETTLED), BATCH_KEYS_MAX):
            read += self._settled(batch)
            self._work.set_note(_SETTLED, batch[-1])
            done += len(batch)
            progress(done)
        return read

    def customer(self, pk: str) -> None:
        """Read one customer, by the partition key, and whom they share items with; from anew."""
        self._work.clear()
        self._settled([pk])

    def _settled(self, batch: Iterable[str]) -> int:
        """Read these customers again if they have changed, then those that they share items with.

        By partition keys; returns how many were read again.
        """
        waiting, read = list(batch), set[str]()
        while waiting:
            changed = [pk for pk in self._changed(waiting) if pk not in read or self._differs(pk)]
            waiting = []
            for pk in changed:
                waiting += self._read_again(pk)
                read.add(pk)
            waiting = list(dict.fromkeys(waiting))
        return len(read)

    def _changed(self, partitions: list[str]) -> Iterator[str]:
        for batch in batched(partitions, BATCH_KEYS_MAX, strict=False):
            by_pk = {plain_key(one)[0]: one for one in self._get(map(_account_key, batch))}
            for pk in batch:
                now, before = by_pk.get(pk), self._work.get((pk, keys.ACCOUNT))
                if now != before or (now and optional_int(now, "as_of") >= self._recent):
                    yield pk

    def _differs(self, pk: str) -> bool:
        now = self._retry(partial(self._table.get, _account_key(pk)))
        return now != self._work.get((pk, keys.ACCOUNT))

    def _read_again(self, pk: str) -> list[str]:
        """Read a customer with all that belongs to the account; returns whom that names."""
        for _ in range(ATTEMPTS):
            try:
                with self._work.transaction():
                    return self._read_at_once(pk)
            except _WrittenMeanwhile:
                continue
        who = keys.parse(pk)[1]
        raise LedgerUnavailable(message=f"Customer {who} is written all the time. Run it again.")

    def _read_at_once(self, pk: str) -> list[str]:
        account = self._retry(partial(self._table.get, _account_key(pk)))
        revision = optional_int(account or {}, "revision")
        shop, _ = keys.parse(pk)
        named = {keys.customer(shop, one) for one in _merged_from(account)}
        beside = self._work.abouts(pk)
        for partition in (pk, *sorted(named)):
            self._read_partition(partition)
        beside |= self._work.abouts(pk)
        for batch in batched(sorted(_beside(shop, beside)), BATCH_KEYS_MAX, strict=False):
            for key in batch:
                self._work.delete(key[0])
            items = self._get(keys.key(*key) for key in batch)
            self._work.put(items)
            named.update(customer for item in items for customer in customers_in(item))
        again = self._retry(partial(self._table.get, _account_key(pk)))
        if optional_int(again or {}, "revision") != revision:
            raise _WrittenMeanwhile
        if again and "merged_into" in again:
            named.add(keys.customer(shop, text_of(again["merged_into"])))
        return sorted(named - {pk})

    def _read_partition(self, pk: str) -> None:
        self._work.delete(pk)
        after, is_more = "", True
        while is_more:
            items = self._retry(partial(self._page, pk, after))
            self._work.put(items)
            is_more = len(items) == _PAGE_ITEMS
            after = plain_key(items[-1])[1] if items else after

    def _page(self, pk: str, after: str) -> list[Stored]:
        values = {":pk": text(pk), ":after": text(after or " ")}
        return list(self._table.query("pk = :pk AND sk > :after", values, limit=_PAGE_ITEMS))

    def _get(self, wanted: Iterable[Item]) -> list[Stored]:
        found: list[Stored] = []

        def read(left: list[Item]) -> list[Item]:
            items, left = self._retry(partial(self._table.batch_get, left, consistent=True))
            found.extend(items)
            return left

        send_all(read, wanted, self._clock)
        return found

    def _retry[T](self, call: Callable[[], T]) -> T:
        return retry(call, Backoff(self._clock, _SECONDS, no_jitter), on=StoreUnavailable)


_PAGE_ITEMS = 500


class _WrittenMeanwhile(Exception):
    """The account has changed while it was read."""


def _account_key(pk: str) -> Item:
    return keys.key(pk, keys.ACCOUNT)


def _merged_from(account: Stored | None) -> tuple[str, ...]:
    return texts_of(account["merged_from"]) if account and "merged_from" in account else ()


def _beside(shop: str, abouts: set[str]) -> set[tuple[str, str]]:
    """The keys of all that entries may be about: orders, holds, and holds' codes."""
    found: set[tuple[str, str]] = set()
    for about in filter(None, abouts):
        found |= {plain_key(keys.hold(shop, about)), plain_key(keys.orphaned_code(shop, about))}
        if about.isascii() and about.isdecimal():
            found.add(plain_key(keys.order(shop, about)))
    return found


def _is_exported(item: Stored, shop: str | None) -> bool:
    key = plain_key(item)
    if key[0] in (keys.TILL, keys.HEADS) or key[1] in _NOT_EXPORTED:
        return False
    return shop is None or shop_of(key) == shop
