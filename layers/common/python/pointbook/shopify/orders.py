"""Parses orders and refunds of Shopify into the facts that points need.

| fact | source |
|---|---|
| goods | lines: price × quantity − their discounts; without lines: `subtotal_price` |
| removed by editing | pieces missing in `current_quantity` that no refund has |
| refunded goods | the refund's lines |
| extra money refunded | `order_adjustments`; if the refund has no other items, its transactions |
| points of a hold | the allocations of the discount with the hold's code, else `discount_codes` |
| points used at a till | metafield `omni_hub.point_used`; None if it cannot be parsed |

None of them includes shipping, duties or tips. Shopify's amounts of an order are those before
refunds; a refund has the time of the order that lists it, or its own.

A refund's adjustments are the amount paid beyond its lines, shipping and duties. While a payment is
pending, an adjustment cancels it, and another one restores it once it has succeeded. So pending
payments are added here if they are in the shop's currency.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from pointbook.domain.money import minor_of
from pointbook.domain.orders import Goods, Refund
from pointbook.errors import InvalidRequest
from pointbook.shopify.order_payloads import (
    LineItem,
    OrderPayload,
    Part,
    RefundPayload,
    in_shop_money,
)
from pointbook.shopify.projection import TILL_KEY, TILL_NAMESPACE, UNREADABLE, till_points

PAID = frozenset({"paid", "partially_refunded", "refunded"})
"""Financial statuses of an order that has been paid, even if it was refunded later."""

_PENDING = "pending"
_REFUND_STATUSES = frozenset({"success", _PENDING})
_SHIPPING = "shipping_refund"
TILL_FIELD = f"metafields.{TILL_NAMESPACE}.{TILL_KEY}"
_TILL_POINTS_MAX = 1_000_000_000
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class CodeUse:
    """A hold's code on an order, and its amount in the smallest unit."""

    code: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The state of an order at one time.

    `till_points` were used at a till; None if their number cannot be parsed. `customer_id` is None
    for a guest's order.
    """

    order_id: str
    customer_id: str | None
    is_test: bool
    created_at: datetime | None
    updated_at: datetime
    paid: bool
    cancelled: bool
    goods: Goods | None
    removed: Goods
    taxes_included: bool
    refunds: tuple[Refund, ...]
    code_uses: tuple[CodeUse, ...]
    till_points: int | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """One refund and the order that it belongs to."""

    order_id: str
    refund: Refund


def read_order(payload: Mapping[str, Any], currency: str) -> OrderFacts:
    """Parse the payload of `orders/*`; `currency` is the shop's.

    Raises InvalidRequest with the field that is invalid.
    """
    order = _read(OrderPayload, payload)
    currency = currency.upper()
    if order.currency != currency:
        raise InvalidRequest(
            "currency", f"The order is in {order.currency}, but the programme is in {currency}."
        )
    gift_lines = frozenset(line.id for line in order.line_items if line.gift_card)
    tip_lines = frozenset(line.id for line in order.line_items if line.is_tip)
    removed = _removed_pieces(order)
    return OrderFacts(
        order_id=order.id,
        customer_id=order.customer.id if order.customer else None,
        is_test=order.test,
        created_at=order.created_at,
        updated_at=order.updated_at,
        paid=order.financial_status in PAID,
        cancelled=order.cancelled_at is not None,
        goods=_goods(order, removed, currency),
        removed=_pieces(order, removed, currency),
        taxes_included=order.taxes_included,
        refunds=tuple(
            _refund(refund, order.updated_at, currency, gift_lines, tip_lines)
            for refund in order.refunds or ()
        ),
        code_uses=_code_uses(order, currency),
        till_points=_till_points(order.metafields),
        name=order.name or "",
    )


def read_refund(payload: Mapping[str, Any], currency: str) -> RefundFacts:
    """Parse the payload of `refunds/create`. Raises InvalidRequest as `read_order` does."""
    currency = currency.upper()
    refund = _read(RefundPayload, payload)
    return RefundFacts(refund.order_id, _refund(refund, refund.created_at, currency))


def _read[T: Part](kind: type[T], payload: Mapping[str, Any]) -> T:
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(field, f"{field} cannot be used: {first['msg']}.") from None


def _goods(order: OrderPayload, removed: Mapping[str, int], currency: str) -> Goods | None:
    if not order.line_items:
        if order.subtotal_price is None:
            return None
        priced_minor = _minor(order.subtotal_price, currency, "subtotal_price")
        return Goods(priced_minor, _minor(order.total_tax, currency, "total_tax"))
    remaining = {line.id: line.quantity - removed.get(line.id, 0) for line in order.line_items}
    return _pieces(order, remaining, currency)


def _pieces(order: OrderPayload, pieces: Mapping[str, int], currency: str) -> Goods:
    """Return these numbers of pieces, by line id, as Goods. Tips do not count."""
    counted = [
        (line, count)
        for line in order.line_items
        if not line.is_tip and (count := pieces.get(line.id, 0))
    ]
    parts = [
        (_of(count, line, line.net), _of(count, line, line.tax), line.gift_card)
        for line, count in counted
    ]
    return _sum_of(parts, sum(count for _, count in counted), currency, "line_items")


def _sum_of(
    parts: Iterable[tuple[Decimal, Decimal, bool]], pieces: int, currency: str, field: str
) -> Goods:
    """Return the sum of (net, tax, is a gift card) as Goods, rounded once at the end."""
    sums = [_NOTHING] * 4
    for net, tax, is_gift_card in parts:
        sums[0] += net
        sums[1] += tax
        if is_gift_card:
            sums[2] += net
            sums[3] += tax
    priced, of_tax, gift_card, gift_card_tax = (_minor(amount, currency, field) for amount in sums)
    return Goods(priced, of_tax, gift_card, gift_card_tax, pieces)


def _minor(amount: Decimal, currency: str, field: str) -> int:
    try:
        return minor_of(amount, currency)
    except ValueError as error:
        raise InvalidRequest(field, f"{field} cannot be used: {error}.") from None


def _removed_pieces(order: OrderPayload) -> dict[str, int]:
    """Return the pieces of each line that were removed without a refund.

    Empty if the payload does not list its refunds.
    """
    if order.refunds is None:
        return {}
    refunded: dict[str, int] = {}
    for refund in order.refunds:
        for line in refund.refund_line_items:
            refunded[line.line_item_id] = refunded.get(line.line_item_id, 0) + line.quantity
    return {
        line.id: max(0, line.quantity - line.current_quantity - refunded.get(line.id, 0))
        for line in order.line_items
        if line.current_quantity is not None
    }


def _of(pieces: int, line: LineItem, amount: Decimal) -> Decimal:
    """Return the part of a line's amount for some of its pieces.

    Divided last, so that halves are exact: 5 of 6 pieces of 3 yen are 2.5, not slightly less.
    """
    return amount * pieces / line.quantity


def _refund(
    refund: RefundPayload,
    reported_at: datetime | None,
    currency: str,
    gift_lines: frozenset[str] = frozenset(),
    tip_lines: frozenset[str] = frozenset(),
) -> Refund:
    parts, pieces = [], 0
    for line in refund.refund_line_items:
        if line.line_item.is_tip or line.line_item_id in tip_lines:
            continue
        is_gift_card = line.line_item.gift_card
        if is_gift_card is None:
            is_gift_card = line.line_item_id in gift_lines
        net = in_shop_money(line.subtotal, line.subtotal_set)
        parts.append((net, in_shop_money(line.total_tax, line.total_tax_set), is_gift_card))
        pieces += line.quantity
    money = _extra_money(refund, currency)
    return Refund(
        refund_id=refund.id,
        goods=_sum_of(parts, pieces, currency, "refund_line_items"),
        money_minor=None if money is None else _minor(money, currency, "order_adjustments"),
        reported_at=reported_at,
    )


def _extra_money(refund: RefundPayload, currency: str) -> Decimal | None:
    """Return the amount refunded beyond the refund's items; None if nothing was paid."""
    paid = [
        one
        for one in refund.transactions
        if one.kind == "refund" and one.status in _REFUND_STATUSES
    ]
    in_currency = [one for one in paid if one.currency in ("", currency)]
    adjustments = [one for one in refund.order_adjustments if one.kind != _SHIPPING]
    if adjustments:
        pending = sum((one.amount for one in in_currency if one.status == _PENDING), _NOTHING)
        return sum((one.paid for one in adjustments), pending)
    if not paid:
        return None
    if refund.has_items:
        return _NOTHING
    return sum((one.amount for one in in_currency), _NOTHING)


