"""Partitions of the table as they are verified: each compares its items with what they refer to.

A partition takes its items one by one, and keeps of them only what the comparison needs. What is
read one after the other may be of different times, so a finding counts only when it is found again
while nothing changes: services/verification.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from pointbook.domain.account import Account
from pointbook.domain.cross_checks import hold_findings, order_findings, used_hold_findings
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.heads import HeadCheck
from pointbook.domain.ports import DueKind
from pointbook.domain.reconcile import Damage, Finding, Reconciler
from pointbook.domain.records import NO_RECORDS, Records
from pointbook.store import hold_items, items, keys, order_items, till_pushes
from pointbook.store.values import Item, Stored, optional_int, text_of

FINDINGS_MAX = 100
"""The most findings that are kept of one partition: after a wrong entry, all later figures are."""

_OUTBOXES = {
    keys.OUTBOX: ("published", keys.due_triggers),
    keys.TILL_PUSH: ("pushed to the till", keys.due_till_pushes),
}
"""The cursors of a customer: what they do with entries, and the list of those that wait."""

type Key = tuple[str, str]
type Found = Mapping[Key, Stored]
"""The items that a check refers to, as far as they exist."""


class Check(Protocol):
    """The check of one partition."""

    pk: str
    shop: str
    customer_id: str

    def take(self, item: Stored) -> None:
        """Take the next item; an account comes before its entries, and these in their order."""

    def references(self) -> Iterator[Item]:
        """The keys of items that it is compared with."""

    def findings(self, found: Found) -> list[Finding]:
        """What is wrong."""


def plain_key(item: Stored) -> Key:
    """The key of an item, as two texts."""
    return text_of(item["pk"]), text_of(item["sk"])


def check_of(pk: str, records: Records = NO_RECORDS) -> Check | None:
    """The check of a partition; None for one that has no points."""
    begin, _, rest = pk.partition("#")
    shop, _, rest = rest.partition("#")
    kind, _, name = rest.partition("#")
    if begin != "SHOP" or not name:
        return None
    kinds: dict[str, Callable[[str, str, str], Check]] = {
        "CUSTOMER": partial(AccountCheck, records=records),
        keys.ORDER: OrderCheck,
        keys.HOLD: HoldCheck,
        keys.ORPHANED_CODE: CodeCheck,
    }
    return kinds[kind](pk, shop, name) if kind in kinds else None


class _Findings:
    """Findings, up to a limit; an item that cannot be read is one of them."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def add(self, more: Iterable[Finding]) -> None:
        self.all.extend(more)
        del self.all[FINDINGS_MAX:]

    def read[T](self, read: Callable[[Stored], T], item: Stored, version: int = 0) -> T | None:
        try:
            return read(item)
        except Exception as error:  # noqa: BLE001 - damage comes in every form
            what = f"item {text_of(item['sk'])} cannot be read: {type(error).__name__} {error}"
            self.add([Finding(Damage.UNREADABLE, version, what)])
            return None

    def due(self, item: Stored, expected: Stored, about: str) -> None:
        """Compare the attributes that put an item on the indexes of due work."""
        stored, right = _due(item), _due(expected)
        if stored != right:
            what = (
                f"{about} is on the indexes of due work as {stored}, but belongs there as {right}"
            )
            self.add([Finding(Damage.DUE, 0, what)])


