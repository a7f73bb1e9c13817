"""Shopify's webhooks: verifies the raw bytes and reduces them to the fields that are used.

`POST`, signed over the raw body; topic, shop and event id are in headers, which the signature does
not cover (https://shopify.dev/docs/apps/build/webhooks/verify-deliveries). So the body has to
match the topic and, if it names a shop, the shop (`shopify.topics`). Headers have two names,
`x-shopify-topic` and, in Shopify's new Events, `shopify-topic`. Compliance webhooks may lack the
shop's header: the body names it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pointbook import log
from pointbook.errors import InvalidRequest, TopicMismatch, UnknownShop
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.documents import API_VERSION
from pointbook.shopify.projection import ORDER_TOPICS, SHAPES, projected
from pointbook.shopify.signature import WEBHOOK_SIGNATURE_HEADERS
from pointbook.shopify.signed_post import require_signed_post
from pointbook.shopify.topics import SHOP_FIELD, require_topic, shop_named
from pointbook.validation import json_object

BODY_BYTES_MAX = 5 * 1024 * 1024

ORDERS, CUSTOMERS, PRIVACY = "order_events", "customer_events", "privacy_events"

QUEUES: Mapping[str, str] = {
    **dict.fromkeys(ORDER_TOPICS, ORDERS),
    "refunds/create": ORDERS,
    "customers/create": CUSTOMERS,
    "customers/enable": CUSTOMERS,
    "customers/merge": CUSTOMERS,
    "customers/data_request": PRIVACY,
    "customers/redact": PRIVACY,
    "shop/redact": PRIVACY,
    "app/uninstalled": PRIVACY,
}
"""The queue of each topic, named after the function that processes it."""

_UNKNOWN_SHOP = "The webhook is of a shop that does not use these points."
_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHOWABLE_TOPIC = re.compile(r"[a-z_/]{1,64}")
_YEARS = range(2000, 9000)
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}|unstable")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook, genuine and of a known shop.

    `queue` is None for a topic that is not processed; then `payload` is empty. `event_id` is the
    same in every delivery of one event; "" if there is none. `triggered_at` (aware) is the time of
    the event, None if there is none; `version` is the body's API version, "" if there is none. All
    three come from unsigned headers: hints only.
    """

    topic: str
    shop: str
    event_id: str
    queue: str | None
    payload: dict[str, Any]
    triggered_at: datetime | None = None
    version: str = ""

    @property
    def is_of_another_version(self) -> bool:
        """Whether the body has another API version than the app is registered for."""
        return self.version not in ("", API_VERSION)

    @property
    def showable_topic(self) -> str:
        """The topic as it may be logged: a header may contain any text."""
        return self.topic if _SHOWABLE_TOPIC.fullmatch(self.topic) else "(not a topic)"


def read_webhook(method: str, headers: Mapping[str, str], body: bytes, keys: AppKeys) -> Webhook:
    """Return the webhook in these raw bytes, reduced to the fields that are used.

    Fractions stay texts, so that money never becomes a float.

    Raises, in this order, so that nothing of an unsigned request is parsed: MethodNotAllowed,
    SignatureMissing, SignatureWrong, UnknownShop, InvalidRequest (no topic, or two), MalformedBody,
    TopicMismatch, and UnknownShop if the body names another shop than the header.
    """
    require_signed_post(method, headers, body, keys, WEBHOOK_SIGNATURE_HEADERS)
    given = {name.lower(): value for name, value in headers.items()}
    shop = _shop(given, keys.shops)
    topic = _topic(given)
    queue = QUEUES.get(topic)
    if queue is None:
        return Webhook(topic, shop, _event_id(given), None, {})
    members = json_object(body, parse_float=str)
    _require_topic(members, topic, shop)
    return Webhook(
        topic=topic,
        shop=_shop_in(members, topic, shop, keys.shops),
        event_id=_event_id(given),
        queue=queue,
        payload=projected(members, SHAPES[topic]),
        triggered_at=_triggered_at(given),
        version=_version(given),
    )


def _values(headers: Mapping[str, str], name: str) -> set[str]:
    """Return the values of a header under its old and its new name."""
    given = (headers.get(f"{prefix}{name}", "") for prefix in ("x-shopify-", "shopify-"))
    return {value for value in given if value}


def _shop(headers: Mapping[str, str], shops: frozenset[str]) -> str:
    """Return the header's shop; "" if there is no header and the body has to name it."""
    values = _values(headers, "shop-domain")
    if not values and _values(headers, "topic") & SHOP_FIELD.keys():
        return ""
    shop = values.pop() if len(values) == 1 else ""
    if shop not in shops:
        raise UnknownShop(_UNKNOWN_SHOP)
    return shop


def _topic(headers: Mapping[str, str]) -> str:
    values = _values(headers, "topic")
    if len(values) != 1:
        raise InvalidRequest("topic", "The webhook needs one topic.")
    return values.pop()


def _event_id(headers: Mapping[str, str]) -> str:
    """Return the event's id, else the delivery's; "" if neither is valid."""
    for name in ("event-id", "webhook-id"):
        if _EVENT_ID.fullmatch(found := _one(headers, name)):
            return found
    return ""


def _triggered_at(headers: Mapping[str, str]) -> datetime | None:
    """Return the time of the event; None if it is not a time with a zone."""
    try:
        found = datetime.fromisoformat(_one(headers, "triggered-at"))
    except ValueError:
        return None
    return found if found.tzinfo and found.year in _YEARS else None


def _version(headers: Mapping[str, str]) -> str:
    """Return the version as it may be logged."""
    found = _one(headers, "api-version")
    return found if not found or _VERSION.fullmatch(found) else "(not a version)"


def _one(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header; "" if there is none, or two that differ."""
    values = _values(headers, name)
    return values.pop() if len(values) == 1 else ""


def _require_topic(members: Mapping[str, Any], topic: str, shop: str) -> None:
    try:
        require_topic(members, topic)
    except TopicMismatch as mismatch:
        log.warning("webhook_topic_mismatch", topic=topic, shop=shop, why=mismatch.reason)
        raise


def _shop_in(members: Mapping[str, Any], topic: str, shop: str, shops: frozenset[str]) -> str:
    """Return the shop that header and body agree on, or the one that either of them names."""
    named = shop_named(members, topic)
    if named is None:
        return shop
    field, value = named
    if shop and value != shop:
        raise UnknownShop(f"The header names another shop than {field}.")
    if not isinstance(value, str) or value not in shops:
        raise UnknownShop(_UNKNOWN_SHOP)
    return value
