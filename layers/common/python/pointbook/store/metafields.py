"""The metafields' cursors: up to which version each customer's metafields at Shopify are written.

    requested     the version of the account that is to be written
    written       the version that was written last, and `written_at`, when
    namespace     the namespace that it was written to, or is being written to
    optional      the optional keys that may be there; absent if that is not known
    due_trigger, due_trigger_at  the shop's list, and when the next write is due; real time

A shop has three lists: `changes`, which are written first, `fill`, for customers whom an operator
wants to be written, and `deletions`, for erased customers. A change that comes while its customer
is on a list only raises `requested`: the latest one wins. A deletion is an item of its own, as
nothing is kept under an erased customer's id. One writer at a time works for a shop, under a lease,
so that no older value is written after a newer one.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pointbook.domain.account import BEGINNING, Account
from pointbook.domain.metafields import OPTIONAL
from pointbook.domain.ports import Clock
from pointbook.store import items, keys
from pointbook.store.batches import read_all
from pointbook.store.customer_items import CustomerErased, CustomerItems
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table, Update
from pointbook.store.values import (
    Item,
    Stored,
    instant,
    int_of,
    number,
    optional_instant,
    optional_int,
    text,
    text_of,
    texts,
    texts_of,
)

CUSTOMERS_MAX = 50
"""How many customers one read takes: two items each, and a batch takes 100."""

INTERVAL = timedelta(seconds=10)
"""A customer's metafields are written no more often than this."""

_NEW = (
    "(attribute_not_exists(requested) OR requested < :version)"
    " AND (attribute_not_exists(written) OR written < :version)"
)
_NO_MORE_REQUESTED = "requested <= :version"
_FREE = "(attribute_not_exists(lease_until) OR lease_until <= :now)"
_ON_LIST = "due_trigger = :list, due_trigger_at = :at"


