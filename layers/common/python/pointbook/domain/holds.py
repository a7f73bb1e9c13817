"""Holds: points reserved for one checkout, which are released or spent on an order exactly once.

Concept: docs/concepts.md, "Hold".
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from pointbook.domain.account import Hold, HoldRecord, HoldState, OrphanedCode
from pointbook.domain.buckets import Bucket, transfer
from pointbook.domain.commands import (
    BeginRelease,
    CaptureHold,
    MarkReady,
    PlaceHold,
    ReleaseHold,
    UndoHold,
)
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Rolling
from pointbook.domain.lots import Lots, take
from pointbook.domain.movements import DONE, Outcome, insufficient, spend_again
from pointbook.domain.orders import Spending
from pointbook.domain.refusal import Code, Refusal, not_the_owner
from pointbook.domain.state import State

type HoldStep = MarkReady | BeginRelease | UndoHold | ReleaseHold

ENDED: Final = None
"""The end of a hold: it is removed from the account, and its points are released."""

TRANSITIONS: Final[Mapping[tuple[HoldState, type[HoldStep]], HoldState | None]] = {
    (HoldState.PREPARING, MarkReady): HoldState.READY,
    (HoldState.PREPARING, UndoHold): ENDED,
    (HoldState.PREPARING, BeginRelease): HoldState.RELEASING,
    (HoldState.READY, MarkReady): HoldState.READY,
    (HoldState.READY, BeginRelease): HoldState.RELEASING,
    (HoldState.RELEASING, BeginRelease): HoldState.RELEASING,
    (HoldState.RELEASING, ReleaseHold): ENDED,
}
"""The state of a hold after each step that is possible in it; any other step is refused.

In any state, a hold also ends when its time is up or an order uses its code.
"""

DISCOUNT_NOT_MADE = "discount_not_made"
"""The actor of an undone hold's end: nobody has seen that hold."""

ALARM_LATE_ORDER = "late_order"
ALARM_CODE_USED_AGAIN = "code_used_again"
ALARM_USED_MORE_THAN_HELD = "used_more_than_held"


def place_hold(draft: Draft, command: PlaceHold) -> Outcome | Refusal:
    """Move points out of approved for the time that the command gives. One hold at a time."""
    if (hold := draft.account.hold) is not None:
        return Refusal(
            Code.HOLD_OPEN, f"{hold.points:,} points are already held: release that hold first."
        )
    if command.points > draft.account.balances.approved:
        return insufficient(draft, command.points)
    taken, left = take(draft.account.lots, command.points)
    draft.add_entry(
        Topic.SUB_HOLD,
        transfer(Bucket.APPROVED, Bucket.HOLD, command.points),
        about=command.hold_id,
        lots=left,
        hold=Hold(
            hold_id=command.hold_id,
            points=command.points,
            lots=taken,
            ends_at=draft.now + timedelta(seconds=command.seconds),
            lapsed_expiry=command.lapsed_expiry,
            code=command.code,
        ),
    )
    return Outcome(
        record=HoldRecord(
            hold_id=command.hold_id,
            customer_id=draft.account.customer_id,
            points=command.points,
            lots=taken,
            code=command.code,
            worth_minor=command.worth_minor,
        )
    )


def transition(draft: Draft, command: HoldStep) -> Outcome | Refusal:
    """One step of the open hold, as in `TRANSITIONS`; the end of a hold releases its points.

    If the discount of an undone hold may exist nevertheless, its code is orphaned.
    """
    hold = draft.account.hold
    if hold is None or hold.hold_id != command.hold_id:
        return Refusal(
            Code.HOLD_NOT_FOUND, f"There is no open hold {command.hold_id}: it has ended."
        )
    step = (hold.state, type(command))
    if step not in TRANSITIONS:
        return Refusal(
            Code.HOLD_WRONG_STATE, f"The hold is {hold.state}: this is not possible now."
        )
    state = TRANSITIONS[step]
    if state is not ENDED:
        draft.account = replace(draft.account, hold=replace(hold, state=state))
        return DONE
    draft.release_hold(draft.now)
    if isinstance(command, UndoHold) and command.code_in_doubt:
        return Outcome(orphaned_codes=orphaned(hold))
    return DONE


def capture(draft: Draft, command: CaptureHold, state: State) -> Outcome | Refusal:
    """Spend a hold's points on an order that used its code: once for each order."""
    record, order = state.hold_record, state.order_or_new(command.order_id)
    if record is None:
        return Refusal(Code.HOLD_NOT_FOUND, f"There never was a hold {command.hold_id}.")
    if not state.belongs(record.customer_id):
        return not_the_owner(f"Hold {command.hold_id}")
    if order.order_id in record.orders:
        return DONE
    alarms = [ALARM_USED_MORE_THAN_HELD] if command.points > record.points else []
    points = min(command.points, record.points)
    hold = draft.account.hold
    if hold is not None and hold.hold_id == record.hold_id:
        spent_lots = _spend_held(draft, points, order.order_id, command.renew)
    else:
        alarms.append(ALARM_CODE_USED_AGAIN if record.orders else ALARM_LATE_ORDER)
        spent_lots = spend_again(
            draft, points, record.lots, Topic.SUB_HOLD, order.order_id, renew=command.renew
        )
    spending = Spending(
        spending_id=record.hold_id,
        customer_id=draft.account.customer_id,
        points=points,
        lots=spent_lots,
        return_spent=command.return_spent,
    )
    return Outcome(
        order=replace(order, spendings=(*order.spendings, spending)),
        record=replace(record, orders=(*record.orders, order.order_id)),
        alarms=tuple(alarms),
    )


def orphaned(hold: Hold) -> tuple[OrphanedCode, ...]:
    """The code of a hold that ends before its time, if it has one."""
    return (OrphanedCode(hold.hold_id, hold.code, hold.ends_at),) if hold.code else ()


def _spend_held(draft: Draft, points: int, order_id: str, renew: Rolling | None) -> Lots:
    """Spend the open hold's points on the order; the unused ones return to their lots."""
    hold = draft.account.hold
    assert hold is not None, "only an open hold is spent this way"
    spent_lots, rest = take(hold.lots, points)
    remaining = replace(hold, points=hold.points - points, lots=rest) if rest else None
    draft.add_entry(
        Topic.HOLD_SPENT,
        transfer(Bucket.HOLD, Bucket.SPENT, points),
        about=order_id,
        lots=draft.renewed(draft.account.lots, renew),
        hold=remaining,
    )
    if remaining is not None:
        draft.release_hold(draft.now, renew)
    return spent_lots
