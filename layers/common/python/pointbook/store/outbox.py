"""The outbox's cursors: up to which version each customer's entries were published to Flow.

    published         every entry up to this version was sent, or fires no trigger
    part              how many triggers of the next entry were sent as well
    requested         a version that was requested while another sender held the lease
    lease, lease_until  who sends just now, and until when nobody else may; real time
    tries             how many attempts have failed since the last one that did not
    due_trigger, due_trigger_at  on the shop's list of what is to be retried, and from when on

A cursor is an item of its own, so that sending never stands in the way of the ledger. Every change
of it is one UpdateItem; attributes that others keep on it are left alone.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pointbook.domain.chain import BookedEntry
from pointbook.store import items, keys
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
)

FREE = "(attribute_not_exists(lease_until) OR lease_until <= :now)"
UNPUBLISHED = "(attribute_not_exists(published) OR published < :version)"
MINE = "lease = :lease"
NO_MORE_REQUESTED = "requested <= :published"
NO_REMINDERS = "attribute_not_exists(reminded)"
NOT_REQUESTED_YET = "(attribute_not_exists(requested) OR requested < :version)"

_ON_LIST = "due_trigger = :list, due_trigger_at = :at"
_OFF_LIST = "due_trigger, due_trigger_at"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a customer's entries are published, as the holder of its lease knows it."""

    shop: str
    customer_id: str
    lease: str
    lease_until: datetime
    published: int = 0
    part: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Leased:
    """Somebody else is sending, until this time at the latest."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An account of whose `version` entries only those up to `published` were published."""

    shop: str
    customer_id: str
    version: int
    published: int


class LeaseLost(Exception):
    """Another sender holds the lease by now, or the customer was erased: send nothing more."""


