"""What an outbox cursor of the till has beside its progress: the member's state, and the plan.

    seen_at, balance, expected, owed  the member's state (domain.till_pushes)
    pushes    what was pushed lately: points, balance after it (absent: unknown), version, at, echo
    planned   the push that is under way; while it is there, its outcome is unknown
    set_balance  the till is to get the ledger's balance, whatever it has
    till      the till that all this is about; absent: whichever there is
    member_number  the number that the state is about; absent: whichever the customer has

`planned` and the state are changed by the holder of the lease alone. `pushes` is also changed
when a push comes back as a report of the till, and then only where no push is under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pointbook.domain.till_pushes import MemberState, Push
from pointbook.store.customer_items import CustomerItems
from pointbook.store.outbox import TILL, Cursor, Outbox
from pointbook.store.table import Table, Update
from pointbook.store.values import (
    Item,
    Stored,
    Value,
    boolean,
    fields_of,
    instant,
    instant_of,
    int_of,
    mapping,
    number,
    optional_instant,
    optional_int,
    sequence,
    text,
    text_of,
    values_of,
)

_NO_PLAN = "attribute_not_exists(planned)"
_UNCHANGED = "pushes = :before"


@dataclass(frozen=True, slots=True)
class Plan:
    """A change of points at the till whose outcome is not known yet.

    `change_id`, `member_number`, `till_id`, `points`, `balance_points` (before it) and `planned_at`
    are those of the till's `PointsChange`. It pushes the entries up to `version`, and leaves
    `remainder_points`; `expected_points` are those before it. `attempted_at` is when it was last
    sent.
    """

    change_id: str
    member_number: str
    till_id: str
    points: int
    balance_points: int
    version: int
    remainder_points: int
    expected_points: int
    planned_at: datetime
    attempted_at: datetime


@dataclass(frozen=True, slots=True)
class TillCursor:
    """A cursor of the till's outbox, as it is stored."""

    published: int
    requested: int
    member_state: MemberState
    plan: Plan | None
    set_balance: bool
    waiting_since: datetime | None
    leased: bool
    till: str = ""
    member_number: str = ""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waits: the till has all that it is going to get."""
        is_under_way = self.leased or self.plan is not None or self.waiting_since is not None
        return not is_under_way and not self.set_balance and self.requested <= self.published


@dataclass(frozen=True, slots=True)
class State:
    """What a holder of the lease saves beside the progress.

    `pushed`: there was a push since it was last saved. `planned`: the outcome of the plan is not
    known. `balance_set`: the till has got the ledger's balance, as was requested. `till` is the
    till that all this is about, `member_number` whose state it is.
    """

    member_state: MemberState
    pushed: bool
    planned: bool
    balance_set: bool
    till: str = ""
    member_number: str = ""


class TillPushes(Outbox):
    """The outbox of changes that are pushed to the till; keeps a cursor of each customer."""

    def __init__(self, table: Table) -> None:
        """Keep the cursors in `table`."""
        super().__init__(table, TILL)
        self._customer_items = CustomerItems(table)

    def find(self, shop: str, customer_id: str) -> TillCursor | None:
        """A customer's cursor; None if there is none."""
        item = self.read(shop, customer_id)
        return cursor_of(item) if item else None

    def save_plan(self, cursor: Cursor, plan: Plan, till: str = "") -> TillCursor:
        """Save what is about to be sent to the till, and renew the lease. Raises LeaseLost.

        Returns everything as it is stored now.
        """
        return cursor_of(
            self.save(cursor, {"planned": _plan(plan), **_named(till, plan.member_number)})
        )

    def renew(self, cursor: Cursor) -> None:
        """Renew the lease, and save nothing else. Raises LeaseLost."""
        self.save(cursor, {})

    def save_state(self, cursor: Cursor, state: State) -> None:
        """Save what the till has now, and renew the lease. Raises LeaseLost."""
        self.save(cursor, *_own(state))

    def release_state(self, cursor: Cursor, state: State) -> bool:
        """As `release`, with what the till has now."""
        return self.release(cursor, *_own(state))

    def reschedule_state(self, cursor: Cursor, next_attempt_at: datetime, state: State) -> None:
        """As `reschedule`, with what the till has now."""
        self.reschedule(cursor, next_attempt_at, *_own(state))

    def clear_plan(self, cursor: Cursor) -> None:
        """Save that the planned push has not happened. Raises LeaseLost."""
        self.save(cursor, {}, ["planned"])

    def record_echo(self, shop: str, customer_id: str, found: TillCursor, echoed: Push) -> bool:
        """Record the `echo` of one of the pushes found; False if they have changed meanwhile."""
        before = found.member_state.pushes
        after = [echoed if replace(echoed, echo="") == push else push for push in before]
        update = Update(
            TILL.cursor(shop, customer_id),
            "SET pushes = :after",
            {":after": _pushes(after), ":before": _pushes(before)},
            f"{_UNCHANGED} AND {_NO_PLAN}",
        )
        return self._customer_items.change(update).done

    def request_balance(self, shop: str, customer_id: str, version: int, at: datetime) -> None:
        """Request that the till gets the ledger's balance, whatever it has, and queue that.

        For an account whose last entry is `version`. Does nothing for an erased customer.
        """
        self.request(shop, customer_id, version, at, begin=lambda: version - 1)
        update = Update(
            TILL.cursor(shop, customer_id),
            "SET set_balance = :yes, due_trigger = :list,"
            " due_trigger_at = if_not_exists(due_trigger_at, :at),"
            " waiting_since = if_not_exists(waiting_since, :at)",
            {":yes": boolean(True), ":list": text(TILL.queue(shop)), ":at": instant(at)},
        )
        self._customer_items.change(update)

    def drop(self, shop: str, customer_id: str) -> bool:
        """Delete a cursor, whatever it has; False if there was none."""
        if not self.read(shop, customer_id):
            return False
        self._table.delete(TILL.cursor(shop, customer_id))
        return True


