"""Reads the whole table for verification: partition by partition, or one partition again.

The scan is eventually consistent, at half the price. Whatever looks wrong is read again, in an
order in which writes meanwhile do no harm: what names versions first, then the account, then the
entries up to its version.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import batched

from pointbook.aws.metered import MeteredClient
from pointbook.deadline import Backoff, no_jitter, retry
from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry
from pointbook.domain.ports import Clock, StoreUnavailable
from pointbook.store import items, keys
from pointbook.store.batches import send_all
from pointbook.store.partition_checks import AccountCheck, Check, Key, check_of, plain_key
from pointbook.store.table import Table
from pointbook.store.values import Item, Stored, int_of, text, text_of

_SECONDS = 30.0
"""How long one request is retried while the table is throttled."""

_BATCH_ITEMS = 100
_LAST = 10**keys.VERSION_DIGITS - 1


type OnPage = Callable[[int], bool]
"""Gets the number of items read so far; False ends the reading."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition that was read to its end; `check` is None where it has no points."""

    key: str
    check: Check | None


def _go_on(_: int) -> bool:
    return True


class LedgerReader:
    """One table, through a client that counts units. Raises LedgerUnavailable, StoreRefused."""

    def __init__(self, client: MeteredClient, table_name: str, clock: Clock) -> None:
        """Read the table of this name."""
        self._meter = client
        self._table = Table(client, table_name)
        self._clock = clock

    @property
    def units(self) -> float:
        """The read units used so far."""
        return self._meter.units

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self._meter.seconds

    def partitions(
        self, after: Key | None = None, page_items: int | None = None, on_page: OnPage = _go_on
    ) -> Iterator[Partition]:
        """Every partition behind a key, which need not exist, to the end of the table."""
        current = Partition("", None)
        for item in self._items(keys.key(*after) if after else None, page_items, on_page):
            pk = text_of(item["pk"])
            if pk != current.key:
                if current.key:
                    yield current
                current = Partition(pk, check_of(pk))
            if current.check is not None:
                current.check.take(item)
        if current.key:
            yield current

    def accounts(
        self, shop: str, on_page: OnPage = _go_on
    ) -> Iterator[tuple[Account, list[BookedEntry]]]:
        """Every account of a shop with its entries, as a scan finds them."""
        found: tuple[Account, list[BookedEntry]] | None = None
        partition = ""
        for item in self._items(None, None, on_page):
            pk, sort_key = text_of(item["pk"]), text_of(item["sk"])
            if pk != partition and found is not None:
                yield found
                found = None
            partition = pk
            if sort_key == keys.ACCOUNT and pk.startswith(keys.customers(shop)):
                found = items.account_of(item), []
            elif sort_key.startswith(keys.ENTRY) and found is not None:
                found[1].append(items.entry_of(item))
        if found is not None:
            yield found

    def referenced(self, references: Iterable[Item], *, fresh: bool = False) -> dict[Key, Stored]:
        """The items under these keys; `fresh`: each as it is now."""
        found: list[Stored] = []
        unique = {plain_key(key): key for key in references}
        for batch in batched(unique.values(), _BATCH_ITEMS, strict=False):
            if fresh:
                found += self._retry(partial(self._table.snapshot, batch))
            else:
                send_all(partial(self._batch, found), batch, self._clock)
        return {plain_key(item): item for item in found}

    def again(self, check: Check) -> Check:
        """The same partition, read anew and consistently."""
        fresh = check_of(check.pk)
        assert fresh is not None, "only partitions that are checked are read again"
        if isinstance(fresh, AccountCheck):
            self._read_account(fresh)
            return fresh
        for item in self._table.query("pk = :pk", {":pk": text(check.pk)}):
            fresh.take(item)
        return fresh

    def account_check(self, shop: str, customer_id: str) -> AccountCheck:
        """One customer's partition, read consistently."""
        check = AccountCheck(keys.customer(shop, customer_id), shop, customer_id)
        self._read_account(check)
        return check

    def is_unchanged(self, check: Check) -> bool:
        """Whether an account is as it was when it was read again; other items are one read."""
        if not isinstance(check, AccountCheck) or check.account is None:
            return True
        now = self._account(check)
        return now is not None and int_of(now["revision"]) == check.account.revision

    def _read_account(self, check: AccountCheck) -> None:
        pk = text(check.pk)
        for item in self._table.query(
            "pk = :pk AND sk > :last", {":pk": pk, ":last": text(keys.entry(_LAST))}
        ):
            check.take(item)
        account = self._account(check)
        if account is not None:
            check.take(account)
        version = 0
        with suppress(KeyError, ValueError, TypeError):  # what cannot be read is found by the check
            version = int_of((account or {})["version"])
        upto = {":pk": pk, ":from": text(keys.entry(0)), ":to": text(keys.entry(version))}
        for item in self._table.query("pk = :pk AND sk BETWEEN :from AND :to", upto):
            check.take(item)
        beyond = {":pk": pk, ":from": text(keys.entry(version + 1)), ":to": text(keys.entry(_LAST))}
        for item in self._table.query("pk = :pk AND sk BETWEEN :from AND :to", beyond):
            check.take(item)

    def _account(self, check: AccountCheck) -> Stored | None:
        key = keys.account(check.shop, check.customer_id)
        return self._retry(partial(self._table.get, key))

    def _items(
        self, last_key: Item | None, page_items: int | None, on_page: OnPage
    ) -> Iterator[Stored]:
        read = 0
        while True:
            page = self._retry(partial(self._table.everything, last_key, page_items))
            yield from page.items
            read += page.scanned
            last_key = page.last_key
            if not on_page(read) or last_key is None:
                return

    def _batch(self, found: list[Stored], left: list[Item]) -> list[Item]:
        items, left = self._retry(partial(self._table.batch_get, left))
        found += items
        return left

    def _retry[T](self, call: Callable[[], T]) -> T:
        return retry(call, Backoff(self._clock, _SECONDS, no_jitter), on=StoreUnavailable)
