"""Checks that the signed body of a webhook matches its topic, and which shop it is of.

Shopify signs only the body. Topic and shop are in headers, so whoever has seen one delivery can
replay its body under another topic or shop. So a body is compared with what Shopify sends for the
topic: the fields it must have, the fields it must not have, and the kind of its
`admin_graphql_api_id` if there is one.

| topic | fields | shop |
|---|---|---|
| orders | `id`, and `line_items` or `financial_status` | host of `order_status_url`, if Shopify's |
| refunds | `id`, `order_id`, and `refund_line_items` or `transactions` | none |
| customers/create, enable | `id`, and none of the others' | none |
| customers/merge | the two customers' ids | none |
| compliance | `shop_id`, `shop_domain`, and exactly the topic's other fields | `shop_domain` |
| app/uninstalled | `myshopify_domain` | `myshopify_domain` |

All topics of orders have the same shape: the body has the order's state, whatever the topic. So do
customers/create and customers/enable: Shopify is asked whether there is an account.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pointbook.errors import TopicMismatch
from pointbook.shopify.projection import ORDER_TOPICS

_GID_FIELD = "admin_graphql_api_id"
_GID = re.compile(r"gid://shopify/([A-Za-z]{1,40})/[0-9]{1,20}")
_STATUS_PAGE = "order_status_url"
_SHOPIFY_HOST_SUFFIX = ".myshopify.com"

_OF_ORDERS = frozenset({"line_items", "financial_status"})
_OF_REFUNDS = frozenset({"order_id", "refund_line_items"})
_OF_MERGES = frozenset(
    {"admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id"}
)
_OF_COMPLIANCE = frozenset({"shop_id", "shop_domain"})
_OF_A_DATA_REQUEST = frozenset({"orders_requested", "data_request"})
_OF_A_REDACTION = frozenset({"orders_to_redact"})
_OF_SHOPS = frozenset({"myshopify_domain"})
_CUSTOMER = frozenset({"customer"})
_ALL = (
    _OF_ORDERS | _OF_REFUNDS | _OF_MERGES | _OF_COMPLIANCE | _OF_A_DATA_REQUEST | _OF_A_REDACTION
    | _OF_SHOPS
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Form:
    """Fields that a body must have, of which it must have one, and which it must not have."""

    has: frozenset[str]
    lacks: frozenset[str]
    has_one_of: frozenset[str] = frozenset()
    kind: str = ""

    def fault(self, body: Mapping[str, Any]) -> str:
        """Return what is wrong with the body; "" if it has this form."""
        if missing := sorted(self.has - body.keys()):
            return f"{missing[0]} is missing"
        if self.has_one_of and not self.has_one_of & body.keys():
            return f"{' and '.join(sorted(self.has_one_of))} are missing"
        if foreign := sorted(self.lacks & body.keys()):
            return f"{foreign[0]} belongs to something else"
        gid = body.get(_GID_FIELD) if self.kind else None
        if gid is not None and _kind(gid) != self.kind:
            return f"{_GID_FIELD} is not of kind {self.kind}"
        return ""


def _only(has: frozenset[str]) -> _Form:
    return _Form(has, _ALL - has)


_ID = frozenset({"id"})
_ORDER = _Form(_ID, _ALL - _OF_ORDERS, _OF_ORDERS, "Order")
_REFUND = _Form(
    frozenset({"id", "order_id"}),
    _ALL - _OF_REFUNDS,
    frozenset({"refund_line_items", "transactions"}),
    "Refund",
)
_NEW_CUSTOMER = _Form(_ID, _ALL | _CUSTOMER, kind="Customer")
_FORMS: Mapping[str, _Form] = {
    **dict.fromkeys(ORDER_TOPICS, _ORDER),
    "refunds/create": _REFUND,
    "customers/create": _NEW_CUSTOMER,
    "customers/enable": _NEW_CUSTOMER,
    "customers/merge": _only(_OF_MERGES),
    "customers/data_request": _only(_OF_COMPLIANCE | _OF_A_DATA_REQUEST | _CUSTOMER),
    "customers/redact": _only(_OF_COMPLIANCE | _OF_A_REDACTION | _CUSTOMER),
    "shop/redact": _Form(_OF_COMPLIANCE, (_ALL - _OF_COMPLIANCE) | _CUSTOMER),
    "app/uninstalled": _Form(_OF_SHOPS, (_ALL - _OF_SHOPS) | _CUSTOMER),
}

SHOP_FIELD: Mapping[str, str] = {
    "customers/data_request": "shop_domain",
    "customers/redact": "shop_domain",
    "shop/redact": "shop_domain",
    "app/uninstalled": "myshopify_domain",
}
"""The field of the signed body that names the shop, for topics that always have one."""

CHECKED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(ORDER_TOPICS, frozenset({_GID_FIELD, _STATUS_PAGE})),
    "refunds/create": frozenset({_GID_FIELD}),
    "customers/create": frozenset({_GID_FIELD}),
    "customers/enable": frozenset({_GID_FIELD}),
    "customers/merge": frozenset(),
    "app/uninstalled": _OF_SHOPS,
}
"""Fields that are only checked here and not projected, by topic."""


def require_topic(body: Mapping[str, Any], topic: str) -> None:
    """Raise TopicMismatch unless `body` has the form that Shopify sends for `topic`."""
    if fault := _FORMS[topic].fault(body):
        raise TopicMismatch(topic, fault)


def shop_named(body: Mapping[str, Any], topic: str) -> tuple[str, object] | None:
    """Return the field of the signed body that names a shop, and its value, which may be anything.

    None if no field does: an order's status page names a shop only if its host is Shopify's, and
    many shops have it on a domain of their own.
    """
    field = SHOP_FIELD.get(topic)
    if field is not None:
        return field, body[field]
    if topic in ORDER_TOPICS:
        host = _host(body.get(_STATUS_PAGE))
        if host.endswith(_SHOPIFY_HOST_SUFFIX):
            return _STATUS_PAGE, host
    return None


def _host(url: object) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".") if isinstance(url, str) else ""
    except ValueError:
        return ""


def _kind(gid: object) -> str:
    found = _GID.fullmatch(gid) if isinstance(gid, str) else None
    return found[1] if found else ""
