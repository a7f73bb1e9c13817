"""The bugs that are planted in what becomes of orders, one at a time.

Each must show once the orders of a few shops have been delivered.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pointbook.domain import order_points
from pointbook.domain.account import HoldRecord
from pointbook.domain.chain import Cause
from pointbook.domain.commands import SpendOnOrder
from pointbook.domain.draft import Draft
from pointbook.domain.orders import (
    NO_GOODS,
    EarningRule,
    Goods,
    Order,
    OrderUpdate,
    Refund,
)
from pointbook.domain.programme import Programme, default_programme
from pointbook.domain.state import State
from pointbook.errors import TagsUnknown, Unavailable
from pointbook.ledger.instruction import Booked
from pointbook.ledger.ledger import Ledger
from pointbook.services import orders as order_service
from pointbook.services.message import Message
from pointbook.services.orders import REFUND_CREATED, OrderService
from pointbook.shopify import order_payloads, projection, topics
from pointbook.shopify import orders as shopify_orders
from pointbook.shopify.discount_code import hold_id_of
from pointbook.shopify.order_payloads import (
    Adjustment,
    LineItem,
    OrderPayload,
    Part,
    RefundPayload,
)
from pointbook.shopify.orders import CodeUse, OrderFacts
from pointbook.shopify.projection import UNREADABLE
from tests.simulation.mutations.planted import Bug

_RULE_OF_GUESTS: Final = default_programme().earning_rule((), is_test=False)

type _Original = Callable[..., Any]


def _changed[P: Part](part: P, **fields: Any) -> P:
    """A copy with other fields; as with `dataclasses.replace`, they have to be fields."""
    if unknown := fields.keys() - type(part).model_fields.keys():
        raise TypeError(f"{type(part).__name__} has no {', '.join(unknown)}")
    return part.model_copy(update=fields)


def _shipping_refunded_as_goods(
    original: _Original, refund: RefundPayload, currency: str
) -> Decimal | None:
    adjustments = tuple(_changed(one, kind="") for one in refund.order_adjustments)
    return original(_changed(refund, order_adjustments=adjustments), currency)


def _failure_is_success(
    original: _Original, refund: RefundPayload, currency: str
) -> Decimal | None:
    transactions = tuple(
        _changed(one, status="success") if one.status == "failure" else one
        for one in refund.transactions
    )
    return original(_changed(refund, transactions=transactions), currency)


def _only_money_that_arrived(
    original: _Original, refund: RefundPayload, currency: str
) -> Decimal | None:
    arrived = tuple(one for one in refund.transactions if one.status == "success")
    return original(_changed(refund, transactions=arrived), currency)


def _no_refund_accounts_for_pieces(original: _Original, order: OrderPayload) -> dict[str, int]:
    return original(order if order.refunds is None else _changed(order, refunds=()))


def _paid_only_while_nothing_is_refunded(
    original: _Original, payload: Mapping[str, Any], currency: str
) -> Any:
    facts = original(payload, currency)
    return replace(facts, paid=payload.get("financial_status") == "paid")


def _paid_by_topic(original: _Original, service: OrderService, message: Message) -> None:
    payload = message.payload
    if message.topic == "orders/paid" and payload.get("financial_status") == "pending":
        payload = {**payload, "financial_status": "paid"}
    original(service, replace(message, payload=payload))


def _cancelled_by_topic(original: _Original, service: OrderService, message: Message) -> None:
    payload = message.payload
    if message.topic == "orders/cancelled":
        payload = {"cancelled_at": payload["updated_at"], **payload}
    original(service, replace(message, payload=payload))


def _unreadable_is_absent(original: _Original, value: object) -> Any:
    found = original(value)
    return None if found == UNREADABLE else found


def _latest_confirmation(
    original: _Original, order: Order, update: OrderUpdate, rule: EarningRule | None
) -> Order:
    times = filter(None, (order.confirmed_at, update.confirmed_at))
    return replace(original(order, update, rule), confirmed_at=max(times, default=None))


def _no_tags_where(is_so: Callable[[BaseException | None], bool]) -> Callable[..., Any]:
    """Whoever's tags are unknown has none, where that `is_so` by its cause."""

    def rule(
        original: _Original, service: OrderService, owner: str, facts: OrderFacts
    ) -> EarningRule | None:
        try:
            return original(service, owner, facts)
        except TagsUnknown as error:
            if not is_so(error.__cause__):
                raise
            return service._programme.earning_rule((), is_test=facts.is_test)

    return rule


def _pending_points_last(original: _Original, draft: Draft, order: Order, points: int) -> Order:
    lost = original(draft, replace(order, pending_points=0), points)
    return replace(lost, pending_points=order.pending_points)


