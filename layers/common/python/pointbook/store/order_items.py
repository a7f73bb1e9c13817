"""What is kept beside the books: orders, hold records, loose codes; as items, and back."""

from dataclasses import astuple
from datetime import datetime

from pointbook.domain.account import HoldRecord, OrphanedCode
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
from pointbook.store.values import (
    Item,
    Stored,
    Value,
    due,
    head,
    instant,
    instant_of,
    int_of,
    ints_of,
    lots,
    lots_of,
    number,
    numbers,
    optional_text,
    text,
)


def hold_record_item(shop: str, record: HoldRecord) -> Item:
    """What is kept of a hold for ever."""
    return {
        **head(keys.hold_record(shop, record.hold_id), keys.HOLD_RECORD),
        "hold_id": text(record.hold_id),
        "customer": text(record.customer_id),
        "points": number(record.points),
        "lots": lots(record.lots),
        "revision": number(record.revision),
        "orders": {"L": [text(order_id) for order_id in record.orders]},
        "code": text(record.code),
        "worth_minor": number(record.worth_minor),
    }


def hold_record_of(item: Stored) -> HoldRecord:
    """The hold record that an item holds."""
    return HoldRecord(
        hold_id=item["hold_id"]["S"],
        customer_id=item["customer"]["S"],
        points=int_of(item["points"]),
        lots=lots_of(item["lots"]),
        revision=int_of(item["revision"]),
        orders=tuple(value["S"] for value in item["orders"]["L"]),
        code=item["code"]["S"],
        worth_minor=int_of(item["worth_minor"]),
    )


def orphaned_code_item(shop: str, loose: OrphanedCode, tries: int, next_try_at: datetime) -> Item:
    """A code to be switched off, how often that was tried, and when it is tried again."""
    key = keys.orphaned_code(shop, loose.hold_id)
    return {
        **head(key, keys.ORPHANED_CODE),
        "hold_id": text(loose.hold_id),
        "code": text(loose.code),
        "until": instant(loose.until),
        "tries": number(tries),
        **due(DueKind.CODE, key, next_try_at),
    }


def orphaned_code_of(item: Stored) -> tuple[OrphanedCode, int]:
    """The code that an item names, and how often it was tried."""
    loose = OrphanedCode(item["hold_id"]["S"], item["code"]["S"], instant_of(item["until"]))
    return loose, int_of(item["tries"])


def order_item(shop: str, order: Order) -> Item:
    """What is known of an order. Its due attributes say when its pending points are approved."""
    order_key = keys.order(shop, order.order_id)
    item: Item = {
        **head(order_key, keys.ORDER),
        "order_id": text(order.order_id),
        "revision": number(order.revision),
        "cancelled": {"BOOL": order.cancelled},
        "refunds": {"L": [{"M": _refund_fields(refund)} for refund in order.refunds]},
        "pending": number(order.pending_points),
        "approved": number(order.approved_points),
        "grant_lots": lots(order.grant_lots),
        "spendings": {"L": [{"M": _spending_fields(s)} for s in order.spendings]},
    }
    if order.customer_id is not None:
        item["customer"] = text(order.customer_id)
    item |= _told_fields(order)
    if order.let_go_points:
        item["let_go"] = number(order.let_go_points)
    if order.confirmed_at is not None:
        item["confirmed_at"] = instant(order.confirmed_at)
    if order.due_at is not None:
        item |= due(DueKind.PENDING, order_key, order.due_at)
    if order.rule is not None:
        item["rule"] = {"M": _earning_fields(order.rule)}
    return item


def _told_fields(order: Order) -> Item:
    """The goods, and the times that say whether later news is newer."""
    fields: Item = {}
    if order.goods is not None:
        fields["goods"] = _goods(order.goods)
        fields["removed"] = _goods(order.removed)
        fields["listed"] = {"L": [text(refund_id) for refund_id in order.listed]}
        fields["taxes_included"] = {"BOOL": order.taxes_included}
    for name, at in (("updated_at", order.updated_at), ("triggered_at", order.triggered_at)):
        if at is not None:
            fields[name] = instant(at)
    return fields


def order_of(item: Stored) -> Order:
    """The order that an item holds."""
    return Order(
        order_id=item["order_id"]["S"],
        customer_id=optional_text(item, "customer"),
        revision=int_of(item["revision"]),
        updated_at=instant_of(item["updated_at"]) if "updated_at" in item else None,
        triggered_at=instant_of(item["triggered_at"]) if "triggered_at" in item else None,
        goods=_goods_of(item["goods"]) if "goods" in item else None,
        removed=_goods_of(item["removed"]) if "removed" in item else NO_GOODS,
        listed=tuple(value["S"] for value in item["listed"]["L"]) if "listed" in item else (),
        taxes_included=item["taxes_included"]["BOOL"] if "taxes_included" in item else True,
        rule=_earning_of(item["rule"]["M"]) if "rule" in item else None,
        confirmed_at=instant_of(item["confirmed_at"]) if "confirmed_at" in item else None,
        cancelled=item["cancelled"]["BOOL"],
        refunds=tuple(_refund_of(value["M"]) for value in item["refunds"]["L"]),
        pending_points=int_of(item["pending"]),
        approved_points=int_of(item["approved"]),
        grant_lots=lots_of(item["grant_lots"]),
        let_go_points=int_of(item["let_go"]) if "let_go" in item else 0,
        spendings=tuple(_spending_of(value["M"]) for value in item["spendings"]["L"]),
    )


def _refund_fields(refund: Refund) -> Item:
    fields: Item = {"id": text(refund.refund_id), "goods": _goods(refund.goods)}
    if refund.money_minor is not None:
        fields["money_minor"] = number(refund.money_minor)
    if refund.told_at is not None:
        fields["told_at"] = instant(refund.told_at)
    return fields


def _refund_of(fields: Stored) -> Refund:
    return Refund(
        refund_id=fields["id"]["S"],
        goods=_goods_of(fields["goods"]),
        money_minor=int_of(fields["money_minor"]) if "money_minor" in fields else None,
        told_at=instant_of(fields["told_at"]) if "told_at" in fields else None,
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
        hold_id=fields["hold_id"]["S"],
        customer_id=fields["customer"]["S"],
        points=int_of(fields["points"]),
        lots=lots_of(fields["lots"]),
        return_spent=ReturnSpent(fields["return_spent"]["S"]),
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
        "tax_included": {"BOOL": rule.tax_included},
        "gift_cards_earn": {"BOOL": rule.gift_cards_earn},
        "pending_days": number(rule.pending_days),
        "debt_policy": text(rule.debt_policy),
    }


def _earning_of(fields: Stored) -> EarningRule:
    return EarningRule(
        unit_minor=int_of(fields["unit_minor"]),
        points_per_unit=int_of(fields["points_per_unit"]),
        multiplier_percent=int_of(fields["multiplier_percent"]),
        rounding=Rounding(fields["rounding"]["S"]),
        programme_version=int_of(fields["programme_version"]),
        minimum_minor=int_of(fields["minimum_minor"]),
        tax_included=fields["tax_included"]["BOOL"],
        gift_cards_earn=fields["gift_cards_earn"]["BOOL"],
        pending_days=int_of(fields["pending_days"]),
        debt_policy=DebtPolicy(fields["debt_policy"]["S"]),
    )