class List(StrEnum):
    """A list of a shop's customers, in the order in which they are worked on."""

    CHANGES = "changes"
    DELETIONS = "deletions"
    FILL = "fill"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a customer's metafields are written.

    `namespace` is empty before the first write; `optional` are the optional keys that may be there.
    """

    requested: int
    written: int
    written_at: datetime | None
    namespace: str
    optional: frozenset[str]
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """A customer on a list, as they were a moment ago; damage shows when it is looked at."""

    customer_id: str
    _account: Stored | None
    _cursor: Stored

    def account(self) -> Account | None:
        """The account; None if there is none."""
        return items.account_of(self._account) if self._account else None

    def cursor(self) -> Cursor:
        """The cursor."""
        return _cursor_of(self._cursor)


@dataclass(frozen=True, slots=True)
class ScannedAccount:
    """An account in a scan: its latest version, and its cursor, if it has one."""

    shop: str
    customer_id: str
    version: int
    cursor: Cursor | None


class Metafields:
    """The cursors of one table. Raises LedgerUnavailable while it cannot be reached.

    A change that raised an error may have happened; each may be repeated.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        """Keep the cursors in `table`; `clock` waits where it is throttled."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)
        self._clock = clock

    def request(
        self, shop: str, customer_id: str, version: int, at: datetime, onto: List = List.CHANGES
    ) -> None:
        """Request that `version` is written at `at`; who is on a list already keeps their time.

        Does nothing for an erased customer, or for a version that was requested before, unless it
        is for `List.FILL`: that writes again what was written, and trusts no record of it.
        """
        key = keys.metafields(shop, customer_id)
        listed = _listed(shop, onto, at)
        # A customer on the list of changes stays there.
        of_list, forgotten = ":list", ""
        if onto is List.FILL:
            of_list, forgotten = "if_not_exists(due_trigger, :list)", " REMOVE optional"
        update = Update(
            key,
            f"SET requested = :version, #schema = :schema, due_trigger = {of_list},"
            f" due_trigger_at = if_not_exists(due_trigger_at, :at){forgotten}",
            {":version": number(version), ":schema": SCHEMA["schema"], **listed},
            _NO_MORE_REQUESTED if onto is List.FILL else _NEW,
        )
        due = {"due_trigger": listed[":list"], "due_trigger_at": listed[":at"]}
        with suppress(CustomerErased):
            first = {**key, **SCHEMA, "requested": number(version), **due}
            self._items.change_or_create(update, first)

    def due(self, shop: str, which: List, until: datetime) -> Iterator[str]:
        """The customers on a list who are due by `until`, the longest due first."""
        found = self._table.query(
            "due_trigger = :list AND due_trigger_at <= :at",
            _listed(shop, which, until),
            index="due_trigger",
        )
        for item in found:
            yield keys.parse(text_of(item["pk"]))[1]

    def read(self, shop: str, customer_ids: Sequence[str]) -> list[Row]:
        """Up to `CUSTOMERS_MAX` customers, eventually consistent; without those who are gone."""
        read = self._read(shop, customer_ids)
        found = {(text_of(one["pk"]), text_of(one["sk"])): one for one in read}
        by_customer = {one: keys.customer(shop, one) for one in customer_ids}
        return [
            Row(one, found.get((pk, keys.ACCOUNT)), found[pk, keys.METAFIELDS])
            for one, pk in by_customer.items()
            if (pk, keys.METAFIELDS) in found
        ]

    def begin(self, shop: str, customer_id: str, namespace: str, optional: Collection[str]) -> bool:
        """Record, before a write, the namespace and the optional keys that may be there after it.

        So that they are found again whatever becomes of it. False: the customer was erased, and is
        not to be written.
        """
        update = Update(
            keys.metafields(shop, customer_id),
            "SET #namespace = :namespace, #optional = :optional",
            {":namespace": text(namespace), ":optional": texts(sorted(optional))},
        )
        return self._items.change(update).done

    def finish(self, shop: str, customer_id: str, version: int, optional: Collection[str]) -> None:
        """Record that `version` was written, and take the customer off the list.

        `optional` are the optional keys that are there. If more was requested meanwhile, it is
        written after `INTERVAL`. Does nothing for an erased customer.
        """
        key, now = keys.metafields(shop, customer_id), self._clock.now()
        change = "SET written = :version, written_at = :now, #optional = :optional"
        values: Item = {
            ":version": number(version),
            ":now": instant(now),
            ":optional": texts(sorted(optional)),
        }
        off = f"{change} REMOVE due_trigger, due_trigger_at"
        if not self._items.change(Update(key, off, values, _NO_MORE_REQUESTED)).done:
            again = values | _listed(shop, List.CHANGES, now + INTERVAL)
            self._items.change(Update(key, f"{change}, {_ON_LIST}", again))

    def postpone(self, shop: str, customer_id: str, at: datetime) -> None:
        """Write this customer later."""
        update = Update(
            keys.metafields(shop, customer_id),
            "SET due_trigger_at = :at",
            {":at": instant(at)},
            "attribute_exists(due_trigger)",
        )
        self._items.change(update)

    def forget(self, shop: str, customer_id: str, version: int) -> None:
        """Delete the cursor of a customer without metafields, unless more was requested."""
        key, values = keys.metafields(shop, customer_id), {":version": number(version)}
        self._table.delete_if(key, _NO_MORE_REQUESTED, values)

    # --- erased customers ---------------------------------------------------------------------

    def namespace_to_delete(self, shop: str, customer_id: str) -> str:
        """The namespace of an erased customer's metafields; empty if it is not known."""
        item = self._table.get(keys.metafields_deletion(shop, customer_id)) or {}
        return text_of(item["namespace"]) if "namespace" in item else ""

    def finish_deletion(self, shop: str, customer_id: str) -> None:
        """Forget an erased customer whose metafields are deleted."""
        self._table.delete(keys.metafields_deletion(shop, customer_id))

    def postpone_deletion(self, shop: str, customer_id: str, at: datetime) -> None:
        """Delete the metafields of this customer later."""
        key, values = keys.metafields_deletion(shop, customer_id), {":at": instant(at)}
        change = "SET due_trigger_at = :at"
        self._table.update_if(Update(key, change, values, "attribute_exists(pk)"))

    # --- the shop's writer --------------------------------------------------------------------

    def acquire(self, shop: str, until: datetime) -> bool:
        """Become the shop's only writer until `until`; False: there is one."""
        update = Update(
            keys.key(keys.shop(shop), keys.METAFIELDS_WRITER),
            "SET lease_until = :until, #schema = :schema",
            {
                ":until": instant(until),
                ":now": instant(self._clock.now()),
                ":schema": SCHEMA["schema"],
            },
            _FREE,
        )
        return self._table.update_if(update).done

    def release(self, shop: str, until: datetime) -> None:
        """End one's lease, which was acquired until `until`."""
        key = keys.key(keys.shop(shop), keys.METAFIELDS_WRITER)
        self._table.delete_if(key, "lease_until = :until", {":until": instant(until)})

    # --- all customers ------------------------------------------------------------------------

    def scan(self, progress: Callable[[int], None]) -> Iterator[ScannedAccount]:
        """Every account with its cursor; `progress` gets the number of items read so far."""
        account: Stored | None = None
        seen, last_key = 0, None
        while True:
            page = self._table.scan(
                "sk = :account OR sk = :metafields",
                {":account": text(keys.ACCOUNT), ":metafields": text(keys.METAFIELDS)},
                after=last_key,
            )
            for item in page.items:
                if item["sk"] == text(keys.METAFIELDS):
                    # A customer's account comes before it, and nothing of another one between them.
                    if account is not None and account["pk"] == item["pk"]:
                        yield from _scanned(account, _cursor_of(item))
                        account = None
                    continue
                yield from _scanned(account, None)
                account = item
            seen, last_key = seen + page.scanned, page.last_key
            progress(seen)
            if last_key is None:
                break
        yield from _scanned(account, None)

    def _read(self, shop: str, customer_ids: Iterable[str]) -> list[Stored]:
        pks = [keys.customer(shop, one) for one in customer_ids]
        pairs = [keys.key(pk, sk) for pk in pks for sk in (keys.ACCOUNT, keys.METAFIELDS)]
        return read_all(self._table, pairs, self._clock)