def _another_spending_each_time(
    original: _Original, draft: Draft, command: SpendOnOrder, state: State
) -> Any:
    spendings = state.order_or_new(command.order_id).spendings
    spending_id = f"{command.spending_id} {len(spendings)}"
    return original(draft, replace(command, spending_id=spending_id), state)


def _refund_returns_nothing(original: _Original, service: OrderService, message: Message) -> None:
    if message.topic != REFUND_CREATED:
        original(service, message)
        return
    refunded = shopify_orders.read_refund(message.payload, service._programme.currency)
    update = OrderUpdate(refunds=(refunded.refund,))
    service._merge_update(refunded.order_id, update, Cause("order", message.event_id))


def _one_piece_a_line(original: _Original, refund: RefundPayload, *rest: Any) -> Refund:
    lines = tuple(_changed(line, quantity=1) for line in refund.refund_line_items)
    return original(_changed(refund, refund_line_items=lines), *rest)


def _only_the_price_counts(
    original: _Original, order: Order, count: Callable[[Goods], int]
) -> tuple[int, int]:
    return original(order, count) if count == order._price_minor else (0, 0)


def _only_pieces_count(
    original: _Original, order: Order, count: Callable[[Goods], int]
) -> tuple[int, int]:
    back, bought = original(order, lambda goods: goods.pieces)
    return (back, bought) if bought else original(order, count)


def _removed_is_not_back(
    original: _Original, order: Order, count: Callable[[Goods], int]
) -> tuple[int, int]:
    back, bought = original(order, count)
    return back - count(order.removed), bought


def _at_todays_worth(
    original: _Original, service: OrderService, order_id: str, use: CodeUse, cause: Cause
) -> None:
    record = service._ledger.hold_record(service._shop, hold_id_of(use.code))
    assert record, f"{use} is of no hold"
    today = replace(record, worth_minor=service._programme.point_worth_minor)
    amount_minor = today.points_for(use.amount_minor) * record.worth_minor
    original(service, order_id, replace(use, amount_minor=amount_minor), cause)


def _lost_where_the_target_is_merged(
    original: _Original, ledger: Ledger, shop: str, names: tuple[str, str], *rest: Any
) -> Any:
    target = ledger._loader.account(shop, names[1])
    if target.merged_into is not None:
        return Booked((), target.figures)
    return original(ledger, shop, names, *rest)