class Outbox:
    """The cursors of one table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly. A change that raised may have happened; each may be repeated.
    """

    def __init__(self, table: Table) -> None:
        """Keep the cursors in `table`."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)

    def acquire(
        self, requested: Cursor, now: datetime, version: int | None
    ) -> Cursor | Leased | None:
        """Take the lease that `requested` describes, and return how far the entries are published.

        None: they are published up to `version` (not looked at where there is none), or the
        customer was erased.
        """
        key = keys.outbox(requested.shop, requested.customer_id)
        lease = {"lease": text(requested.lease), "lease_until": instant(requested.lease_until)}
        values = {
            ":lease": lease["lease"],
            ":until": lease["lease_until"],
            ":now": instant(now),
            ":none": number(0),
            ":schema": SCHEMA["schema"],
        }
        condition = FREE
        if version is not None:
            condition, values[":version"] = f"{FREE} AND {UNPUBLISHED}", number(version)
        update = Update(
            key,
            "SET lease = :lease, lease_until = :until, #schema = :schema,"
            " requested = if_not_exists(requested, :none)",
            values,
            condition,
        )
        first = {**key, **SCHEMA, **lease, "requested": number(0)}
        try:
            outcome = self._items.change_or_create(update, first)
        except CustomerErased:
            return None
        if outcome.done:
            published, part, tries = (
                optional_int(outcome.item, name) for name in ("published", "part", "tries")
            )
            return replace(requested, published=published, part=part, tries=tries)
        until = optional_instant(outcome.item, "lease_until")
        return Leased(until) if until and until > now else None

    def advance(self, cursor: Cursor) -> None:
        """Save the cursor's progress, and renew its lease. Raises LeaseLost."""
        change = "SET published = :published, part = :part, lease_until = :until"
        more = {":part": number(cursor.part), ":until": instant(cursor.lease_until)}
        if not self._items.change(_by_holder(cursor, change, more)).done:
            raise LeaseLost

    def release(self, cursor: Cursor) -> bool:
        """Save the cursor's progress, give up the lease and take the customer off the list.

        False, and nothing is changed: more was requested meanwhile. Raises LeaseLost.
        """
        change = f"SET published = :published REMOVE part, tries, lease, lease_until, {_OFF_LIST}"
        update = _by_holder(cursor, change, {}, NO_MORE_REQUESTED)
        outcome = self._items.change(update)
        if not outcome.done and outcome.item.get("lease") != text(cursor.lease):
            raise LeaseLost
        return outcome.done

    def discard(self, cursor: Cursor) -> bool:
        """Delete a cursor of which nothing was published; False if others keep something on it."""
        return self._table.delete_if(
            keys.outbox(cursor.shop, cursor.customer_id),
            f"{MINE} AND {NO_MORE_REQUESTED} AND {NO_REMINDERS}",
            {":published": number(0), ":lease": text(cursor.lease)},
        ).done

    def reschedule(self, cursor: Cursor, next_try_at: datetime) -> None:
        """Save the cursor's progress, give up the lease, and retry later. Raises LeaseLost."""
        change = (
            f"SET published = :published, part = :part, tries = :tries, {_ON_LIST}"
            " REMOVE lease, lease_until"
        )
        more = {":part": number(cursor.part), ":tries": number(cursor.tries)}
        update = _by_holder(cursor, change, more | _listed(cursor.shop, next_try_at))
        if not self._items.change(update).done:
            raise LeaseLost

    def request(self, shop: str, customer_id: str, version: int, at: datetime) -> None:
        """Have entries up to `version` published, from `at` on; who is on the list keeps its place.

        Of an erased customer nothing is published. Whoever sends now does not take the customer off
        the list before `version`.
        """
        key, listed = keys.outbox(shop, customer_id), _listed(shop, at)
        update = Update(
            key,
            "SET requested = :version, #schema = :schema, due_trigger = :list,"
            " due_trigger_at = if_not_exists(due_trigger_at, :at)",
            {":version": number(version), ":schema": SCHEMA["schema"], **listed},
            f"{NOT_REQUESTED_YET} AND {UNPUBLISHED}",
        )
        due = {"due_trigger": listed[":list"], "due_trigger_at": listed[":at"]}
        with suppress(CustomerErased):
            self._items.change_or_create(
                update, {**key, **SCHEMA, "requested": number(version), **due}
            )

    def rewind(self, shop: str, customer_id: str, to: int, version: int, now: datetime) -> bool:
        """Have everything above version `to` published again, up to `version`.

        False: somebody is sending now, or the customer was erased.
        """
        update = Update(
            keys.outbox(shop, customer_id),
            "SET published = :published, requested = :version, #schema = :schema,"
            f" {_ON_LIST} REMOVE part, tries",
            {
                ":published": number(to),
                ":version": number(version),
                ":schema": SCHEMA["schema"],
                ":now": instant(now),
                **_listed(shop, now),
            },
            FREE,
        )
        return self._items.change(update).done

    def published(self, shop: str, customer_id: str) -> int:
        """Up to which version the customer's entries are published."""
        return optional_int(self._table.get(keys.outbox(shop, customer_id)) or {}, "published")

    def entries(self, shop: str, customer_id: str, above: int, limit: int) -> list[BookedEntry]:
        """The first entries above a version, the oldest first."""
        found = self._table.query(
            "pk = :customer AND sk BETWEEN :first AND :last",
            {
                ":customer": text(keys.customer(shop, customer_id)),
                ":first": text(keys.entry(above + 1)),
                ":last": text(keys.entry(10**keys.VERSION_DIGITS - 1)),
            },
            limit=limit,
        )
        return [items.entry_of(item) for item in found]

    def due(self, shop: str, now: datetime) -> Iterator[str]:
        """The customers of a shop whose next attempt is due, the longest due first."""
        found = self._table.query(
            "due_trigger = :list AND due_trigger_at <= :at", _listed(shop, now), index="due_trigger"
        )
        for item in found:
            yield keys.parse(text_of(item["pk"]))[1]

    def unpublished(self, progress: Callable[[int], None]) -> Iterator[Unpublished]:
        """Every account with unpublished entries; `progress` gets the number of items read so far.

        A customer's account comes before the cursor, and nothing of another one between them.
        """
        accounts, seen, last_key = _Accounts(), 0, None
        while True:
            page = self._table.scan(
                "sk = :account OR sk = :outbox",
                {":account": text(keys.ACCOUNT), ":outbox": text(keys.OUTBOX)},
                after=last_key,
            )
            for item in page.items:
                yield from accounts.next(item)
            seen, last_key = seen + page.scanned, page.last_key
            progress(seen)
            if last_key is None:
                break
        yield from accounts.last()


class _Accounts:
    """Puts accounts and cursors together as they come by."""

    def __init__(self) -> None:
        self._account: Stored | None = None

    def next(self, item: Stored) -> Iterator[Unpublished]:
        if item["sk"] == text(keys.ACCOUNT):
            yield from self.last()
            self._account = item
        elif self._account is not None and self._account["pk"] == item["pk"]:
            yield from self.last(optional_int(item, "published"))

    def last(self, published: int = 0) -> Iterator[Unpublished]:
        account, self._account = self._account, None
        if account is None or "erased" in account:
            return
        version = int_of(account["version"])
        if version > published:
            yield Unpublished(*keys.parse(text_of(account["pk"])), version, published)


def _by_holder(cursor: Cursor, change: str, more: Item, condition: str = "") -> Update:
    """A change of a cursor by whoever holds its lease."""
    return Update(
        keys.outbox(cursor.shop, cursor.customer_id),
        change,
        {":published": number(cursor.published), ":lease": text(cursor.lease), **more},
        f"{MINE} AND {condition}" if condition else MINE,
    )


def _listed(shop: str, at: datetime) -> Item:
    return {":list": text(keys.due_triggers(shop)), ":at": instant(at)}
