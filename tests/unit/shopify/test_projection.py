"""What gets behind the entrance: the named fields and nothing that a person wrote."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.domain.tags import tag_digest
from pointbook.message import MESSAGE_BYTES_MAX, Message, message_text, read_message
from pointbook.shopify.projection import SHAPES, projected
from pointbook.shopify.webhook import BODY_BYTES_MAX, QUEUES
from pointbook.strict import json_object
from tools import shopify_payloads as payloads
from tools.make_events_webhooks import body_of, messages

BODIES = payloads.bodies()
PLANTED = "Planted Person 77"


def kept(case: str, **changes: Any) -> dict[str, Any]:
    """What is kept of a sample, with changed members."""
    topic, body = BODIES[case]
    return projected(json_object(body_of(body | changes), parse_float=str), SHAPES[topic])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value within `value`."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, name)
            yield from places(inner, (*path, name))


def planted(body: Any, path: tuple[Any, ...], value: object) -> Any:
    """A copy of `body` with `value` at the end of `path`."""
    changed = copy.deepcopy(body)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


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
    text = json.dumps(projected(planted(body, path, value), SHAPES[topic]))
    assert PLANTED not in text


def test_an_order_keeps_what_points_are_reckoned_from() -> None:
    order = kept("orders_create_with_codes")
    assert order["id"] == payloads.ORDER
    assert order["customer"] == {
        "id": payloads.CUSTOMER,
        "tag_digests": [tag_digest("gold"), tag_digest("vip-since-birth")],
    }
    assert (order["currency"], order["taxes_included"], order["test"]) == ("JPY", True, False)
    assert order["updated_at"] == payloads.UPDATED_AT
    assert "cancelled_at" not in order
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
            {
                "price": tax,
                "price_set": {"shop_money": {"amount": tax, "currency_code": "JPY"}},
            }
            for tax in ("400", "64")
        ],
    }
    assert gift["gift_card"] is True


def test_only_codes_of_holds_are_kept_and_every_discount_keeps_its_place() -> None:
    order = kept("orders_create_with_codes")
    assert order["discount_applications"] == [
        {"type": "discount_code", "code": payloads.OUR_CODE},
        {"type": "discount_code"},
    ]
    assert [one.get("code") for one in order["discount_codes"]] == [payloads.OUR_CODE, None]
    broken = kept("orders_create", discount_applications=[None, "x", {"type": "automatic"}])
    assert broken["discount_applications"] == [{}, {}, {"type": "automatic"}]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"tip_payment_gateway": "shopify_payments"}, {"has_tip_gateway": True}),
        ({"tip_payment_method": "Visa 77"}, {"has_tip_method": True}),
        ({"tip_payment_gateway": None, "tip_payment_method": ""}, {}),
        ({"tip_payment_gateway": True, "tip_payment_method": 7}, {}),
    ],
)
def test_of_a_tip_is_kept_that_it_is_one(said: dict[str, Any], known: dict[str, bool]) -> None:
    (tip,) = kept("orders_create", line_items=[{"id": 1} | said])["line_items"]
    (back,) = kept("refunds_create", refund_line_items=[{"line_item": said}])["refund_line_items"]
    assert (tip, back["line_item"]) == ({"id": 1} | known, known)


def test_a_guest_has_no_customer() -> None:
    assert "customer" not in kept("orders_create_guest")


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        ("Gold, vip", ["gold", "vip"]),
        (" GOLD ,,gold", ["gold"]),
        (["Gold", " vip "], ["gold", "vip"]),
        ("", []),
        ([], []),
        ([7, "vip"], ["vip"]),
    ],
)
def test_tags_are_kept_as_digests_in_whatever_form_they_come(tags: object, known: Any) -> None:
    order = kept("orders_create", customer={"id": 1, "tags": tags})
    assert order["customer"]["tag_digests"] == [tag_digest(tag) for tag in known]


@pytest.mark.parametrize("tags", [None, 7, {"a": "b"}])
def test_no_tags_are_no_digests(tags: object) -> None:
    assert kept("orders_create", customer={"id": 1, "tags": tags})["customer"] == {"id": 1}


def test_numbers_keep_every_digit() -> None:
    refund = kept("refunds_create_usd")
    assert refund["refund_line_items"][0]["subtotal"] == "19.99"
    raw = b'{"id": 9007199254740993, "refund_line_items": [{"subtotal": 0.1000000001}]}'
    exact = projected(json_object(raw, parse_float=str), SHAPES["refunds/create"])
    assert exact["id"] == 9007199254740993
    assert exact["refund_line_items"][0]["subtotal"] == "0.1000000001"


@pytest.mark.parametrize("amount", ["1e9", "1e999999999", "NaN", "１０", "1,000", "", True, [1]])
def test_what_is_no_amount_is_left_out(amount: object) -> None:
    assert "subtotal_price" not in kept("orders_create", subtotal_price=amount)


@pytest.mark.parametrize("identifier", [True, -1, 10**20, 1.5, "Taro", "gid://shopify/Customer/x"])
def test_what_is_no_id_is_left_out(identifier: object) -> None:
    assert "id" not in kept("customers_create", id=identifier)


def test_points_used_at_a_counter_are_kept_and_no_other_apps_fields() -> None:
    order = kept("orders_create_counter")
    assert order["metafields"] == [{"namespace": "omni_hub", "key": "point_used", "value": "500"}]


def test_a_refund_keeps_lines_money_and_what_belongs_to_no_line() -> None:
    gift = kept("refunds_create_gift_card_line")["refund_line_items"][1]
    assert gift["line_item"] == {"gift_card": True}
    only = kept("refunds_create_amount_only")
    assert only["transactions"] == [
        {"kind": "refund", "status": "success", "amount": "1000", "currency": "JPY"}
    ]
    assert only["order_adjustments"][0]["amount"] == "-1000"
    assert kept("refunds_create_shipping_only")["refund_shipping_lines"] == [{"id": 5150000001}]
    assert kept("orders_updated_refunded")["refunds"][0]["order_id"] == payloads.ORDER


def test_customers_and_privacy_requests_keep_ids_alone() -> None:
    assert kept("customers_create") == {"id": payloads.CUSTOMER, "created_at": payloads.CREATED_AT}
    assert kept("customers_merge") == {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{payloads.OTHER_CUSTOMER}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{payloads.CUSTOMER}",
        "status": "completed",
    }
    assert kept("customers_data_request") == {
        "customer": {"id": payloads.CUSTOMER},
        "orders_requested": [payloads.ORDER],
        "data_request": {"id": 9999},
    }
    assert kept("customers_redact", customer={"id": PLANTED})["customer"] == {"id": "unreadable"}
    assert kept("customers_redact_without_id") == {"customer": {}, "orders_to_redact": []}
    assert kept("shop_redact") == {"shop_id": payloads.SHOP_ID, "shop_domain": payloads.SHOP}
    assert kept("app_uninstalled") == {
        "id": payloads.SHOP_ID,
        "domain": "tea.example.com",
        "myshopify_domain": payloads.SHOP,
    }


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
