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
from pointbook.store.items import SCHEMA
from pointbook.store.values import (
    Item,
    Stored,
    Value,
    boolean,
    boolean_of,
    fields_of,
    instant,
    int_of,
    ints_of,
    lots,
    lots_of,
    mapping,
    number,
    numbers,
    optional_instant,
    optional_int,
    optional_text,
    optional_texts,
    sequence,
    text,
    text_of,
    texts,
    values_of,
)


def order_item(shop: str, order: Order) -> Item:
    """An order. Its due attributes say when its pending points are approved."""
    key = keys.order(shop, order.order_id)
    item: Item = {
        **key,
        **SCHEMA,
        "order_id": text(order.order_id),
        "revision": number(order.revision),
        "cancelled": boolean(order.cancelled),
        "refunds": sequence(mapping(_refund_fields(refund)) for refund in order.refunds),
        "pending": number(order.pending_points),
        "approved": number(order.approved_points),
        "grant_lots": lots(order.grant_lots),
        "spendings": sequence(mapping(_spending_fields(one)) for one in order.spendings),
    }
    if order.customer_id is not None:
        item["customer"] = text(order.customer_id)
    item |= _update_fields(order)
    if order.let_go_points:
        item["let_go"] = number(order.let_go_points)
    if order.confirmed_at is not None:
        item["confirmed_at"] = instant(order.confirmed_at)
    if order.due_at is not None:
        item |= keys.due_attributes(DueKind.PENDING, key, order.due_at)
    if order.rule is not None:
        item["rule"] = mapping(_earning_fields(order.rule))
    return item


def _update_fields(order: Order) -> Item:
    """The goods, and the times that say whether a later update is newer."""
    fields: Item = {}
    if order.goods is not None:
        fields["goods"] = _goods(order.goods)
        fields["removed"] = _goods(order.removed)
        fields["listed"] = texts(order.listed)
        fields["taxes_included"] = boolean(order.taxes_included)
    for name, at in (("updated_at", order.updated_at), ("triggered_at", order.triggered_at)):
        if at is not None:
            fields[name] = instant(at)
    return fields


def order_of(item: Stored) -> Order:
    """The order that an item holds."""
    return Order(
        order_id=text_of(item["order_id"]),
        customer_id=optional_text(item, "customer"),
        revision=int_of(item["revision"]),
        updated_at=optional_instant(item, "updated_at"),
        triggered_at=optional_instant(item, "triggered_at"),
        goods=_goods_of(item["goods"]) if "goods" in item else None,
        removed=_goods_of(item["removed"]) if "removed" in item else NO_GOODS,
        listed=optional_texts(item, "listed"),
        taxes_included=boolean_of(item["taxes_included"]) if "taxes_included" in item else True,
        rule=_earning_of(fields_of(item["rule"])) if "rule" in item else None,
        confirmed_at=optional_instant(item, "confirmed_at"),
        cancelled=boolean_of(item["cancelled"]),
        refunds=tuple(_refund_of(fields_of(one)) for one in values_of(item["refunds"])),
        pending_points=int_of(item["pending"]),
        approved_points=int_of(item["approved"]),
        grant_lots=lots_of(item["grant_lots"]),
        let_go_points=optional_int(item, "let_go"),
        spendings=tuple(_spending_of(fields_of(one)) for one in values_of(item["spendings"])),
    )


def _refund_fields(refund: Refund) -> Item:
    fields: Item = {"id": text(refund.refund_id), "goods": _goods(refund.goods)}
    if refund.money_minor is not None:
        fields["money_minor"] = number(refund.money_minor)
    if refund.reported_at is not None:
        fields["told_at"] = instant(refund.reported_at)
    return fields


def _refund_of(fields: Stored) -> Refund:
    return Refund(
        refund_id=text_of(fields["id"]),
        goods=_goods_of(fields["goods"]),
        money_minor=int_of(fields["money_minor"]) if "money_minor" in fields else None,
        reported_at=optional_instant(fields, "told_at"),
    )


def _goods(goods: Goods) -> Value:
    return numbers(astuple(goods))


def _goods_of(value: Stored) -> Goods:
    return Goods(*ints_of(value))


def _spending_fields(spending: Spending) -> Item:
    return {
        "hold_id": text(spending.hold_id),
        "customer": text(spending.customer_id),
        "points": number(spending.points),
        "lots": lots(spending.lots),
        "return_spent": text(spending.return_spent),
        "returned": number(spending.returned_points),
        "returned_lots": lots(spending.returned_lots),
    }


def _spending_of(fields: Stored) -> Spending:
    return Spending(
        hold_id=text_of(fields["hold_id"]),
        customer_id=text_of(fields["customer"]),
        points=int_of(fields["points"]),
        lots=lots_of(fields["lots"]),
        return_spent=ReturnSpent(text_of(fields["return_spent"])),
        returned_points=int_of(fields["returned"]),
        returned_lots=lots_of(fields["returned_lots"]),
    )


def _earning_fields(rule: EarningRule) -> Item:
    return {
        "unit_minor": number(rule.unit_minor),
        "points_per_unit": number(rule.points_per_unit),
        "multiplier_percent": number(rule.multiplier_percent),
        "rounding": text(rule.rounding),
        "programme_version": number(rule.programme_version),
        "minimum_minor": number(rule.minimum_minor),
        "tax_included": boolean(rule.tax_included),
        "gift_cards_earn": boolean(rule.gift_cards_earn),
        "pending_days": number(rule.pending_days),
        "debt_policy": text(rule.debt_policy),
    }


def _earning_of(fields: Stored) -> EarningRule:
    return EarningRule(
        unit_minor=int_of(fields["unit_minor"]),
        points_per_unit=int_of(fields["points_per_unit"]),
        multiplier_percent=int_of(fields["multiplier_percent"]),
        rounding=Rounding(text_of(fields["rounding"])),
        programme_version=int_of(fields["programme_version"]),
        minimum_minor=int_of(fields["minimum_minor"]),
        tax_included=boolean_of(fields["tax_included"]),
        gift_cards_earn=boolean_of(fields["gift_cards_earn"]),
        pending_days=int_of(fields["pending_days"]),
        debt_policy=DebtPolicy(text_of(fields["debt_policy"])),
    )