def deletion_item(shop: str, customer_id: str, namespace: str) -> Item:
    """The item that has an erased customer's metafields deleted, at once."""
    listed = _listed(shop, List.DELETIONS, BEGINNING)
    return {
        **keys.metafields_deletion(shop, customer_id),
        **SCHEMA,
        "namespace": text(namespace),
        "due_trigger": listed[":list"],
        "due_trigger_at": listed[":at"],
    }


def _scanned(account: Stored | None, cursor: Cursor | None) -> Iterator[ScannedAccount]:
    if account is not None and "erased" not in account:
        shop, customer_id = keys.parse(text_of(account["pk"]))
        yield ScannedAccount(shop, customer_id, int_of(account["version"]), cursor)


def _cursor_of(item: Stored) -> Cursor:
    namespace = text_of(item["namespace"]) if "namespace" in item else ""
    # Nothing is there before the first write; everything may be where no record can be trusted.
    unknown = OPTIONAL if namespace else frozenset[str]()
    return Cursor(
        requested=optional_int(item, "requested"),
        written=optional_int(item, "written"),
        written_at=optional_instant(item, "written_at"),
        namespace=namespace,
        optional=frozenset(texts_of(item["optional"])) if "optional" in item else unknown,
        due_at=optional_instant(item, "due_trigger_at"),
    )


def _listed(shop: str, onto: List, at: datetime) -> Item:
    return {":list": text(keys.due_metafields(shop, onto)), ":at": instant(at)}