def cursor_of(item: Stored) -> TillCursor:
    """A cursor of the till's outbox as it is stored."""
    return TillCursor(
        published=optional_int(item, "published"),
        requested=optional_int(item, "requested"),
        member_state=_member_state_of(item),
        plan=_plan_of(fields_of(item["planned"])) if "planned" in item else None,
        set_balance="set_balance" in item,
        waiting_since=optional_instant(item, "waiting_since"),
        leased="lease" in item,
        till=text_of(item["till"]) if "till" in item else "",
        member_number=text_of(item["member_number"]) if "member_number" in item else "",
    )


def _own(state: State) -> tuple[Item, list[str]]:
    """The attributes to set and to remove."""
    member_state, removes = state.member_state, list[str]()
    sets = {
        "owed": number(member_state.remainder_points),
        **_named(state.till, state.member_number),
    }
    if state.pushed:
        sets["pushes"] = _pushes(member_state.pushes)
    seen = {"balance": member_state.balance_points, "expected": member_state.expected_points}
    if member_state.at is None:
        removes += ["seen_at", *seen]
    else:
        sets["seen_at"] = instant(member_state.at)
        sets |= {name: number(points) for name, points in seen.items()}
    removes += [] if state.planned else ["planned"]
    removes += ["set_balance"] if state.balance_set else []
    return sets, removes


def _named(till: str, member_number: str) -> Item:
    """Whom a cursor is about, as far as that is known."""
    named = {"till": till, "member_number": member_number}
    return {name: text(value) for name, value in named.items() if value}


def _member_state_of(item: Stored) -> MemberState:
    return MemberState(
        at=optional_instant(item, "seen_at"),
        balance_points=optional_int(item, "balance"),
        expected_points=optional_int(item, "expected"),
        remainder_points=optional_int(item, "owed"),
        pushes=tuple(map(_push_of, values_of(item["pushes"]))) if "pushes" in item else (),
    )


def _pushes(pushes: Any) -> Value:
    return sequence(mapping(_push(push)) for push in pushes)


def _push(push: Push) -> Mapping[str, Value]:
    known = push.balance_points
    return {
        "points": number(push.points),
        "version": number(push.version),
        "at": instant(push.at),
        **({} if known is None else {"balance": number(known)}),
        **({"echo": text(push.echo)} if push.echo else {}),
    }


def _push_of(value: Stored) -> Push:
    found = fields_of(value)
    return Push(
        points=int_of(found["points"]),
        balance_points=int_of(found["balance"]) if "balance" in found else None,
        version=int_of(found["version"]),
        at=instant_of(found["at"]),
        echo=text_of(found["echo"]) if "echo" in found else "",
    )


def _plan(plan: Plan) -> Value:
    return mapping(
        {
            "change_id": text(plan.change_id),
            "member_number": text(plan.member_number),
            "till_id": text(plan.till_id),
            "points": number(plan.points),
            "balance": number(plan.balance_points),
            "version": number(plan.version),
            "owed": number(plan.remainder_points),
            "expected": number(plan.expected_points),
            "planned_at": instant(plan.planned_at),
            "attempted_at": instant(plan.attempted_at),
        }
    )


def _plan_of(found: Stored) -> Plan:
    return Plan(
        change_id=text_of(found["change_id"]),
        member_number=text_of(found["member_number"]),
        till_id=text_of(found["till_id"]),
        points=int_of(found["points"]),
        balance_points=int_of(found["balance"]),
        version=int_of(found["version"]),
        remainder_points=int_of(found["owed"]),
        expected_points=int_of(found["expected"]),
        planned_at=instant_of(found["planned_at"]),
        attempted_at=instant_of(found["attempted_at"]),
    )
