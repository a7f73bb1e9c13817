"""The projection of a webhook: the named fields and nothing that a person wrote."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.services.message import MESSAGE_BYTES_MAX, Message, message_text, read_message
from pointbook.shopify.projection import ORDER, SHAPES, UNREADABLE, projected
from pointbook.shopify.webhook import BODY_BYTES_MAX, QUEUES
from pointbook.validation import json_object
from tests.support.json_places import places, put
from tools import shopify_payloads as payloads
from tools.make_events_webhooks import body_of, messages

BODIES = payloads.bodies()
PLANTED = "Planted Person 77"


def project(case: str, **changes: Any) -> dict[str, Any]:
    """The projection of a sample, with changed members."""
    topic, body = BODIES[case]
    return projected(json_object(body_of(body | changes), parse_float=str), SHAPES[topic])


def test_every_topic_that_has_a_queue_has_a_shape_and_a_sample() -> None:
    assert SHAPES.keys() == QUEUES.keys() == {topic for topic, _ in BODIES.values()}


@pytest.mark.parametrize("case", BODIES)
def test_nothing_personal_of_a_sample_gets_behind_the_entrance(case: str) -> None:
    _, text = messages()[case]
    assert [words for words in payloads.PERSONAL if words.lower() in text.lower()] == []


def test_the_samples_do_carry_what_must_not_get_through() -> None:
    sent = "".join(body_of(body).decode() for _, body in BODIES.values())
    assert [words for words in payloads.PERSONAL if words not in sent] == []


@given(st.data())
def test_a_text_survives_in_no_place_of_any_topic(data: st.DataObject) -> None:
    topic, body = data.draw(st.sampled_from(sorted(BODIES.values(), key=str)))
    path = data.draw(st.sampled_from(list(places(body))))
    value = data.draw(st.sampled_from([PLANTED, [PLANTED], {PLANTED: PLANTED}, {"id": PLANTED}]))
    text = json.dumps(projected(put(body, path, value), SHAPES[topic]))
    assert PLANTED not in text


@pytest.mark.parametrize("name", ["#1001", "1001", "EN-1001-JP", "注文1001"])
def test_an_order_keeps_its_name(name: str) -> None:
    assert projected({"name": name}, ORDER) == {"name": name}


@pytest.mark.parametrize(
    "name", [1001, "", "#", "Taro Yamada 1", "a\n1", "taro1@shop.example", "1" * 40]
)
def test_what_is_no_orders_name_is_left_out_and_stops_no_order(name: object) -> None:
    assert projected({"name": name}, ORDER) == {"name": ""}


def test_an_order_keeps_what_points_are_reckoned_from() -> None:
    order = project("orders_create_with_codes")
    assert order["id"] == payloads.ORDER
    assert order["customer"] == {"id": payloads.CUSTOMER}
    assert (order["currency"], order["taxes_included"], order["test"]) == ("JPY", True, False)
    assert order["updated_at"] == payloads.UPDATED_AT
    assert "cancelled_at" not in order, "null says that it was not cancelled"
    tea, gift = order["line_items"]
    assert tea == {
        "id": payloads.ORDER + 1,
        "quantity": 2,
        "current_quantity": 2,
        "price": "3000",
        "price_set": {"shop_money": {"amount": "3000", "currency_code": "JPY"}},
        "gift_card": False,
        "discount_allocations": [
            {
                "amount": amount,
                "amount_set": {"shop_money": {"amount": amount, "currency_code": "JPY"}},
                "discount_application_index": place,
            }
            for place, amount in enumerate(("500", "300"))
        ],
        "tax_lines": [
            {"price": tax, "price_set": {"shop_money": {"amount": tax, "currency_code": "JPY"}}}
            for tax in ("400", "64")
        ],
    }
    assert gift["gift_card"] is True


def test_only_codes_of_holds_are_projected_and_every_discount_has_its_place() -> None:
    order = project("orders_create_with_codes")
    assert order["discount_applications"] == [
        {"type": "discount_code", "code": payloads.OUR_CODE},
        {"type": "discount_code"},
    ]
    assert [one.get("code") for one in order["discount_codes"]] == [payloads.OUR_CODE, None]
    broken = project("orders_create", discount_applications=[None, "x", {"type": "automatic"}])
    assert broken["discount_applications"] == [UNREADABLE, UNREADABLE, {"type": "automatic"}]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"tip_payment_gateway": "shopify_payments"}, {"has_tip_gateway": True}),
        ({"tip_payment_method": "Visa 77"}, {"has_tip_method": True}),
        ({"tip_payment_gateway": None, "tip_payment_method": ""}, {}),
        (
            {"tip_payment_gateway": True, "tip_payment_method": 7},
            {"has_tip_gateway": UNREADABLE, "has_tip_method": UNREADABLE},
        ),
    ],
)
def test_a_tip_is_projected_as_a_mark_only(
    said: dict[str, Any], expected: dict[str, object]
) -> None:
    (tip,) = project("orders_create", line_items=[{"id": 1} | said])["line_items"]
    (back,) = project("refunds_create", refund_line_items=[{"line_item": said}])[
        "refund_line_items"
    ]
    assert (tip, back["line_item"]) == ({"id": 1} | expected, expected)


def test_numbers_keep_every_digit() -> None:
    refund = project("refunds_create_usd")
    assert refund["refund_line_items"][0]["subtotal"] == "19.99"
    raw = b'{"id": 9007199254740993, "refund_line_items": [{"subtotal": 0.1000000001}]}'
    exact = projected(json_object(raw, parse_float=str), SHAPES["refunds/create"])
    assert exact["id"] == 9007199254740993
    assert exact["refund_line_items"][0]["subtotal"] == "0.1000000001"


@pytest.mark.parametrize(
    "amount", ["1e9", "1e999999999", "NaN", "１０", "1,000", "", True, [1], {}, None, 1 / 3]
)
def test_what_is_no_amount_is_marked(amount: object) -> None:
    assert project("orders_create", subtotal_price=amount)["subtotal_price"] == UNREADABLE


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        (59.970000000000006, "59.97"),
        (0.1 + 0.2, "0.3"),
        (2999.9999999999995, "3000"),
        (1234567.4999999998, "1234567.5"),
        (-59.970000000000006, "-59.97"),
        (0.3 - 0.1 - 0.2, "0"),
        (19.99, "19.99"),
        (6000.0, "6000.0"),
        ("0.1000000001", "0.1000000001"),
    ],
)
def test_a_number_with_a_float_s_artefact_is_the_decimal_that_was_meant(
    number: object, meant: str
) -> None:
    assert project("orders_create", subtotal_price=number)["subtotal_price"] == meant


@given(st.integers(-(10**9), 10**9), st.integers(0, 4), st.integers(1, 12))
def test_whatever_a_few_floats_come_to_is_read_as_their_decimals(
    units: int, digits: int, times: int
) -> None:
    """The same amount added up several times, as a program with floats would."""
    exact = Decimal(units).scaleb(-digits)
    number = sum([float(exact)] * times)
    read = Decimal(project("orders_create", subtotal_price=number)["subtotal_price"])
    assert read == exact * times


@pytest.mark.parametrize(
    "identifier", [True, 0, -1, 10**20, 1.5, "Taro", "gid://shopify/Customer/x", None]
)
def test_what_is_no_id_is_marked(identifier: object) -> None:
    assert project("customers_create", id=identifier) == {"id": UNREADABLE}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-20T10:00:00+09:00", "2026-11-20T10:00:00+09:00"),
        ("2026-11-20 10:00:00 +0900", "2026-11-20T10:00:00+0900"),
        ("2026-11-20T10:00:00 +09:00", "2026-11-20T10:00:00+09:00"),
        ("2026-11-20 01:00:00 UTC", "2026-11-20T01:00:00Z"),
        ("2026-11-20T01:00:00.123Z", "2026-11-20T01:00:00.123Z"),
        (None, None),
        ("2026-11-20T10:00:00", UNREADABLE),
        ("2026-02-30T10:00:00Z", UNREADABLE),
        ("2026-11-20T25:00:00Z", UNREADABLE),
        ("2026-11-20", UNREADABLE),
        ("0001-01-01T00:00:00+09:00", UNREADABLE),
        ("", UNREADABLE),
        (1795136400, UNREADABLE),
        (False, UNREADABLE),
    ],
)
def test_a_time_is_read_with_blanks_and_marked_where_it_is_none(
    written: object, read: str | None
) -> None:
    assert project("orders_cancelled", cancelled_at=written).get("cancelled_at") == read


@pytest.mark.parametrize(
    ("customer", "read"),
    [
        (None, None),
        ({}, {}),
        ({"id": None}, {}),
        ({"id": "9000000000001"}, {"id": "9000000000001"}),
        (
            {"id": "gid://shopify/Customer/9000000000001"},
            {"id": "gid://shopify/Customer/9000000000001"},
        ),
        ({"id": 0}, {"id": UNREADABLE}),
        ({"id": PLANTED}, {"id": UNREADABLE}),
        ("x", UNREADABLE),
        ([], UNREADABLE),
        (9000000000001, UNREADABLE),
    ],
)
def test_a_guest_is_distinguished_from_an_unreadable_customer(
    customer: object, read: object
) -> None:
    assert project("orders_create", customer=customer).get("customer") == read


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ("test", None, UNREADABLE),
        ("test", "true", UNREADABLE),
        ("taxes_included", None, UNREADABLE),
        ("taxes_included", "false", UNREADABLE),
        ("financial_status", 7, UNREADABLE),
        ("financial_status", None, UNREADABLE),
        ("currency", "jpy", "JPY"),
        ("currency", "yen!", UNREADABLE),
        ("line_items", None, UNREADABLE),
        ("line_items", {}, UNREADABLE),
        ("refunds", "none", UNREADABLE),
    ],
)
def test_what_is_there_is_read_or_marked(field: str, sent: object, read: object) -> None:
    assert project("orders_create", **{field: sent})[field] == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [(1, 1), ("1", 1), ("0", 0), (1.0, UNREADABLE), ("1 ", UNREADABLE), (None, UNREADABLE)],
)
def test_a_count_may_come_as_a_text(sent: object, read: object) -> None:
    (tea,) = project("orders_create", line_items=[{"id": 1, "current_quantity": sent}])[
        "line_items"
    ]
    assert tea == {"id": 1, "current_quantity": read}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("120", "120"),
        (120, "120"),
        (" 120 ", "120"),
        ("120\u3000", "120"),
        ("１２０", "120"),
        ("0120", "120"),
        ("120pt", UNREADABLE),
        ("1,20", UNREADABLE),
        ("120.5", UNREADABLE),
        (120.5, UNREADABLE),
        ("-5", UNREADABLE),
        ("٣", UNREADABLE),
        ("", UNREADABLE),
        (None, UNREADABLE),
        (PLANTED, UNREADABLE),
    ],
)
def test_a_till_s_points_are_read_in_what_forms_a_till_may_write(sent: object, read: str) -> None:
    metafield = {"namespace": "omni_hub", "key": "point_used", "value": sent}
    assert project("orders_create", metafields=[metafield])["metafields"] == [
        metafield | {"value": read}
    ]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("x", UNREADABLE),
        (["x"], [UNREADABLE]),
        ([{"namespace": 7, "key": "point_used", "value": "5"}], [UNREADABLE]),
        (
            [{"namespace": "omni_hub", "key": None, "value": "5"}],
            [{"namespace": "omni_hub", "key": UNREADABLE, "value": "5"}],
        ),
        ([{"namespace": "omni_hub", "key": "member", "value": PLANTED}], []),
        ([{"namespace": "other", "key": "point_used", "value": "5"}], []),
    ],
)
def test_metafields_that_may_be_the_till_s_are_not_dropped(sent: object, read: object) -> None:
    assert project("orders_create_counter", metafields=sent)["metafields"] == read


def test_points_used_at_a_counter_are_projected_and_no_other_apps_fields() -> None:
    order = project("orders_create_counter")
    assert order["metafields"] == [{"namespace": "omni_hub", "key": "point_used", "value": "500"}]


def test_a_refund_keeps_lines_money_and_what_belongs_to_no_line() -> None:
    gift = project("refunds_create_gift_card_line")["refund_line_items"][1]
    assert gift["line_item"] == {"gift_card": True}
    only = project("refunds_create_amount_only")
    assert only["transactions"] == [
        {"kind": "refund", "status": "success", "amount": "1000", "currency": "JPY"}
    ]
    assert only["order_adjustments"][0]["amount"] == "-1000"
    assert project("refunds_create_shipping_only")["refund_shipping_lines"] == [{"id": 5150000001}]
    assert project("orders_updated_refunded")["refunds"][0]["order_id"] == payloads.ORDER


def test_customers_and_privacy_requests_keep_ids_alone() -> None:
    assert project("customers_create") == {"id": payloads.CUSTOMER}
    assert project("customers_merge") == {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{payloads.OTHER_CUSTOMER}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{payloads.CUSTOMER}",
        "status": "completed",
    }
    assert project("customers_data_request") == {
        "customer": {"id": payloads.CUSTOMER},
        "orders_requested": [payloads.ORDER],
        "data_request": {"id": 9999},
    }
    assert project("customers_redact", customer={"id": PLANTED})["customer"] == {"id": "unreadable"}
    assert project("customers_redact_without_id") == {"customer": {}, "orders_to_redact": []}
    assert project("shop_redact") == project("app_uninstalled") == {}


def test_the_largest_order_that_shopify_knows_fits_on_a_queue() -> None:
    """500 lines, no two alike, each with two discounts and two taxes; refunded whole."""
    random = Random(500)

    def amount() -> str:
        return f"{random.randint(1, 9999)}.{random.randint(10, 99)}"

    lines = [
        payloads.line(
            random.randrange(10**17),
            amount(),
            random.randint(1, 9),
            discounts={0: amount(), 1: amount()},
            taxes=[amount(), amount()],
        )
        for _ in range(500)
    ]
    refund = payloads.refund(
        [payloads.refund_line(line, 1, float(amount()), float(amount())) for line in lines]
    )
    body = body_of(payloads.order(lines, "26985.00", refunds=[refund]))
    assert len(body) < BODY_BYTES_MAX
    payload = projected(json_object(body, parse_float=str), SHAPES["orders/updated"])
    assert len(json.dumps(payload)) > MESSAGE_BYTES_MAX, "so it has to be packed"
    when = datetime(2026, 11, 22, tzinfo=UTC)
    message = Message("orders/updated", payloads.SHOP, when, "event-1", payload)
    text = message_text(message)
    assert len(text) < MESSAGE_BYTES_MAX // 3
    assert read_message(text) == message
