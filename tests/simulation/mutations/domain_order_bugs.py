"""The bugs that are planted in what is decided about orders.

What they earn, when that is approved, and what comes back of the points that were spent on them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from pointbook.domain import movements, order_points, orders
from pointbook.domain.commands import ReturnSpending, SpendOnOrder, UpdateOrder
from pointbook.domain.draft import Draft
from pointbook.domain.lots import Lots, added, total
from pointbook.domain.movements import DONE, Outcome
from pointbook.domain.orders import EarningRule, Order, ReturnSpent, Spending
from pointbook.domain.refusal import Refusal
from pointbook.domain.state import State
from tests.simulation.mutations.planted import Bug

type _Original = Callable[..., Any]


# --- what is known of an order ---


def _without_an_update(
    original: _Original, draft: Draft, command: UpdateOrder, state: State
) -> Outcome | Refusal:
    order = state.order_or_new(command.order_id)
    if order.pending_points and order.merged_with(command.update, command.rule) == order:
        return DONE
    return original(draft, command, state)


def _as_the_orders_owner(state: State) -> State:
    owner_id = state.order.customer_id if state.order else None
    return replace(state, customer_id=owner_id) if owner_id else state


# --- what it earns ---


def _above_the_minimum(original: _Original, order: Order) -> int:
    if (rule := order.rule) is not None:
        order = replace(order, rule=replace(rule, minimum_minor=rule.minimum_minor + 1))
    return original(order)


def _money_rounded_down(original: _Original, order: Order, base_minor: int) -> int:
    assert order.goods is not None
    goods_minor, paid_minor = original(order, 0), order._price_minor(order.goods)
    if paid_minor <= 0:
        return goods_minor
    return goods_minor + order._extra_money_minor() * base_minor // paid_minor


# --- what was spent on it ---


def _as_a_spending_not_seen(
    original: _Original, draft: Draft, command: SpendOnOrder, state: State
) -> Outcome | Refusal:
    if (order := state.order) is not None:
        others = tuple(one for one in order.spendings if one.spending_id != command.spending_id)
        state = replace(state, order=replace(order, spendings=others))
    return original(draft, command, state)


def _at_most_what_is_there(
    original: _Original, draft: Draft, command: SpendOnOrder, state: State
) -> Outcome | Refusal:
    points = min(command.points, total(draft.account.lots)) or command.points
    return original(draft, replace(command, points=points), state)


def _with_no_alarm(answer: Outcome | Refusal) -> Outcome | Refusal:
    return answer if isinstance(answer, Refusal) else replace(answer, alarms=())


# --- what comes back ---


def _each_lot_by_itself(
    original: _Original, draft: Draft, points: int, lots: Lots, *how: Any
) -> Lots | Refusal:
    back: Lots = ()
    for lot in lots[:-1]:
        given = original(draft, lot.points, (lot,), *how)
        if isinstance(given, Refusal):
            return given
        back = added(back, given)
        points -= lot.points
    given = original(draft, points, lots[-1:], *how)
    return given if isinstance(given, Refusal) else added(back, given)


def _by_share(spending: Spending) -> Spending:
    if spending.return_spent is not ReturnSpent.REFUNDED:
        return spending
    return replace(spending, return_spent=ReturnSpent.SHARE)


def _more_than_all(original: _Original, order: Order, spending: Spending) -> int:
    points: int = original(order, spending)
    if points < spending.points or order.goods is None:
        return points
    back, bought = order._returned_and_bought(order._price_minor)
    return max(points, spending.points * back // bought) if bought > 0 else points


def _as_the_spender(state: State, command: ReturnSpending) -> State:
    for spending in state.order_or_new(command.order_id).spendings:
        if spending.spending_id == command.spending_id:
            state = replace(state, customer_id=spending.customer_id)
    return state


DOMAIN_ORDER_BUGS: Final = (
    # --- what is known of an order ---
    Bug(
        "of two updates of one instant the first wins",
        orders._precedence,
        lambda original, version: original(version)[:2],
    ),
    Bug(
        "of two updates in one second the smaller wins",
        orders._precedence,
        lambda original, version: original(replace(version, triggered_at=None)),
    ),
    Bug(
        "the first confirmation to come counts, not the earliest",
        Order.merged_with,
        lambda original, order, update, rule: replace(
            original(order, update, rule),
            confirmed_at=order.confirmed_at or update.confirmed_at,
        ),
    ),
    Bug(
        "an order that has come to need a rule goes without",
        order_points.update_order,
        lambda original, draft, command, state: original(
            draft, replace(command, needs_rule=False), state
        ),
    ),
    Bug(
        "another customer's order is updated",
        order_points.update_order,
        lambda original, draft, command, state: original(
            draft, command, _as_the_orders_owner(state)
        ),
    ),
    # --- when it is approved ---
    Bug(
        "approved a moment too late",
        order_points._is_approved,
        lambda original, draft, order: original(draft, order) and order.approves_at != draft.now,
    ),
    Bug("nothing is approved without an update", order_points.update_order, _without_an_update),
    # --- what it earns ---
    Bug(
        "a refund beyond the order",
        EarningRule.points,
        lambda original, rule, base_minor: (
            original(rule, base_minor) if base_minor >= 0 else -original(rule, -base_minor)
        ),
    ),
    Bug(
        "the minimum is held against what is left",
        EarningRule.points,
        lambda original, rule, base_minor: (
            original(rule, base_minor) if base_minor >= rule.minimum_minor else 0
        ),
    ),
    Bug("the minimum itself is too little", Order.target_points, _above_the_minimum),
    Bug(
        "tax added to a price that has it",
        EarningRule.base_minor,
        lambda original, rule, goods, *, taxes_included: original(
            rule, goods, taxes_included=taxes_included and not rule.tax_included
        ),
    ),
    Bug(
        "gift cards' tax earns",
        EarningRule.base_minor,
        lambda original, rule, goods, **how: original(
            rule, replace(goods, gift_card_tax_minor=0), **how
        ),
    ),
    Bug(
        "gift cards earn",
        EarningRule.base_minor,
        lambda original, rule, goods, **how: original(
            replace(rule, gift_cards_earn=True), goods, **how
        ),
    ),
    Bug(
        "money paid back spread over the price without tax",
        Order._price_minor,
        lambda original, order, goods: goods.priced_minor,
    ),
    Bug("money paid back rounded down", Order._refunded_minor, _money_rounded_down),
    # --- what was spent on it ---
    Bug("spent at a till twice", order_points.spend_on_order, _as_a_spending_not_seen),
    Bug("spent at a till only what is there", order_points.spend_on_order, _at_most_what_is_there),
    Bug(
        "no alarm for points spent that were not there",
        order_points.spend_on_order,
        lambda original, draft, command, state: _with_no_alarm(original(draft, command, state)),
    ),
    Bug(
        "the rule in force is not recorded for what a till spent",
        order_points.spend_on_order,
        lambda original, draft, command, state: original(
            draft, replace(command, return_spent=ReturnSpent.REFUNDED), state
        ),
    ),
    Bug(
        "another customer's order spends at a till",
        order_points.spend_on_order,
        lambda original, draft, command, state: original(
            draft, command, _as_the_orders_owner(state)
        ),
    ),
    # --- what comes back ---
    Bug("returned lots of each day by themselves", movements.give_back, _each_lot_by_itself),
    Bug(
        "given back twice",
        Order.returned_target,
        lambda original, order, spending: original(order, spending) + spending.returned_points,
    ),
    Bug(
        "given back though not cancelled",
        Order.returned_target,
        lambda original, order, spending: (
            spending.points
            if spending.return_spent is ReturnSpent.CANCELLED
            else original(order, spending)
        ),
    ),
    Bug(
        "a part given back though not all goods are",
        Order.returned_target,
        lambda original, order, spending: original(order, _by_share(spending)),
    ),
    Bug(
        "a share of the points rounded up",
        Order.returned_target,
        lambda original, order, spending: (
            -original(order, replace(spending, points=-spending.points))
        ),
    ),
    Bug("more comes back than was spent", Order.returned_target, _more_than_all),
    Bug(
        "what came back too early stays",
        Order.returned_target,
        lambda original, order, spending: max(original(order, spending), spending.returned_points),
    ),
    Bug(
        "spent again from other lots first",
        movements.spend_again,
        lambda original, *what, first=(), **how: original(*what, **how),
    ),
    Bug(
        "what another customer spent comes back",
        order_points.return_spending,
        lambda original, draft, command, state: original(
            draft, command, _as_the_spender(state, command)
        ),
    ),
)

# What the orders of a shop have to show as well as the ledger alone.
BUGS_OF_EVERY_ORDER: Final = (
    Bug(
        "a refund counted twice",
        Order.merged_with,
        lambda original, order, update, rule: replace(
            original(order, update, rule), refunds=(*order.refunds, *update.refunds)
        ),
    ),
    Bug(
        "an older update wins",
        Order._is_replaced_by,
        lambda original, order, update: order.goods is None or not original(order, update),
    ),
    Bug(
        "the rule of the latest update",
        Order.merged_with,
        lambda original, order, update, rule: original(
            replace(order, rule=None) if rule else order, update, rule
        ),
    ),
    Bug(
        "approved as soon as it is confirmed",
        Order.approves_at,
        lambda original, order: original(order) and order.confirmed_at,
    ),
    Bug(
        "money paid back taken off whole",
        Order._refunded_minor,
        lambda original, order, base_minor: original(order, order._price_minor(order.goods)),
    ),
)