class AccountCheck:
    """A customer's account with its entries, cursor and idempotency records.

    `account_name` is the account's random name, empty if there is none; `sums` are its entries by
    the closings of statements.
    """

    def __init__(self, pk: str, shop: str, customer_id: str, records: Records = NO_RECORDS) -> None:
        """Begin with no items."""
        self.pk = pk
        self.shop = shop
        self.customer_id = customer_id
        self.account: Account | None = None
        self.account_name = ""
        self.entries = 0
        self.sums = records.sums(shop)
        self._records = records
        self._heads: HeadCheck | None = None
        self._reconciler: Reconciler | None = None
        self._findings = _Findings()
        self._has_account = False
        self._needs_account = ""
        self._cursors: dict[str, Stored] = {}
        self._metafields: Stored = {}
        self._requests: list[tuple[int, str]] = []

    def take(self, item: Stored) -> None:
        """Take the next item."""
        sort_key = text_of(item["sk"])
        if sort_key == keys.ACCOUNT:
            self._take_account(item)
        elif sort_key.startswith(keys.ENTRY):
            self._take_entry(item, sort_key)
        elif sort_key in _OUTBOXES:
            self._cursors[sort_key] = item
            if sort_key == keys.TILL_PUSH:
                self._findings.read(till_pushes.cursor_of, item)
        elif sort_key == keys.METAFIELDS:
            self._metafields = item
        elif sort_key.startswith(keys.REQUEST):
            self._take_request(item, sort_key)

    def references(self) -> Iterator[Item]:
        """The record of its hold, the orders of its entries, and whom it was merged into."""
        if self.account is None or self._reconciler is None:
            return
        if self.account.hold is not None:
            yield keys.hold(self.shop, self.account.hold.hold_id)
        if self.account.merged_into is not None:
            yield keys.account(self.shop, self.account.merged_into)
        for order_id in self._reconciler.orders:
            if order_id.isascii() and order_id.isdecimal():
                yield keys.order(self.shop, order_id)

    def findings(self, found: Found) -> list[Finding]:
        """What is wrong; nothing is compared once the customer is erased."""
        account, reconciler, every = self.account, self._reconciler, _Findings()
        every.add(self._findings.all)
        if account is not None and reconciler is not None:
            if account.erased:
                return []
            every.add(reconciler.finish())
            if self._heads is not None:
                every.add(self._heads.findings(account.version))
            for sort_key in self._cursors:
                every.add(self._of_cursor(account, sort_key))
            every.add(self._of_metafields())
            every.add(self._of_requests(account))
            self._compare_references(account, reconciler, found, every)
        elif self._needs_account and not self._has_account and not is_pseudonym(self.customer_id):
            what = f"there are items such as {self._needs_account}, but no account"
            every.add([Finding(Damage.NO_ACCOUNT, 0, what)])
        return every.all

    def _take_account(self, item: Stored) -> None:
        self._has_account = True
        with suppress(KeyError, TypeError):
            self.account_name = text_of(item["book"])
        self.account = self._findings.read(items.account_of, item)
        if self.account is None:
            return
        self._reconciler = Reconciler(self.account)
        self._heads = self._records.head_check(self.shop, self.account_name)
        if not self.account.erased:
            expected = items.account_item(self.shop, self.account)
            self._findings.due(item, expected, "the account")

    def _take_entry(self, item: Stored, sort_key: str) -> None:
        self.entries += 1
        self._needs_account = self._needs_account or sort_key
        booked = self._findings.read(items.entry_of, item, _version_in(sort_key))
        if booked is None:
            return
        self.sums.add(booked.entry)
        if self._reconciler is None or self._heads is None:
            return
        self._heads.take(booked.entry.version, booked.entry_hash)
        if len(self._findings.all) < FINDINGS_MAX:
            self._findings.add(self._reconciler.add(booked))

    def _take_request(self, item: Stored, sort_key: str) -> None:
        self._needs_account = self._needs_account or sort_key
        record = self._findings.read(items.idempotency_record_of, item)
        for name in record.entry_ids if record else ():
            customer_id, _, version = name.partition("-")
            is_beyond = self.account is None or int(version or 0) > self.account.version
            if customer_id == self.customer_id and is_beyond:
                self._requests.append((int(version or 0), sort_key))

    def _of_cursor(self, account: Account, sort_key: str) -> Iterator[Finding]:
        cursor, (done, queue) = self._cursors[sort_key], _OUTBOXES[sort_key]
        published, requested = (optional_int(cursor, one) for one in ("published", "requested"))
        for name, version in ((done, published), ("requested", requested)):
            if version > account.version:
                what = f"entries are {name} up to {version}, but there are {account.version}"
                yield Finding(Damage.OUTBOX, account.version, what)
        is_listed = "due_trigger" in cursor and "due_trigger_at" in cursor
        if requested > published and not is_listed:
            what = f"entries wait to be {done}, but are not on the shop's list"
            yield Finding(Damage.DUE, 0, what)
        if "due_trigger" in cursor and text_of(cursor["due_trigger"]) != queue(self.shop):
            listed = text_of(cursor["due_trigger"])
            yield Finding(Damage.DUE, 0, f"entries wait to be {done} on the list {listed}")

    def _of_metafields(self) -> Iterator[Finding]:
        requested, written = (
            optional_int(self._metafields, one) for one in ("requested", "written")
        )
        is_listed = "due_trigger" in self._metafields and "due_trigger_at" in self._metafields
        if requested > written and not is_listed:
            what = "metafields wait to be written, but are not on the shop's list"
            yield Finding(Damage.DUE, 0, what)

    def _of_requests(self, account: Account) -> Iterator[Finding]:
        for version, sort_key in self._requests:
            if version > account.version:
                what = f"{sort_key} names entry {version}, but there are {account.version}"
                yield Finding(Damage.REQUEST, version, what)

    def _compare_references(
        self, account: Account, reconciler: Reconciler, found: Found, every: _Findings
    ) -> None:
        if account.hold is not None:
            item = found.get(plain_key(keys.hold(self.shop, account.hold.hold_id)))
            record = every.read(hold_items.hold_record_of, item) if item else None
            every.add(hold_findings(account, record))
        if account.merged_into is not None:
            survivor = plain_key(keys.account(self.shop, account.merged_into))
            if survivor not in found:
                what = f"it was merged into {account.merged_into}, who has no account"
                every.add([Finding(Damage.MERGE, 0, what)])
        for order_id, moved in reconciler.orders.items():
            every.add(self._of_order(account, order_id, moved, found, every))

    def _of_order(
        self, account: Account, order_id: str, moved: Any, found: Found, every: _Findings
    ) -> Iterator[Finding]:
        if not (order_id.isascii() and order_id.isdecimal()):
            what = f"entries are about order {order_id!r}, which is no order's id"
            yield Finding(Damage.ORDER, 0, what)
            return
        item = found.get(plain_key(keys.order(self.shop, order_id)))
        order = every.read(order_items.order_of, item) if item else None
        if item is None or order is not None:
            yield from order_findings(account, order_id, moved, order)


