"""What orders and refunds of Shopify's say, in the words of points."""

from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from pointbook.domain.orders import NO_GOODS, Goods, Refund
from pointbook.errors import InvalidRequest
from pointbook.shopify.orders import CodeUse, OrderFacts, read_order, read_refund
from pointbook.validation import json_object

CODE = "PTS-2345-6789-ABCD-EFGH"
type Payload = dict[str, Any]


def line(price: str = "1000", quantity: int = 1, **more: Any) -> Payload:
    return {"id": 11, "quantity": quantity, "price": price, **more}


def taxed(*taxes: str) -> list[Payload]:
    return [{"price": tax} for tax in taxes]


def off(amount: str, index: int = 0) -> Payload:
    return {"amount": amount, "discount_application_index": index}


def in_shop(amount: str, other: str = "9.99") -> Payload:
    return {
        "shop_money": {"amount": amount, "currency_code": "JPY"},
        "presentment_money": {"amount": other, "currency_code": "EUR"},
    }


def order(**more: Any) -> Payload:
    return {
        "id": 901,
        "currency": "JPY",
        "updated_at": "2027-01-30T09:00:00+09:00",
        "customer": {"id": 7001},
        "line_items": [line()],
        "refunds": [],
        **more,
    }


def refund(**more: Any) -> Payload:
    return {"id": 31, "order_id": 901, **more}


def back(subtotal: Any = "300", quantity: int = 1, **more: Any) -> Payload:
    return {"line_item_id": 11, "quantity": quantity, "subtotal": subtotal, **more}


def paid_back(amount: str, **more: Any) -> Payload:
    return {"kind": "refund", "status": "success", "amount": amount, "currency": "JPY", **more}


def discrepancy(amount: str, **more: Any) -> Payload:
    return {"kind": "refund_discrepancy", "amount": amount, **more}


def goods(**more: Any) -> Goods:
    found = read_order(order(**more), more.get("currency", "JPY")).goods
    assert found is not None
    return amounts(found)


def amounts(found: Goods) -> Goods:
    """The money of goods; their pieces are looked at by tests of their own."""
    return replace(found, pieces=0)


def refunded(currency: str = "JPY", **more: Any) -> Refund:
    found = read_refund(refund(**more), currency).refund
    return replace(found, goods=amounts(found.goods))


# --- goods ---------------------------------------------------------------------------------------


def test_goods_are_pieces_at_their_price_less_their_discounts() -> None:
    lines = [line("1000", 3, discount_allocations=[off("100"), off("50", 1)]), line("70", id=12)]
    assert goods(line_items=lines) == Goods(2920)


@pytest.mark.parametrize(
    ("currency", "price", "minor"),
    [
        ("JPY", "1980", 5940),
        ("USD", "19.80", 5940),
        ("KWD", "1.980", 5940),
        ("USD", "19.805", 5942),
    ],
)
def test_money_is_in_the_smallest_unit_of_its_currency(
    currency: str, price: str, minor: int
) -> None:
    assert goods(currency=currency, line_items=[line(price, 3)]) == Goods(minor)


def test_money_is_rounded_once_when_everything_is_added_up() -> None:
    lines = [line("0.004", id=number) for number in range(11, 14)]
    assert goods(currency="USD", line_items=lines) == Goods(1)


def test_the_shop_s_money_counts_and_not_the_buyer_s() -> None:
    allocation = {**off("1.00"), "amount_set": in_shop("100")}
    tax = [{"price": "0.90", "price_set": in_shop("90")}]
    one = line("9.99", price_set=in_shop("1000"), discount_allocations=[allocation], tax_lines=tax)
    assert goods(line_items=[one]) == Goods(900, 90)


@pytest.mark.parametrize("included", [True, False])
def test_taxes_are_returned_separately_and_whether_the_price_includes_them(included: bool) -> None:
    lines = [line("1100", tax_lines=taxed("50", "50")), line("500", id=12, tax_lines=taxed("40"))]
    facts = read_order(order(line_items=lines, taxes_included=included), "JPY")
    assert (facts.goods, facts.taxes_included) == (Goods(1600, 140, pieces=2), included)


