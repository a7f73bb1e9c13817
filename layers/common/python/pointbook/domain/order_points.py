"""The order commands: adjust an account's points until they equal the order's target.

The targets themselves are computed in `domain/orders.py`.

Rules: docs/programme.md, "What a refund takes back".
"""

from dataclasses import replace

from pointbook.domain.buckets import Bucket, transfer
from pointbook.domain.commands import ReturnSpending, SpendOnOrder, UpdateOrder
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import ExpiryRule
from pointbook.domain.lots import added, take, total
from pointbook.domain.movements import (
    DONE,
    Outcome,
    approve,
    give_back,
    promise,
    reverse,
    spend_again,
    withdraw,
)
from pointbook.domain.orders import Order, Spending
from pointbook.domain.refusal import Code, Refusal, not_the_owner
from pointbook.domain.state import State

ALARM_SPENT_WITHOUT_POINTS = "spent_without_points"


def update_order(draft: Draft, command: UpdateOrder, state: State) -> Outcome | Refusal:
    """Merge the update, then grant, approve or take back points until the order has its target.

    Refused if the account has fewer pending points than the order expects.
    """
    before = state.order_or_new(command.order_id)
    if not state.belongs(before.customer_id):
        return not_the_owner(f"Order {command.order_id}")
    points = before.pending_points
    if points > (pending := draft.account.balances.pending):
        message = f"{points:,} points cannot leave pending: only {pending:,} are there."
        return Refusal(Code.NOT_PENDING, message)
    order = before.merged_with(command.update, command.rule)
    if command.needs_rule and order.lacks_rule:
        return Refusal(Code.RULE_MISSING, f"Order {command.order_id} needs a rule to earn by.")
    order = replace(order, customer_id=order.customer_id or draft.account.customer_id)
    current = order.current_points
    if order.target_points > current:
        order = _earn(draft, order, order.target_points - current, command.expiry)
    elif order.target_points < current:
        order = _lose(draft, order, current - order.target_points)
    if order.pending_points and _is_approved(draft, order):
        order = _approve(draft, order, Bucket.PENDING, order.pending_points, command.expiry)
        order = replace(order, pending_points=0)
    return DONE if order == before else Outcome(order=order)


def spend_on_order(draft: Draft, command: SpendOnOrder, state: State) -> Outcome | Refusal:
    """Deduct points used at a till, as an order reports; if there are too few, a debt is left."""
    order = state.order_or_new(command.order_id)
    if not state.belongs(order.customer_id):
        return not_the_owner(f"Order {command.order_id}")
    if any(spending.spending_id == command.spending_id for spending in order.spendings):
        return DONE
    taken, left = take(draft.account.lots, command.points)
    draft.add_entry(
        Topic.SUB_ORDER,
        transfer(Bucket.APPROVED, Bucket.SPENT, command.points),
        about=order.order_id,
        lots=draft.renewed(left, command.renew),
    )
    spending = Spending(
        spending_id=command.spending_id,
        customer_id=draft.account.customer_id,
        points=command.points,
        lots=taken,
        return_spent=command.return_spent,
    )
    return Outcome(
        order=replace(order, spendings=(*order.spendings, spending)),
        alarms=(ALARM_SPENT_WITHOUT_POINTS,) if total(taken) < command.points else (),
    )


def return_spending(draft: Draft, command: ReturnSpending, state: State) -> Outcome | Refusal:
    """Adjust the returned points of one spending to their target.

    What was spent last comes back first: the part that was a debt, then the longest-lasting lots.
    If a later update lowers the target, points are spent again.
    """
    order = state.order_or_new(command.order_id)
    spending = next((s for s in order.spendings if s.spending_id == command.spending_id), None)
    if spending is None:
        return DONE
    if not state.belongs(spending.customer_id):
        return not_the_owner(f"What order {command.order_id} spent")
    points = order.returned_target(spending) - spending.returned_points
    if points == 0:
        return DONE
    if points < 0:
        adjusted, alarms = _spend_again(draft, spending, -points, order.order_id)
    else:
        given = _give_back(draft, spending, points, command)
        if isinstance(given, Refusal):
            return given
        adjusted, alarms = given, ()
    spendings = tuple(adjusted if s is spending else s for s in order.spendings)
    return Outcome(order=replace(order, spendings=spendings), alarms=alarms)


def _give_back(
    draft: Draft, spending: Spending, points: int, command: ReturnSpending
) -> Spending | Refusal:
    lots_points = total(spending.lots)
    from_no_lot = min(points, spending.points - spending.returned_points - lots_points)
    left, returning = take(spending.lots, lots_points - (points - from_no_lot))
    returned_lots = give_back(
        draft, points, returning, command.expiry, command.lapsed_expiry, command.order_id
    )
    if isinstance(returned_lots, Refusal):
        return returned_lots
    return replace(
        spending,
        lots=left,
        returned_points=spending.returned_points + points,
        returned_lots=added(spending.returned_lots, returned_lots),
    )


def _spend_again(
    draft: Draft, spending: Spending, points: int, order_id: str
) -> tuple[Spending, tuple[str, ...]]:
    """Take from the lots they were returned to (even if expired since), then as at a till."""
    debt = draft.account.debt
    days = [lot.valid_through for lot in spending.returned_lots]
    taken = spend_again(
        draft, points, spending.returned_lots, Topic.SUB_ORDER, order_id, first=days
    )
    taken_days = [lot.valid_through for lot in taken]
    adjusted = replace(
        spending,
        lots=added(spending.lots, taken),
        returned_points=spending.returned_points - points,
        returned_lots=take(spending.returned_lots, points, first=taken_days)[1],
    )
    return adjusted, (ALARM_SPENT_WITHOUT_POINTS,) if draft.account.debt > debt else ()


def _is_approved(draft: Draft, order: Order) -> bool:
    """Whether the order's points are to be approved by now instead of pending."""
    return order.approves_at is not None and order.approves_at <= draft.now


def _earn(draft: Draft, order: Order, points: int, expiry: ExpiryRule) -> Order:
    """Grant what is missing, except waived points: the customer still has those."""
    never_taken = min(points, order.waived_points)
    order = replace(order, waived_points=order.waived_points - never_taken)
    points -= never_taken
    if not points:
        return order
    if _is_approved(draft, order):
        return _approve(draft, order, Bucket.ISSUED, points, expiry)
    promise(draft, points, order.order_id)
    return replace(order, pending_points=order.pending_points + points)


def _approve(draft: Draft, order: Order, source: Bucket, points: int, expiry: ExpiryRule) -> Order:
    lot = approve(draft, source, points, expiry, Topic.ADD_ORDER, order.order_id)
    return replace(
        order,
        approved_points=order.approved_points + points,
        grant_lots=added(order.grant_lots, (lot,)),
    )


def _lose(draft: Draft, order: Order, points: int) -> Order:
    """Take back points that the order no longer earns: pending ones first."""
    assert order.rule is not None, "it has earned by a rule"
    from_pending = min(points, order.pending_points)
    if from_pending:
        withdraw(draft, from_pending, order.order_id)
    from_approved = points - from_pending
    own_days = {lot.valid_through for lot in order.grant_lots}
    taken = reverse(draft, from_approved, own_days, order.rule.debt_policy, order.order_id)
    return replace(
        order,
        pending_points=order.pending_points - from_pending,
        approved_points=order.approved_points - taken,
        waived_points=order.waived_points + from_approved - taken,
        grant_lots=take(order.grant_lots, taken)[1],
    )
