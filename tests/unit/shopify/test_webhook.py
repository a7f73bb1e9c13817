"""Webhooks: shop, topic and payload, and the sequence of the checks."""

import json
from datetime import datetime
from typing import Any

import pytest

from pointbook import errors
from pointbook.shopify.webhook import Webhook, read_webhook
from tests.support import forge

BODY = b'{"id": 8840734670934, "email": "hanako@example.com"}'
REDACT = {"shop_id": 1, "shop_domain": forge.SHOP, "customer": {"id": 7}, "orders_to_redact": []}


def headers(body: bytes = BODY, prefix: str = "x-shopify-", **changes: str | None) -> Any:
    """Good headers of customers/create; a change to None takes one away."""
    good = {
        "topic": "customers/create",
        "shop-domain": forge.SHOP,
        "event-id": "event-1",
        "webhook-id": "delivery-1",
        "hmac-sha256": forge.body_signature(body),
    }
    given = good | {name.replace("_", "-"): value for name, value in changes.items()}
    return {f"{prefix}{name}": value for name, value in given.items() if value is not None}


def read(body: bytes = BODY, method: str = "POST", **changes: Any) -> Webhook:
    return read_webhook(method, headers(body, **changes), body, forge.KEYS)


def test_a_webhook_says_what_it_is_about_and_keeps_what_is_worked_on() -> None:
    assert read() == Webhook(
        topic="customers/create",
        shop=forge.SHOP,
        event_id="event-1",
        queue="customer_events",
        payload={"id": 8840734670934},
    )


@pytest.mark.parametrize("prefix", ["x-shopify-", "shopify-", "X-Shopify-", "Shopify-"])
def test_headers_count_under_both_names_and_in_any_case(prefix: str) -> None:
    assert read(prefix=prefix).topic == "customers/create"


def test_both_names_at_once_have_to_agree() -> None:
    both = headers() | headers(prefix="shopify-")
    assert read_webhook("POST", both, BODY, forge.KEYS).shop == forge.SHOP
    for name, error in (("shop-domain", errors.UnknownShop), ("topic", errors.InvalidRequest)):
        two = both | {f"shopify-{name}": forge.OTHER_SHOP}
        with pytest.raises(error):
            read_webhook("POST", two, BODY, forge.KEYS)


def test_the_secret_before_a_rotation_counts_too() -> None:
    signature = forge.body_signature(BODY, forge.PREVIOUS_SECRET)
    assert read(hmac_sha256=signature).queue == "customer_events"


def test_the_secret_of_my_page_signs_no_webhook() -> None:
    with pytest.raises(errors.SignatureWrong):
        read(hmac_sha256=forge.body_signature(BODY, forge.MY_PAGE_SECRET))


def test_only_what_is_posted_is_read() -> None:
    with pytest.raises(errors.MethodNotAllowed):
        read(method="GET")


def test_the_signature_is_verified_before_anything_else() -> None:
    with pytest.raises(errors.SignatureMissing):
        read(b"<xml>", hmac_sha256=None, shop_domain="nobody", topic=None)
    with pytest.raises(errors.SignatureWrong):
        read(b"<xml>", hmac_sha256=forge.body_signature(BODY), shop_domain="nobody", topic=None)


@pytest.mark.parametrize("shop", [None, "", "other.myshopify.com", forge.SHOP.upper()])
def test_a_shop_that_is_not_ours_is_refused_before_anything_is_parsed(shop: str | None) -> None:
    with pytest.raises(errors.UnknownShop):
        read(b"<xml>", shop_domain=shop)


NAMES_ITS_SHOP = {
    "customers/redact": REDACT,
    "customers/data_request": {
        "shop_id": 1,
        "shop_domain": forge.SHOP,
        "customer": {"id": 7},
        "orders_requested": [],
        "data_request": {"id": 9},
    },
    "shop/redact": {"shop_id": 1, "shop_domain": forge.SHOP},
    "app/uninstalled": {"id": 1, "myshopify_domain": forge.SHOP},
}


def named(topic: str, shop: object) -> bytes:
    """A body that names a shop."""
    body = NAMES_ITS_SHOP[topic]
    field = "myshopify_domain" if "myshopify_domain" in body else "shop_domain"
    return json.dumps(body | {field: shop}).encode()


@pytest.mark.parametrize("topic", NAMES_ITS_SHOP)
@pytest.mark.parametrize("shop", [forge.OTHER_SHOP, forge.SHOP.upper(), "", None, 7, [forge.SHOP]])
def test_a_body_that_names_another_shop_than_the_header_is_refused(
    topic: str, shop: object
) -> None:
    with pytest.raises(errors.UnknownShop):
        read(named(topic, shop), topic=topic)


@pytest.mark.parametrize("topic", NAMES_ITS_SHOP)
def test_without_the_header_the_signed_body_names_the_shop(topic: str) -> None:
    webhook = read(named(topic, forge.OTHER_SHOP), topic=topic, shop_domain=None)
    assert (webhook.shop, webhook.queue) == (forge.OTHER_SHOP, "privacy_events")
    for stranger in ("other.myshopify.com", "", None, 7):
        with pytest.raises(errors.UnknownShop):
            read(named(topic, stranger), topic=topic, shop_domain=None)


ORDER = {"id": 1, "line_items": [], "financial_status": "paid"}