def test_gift_cards_are_returned_separately() -> None:
    lines = [line(), line("5000", id=12, gift_card=True, tax_lines=taxed("7"))]
    assert goods(line_items=lines) == Goods(6000, 7, 5000, 7)


@pytest.mark.parametrize("mark", ["has_tip_gateway", "has_tip_method"])
def test_a_tip_is_no_goods_and_its_refund_takes_none(mark: str) -> None:
    """As in `subtotal_price`, in which Shopify has no tips."""
    tip = line("500", id=12, tax_lines=taxed("7"), **{mark: True})
    back_with_tip = [back("300"), back("500", line_item_id=12)]
    listed = refund(refund_line_items=back_with_tip)
    facts = read_order(order(line_items=[line(), tip], refunds=[listed]), "JPY")
    assert facts.goods == Goods(1000, pieces=1)
    assert facts.refunds[0].goods == Goods(300, pieces=1)
    back_with_tip[1]["line_item"] = {mark: True}
    assert read_refund(listed, "JPY").refund.goods == Goods(300, pieces=1)


def test_a_payload_without_lines_has_its_subtotal_as_goods() -> None:
    assert goods(line_items=[], subtotal_price="2500", total_tax="227") == Goods(2500, 227)


def test_a_payload_without_lines_and_subtotal_says_nothing_of_goods() -> None:
    assert read_order(order(line_items=[]), "JPY").goods is None


def test_shipping_is_no_goods() -> None:
    assert goods(shipping_lines=[{"price": "800"}], total_price="1800") == Goods(1000)


# --- editing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "returned", "priced_minor"),
    [(3, 0, 300), (2, 0, 200), (2, 1, 300), (0, 1, 100), (0, 3, 300), (1, 3, 300), (None, 0, 300)],
)
def test_pieces_that_are_missing_without_a_refund_were_removed(
    current: int | None, returned: int, priced_minor: int
) -> None:
    refunds = [refund(refund_line_items=[back("100", returned)])] if returned else []
    one = line("100", 3, current_quantity=current)
    assert goods(line_items=[one], refunds=refunds) == Goods(priced_minor)


def test_pieces_are_counted_over_all_refunds() -> None:
    refunds = [refund(id=number, refund_line_items=[back("100")]) for number in (31, 32)]
    one = line("100", 4, current_quantity=1, tax_lines=taxed("40"))
    assert goods(line_items=[one], refunds=refunds) == Goods(300, 30)


def test_a_payload_that_lists_no_refunds_says_nothing_about_removed_pieces() -> None:
    one = line("100", 3, current_quantity=1)
    assert goods(line_items=[one], refunds=None) == Goods(300)


def test_the_price_of_removed_pieces_is_returned_separately() -> None:
    lines = [line("100", 3, current_quantity=1, tax_lines=taxed("30")), line("7", id=12)]
    facts = read_order(order(line_items=lines), "JPY")
    assert (facts.goods, facts.removed) == (Goods(107, 10, pieces=2), Goods(200, 20, pieces=2))


def test_pieces_of_goods_are_counted_also_where_they_cost_nothing() -> None:
    """Kept, removed and refunded ones each by themselves."""
    free = line("100", 3, current_quantity=1, discount_allocations=[off("300")])
    listed = refund(refund_line_items=[back("0", 1), back("0", 2, line_item_id=12)])
    facts = read_order(order(line_items=[free, line("7", 2, id=12)], refunds=[listed]), "JPY")
    assert (facts.goods, facts.removed) == (Goods(14, pieces=4), Goods(0, pieces=1))
    assert facts.refunds[0].goods == Goods(0, pieces=3)
    assert read_refund(listed, "JPY").refund.goods == Goods(0, pieces=3)


def test_half_of_a_unit_is_a_half_also_where_a_share_never_ends() -> None:
    """Five of six pieces of 3 are 2.5, which is rounded up."""
    one = line("1", 6, current_quantity=5, discount_allocations=[off("3")])
    assert goods(line_items=[one]) == Goods(3)


def test_a_line_of_no_pieces_costs_nothing() -> None:
    assert goods(line_items=[line("100", 0, current_quantity=0)]) == Goods(0)