class OrderCheck:
    """An order: whether it can be read, is due when it says, and names customers with accounts."""

    def __init__(self, pk: str, shop: str, order_id: str) -> None:
        """Begin with no item."""
        self.pk = pk
        self.shop = shop
        self.customer_id = ""
        self._order_id = order_id
        self._findings = _Findings()
        self._customers: tuple[str, ...] = ()

    def take(self, item: Stored) -> None:
        """Take the order."""
        order = self._findings.read(order_items.order_of, item)
        if order is None:
            return
        self.customer_id = order.customer_id or ""
        expected = order_items.order_item(self.shop, order)
        self._findings.due(item, expected, f"order {order.order_id}")
        if order.has_points:
            names = (order.customer_id, *(one.customer_id for one in order.spendings))
            self._customers = tuple(dict.fromkeys(filter(None, names)))

    def references(self) -> Iterator[Item]:
        """The accounts of its customers."""
        for name in self._customers:
            yield keys.account(self.shop, name)

    def findings(self, found: Found) -> list[Finding]:
        """What is wrong."""
        return [
            *self._findings.all,
            *(
                Finding(Damage.ORDER, 0, f"order {self._order_id} names {name}, without an account")
                for name in self._customers
                if plain_key(keys.account(self.shop, name)) not in found
            ),
        ]


class HoldCheck:
    """The record of a hold: whether its customer has an account, and its orders know of it."""

    def __init__(self, pk: str, shop: str, _: str) -> None:
        """Begin with no item."""
        self.pk = pk
        self.shop = shop
        self.customer_id = ""
        self._findings = _Findings()
        self._record: Any = None

    def take(self, item: Stored) -> None:
        """Take the record."""
        self._record = self._findings.read(hold_items.hold_record_of, item)
        if self._record is not None:
            self.customer_id = self._record.customer_id

    def references(self) -> Iterator[Item]:
        """The account, and the orders."""
        if self._record is not None:
            yield keys.account(self.shop, self.customer_id)
            for order_id in self._record.orders:
                yield keys.order(self.shop, order_id)

    def findings(self, found: Found) -> list[Finding]:
        """What is wrong."""
        record, every = self._record, _Findings()
        every.add(self._findings.all)
        if record is None:
            return every.all
        if plain_key(keys.account(self.shop, self.customer_id)) not in found:
            what = f"hold {record.hold_id} names {self.customer_id}, without an account"
            every.add([Finding(Damage.HOLD, 0, what)])
        for order_id in record.orders:
            item = found.get(plain_key(keys.order(self.shop, order_id)))
            order = every.read(order_items.order_of, item) if item else None
            if item is None or order is not None:
                every.add(used_hold_findings(record, order_id, order))
        return every.all


class CodeCheck:
    """A code that is to be deactivated: whether it is on the index, so that this happens."""

    def __init__(self, pk: str, shop: str, _: str) -> None:
        """Begin with no item."""
        self.pk = pk
        self.shop = shop
        self.customer_id = ""
        self._findings = _Findings()

    def take(self, item: Stored) -> None:
        """Take the code."""
        read = self._findings.read(hold_items.orphaned_code_of, item)
        if read is None:
            return
        code, _ = read
        key = keys.orphaned_code(self.shop, code.hold_id)
        at = item.get("due_code_at")
        expected = keys.due_attributes(DueKind.CODE, key, code.until) | (
            {"due_code_at": at} if at else {}
        )
        self._findings.due(item, expected, f"the code of hold {code.hold_id}")

    def references(self) -> Iterator[Item]:
        """None."""
        yield from ()

    def findings(self, _: Found) -> list[Finding]:
        """What is wrong."""
        return self._findings.all


def _due(item: Stored) -> dict[str, str]:
    return {
        name: str(next(iter(value.values())))
        for name, value in sorted(item.items())
        if name.startswith("due_")
    }


def _version_in(sort_key: str) -> int:
    digits = sort_key.removeprefix(keys.ENTRY)
    return int(digits) if digits.isdecimal() else 0