def _code_uses(order: OrderPayload, currency: str) -> tuple[CodeUse, ...]:
    """Return the codes of holds on the order, in capitals, and their amounts."""
    used: dict[str, Decimal] = {}
    for index, application in enumerate(order.discount_applications):
        if application.code:
            taken_off = (
                allocation.taken_off
                for line in order.line_items
                for allocation in line.discount_allocations
                if allocation.discount_application_index == index
            )
            code = application.code.upper()
            used[code] = used.get(code, _NOTHING) + sum(taken_off, _NOTHING)
    for discount_code in order.discount_codes:
        code = (discount_code.code or "").upper()
        if code and not used.get(code):  # the order has it, but no line
            used[code] = discount_code.amount
    return tuple(
        CodeUse(code, _minor(amount, currency, "discount_codes")) for code, amount in used.items()
    )


def _till_points(metafields: object) -> int | None:
    """Return the points used at a till, which Omni Hub writes to the order.

    None if that cannot be parsed: another app's mistake must not stop the order.
    """
    if not isinstance(metafields, list | tuple):
        return None
    for metafield in metafields:
        if not isinstance(metafield, Mapping):
            return None
        name = (metafield.get("namespace"), metafield.get("key"))
        if UNREADABLE in name:
            return None
        if name == (TILL_NAMESPACE, TILL_KEY):
            value = metafield.get("value")
            digits = "0" if value is None else till_points(value)
            points = None if digits == UNREADABLE else int(digits)
            return None if points is None or points > _TILL_POINTS_MAX else points
    return 0
