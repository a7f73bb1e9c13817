"""The outbox's cursors: up to which version each customer's entries were published to Flow.

    published         every entry up to this version was sent, or fires no trigger
    triggers_sent     how many triggers of the next entry were sent as well
    requested         a version that was requested while another sender held the lease
    lease, lease_until  who is sending, and until when nobody else may; real time
    attempts          how many attempts have failed since the last successful one
    due_trigger, due_trigger_at  the shop's retry queue, and when the next attempt is due

A cursor is an item of its own, so sending never blocks the ledger. Every change of it is one
UpdateItem, which leaves the attributes of reminders (`store.sent_reminders`) alone.
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
NO_REMINDERS = "attribute_not_exists(sent_reminders)"
NOT_REQUESTED_YET = "(attribute_not_exists(requested) OR requested < :version)"

_ON_LIST = "due_trigger = :list, due_trigger_at = :at"
_OFF_LIST = "due_trigger, due_trigger_at"
_PROGRESS = "triggers_sent, attempts"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a customer's entries are published, as the holder of its lease knows it."""

    shop: str
    customer_id: str
    lease: str
    lease_until: datetime
    published: int = 0
    triggers_sent: int = 0
    attempts: int = 0


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

    A change that raised an error may have happened; each may be repeated.
    """

    def __init__(self, table: Table) -> None:
        """Keep the cursors in `table`."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)

    def acquire(
        self, requested: Cursor, now: datetime, version: int | None
    ) -> Cursor | Leased | None:
        """Acquire the lease that `requested` describes, and return the cursor as it is stored.

        None: everything up to `version` is published (if one is given), or the customer was erased.
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
            return replace(
                requested,
                published=optional_int(outcome.item, "published"),
                triggers_sent=optional_int(outcome.item, "triggers_sent"),
                attempts=optional_int(outcome.item, "attempts"),
            )
        until = optional_instant(outcome.item, "lease_until")
        return Leased(until) if until and until > now else None

    def advance(self, cursor: Cursor) -> None:
        """Save the cursor's progress, and renew its lease. Raises LeaseLost."""
        change = "SET published = :published, triggers_sent = :triggers_sent, lease_until = :until"
        more = {
            ":triggers_sent": number(cursor.triggers_sent),
            ":until": instant(cursor.lease_until),
        }
        if not self._items.change(_by_holder(cursor, change, more)).done:
            raise LeaseLost

    def release(self, cursor: Cursor) -> bool:
        """Save the progress, release the lease and take the customer off the retry queue.

        False, with no change: more entries were requested meanwhile. Raises LeaseLost.
        """
        change = f"SET published = :published REMOVE {_PROGRESS}, lease, lease_until, {_OFF_LIST}"
        update = _by_holder(cursor, change, {}, NO_MORE_REQUESTED)
        outcome = self._items.change(update)
        if not outcome.done and outcome.item.get("lease") != text(cursor.lease):
            raise LeaseLost
        return outcome.done

    def discard(self, cursor: Cursor) -> bool:
        """Delete a cursor that has published nothing; False if it holds requests or reminders."""
        return self._table.delete_if(
            keys.outbox(cursor.shop, cursor.customer_id),
            f"{MINE} AND {NO_MORE_REQUESTED} AND {NO_REMINDERS}",
            {":published": number(0), ":lease": text(cursor.lease)},
        ).done

    def reschedule(self, cursor: Cursor, next_attempt_at: datetime) -> None:
        """Save the progress, release the lease, and retry later. Raises LeaseLost."""
        change = (
            "SET published = :published, triggers_sent = :triggers_sent, attempts = :attempts,"
            f" {_ON_LIST} REMOVE lease, lease_until"
        )
        more = {
            ":triggers_sent": number(cursor.triggers_sent),
            ":attempts": number(cursor.attempts),
        }
        update = _by_holder(cursor, change, more | _listed(cursor.shop, next_attempt_at))
        if not self._items.change(update).done:
            raise LeaseLost

    def request(self, shop: str, customer_id: str, version: int, at: datetime) -> None:
        """Request the entries up to `version` for `at`; an account already queued keeps its time.

        Does nothing for an erased customer. A sender at work now does not take the account off the
        retry queue before it has published `version`.
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
        """Request that the entries above `to`, up to `version`, are published again.

        False: somebody is sending now, or the customer was erased.
        """
        update = Update(
            keys.outbox(shop, customer_id),
            "SET published = :published, requested = :version, #schema = :schema,"
            f" {_ON_LIST} REMOVE {_PROGRESS}",
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
        """The version up to which the customer's entries are published."""
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
    """Joins accounts with their cursors, which follow them in a scan."""

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
