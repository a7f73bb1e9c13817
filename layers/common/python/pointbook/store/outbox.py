"""The cursors of an outbox: up to which version each customer's entries were published.

There are two outboxes: one publishes to Flow, the other pushes changes to the till
(`store.till_pushes`).

    published         every entry up to this version was sent, or needs no sending
    triggers_sent     how many triggers of the next entry were sent to Flow as well
    requested         a version that was requested while another sender held the lease
    lease, lease_until  who is sending, and until when nobody else may; real time
    attempts          how many attempts have failed since the last successful one
    due_trigger, due_trigger_at  the shop's retry queue, and when the next attempt is due
    waiting_since     since when changes have been waiting for the till

A cursor is an item of its own, so sending never blocks the ledger. Every change of it is one
UpdateItem, which leaves other attributes alone, such as those of reminders
(`store.sent_reminders`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from pointbook.domain.chain import BookedEntry
from pointbook.store import items, keys
from pointbook.store.customer_items import CustomerErased, CustomerItems
from pointbook.store.items import SCHEMA
from pointbook.store.table import Outcome, Table, Update
from pointbook.store.values import (
    Item,
    Stored,
    Value,
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
_WAITS = ", waiting_since = if_not_exists(waiting_since, :at)"


@dataclass(frozen=True, slots=True)
class Kind:
    """An outbox: the cursor of a customer, and the retry queue of a shop.

    `waits`: its cursors say since when something has been waiting.
    """

    cursor: Callable[[str, str], Item]
    queue: Callable[[str], str]
    waits: bool = False


FLOW = Kind(keys.outbox, keys.due_triggers)
TILL = Kind(keys.till_push, keys.due_till_pushes, waits=True)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a customer's entries are published, as the holder of its lease knows it.

    `item` is everything that was stored when the lease was acquired.
    """

    shop: str
    customer_id: str
    lease: str
    lease_until: datetime
    published: int = 0
    triggers_sent: int = 0
    attempts: int = 0
    item: Stored = field(default_factory=dict, compare=False, repr=False)


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


type Begin = Callable[[], int]


class LeaseLost(Exception):
    """Another sender holds the lease by now, or the customer was erased: send nothing more."""


