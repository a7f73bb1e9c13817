"""Orders as items of the table, and back."""

from dataclasses import astuple

from pointbook.domain.orders import (
    NO_GOODS,
    DebtPolicy,
    EarningRule,
    Goods,
    Order,
    Refund,
    ReturnSpent,
    Rounding,
    Spending,
)
from pointbook.domain.ports import DueKind
from pointbook.store import keys
from pointbook.store.fields import (
    BOOLEAN,
    INSTANT,
    LOTS,
    NUMBER,
    TEXT,
    TEXTS,
    Codec,
    Format,
    many,
    one_of,
)
from pointbook.store.items import SCHEMA
from pointbook.store.values import (
    Item,
    Stored,
    fields_of,
    ints_of,
    numbers,
    text_of,
    values_of,
)

_GOODS = Format(lambda goods: numbers(astuple(goods)), lambda value: Goods(*ints_of(value)))

_REFUND = Codec(
    Refund,
    refund_id=TEXT.named("id"),
    goods=_GOODS,
    money_minor=NUMBER.optional(),
    reported_at=INSTANT.optional(),
)

_SPENDING = Codec(
    Spending,
    spending_id=TEXT,
    customer_id=TEXT.named("customer"),
    points=NUMBER,
    lots=LOTS,
    return_spent=one_of(ReturnSpent),
    returned_points=NUMBER.named("returned"),
    returned_lots=LOTS,
)

_EARNING_RULE = Codec(
    EarningRule,
    unit_minor=NUMBER,
    points_per_unit=NUMBER,
    multiplier_percent=NUMBER,
    rounding=one_of(Rounding),
    programme_version=NUMBER,
    minimum_minor=NUMBER,
    tax_included=BOOLEAN,
    gift_cards_earn=BOOLEAN,
    pending_days=NUMBER,
    debt_policy=one_of(DebtPolicy),
)

_ORDER = Codec(
    Order,
    order_id=TEXT,
    customer_id=TEXT.named("customer").optional(),
    revision=NUMBER,
    updated_at=INSTANT.optional(),
    triggered_at=INSTANT.optional(),
    goods=_GOODS.optional(),
    removed=_GOODS.optional(NO_GOODS),
    listed=TEXTS.optional(()),
    taxes_included=BOOLEAN.optional(absent=True),
    rule=_EARNING_RULE.as_field.optional(),
    confirmed_at=INSTANT.optional(),
    cancelled=BOOLEAN,
    refunds=many(_REFUND.as_field),
    pending_points=NUMBER.named("pending"),
    approved_points=NUMBER.named("approved"),
    grant_lots=LOTS,
    waived_points=NUMBER.named("waived").optional(0),
    spendings=many(_SPENDING.as_field),
    name=TEXT.optional(""),
)


def order_item(shop: str, order: Order) -> Item:
    """An order. Its due attributes say when its pending points are approved."""
    key = keys.order(shop, order.order_id)
    due = keys.due_attributes(DueKind.PENDING, key, order.due_at) if order.due_at else {}
    return {**key, **SCHEMA, **_ORDER.write(order), **due}


def order_of(item: Stored) -> Order:
    """The order that an item holds."""
    return _ORDER.read(item)


def customers_of(item: Stored) -> set[str]:
    """The customers that an order or a hold record names, as far as it can be read."""
    found = {text_of(item["customer"])} if "customer" in item else set[str]()
    for spending in values_of(item["spendings"]) if "spendings" in item else ():
        found.add(text_of(fields_of(spending)["customer"]))
    return {name for name in found if name.isascii() and name.isdecimal()}