# --- refunds -------------------------------------------------------------------------------------


def test_a_refund_with_lines_gives_back_the_lines() -> None:
    lines = [back("300", total_tax="27"), back("200", line_item_id=12, total_tax="18")]
    assert refunded(refund_line_items=lines, transactions=[paid_back("500")]) == Refund(
        "31", Goods(500, 45)
    )


@pytest.mark.parametrize(("amount", "money_minor"), [("-120", 120), ("120", -120), ("0", 0)])
def test_a_discrepancy_counts_in_addition_to_the_lines(amount: str, money_minor: int) -> None:
    """Below zero is a fee that the shop retained, as for restocking."""
    found = refunded(refund_line_items=[back("300")], order_adjustments=[discrepancy(amount)])
    assert found == Refund("31", Goods(300), money_minor)


def test_the_tax_of_an_adjustment_is_part_of_it() -> None:
    one = discrepancy("-100", tax_amount="-10")
    assert refunded(order_adjustments=[one]).money_minor == 110
    one |= {"amount_set": in_shop("-1000"), "tax_amount_set": in_shop("-100")}
    assert refunded(order_adjustments=[one]).money_minor == 1100


def test_an_adjustment_of_no_kind_is_for_no_shipping() -> None:
    assert refunded(order_adjustments=[{"amount": "-70"}]).money_minor == 70


def test_a_refund_that_names_nothing_is_its_money() -> None:
    money = [paid_back("700"), paid_back("400")]
    assert refunded(transactions=money) == Refund("31", NO_GOODS, 1100)


SHIPPED = {"kind": "shipping_refund", "amount": "-500", "tax_amount": "-50"}
NEWLY_SHIPPED = {"subtotal_amount_set": in_shop("500")}


@pytest.mark.parametrize(
    "named",
    [
        {"order_adjustments": [SHIPPED]},
        {"refund_shipping_lines": [NEWLY_SHIPPED]},
        {"order_adjustments": [SHIPPED], "refund_shipping_lines": [NEWLY_SHIPPED]},
        {"duties": [{"duty_id": 1}], "total_duties_set": in_shop("550")},
    ],
)
@pytest.mark.parametrize("beside", [0, 100])
def test_shipping_and_duties_take_nothing_back(named: Payload, beside: int) -> None:
    """In whatever form they stand, with their tax; what was paid beside them does."""
    named = dict(named)
    if beside:
        more = discrepancy(str(-beside))
        named["order_adjustments"] = [*named.get("order_adjustments", []), more]
    found = refunded(transactions=[paid_back(str(550 + beside))], **named)
    assert found == Refund("31", NO_GOODS, beside)


@pytest.mark.parametrize(
    ("transaction", "money_minor"),
    [
        ({"status": "pending"}, 700),
        ({"gateway": "gift_card"}, 700),
        ({"gateway": "shopify_store_credit"}, 700),
        ({"status": "failure"}, None),
        ({"status": "error"}, None),
        ({"kind": "void"}, None),
        ({"kind": "sale"}, None),
    ],
)
def test_money_counts_that_was_paid_back_or_is_on_its_way(
    transaction: Payload, money_minor: int | None
) -> None:
    assert refunded(transactions=[paid_back("700", **transaction)]).money_minor == money_minor


@pytest.mark.parametrize("named", [{}, {"refund_line_items": [back("300")]}])
def test_money_of_another_currency_is_read_from_the_discrepancy(named: Payload) -> None:
    foreign = paid_back("4.20", currency="EUR")
    one = discrepancy("-4.20", amount_set=in_shop("-700"))
    found = refunded(transactions=[foreign], order_adjustments=[one], **named)
    assert found.money_minor == 700
    assert refunded(transactions=[foreign], **named).money_minor == 0


def on_its_way(money: str, *discrepancies: str, **more: Any) -> int | None:
    """Money that has not moved yet, and what adjustments say meanwhile."""
    adjustments = [discrepancy(amount) for amount in discrepancies]
    transaction = paid_back(money, status="pending")
    return refunded(transactions=[transaction], order_adjustments=adjustments, **more).money_minor


