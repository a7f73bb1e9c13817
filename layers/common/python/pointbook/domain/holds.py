"""Holds: points taken for one checkout, that come back or become an order exactly once.

Rules: mission, "Holds".
"""

from dataclasses import replace
from datetime import timedelta

from pointbook.domain.account import Hold, HoldRecord, HoldState, OrphanedCode
from pointbook.domain.buckets import Bucket, transfer
from pointbook.domain.commands import (
    BeginRelease,
    CaptureHold,
    MarkReady,
    ReleaseHold,
    TakeHold,
    UndoHold,
)
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Rolling
from pointbook.domain.lots import Lots, take
from pointbook.domain.movements import DONE, Outcome, insufficient, spend_again
from pointbook.domain.orders import Spending
from pointbook.domain.refusal import Code, Refusal

ALARM_LATE_ORDER = "late_order"
ALARM_CODE_USED_AGAIN = "code_used_again"
ALARM_USED_MORE_THAN_HELD = "used_more_than_held"


def take_hold(draft: Draft, command: TakeHold) -> Outcome | Refusal:
    """Points leave approved for the time the programme gives. One hold at a time."""
    if (hold := draft.account.hold) is not None:
        return Refusal(
            Code.HOLD_OPEN, f"{hold.points:,} points are already held: release that hold first."
        )
    if command.points > draft.account.balances.approved:
        return insufficient(draft, command.points)
    taken, left = take(draft.account.lots, command.points)
    draft.book(
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


def mark_ready(draft: Draft, command: MarkReady) -> Outcome | Refusal:
    """The discount exists: the customer may be given the code."""
    return _change_state(
        draft, command.hold_id, {HoldState.PREPARING, HoldState.READY}, HoldState.READY
    )


def begin_release(draft: Draft, command: BeginRelease) -> Outcome | Refusal:
    """From now on the code must not be given out again."""
    return _change_state(draft, command.hold_id, set(HoldState), HoldState.RELEASING)


def undo_hold(draft: Draft, command: UndoHold) -> Outcome | Refusal:
    """The discount could not be made, and nobody was given its code.

    Whether it exists after all may be unknown: then its code is loose.
    """
    hold = draft.account.hold
    answer = _end_hold(draft, command.hold_id, HoldState.PREPARING)
    if isinstance(answer, Refusal) or not command.code_in_doubt:
        return answer
    assert hold is not None, "a hold that was undone was there"
    return Outcome(orphaned_codes=orphaned(hold))


def release_hold(draft: Draft, command: ReleaseHold) -> Outcome | Refusal:
    """The code is switched off: the points are free."""
    return _end_hold(draft, command.hold_id, HoldState.RELEASING)


def capture(draft: Draft, command: CaptureHold) -> Outcome:
    """An order carries the code. Each order counts once, whenever its message comes."""
    record, order = command.record, command.order
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
        hold_id=record.hold_id,
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


def _change_state(
    draft: Draft, hold_id: str, allowed: set[HoldState], state: HoldState
) -> Outcome | Refusal:
    hold = draft.account.hold
    if hold is None or hold.hold_id != hold_id:
        return _hold_not_found(hold_id)
    if hold.state not in allowed:
        return _wrong_state(hold.state)
    draft.account = replace(draft.account, hold=replace(hold, state=state))
    return DONE


def _end_hold(draft: Draft, hold_id: str, required: HoldState) -> Outcome | Refusal:
    hold = draft.account.hold
    if hold is None or hold.hold_id != hold_id:
        return _hold_not_found(hold_id)
    if hold.state is not required:
        return _wrong_state(hold.state)
    draft.release_hold(draft.now)
    return DONE


def _spend_held(draft: Draft, points: int, order_id: str, renew: Rolling | None) -> Lots:
    """The open hold becomes the order's; what the order did not use goes back to its lots."""
    hold = draft.account.hold
    assert hold is not None, "only an open hold is spent this way"
    spent_lots, rest = take(hold.lots, points)
    remaining = replace(hold, points=hold.points - points, lots=rest) if rest else None
    draft.book(
        Topic.HOLD_SPENT,
        transfer(Bucket.HOLD, Bucket.SPENT, points),
        about=order_id,
        lots=draft.renewed(draft.account.lots, renew),
        hold=remaining,
    )
    if remaining is not None:
        draft.release_hold(draft.now, renew)
    return spent_lots


def _hold_not_found(hold_id: str) -> Refusal:
    return Refusal(Code.HOLD_NOT_FOUND, f"There is no open hold {hold_id}: it has ended.")


def _wrong_state(state: HoldState) -> Refusal:
    return Refusal(Code.HOLD_WRONG_STATE, f"The hold is {state}: this is not possible now.")
