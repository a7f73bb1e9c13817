"""Sample events of webhooks: as they arrive, and as their workers receive them from queues."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local import demo, signing
from local.options import ROOT
from pointbook.services.message import Message, message_text
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.documents import API_VERSION
from pointbook.shopify.webhook import QUEUES, read_webhook
from tools import shopify_payloads

PATH = "/v1/webhooks/shopify"
WRONG_SECRET = "not-the-secret-of-this-app-0123456789"  # noqa: S105 - not a real one
_KEYS = AppKeys(
    client_id=demo.SHOPIFY_CLIENT_ID,
    client_secret=demo.CLIENT_SECRET,
    client_secret_previous=demo.CLIENT_SECRET_PREVIOUS,
    my_page_secret=demo.MY_PAGE_SECRET,
    shops=frozenset({demo.SHOP_DOMAIN}),
)
RECEIVED_AT = datetime(2026, 11, 20, 1, 0, 6, tzinfo=UTC)
TRIGGERED_AT = "2026-11-20T01:00:05.123456Z"

type Case = tuple[str, str, Mapping[str, Any]]
type Http = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]


def webhook_cases(http: Http) -> Iterator[Case]:
    """Function, name of the case, event; `http` makes the gateway's event of a request."""

    def post(topic: str, body: bytes, **kind: Any) -> dict[str, Any]:
        return http("POST", PATH, headers(topic, body, **kind), body)

    function = "shopify_webhook"
    for name, (topic, content) in shopify_payloads.bodies().items():
        yield function, name, post(topic, body_of(content))
    topic, content = shopify_payloads.bodies()["orders_create"]
    body = body_of(content)
    yield function, "new_header_names", post(topic, body, new_names=True)
    yield function, "previous_secret", post(topic, body, secret=demo.CLIENT_SECRET_PREVIOUS)
    encoded = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    yield function, "base64_body", post(topic, body) | encoded
    yield function, "wrong_signature", post(topic, body, secret=WRONG_SECRET)
    yield function, "not_signed", post(topic, body, secret=None)
    redact = body_of(shopify_payloads.bodies()["customers_redact"][1])
    yield function, "customers_redact_forged", post("customers/redact", redact, secret="x" * 32)
    yield function, "unknown_shop", post(topic, body, shop="other.myshopify.com")
    without = post("customers/redact", redact)
    del without["headers"]["x-shopify-shop-domain"]
    yield function, "customers_redact_without_shop", without
    yield function, "order_as_redaction", post("customers/redact", body)
    unpaid = body_of(shopify_payloads.bodies()["orders_create_pending"][1])
    yield function, "unpaid_order_as_paid", post("orders/paid", unpaid)
    elsewhere = redact.replace(demo.SHOP_DOMAIN.encode(), b"other.myshopify.com")
    yield function, "another_shop_in_the_body", post("customers/redact", elsewhere)
    yield function, "unknown_topic", post("products/update", b'{"id": 632910392}')
    yield function, "not_json", post(topic, b"<order/>")
    get = post(topic, b"")
    get["requestContext"]["http"]["method"] = "GET"
    yield function, "not_post", get


def worker_cases() -> Iterator[Case]:
    """Yield events of each worker: the samples above, one per batch, and malformed ones."""
    for queue in sorted(set(QUEUES.values())):
        if not (ROOT / "functions" / queue).exists():
            continue
        texts = {name: text for name, (of, text) in messages().items() if of == queue}
        for name, text in texts.items():
            yield queue, name, sqs_event(queue, text)
        yield queue, "unreadable_beside_another", sqs_event(queue, next(iter(texts.values())), "{")


def messages() -> dict[str, tuple[str, str]]:
    """Return queue and message of every sample, by the name of the case."""
    found = {}
    for name, (topic, content) in shopify_payloads.bodies().items():
        body = body_of(content)
        read = read_webhook("POST", headers(topic, body), body, _KEYS)
        message = Message(
            topic, read.shop, RECEIVED_AT, read.event_id, read.payload, read.triggered_at
        )
        found[name] = (QUEUES[topic], message_text(message))
    return found


def sqs_event(queue: str, *texts: str) -> dict[str, Any]:
    """Return the event that Lambda sends a function for some messages of a queue."""
    return {
        "Records": [
            {
                "messageId": f"00000000-0000-4000-8000-{number:012}",
                "receiptHandle": f"receipt-{number}",
                "body": text,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1795136406000",
                    "SenderId": "000000000000",
                    "ApproximateFirstReceiveTimestamp": "1795136406001",
                },
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:ap-northeast-1:000000000000:{queue}",
                "awsRegion": "ap-northeast-1",
            }
            for number, text in enumerate(texts, start=1)
        ]
    }


def body_of(content: Mapping[str, Any]) -> bytes:
    """Return the bytes that Shopify would send."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def event_id(topic: str, body: bytes) -> str:
    """Return an id that is the same for the same event."""
    return hashlib.sha256(topic.encode() + body).hexdigest()[:32]


def headers(
    topic: str,
    body: bytes,
    *,
    secret: str | None = demo.CLIENT_SECRET,
    shop: str = demo.SHOP_DOMAIN,
    new_names: bool = False,
) -> dict[str, str]:
    """Return Shopify's headers under their old or their new names."""
    prefix = "shopify-" if new_names else "x-shopify-"
    given = {
        "topic": topic,
        "shop-domain": shop,
        "api-version": API_VERSION,
        "event-id": event_id(topic, body),
        "webhook-id": event_id(f"delivery of {topic}", body),
        "triggered-at": TRIGGERED_AT,
    }
    if secret is not None:
        given["hmac-sha256"] = signing.flow_signature(body, secret)
    return {"content-type": "application/json"} | {
        f"{prefix}{name}": value for name, value in given.items()
    }