@pytest.mark.parametrize(
    "url",
    [
        f"https://{forge.SHOP}/1/orders/x/authenticate?key=y",
        f"https://{forge.SHOP.upper()}./1",
        "https://tea.example.com/1/orders/x",
        "https://myshopify.com.example.com/",
        "not a url",
        "https://[",
        "",
        None,
        7,
    ],
)
def test_an_order_is_held_against_the_shop_that_its_status_page_names(url: object) -> None:
    body = json.dumps(ORDER | {"order_status_url": url}).encode()
    assert read(body, topic="orders/paid").shop == forge.SHOP
    if isinstance(url, str) and forge.SHOP in url.lower():
        with pytest.raises(errors.UnknownShop):
            read(body, topic="orders/paid", shop_domain=forge.OTHER_SHOP)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("customers/create", ORDER),
        ("customers/create", {"id": 1, "customer": None}),
        ("customers/create", {"id": 1, "order_id": 2}),
        ("customers/create", {"id": 1, "myshopify_domain": forge.SHOP}),
        ("customers/create", {"id": 1, "admin_graphql_api_id": "gid://shopify/Product/1"}),
        ("customers/create", {"id": 1, "admin_graphql_api_id": 1}),
        ("customers/create", {}),
        ("orders/create", {"id": 1}),
        ("orders/create", {"line_items": []}),
        ("orders/create", ORDER | {"order_id": 1}),
        ("orders/create", ORDER | {"shop_domain": forge.SHOP}),
        ("orders/create", ORDER | {"admin_graphql_api_id": "gid://shopify/DraftOrder/1"}),
        ("refunds/create", {"id": 1, "order_id": 2}),
        ("refunds/create", {"id": 1, "order_id": 2, "transactions": [], "line_items": []}),
        ("customers/merge", {"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1"}),
        ("customers/redact", {**REDACT, "data_request": {"id": 1}}),
        ("customers/redact", {"shop_domain": forge.SHOP, "customer": {}, "orders_to_redact": []}),
        ("shop/redact", {"shop_id": 1, "shop_domain": forge.SHOP, "customer": None}),
        ("shop/redact", {"shop_id": 1, "shop_domain": forge.SHOP, "orders_to_redact": []}),
        ("shop/redact", {"shop_domain": forge.SHOP}),
        ("app/uninstalled", {"id": 1, "domain": forge.SHOP}),
        ("app/uninstalled", {"id": 1, "myshopify_domain": forge.SHOP, "customer": {"id": 1}}),
    ],
)
def test_a_body_that_is_something_else_is_refused(topic: str, body: dict[str, Any]) -> None:
    with pytest.raises(errors.TopicMismatch):
        read(json.dumps(body).encode(), topic=topic)


def test_an_order_is_one_with_and_without_its_gid() -> None:
    for more in ({}, {"admin_graphql_api_id": "gid://shopify/Order/1"}):
        assert read(json.dumps(ORDER | more).encode(), topic="orders/paid").queue == "order_events"


@pytest.mark.parametrize("prefix", ["x-shopify-", "shopify-"])
@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2026-11-20T01:00:05.123456Z", "2026-11-20T01:00:05.123456+00:00"),
        ("2026-11-20T01:00:05.123456789Z", "2026-11-20T01:00:05.123456+00:00"),
        ("2026-11-20T10:00:05+09:00", "2026-11-20T10:00:05+09:00"),
        ("2026-11-20T01:00:05", None),
        ("0001-01-01T00:00:00+09:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_the_time_of_an_event_is_a_hint(prefix: str, said: str | None, found: str | None) -> None:
    read_at = read(prefix=prefix, triggered_at=said).triggered_at
    assert read_at == (datetime.fromisoformat(found) if found else None)


def test_two_times_of_an_event_are_none() -> None:
    both = headers(triggered_at="2026-11-20T01:00:05Z") | {
        "shopify-triggered-at": "2026-11-20T01:00:06Z"
    }
    assert read_webhook("POST", both, BODY, forge.KEYS).triggered_at is None


def test_a_body_that_names_the_same_shop_is_taken() -> None:
    assert read(json.dumps(REDACT).encode(), topic="customers/redact").queue == "privacy_events"


@pytest.mark.parametrize("topic", ["products/update", "ORDERS/CREATE", "<b>", "orders/create "])
def test_an_unhandled_topic_has_its_name_and_no_payload(topic: str) -> None:
    webhook = read(b"<xml>", topic=topic)
    assert (webhook.queue, webhook.payload) == (None, {})
    assert webhook.showable_topic in ("products/update", "(not a topic)")


def test_a_webhook_without_a_topic_is_refused() -> None:
    with pytest.raises(errors.InvalidRequest):
        read(topic=None)


@pytest.mark.parametrize("body", [b"", b"<order/>", b"[]", b'{"id": 1, "id": 2}', b"\xff"])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(errors.MalformedBody):
        read(body)


def test_escapes_and_fractions_are_read_digit_by_digit() -> None:
    body = (
        b'{"id": 8840734670934, "note": "\\u003cb\\u003e", "total_spent": 1e99999999999999999999}'
    )
    assert read(body).payload == {"id": 8840734670934}


@pytest.mark.parametrize(
    ("event", "delivery", "found"),
    [
        ("event-1", "delivery-1", "event-1"),
        (None, "delivery-1", "delivery-1"),
        ("an e-mail@example.com", "delivery-1", "delivery-1"),
        (None, None, ""),
        ("x" * 129, None, ""),
    ],
)
def test_the_event_is_a_hint(event: str | None, delivery: str | None, found: str) -> None:
    assert read(event_id=event, webhook_id=delivery).event_id == found