def test_money_on_its_way_counts_though_shopify_takes_it_back_until_it_has_moved() -> None:
    """As Shopify Payments and others send a refund that they have not carried out yet."""
    assert on_its_way("664", "-664", "664") == 664
    lines = {"refund_line_items": [back("246", total_tax="32")]}
    assert on_its_way("278", "278", **lines) == 0
    assert on_its_way("250", "28", "250", **lines) == -28


def test_a_refund_says_the_same_once_its_money_has_moved() -> None:
    adjustments = [discrepancy("-664"), discrepancy("664"), discrepancy("-664")]
    moved = refunded(transactions=[paid_back("664")], order_adjustments=adjustments)
    assert moved.money_minor == 664
    failed = paid_back("664", status="failure")
    assert refunded(transactions=[failed], order_adjustments=adjustments[:2]).money_minor == 0


def test_lines_without_any_money_are_owed_for() -> None:
    """As an edit leaves them; Shopify may say so by an adjustment."""
    lines = [back("300", restock_type="cancel")]
    assert refunded(refund_line_items=lines) == Refund("31", Goods(300), None)
    noted = refunded(refund_line_items=lines, order_adjustments=[discrepancy("300")])
    assert noted == Refund("31", Goods(300), -300)


def test_lines_of_a_refund_are_in_the_shop_s_money() -> None:
    one = back("9.99", subtotal_set=in_shop("300"), total_tax="9.9", total_tax_set=in_shop("27"))
    assert refunded(refund_line_items=[one]).goods == Goods(300, 27)


@pytest.mark.parametrize("said_by", ["refund", "order", "nobody"])
def test_gift_cards_come_back_as_gift_cards(said_by: str) -> None:
    one = back("5000", total_tax="1")
    if said_by == "refund":
        one["line_item"] = {"gift_card": True}
        found = refunded(refund_line_items=[one])
    else:
        lines = [line("5000", gift_card=said_by == "order")]
        (found,) = read_order(
            order(line_items=lines, refunds=[refund(refund_line_items=[one])]), "JPY"
        ).refunds
    assert amounts(found.goods) == (
        Goods(5000, 1) if said_by == "nobody" else Goods(5000, 1, 5000, 1)
    )


def test_an_order_and_its_refund_say_the_same_of_it() -> None:
    """The order as of its own time, the refund as of its making."""
    made_at = "2027-01-29T09:00:00+09:00"
    one = refund(
        created_at=made_at, refund_line_items=[back("300")], order_adjustments=[discrepancy("-9")]
    )
    (listed,) = read_order(order(refunds=[one]), "JPY").refunds
    facts = read_refund(one, "JPY")
    assert (facts.order_id, facts.refund.reported_at) == ("901", datetime.fromisoformat(made_at))
    assert listed.reported_at == datetime.fromisoformat("2027-01-30T09:00:00+09:00")
    assert facts.refund == replace(listed, reported_at=facts.refund.reported_at)


# --- codes and tills -----------------------------------------------------------------------------


def uses(**more: Any) -> list[tuple[str, int]]:
    return [(use.code, use.amount_minor) for use in read_order(order(**more), "JPY").code_uses]


def test_a_hold_s_code_used_what_it_took_off_every_line() -> None:
    lines = [
        line(discount_allocations=[off("30", 0), off("200", 1)]),
        line(id=12, discount_allocations=[{**off("9", 1), "amount_set": in_shop("70")}]),
    ]
    applications = [{"type": "automatic"}, {"type": "discount_code", "code": CODE.lower()}]
    codes = [{"code": CODE.lower(), "amount": "999"}, {"amount": "30"}]
    found = uses(line_items=lines, discount_applications=applications, discount_codes=codes)
    assert found == [(CODE, 270)]


def test_each_of_several_codes_counts_by_itself() -> None:
    other = CODE.replace("A", "Z")
    lines = [line(discount_allocations=[off("30", 0), off("20", 1), off("5", 2)])]
    applications = [{"code": CODE}, {"code": other}, {"code": CODE.lower()}]
    assert uses(line_items=lines, discount_applications=applications) == [(CODE, 35), (other, 20)]


