"""Webhooks: whose they are, what they are about, and in which order that is asked."""

import json
from typing import Any

import pytest

from pointbook.errors import (
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    SignatureMissing,
    SignatureWrong,
    UnknownShop,
)
from pointbook.shopify.webhook import Webhook, read_webhook
from tests.unit.shopify import forge

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
    for name, error in (("shop-domain", UnknownShop), ("topic", InvalidRequest)):
        two = both | {f"shopify-{name}": forge.OTHER_SHOP}
        with pytest.raises(error):
            read_webhook("POST", two, BODY, forge.KEYS)


def test_the_secret_before_a_rotation_counts_too() -> None:
    signature = forge.body_signature(BODY, forge.PREVIOUS_SECRET)
    assert read(hmac_sha256=signature).queue == "customer_events"


def test_the_secret_of_my_page_signs_no_webhook() -> None:
    with pytest.raises(SignatureWrong):
        read(hmac_sha256=forge.body_signature(BODY, forge.MY_PAGE_SECRET))


def test_only_what_is_posted_is_read() -> None:
    with pytest.raises(MethodNotAllowed):
        read(method="GET")


def test_nothing_is_asked_before_the_signature() -> None:
    with pytest.raises(SignatureMissing):
        read(b"<xml>", hmac_sha256=None, shop_domain="nobody", topic=None)
    with pytest.raises(SignatureWrong):
        read(b"<xml>", hmac_sha256=forge.body_signature(BODY), shop_domain="nobody", topic=None)


@pytest.mark.parametrize("shop", [None, "", "other.myshopify.com", forge.SHOP.upper()])
def test_a_shop_that_is_not_ours_is_refused_before_anything_is_parsed(shop: str | None) -> None:
    with pytest.raises(UnknownShop):
        read(b"<xml>", shop_domain=shop)


@pytest.mark.parametrize("member", ["shop_domain", "myshopify_domain"])
def test_a_body_that_names_another_shop_than_the_header_is_refused(member: str) -> None:
    body = json.dumps(REDACT | {member: forge.OTHER_SHOP}).encode()
    with pytest.raises(UnknownShop):
        read(body, topic="customers/redact")


def test_a_body_that_names_the_same_shop_is_taken() -> None:
    assert read(json.dumps(REDACT).encode(), topic="customers/redact").queue == "privacy_events"


@pytest.mark.parametrize("topic", ["products/update", "ORDERS/CREATE", "<b>", "orders/create "])
def test_a_topic_that_is_not_worked_on_is_known_by_its_name_alone(topic: str) -> None:
    webhook = read(b"<xml>", topic=topic)
    assert (webhook.queue, webhook.payload) == (None, {})
    assert webhook.showable_topic in ("products/update", "(not a topic)")


def test_a_webhook_without_a_topic_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        read(topic=None)


@pytest.mark.parametrize("body", [b"", b"<order/>", b"[]", b'{"id": 1, "id": 2}', b"\xff"])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
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