class Outbox:
    """The cursors of one outbox.

    A change that raised an error may have happened; each may be repeated. `sets` and `removes` are
    attributes of this outbox's own that change with the cursor. `begin` says up to which version
    the entries of a customer without a cursor count as published; without it, none do.
    """

    def __init__(self, table: Table, kind: Kind = FLOW) -> None:
        """Keep the cursors in `table`."""
        self._kind = kind
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)

    def acquire(
        self, requested: Cursor, now: datetime, version: int | None, begin: Begin | None = None
    ) -> Cursor | Leased | None:
        """Acquire the lease that `requested` describes, and return the cursor as it is stored.

        None: everything up to `version` is published (if one is given), or the customer was erased.
        """
        key = self._kind.cursor(requested.shop, requested.customer_id)
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
            outcome = self._change_or_create(update, first, begin)
        except CustomerErased:
            return None
        if outcome.done:
            return replace(
                requested,
                item=outcome.item,
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
        if not self._items.change(self._by_holder(cursor, change, more)).done:
            raise LeaseLost

    def save(self, cursor: Cursor, sets: Item, removes: Sequence[str] = ()) -> Stored:
        """Save the progress and own attributes, and renew the lease. Raises LeaseLost.

        Returns everything that is stored now.
        """
        change = f"SET published = :published, lease_until = :until{_set(sets)}"
        change += f" REMOVE {', '.join(removes)}" if removes else ""
        more = {":until": instant(cursor.lease_until), **_values(sets)}
        outcome = self._items.change(self._by_holder(cursor, change, more))
        if not outcome.done:
            raise LeaseLost
        return outcome.item

    def release(
        self, cursor: Cursor, sets: Item | None = None, removes: Sequence[str] = ()
    ) -> bool:
        """Save the progress, release the lease and take the customer off the retry queue.

        False, with no change: more entries were requested meanwhile. Raises LeaseLost.
        """
        waits = ["waiting_since"] if self._kind.waits else []
        gone = ", ".join([_PROGRESS, "lease, lease_until", _OFF_LIST, *waits, *removes])
        change = f"SET published = :published{_set(sets or {})} REMOVE {gone}"
        update = self._by_holder(cursor, change, _values(sets or {}), NO_MORE_REQUESTED)
        outcome = self._items.change(update)
        if not outcome.done and outcome.item.get("lease") != text(cursor.lease):
            raise LeaseLost
        return outcome.done

    def discard(self, cursor: Cursor) -> bool:
        """Delete a cursor that has published nothing; False if it holds requests or reminders."""
        return self._table.delete_if(
            self._kind.cursor(cursor.shop, cursor.customer_id),
            f"{MINE} AND {NO_MORE_REQUESTED} AND {NO_REMINDERS}",
            {":published": number(0), ":lease": text(cursor.lease)},
        ).done

    def reschedule(
        self,
        cursor: Cursor,
        next_attempt_at: datetime,
        sets: Item | None = None,
        removes: Sequence[str] = (),
    ) -> None:
        """Save the progress, release the lease, and retry later. Raises LeaseLost."""
        gone = ", ".join(["lease, lease_until", *removes])
        change = (
            "SET published = :published, triggers_sent = :triggers_sent, attempts = :attempts,"
            f" {_ON_LIST}{self._waiting()}{_set(sets or {})} REMOVE {gone}"
        )
        more = {
            ":triggers_sent": number(cursor.triggers_sent),
            ":attempts": number(cursor.attempts),
            **_values(sets or {}),
        }
        listed = self._listed(cursor.shop, next_attempt_at)
        update = self._by_holder(cursor, change, more | listed)
        if not self._items.change(update).done:
            raise LeaseLost

    def request(
        self, shop: str, customer_id: str, version: int, at: datetime, begin: Begin | None = None
    ) -> None:
        """Request the entries up to `version` for `at`; an account already queued keeps its time.

        Does nothing for an erased customer. A sender at work now does not take the account off the
        retry queue before it has published `version`.
        """
        key, listed = self._kind.cursor(shop, customer_id), self._listed(shop, at)
        update = Update(
            key,
            "SET requested = :version, #schema = :schema, due_trigger = :list,"
            f" due_trigger_at = if_not_exists(due_trigger_at, :at){self._waiting()}",
            {":version": number(version), ":schema": SCHEMA["schema"], **listed},
            f"{NOT_REQUESTED_YET} AND {UNPUBLISHED}",
        )
        due = {"due_trigger": listed[":list"], "due_trigger_at": listed[":at"]}
        due |= {"waiting_since": listed[":at"]} if self._kind.waits else {}
        first = {**key, **SCHEMA, "requested": number(version), **due}
        with suppress(CustomerErased):
            self._change_or_create(update, first, begin)

    def rewind(self, shop: str, customer_id: str, to: int, version: int, now: datetime) -> bool:
        """Request that the entries above `to`, up to `version`, are published again.

        False: somebody is sending now, or the customer was erased.
        """
        update = Update(
            self._kind.cursor(shop, customer_id),
            "SET published = :published, requested = :version, #schema = :schema,"
            f" {_ON_LIST} REMOVE {_PROGRESS}",
            {
                ":published": number(to),
                ":version": number(version),
                ":schema": SCHEMA["schema"],
                ":now": instant(now),
                **self._listed(shop, now),
            },
            FREE,
        )
        return self._items.change(update).done

    def published(self, shop: str, customer_id: str) -> int:
        """The version up to which the customer's entries are published."""
        return optional_int(self.read(shop, customer_id), "published")

    def read(self, shop: str, customer_id: str) -> Stored:
        """A cursor as it is stored; empty if there is none."""
        return self._table.get(self._kind.cursor(shop, customer_id)) or {}

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
            "due_trigger = :list AND due_trigger_at <= :at",
            self._listed(shop, now),
            index="due_trigger",
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

    def _change_or_create(self, update: Update, first: Item, begin: Begin | None) -> Outcome:
        if begin is None:
            return self._items.change_or_create(update, first)
        outcome = self._items.change(update)
        if outcome.done or outcome.item:
            return outcome
        return self._items.change_or_create(update, {**first, "published": number(begin())})

    def _by_holder(self, cursor: Cursor, change: str, more: Item, condition: str = "") -> Update:
        """A change of a cursor by whoever holds its lease."""
        return Update(
            self._kind.cursor(cursor.shop, cursor.customer_id),
            change,
            {":published": number(cursor.published), ":lease": text(cursor.lease), **more},
            f"{MINE} AND {condition}" if condition else MINE,
        )

    def _listed(self, shop: str, at: datetime) -> Item:
        return {":list": text(self._kind.queue(shop)), ":at": instant(at)}

    def _waiting(self) -> str:
        return _WAITS if self._kind.waits else ""


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


def _set(sets: Mapping[str, Value]) -> str:
    return "".join(f", {name} = :own_{name}" for name in sets)


def _values(sets: Mapping[str, Value]) -> Item:
    return {f":own_{name}": value for name, value in sets.items()}