def test_where_no_line_names_the_code_the_order_says_what_it_took_off() -> None:
    codes = [{"code": CODE, "amount": "500"}]
    applications = [{"code": CODE}]
    assert uses(discount_codes=codes) == [(CODE, 500)]
    assert uses(discount_codes=codes, discount_applications=applications) == [(CODE, 500)]


def test_a_code_that_took_nothing_off_has_the_amount_zero() -> None:
    codes = [{"code": CODE, "amount": "0"}]
    assert uses(discount_applications=[{"code": CODE}], discount_codes=codes) == [(CODE, 0)]


@pytest.mark.parametrize(("value", "points"), [("120", 120), (120, 120), ("0", 0), (None, 0)])
def test_points_at_a_till_stand_in_omni_hub_s_metafield(value: object, points: int) -> None:
    metafields = [
        {"namespace": "other", "key": "point_used", "value": "7"},
        {"namespace": "omni_hub", "key": "rank", "value": "8"},
        {"namespace": "omni_hub", "key": "point_used", "value": value},
    ]
    assert read_order(order(metafields=metafields), "JPY").till_points == points


@pytest.mark.parametrize("value", ["-1", "1.5", "1,000", "120pt", "1000000001", "", -5, True, []])
def test_unreadable_points_at_a_till_are_distinguished_from_none(value: object) -> None:
    metafields = [{"namespace": "omni_hub", "key": "point_used", "value": value}]
    assert read_order(order(metafields=metafields), "JPY").till_points is None


@pytest.mark.parametrize("metafields", ["unreadable", {}, 7, ["unreadable"], [[]]])
def test_metafields_that_nobody_can_read_stop_no_order(metafields: object) -> None:
    facts = read_order(order(metafields=metafields), "JPY")
    assert (facts.till_points, facts.goods) == (None, Goods(1000, pieces=1))


# --- the order itself ----------------------------------------------------------------------------


def test_a_minimal_order_has_the_default_values() -> None:
    facts = read_order({"id": 901, "currency": "JPY", "updated_at": "2027-01-30T00:00:00Z"}, "JPY")
    assert astuple(facts)[:4] == ("901", None, False, None)
    assert astuple(facts)[5:] == (False, False, None, astuple(NO_GOODS), True, (), (), 0, "")


@pytest.mark.parametrize("customer", [None, {}, {"id": None}])
def test_a_customer_without_an_id_is_a_guest(customer: object) -> None:
    assert read_order(order(customer=customer), "JPY").customer_id is None


@pytest.mark.parametrize("customer_id", [7001, "7001", "gid://shopify/Customer/7001"])
def test_a_customer_is_identified_by_every_form_of_the_id(customer_id: object) -> None:
    assert read_order(order(customer={"id": customer_id}), "JPY").customer_id == "7001"


def test_currencies_are_compared_without_case() -> None:
    facts = read_order(order(currency="jpy"), "JPY")
    assert facts == read_order(order(), "jpy")
    dollars = refund(transactions=[paid_back("10.00", currency="usd")])
    assert read_refund(dollars, "JPY").refund.money_minor == 0, "10 dollars are not 10 yen"
    yen = refund(transactions=[paid_back("10", currency="jpy")])
    assert read_refund(yen, "JPY").refund.money_minor == 10


@pytest.mark.parametrize(
    ("status", "paid"),
    [
        ("paid", True),
        ("partially_refunded", True),
        ("refunded", True),
        ("pending", False),
        ("authorized", False),
        ("partially_paid", False),
        ("voided", False),
        (None, False),
    ],
)
def test_an_order_counts_as_paid_by_its_financial_status(status: str | None, paid: bool) -> None:
    assert read_order(order(financial_status=status), "JPY").paid is paid


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"test": True}, lambda facts: facts.is_test),
        ({"cancelled_at": "2027-01-30T10:00:00Z"}, lambda facts: facts.cancelled),
        ({"created_at": "2027-01-30T10:00:00Z"}, lambda facts: facts.created_at is not None),
    ],
)
def test_what_else_an_order_says(given: Payload, seen: Callable[[OrderFacts], bool]) -> None:
    assert seen(read_order(order(**given), "JPY"))
    assert not seen(read_order(order(), "JPY"))


