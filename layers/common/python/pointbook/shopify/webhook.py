"""Shopify's webhooks: from the bytes that arrived to the few fields that are worked on.

`POST`, signed over the raw body; topic, shop and event id are in headers, which the signature does
not cover, so the shop is held against the known ones and against the body where the body names it
(https://shopify.dev/docs/apps/build/webhooks/verify-deliveries). Headers come under two names,
`x-shopify-topic` and, from Shopify's new Events, `shopify-topic`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointbook.errors import InvalidRequest, MethodNotAllowed, UnknownShop
from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.projection import SHAPES, projected
from pointbook.shopify.signature import WEBHOOK_SIGNATURE_HEADERS, verify_body
from pointbook.strict import json_object

BODY_BYTES_MAX = 5 * 1024 * 1024

ORDERS, CUSTOMERS, PRIVACY = "order_events", "customer_events", "privacy_events"

QUEUES: Mapping[str, str] = {
    "orders/create": ORDERS,
    "orders/paid": ORDERS,
    "orders/updated": ORDERS,
    "orders/cancelled": ORDERS,
    "refunds/create": ORDERS,
    "customers/create": CUSTOMERS,
    "customers/merge": CUSTOMERS,
    "customers/data_request": PRIVACY,
    "customers/redact": PRIVACY,
    "shop/redact": PRIVACY,
    "app/uninstalled": PRIVACY,
}
"""The queue of each topic, named after the function that works on it."""

_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHOWABLE_TOPIC = re.compile(r"[a-z_/]{1,64}")
_SHOP_MEMBERS = ("shop_domain", "myshopify_domain")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook, genuine and of a known shop.

    `queue` is None for a topic that is not worked on; then `payload` is empty. `event_id` is the
    same in every delivery of one event; "" if Shopify gave none.
    """

    topic: str
    shop: str
    event_id: str
    queue: str | None
    payload: dict[str, Any]

    @property
    def showable_topic(self) -> str:
        """The topic as it may stand in a log: a header is anybody's text."""
        return self.topic if _SHOWABLE_TOPIC.fullmatch(self.topic) else "(not a topic)"


def read_webhook(method: str, headers: Mapping[str, str], body: bytes, keys: AppKeys) -> Webhook:
    """Return the webhook in these raw bytes; of its fields only those that are worked on.

    Fractions become texts as they stand, so that no float comes near money.

    In this order, so that nothing of an unsigned request is looked at: MethodNotAllowed,
    SignatureMissing, SignatureWrong, UnknownShop, InvalidRequest (no topic, or two), MalformedBody,
    and UnknownShop again if the body names another shop than the header.
    """
    if method != "POST":
        raise MethodNotAllowed(method, allowed="POST")
    verify_body(body, headers, keys.shopify_secrets, WEBHOOK_SIGNATURE_HEADERS)
    given = {name.lower(): value for name, value in headers.items()}
    shop = _shop(given, keys.shops)
    topic = _topic(given)
    queue = QUEUES.get(topic)
    if queue is None:
        return Webhook(topic, shop, _event_id(given), None, {})
    members = json_object(body, parse_float=str)
    _check_shop(members, shop)
    return Webhook(topic, shop, _event_id(given), queue, projected(members, SHAPES[topic]))


def _values(headers: Mapping[str, str], name: str) -> set[str]:
    """The values of a header under its old and its new name."""
    given = (headers.get(f"{prefix}{name}", "") for prefix in ("x-shopify-", "shopify-"))
    return {value for value in given if value}


def _shop(headers: Mapping[str, str], shops: frozenset[str]) -> str:
    values = _values(headers, "shop-domain")
    shop = values.pop() if len(values) == 1 else ""
    if shop not in shops:
        raise UnknownShop("The webhook is of no shop that uses these points.")
    return shop


def _topic(headers: Mapping[str, str]) -> str:
    values = _values(headers, "topic")
    if len(values) != 1:
        raise InvalidRequest("topic", "The webhook needs one topic.")
    return values.pop()


def _event_id(headers: Mapping[str, str]) -> str:
    """The event's id, else the delivery's; anything that is not an id counts as none."""
    for name in ("event-id", "webhook-id"):
        values = _values(headers, name)
        if len(values) == 1 and _EVENT_ID.fullmatch(found := values.pop()):
            return found
    return ""


def _check_shop(members: Mapping[str, Any], shop: str) -> None:
    for name in _SHOP_MEMBERS:
        if name in members and members[name] != shop:
            raise UnknownShop(f"The header names another shop than {name}.")