ORDER_BUGS: Final = (
    # --- what a payload says ---
    Bug("shipping taken for goods", shopify_orders._extra_money, _shipping_refunded_as_goods),
    Bug(
        "a refund of shipping alone taken for goods",
        RefundPayload.has_items,
        lambda original, refund: bool(refund.refund_line_items),
    ),
    Bug("a failed refund taken for money", shopify_orders._extra_money, _failure_is_success),
    Bug("money beside lines overlooked", Adjustment.paid, lambda original, _: Decimal(0)),
    Bug("money on its way overlooked", shopify_orders._extra_money, _only_money_that_arrived),
    Bug(
        "a discrepancy of the wrong sign",
        Adjustment.paid,
        lambda original, adjustment: -original(adjustment),
    ),
    Bug(
        "lines without money taken for paid",
        shopify_orders._extra_money,
        lambda original, refund, currency: original(refund, currency) or Decimal(0),
    ),
    Bug(
        "the cost of removed pieces overlooked",
        shopify_orders.read_order,
        lambda original, *args: replace(original(*args), removed=NO_GOODS),
    ),
    Bug(
        "some pieces of a line taken for the whole line",
        shopify_orders._of,
        lambda original, pieces, line, amount: amount,
    ),
    Bug(
        "refunded pieces taken for removed",
        shopify_orders._removed_pieces,
        _no_refund_accounts_for_pieces,
    ),
    Bug(
        "gift cards overlooked",
        shopify_orders._sum_of,
        lambda original, *args: replace(original(*args), gift_card_minor=0, gift_card_tax_minor=0),
    ),
    Bug("a code's hold not found", Ledger.hold_record, lambda original, *_: None),
    Bug(
        "points used at a till overlooked",
        shopify_orders._till_points,
        lambda original, metafields: original(metafields) and 0,
    ),
    Bug(
        "discounts overlooked",
        LineItem.net,
        lambda original, line: original(_changed(line, discount_allocations=())),
    ),
    Bug(
        "test orders earn",
        shopify_orders.read_order,
        lambda original, *args: replace(original(*args), is_test=False),
    ),
    Bug(
        "paid only while nothing is refunded",
        shopify_orders.read_order,
        _paid_only_while_nothing_is_refunded,
    ),
    # --- what headers say, which are not signed ---
    Bug(
        "an order taken for a customer",
        topics.require_topic,
        lambda original, body, topic: (
            None if topic == "customers/create" else original(body, topic)
        ),
    ),
    Bug(
        "an order earns in the shop of its header",
        topics.shop_named,
        lambda original, body, topic: (
            None if topic.startswith("orders/") else original(body, topic)
        ),
    ),
    Bug("paid by its topic", OrderService.carry_out, _paid_by_topic),
    Bug("cancelled by its topic", OrderService.carry_out, _cancelled_by_topic),
    # --- what cannot be read ---
    Bug(
        "a yes or no that cannot be read taken for absent", projection._flag, _unreadable_is_absent
    ),
    Bug("a time that cannot be read taken for absent", projection._time, _unreadable_is_absent),
    Bug(
        "null taken for absent everywhere",
        projection._projected_value,
        lambda original, value, part: None if value is None else original(value, part),
    ),
    Bug(
        "a word that cannot be read is one",
        order_payloads._readable,
        lambda original, value: value,
    ),
    # --- what it means ---
    Bug("the first report of a refund wins", Refund.replaces, lambda original, *_: False),
    Bug("the last report of a refund wins", Refund.replaces, lambda original, *_: True),
    Bug(
        "the money of each refund by itself",
        Order._extra_refund_minor,
        lambda original, order, refund: max(0, original(order, refund)),
    ),
    Bug("the latest confirmation counts", Order.merged_with, _latest_confirmation),
    Bug(
        "a cancellation lost with a later update",
        Order.merged_with,
        lambda original, order, *args: original(replace(order, cancelled=False), *args),
    ),
    Bug(
        "a guest's order fixes its rule",
        Ledger.save_order,
        lambda original, ledger, shop, before, order: original(
            ledger, shop, before, order.merged_with(OrderUpdate(), _RULE_OF_GUESTS)
        ),
    ),
    # --- by which tags it earns ---
    Bug(
        "tags asked for with every update",
        Order.lacks_rule,
        lambda original, order: order.goods is not None,
    ),
    Bug(
        "no tags assumed while Shopify cannot be asked",
        OrderService._rule,
        _no_tags_where(lambda cause: isinstance(cause, Unavailable)),
    ),
    Bug(
        "a customer whom Shopify does not know has no tags",
        OrderService._rule,
        _no_tags_where(lambda cause: cause is None),
    ),
    Bug(
        "the tags of a customer who was merged away",
        Ledger.read,
        lambda original, ledger, shop, customer_id: replace(
            original(ledger, shop, customer_id), customer_id=customer_id
        ),
    ),
    Bug(
        "tags asked for where nothing is earned",
        Programme.uses_tags,
        lambda original, programme, *, is_test: original(programme, is_test=False),
    ),
    Bug(
        "tax left in",
        EarningRule.base_minor,
        lambda original, rule, goods, *, taxes_included: original(
            rule, goods, taxes_included=taxes_included and rule.tax_included
        ),
    ),
    # --- what is done ---
    Bug(
        "more is earned than the target",
        order_points._earn,
        lambda original, draft, order, points, expiry: original(
            draft, order, points + order.current_points, expiry
        ),
    ),
    Bug("pending points not taken back first", order_points._lose, _pending_points_last),
    Bug("a till's points taken twice", order_points.spend_on_order, _another_spending_each_time),
    Bug("nothing given back after a refund", OrderService.carry_out, _refund_returns_nothing),
    Bug("each line of a refund taken for one piece", shopify_orders._refund, _one_piece_a_line),
    Bug(
        "bought pieces not counted",
        shopify_orders._pieces,
        lambda original, *args: replace(original(*args), pieces=0),
    ),
    Bug("all is back when its price is", Order._returned_and_bought, _only_the_price_counts),
    Bug(
        "the share of the pieces, whatever they cost",
        Order._returned_and_bought,
        _only_pieces_count,
    ),
    Bug(
        "what was removed by editing is not back", Order._returned_and_bought, _removed_is_not_back
    ),
    Bug(
        "two states of one second taken for one",
        OrderService._update_of,
        lambda original, service, facts, _: original(service, facts, None),
    ),
    Bug(
        "nothing given back after a cancellation",
        Order.returned_target,
        lambda original, order, spending: original(replace(order, cancelled=False), spending),
    ),
    Bug(
        "the newest customer takes the order",
        order_service._owner_of,
        lambda original, order, facts: (facts and facts.customer_id) or original(order, facts),
    ),
    Bug(
        "part of a point's worth is free",
        HoldRecord.points_for,
        lambda original, record, amount_minor: amount_minor // record.worth_minor,
    ),
    Bug("today's worth of a point", OrderService._capture, _at_todays_worth),
    Bug(
        "a merge in the wrong order is lost",
        Ledger._attempt_merge,
        _lost_where_the_target_is_merged,
    ),
)