# --- what cannot be used -------------------------------------------------------------------------


def test_numbers_of_json_are_read_digit_by_digit() -> None:
    raw = b'{"id": 31, "order_id": 901, "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": 0.285}]}'  # noqa: E501
    payload = json_object(raw, parse_float=Decimal)
    assert read_refund(payload, "USD").refund.goods == Goods(29, pieces=1), "0.285 is no 0.28499..."


@pytest.mark.parametrize("amount", [10.5, 10.0, True, "NaN", "Infinity", "1e15", "1,000", "", None])
@pytest.mark.parametrize("place", ["price", "allocation", "tax", "subtotal", "money", "code"])
def test_what_is_no_amount_is_refused_by_the_name_of_its_field(place: str, amount: object) -> None:
    payloads = {
        "price": (order(line_items=[line(amount)]), "line_items.0.price"),  # type: ignore[arg-type]
        "allocation": (
            order(line_items=[line(discount_allocations=[off(amount)])]),  # type: ignore[arg-type]
            "line_items.0.discount_allocations.0.amount",
        ),
        "tax": (
            order(line_items=[line(tax_lines=[{"price": amount}])]),
            "line_items.0.tax_lines.0.price",
        ),
        "subtotal": (
            order(refunds=[refund(refund_line_items=[back(amount)])]),
            "refunds.0.refund_line_items.0.subtotal",
        ),
        "money": (
            order(refunds=[refund(transactions=[{**paid_back("1"), "amount": amount}])]),
            "refunds.0.transactions.0.amount",
        ),
        "code": (
            order(discount_codes=[{"code": CODE, "amount": amount}]),
            "discount_codes.0.amount",
        ),
    }
    payload, field = payloads[place]
    with pytest.raises(InvalidRequest, match="cannot be used") as refusal:
        read_order(payload, "JPY")
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (order(id="one"), "id"),
        (order(id=-1), "id"),
        (order(id=True), "id"),
        (order(customer={"id": "0"}), "customer.id"),
        (order(customer={"id": "gid://shopify/Order/1"}), "customer.id"),
        (order(customer=[]), "customer"),
        (order(customer=7001), "customer"),
        (order(test="true"), "test"),
        (order(updated_at="2027-01-30T09:00:00"), "updated_at"),
        (order(updated_at=None), "updated_at"),
        (order(currency=None), "currency"),
        (order(line_items={}), "line_items"),
        (order(line_items=[line(quantity=-1)]), "line_items.0.quantity"),
        (order(line_items=[line(quantity=True)]), "line_items.0.quantity"),
        (order(line_items=[line(quantity=10**10)]), "line_items.0.quantity"),
        (order(line_items=[line(current_quantity=-1)]), "line_items.0.current_quantity"),
        (order(line_items=[line("999999999999999", 9)]), "line_items"),
        (order(line_items=[], subtotal_price="99999999999999999"), "subtotal_price"),
        (order(refunds=[{"id": 31}]), "refunds.0.order_id"),
        (order(taxes_included="perhaps"), "taxes_included"),
    ],
)
def test_what_cannot_be_used_is_refused_by_the_name_of_its_field(
    payload: Payload, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_order(payload, "JPY")
    assert refusal.value.field == field
    assert field in refusal.value.message


def test_sums_beyond_all_bounds_are_refused_where_each_part_is_not() -> None:
    big = "999999999999999"
    many = [back(big, line_item_id=number) for number in (1, 2)]
    for payload, field in (
        (refund(refund_line_items=many), "refund_line_items"),
        (refund(transactions=[paid_back(big), paid_back(big)]), "order_adjustments"),
    ):
        with pytest.raises(InvalidRequest) as refusal:
            read_refund(payload, "JPY")
        assert refusal.value.field == field


def test_an_order_in_another_currency_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="in USD, but the programme is in JPY") as refusal:
        read_order(order(currency="USD"), "JPY")
    assert refusal.value.field == "currency"


def test_unneeded_fields_are_ignored() -> None:
    facts = read_order(order(email="a@example.com", note_attributes=[1]), "JPY")
    assert facts == read_order(order(), "JPY")
    assert CodeUse(CODE, 1) not in facts.code_uses
