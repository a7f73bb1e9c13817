"""What the signed body of a webhook has to look like to be taken for its topic, and of which shop.

Shopify signs the body alone. Topic and shop stand in headers, so whoever has seen one delivery can
send its body again under another topic or shop. So a body is held against what Shopify sends for
the topic: the fields it has to have, the fields that make it something else, and the kind of its
`admin_graphql_api_id` where there is one.

| topic | what it has | of which shop |
|---|---|---|
| orders | `id`, and `line_items` or `financial_status` | host of `order_status_url`, if Shopify's |
| refunds | `id`, `order_id`, and `refund_line_items` or `transactions` | not said |
| customers/create | `id`, and nothing of anything else | not said |
| customers/merge | the two customers' ids | not said |
| compliance | `shop_id`, `shop_domain`, and exactly what each topic has besides | `shop_domain` |
| app/uninstalled | `myshopify_domain` | `myshopify_domain` |

Topics of orders have one shape: what an order says is in its body, whichever of them names it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pointbook.errors import TopicMismatch

_GID_FIELD = "admin_graphql_api_id"
_GID = re.compile(r"gid://shopify/([A-Za-z]{1,40})/[0-9]{1,20}")
_STATUS_PAGE = "order_status_url"
_SHOPIFYS_HOST = ".myshopify.com"

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
    """Fields that all have to be there, of which one has to be, and of which none may be."""

    has: frozenset[str]
    lacks: frozenset[str]
    has_one_of: frozenset[str] = frozenset()
    kind: str = ""

    def fault(self, body: Mapping[str, Any]) -> str:
        """What is wrong with the body; "" where it is of this form."""
        if missing := sorted(self.has - body.keys()):
            return f"{missing[0]} is missing"
        if self.has_one_of and not self.has_one_of & body.keys():
            return f"{' and '.join(sorted(self.has_one_of))} are missing"
        if foreign := sorted(self.lacks & body.keys()):
            return f"{foreign[0]} belongs to something else"
        gid = body.get(_GID_FIELD) if self.kind else None
        if gid is not None and _kind(gid) != self.kind:
            return f"{_GID_FIELD} is of no {self.kind}"
        return ""


def _form(
    has: frozenset[str] | set[str], one_of: frozenset[str] | set[str] = frozenset(), kind: str = ""
) -> _Form:
    return _Form(frozenset(has), _ALL - has - one_of, frozenset(one_of), kind)


_ORDER = _form({"id"}, _OF_ORDERS, "Order")
_REFUND = _Form(
    frozenset({"id", "order_id"}),
    _ALL - _OF_REFUNDS,
    frozenset({"refund_line_items", "transactions"}),
    "Refund",
)
_FORMS: Mapping[str, _Form] = {
    "orders/create": _ORDER,
    "orders/paid": _ORDER,
    "orders/updated": _ORDER,
    "orders/cancelled": _ORDER,
    "refunds/create": _REFUND,
    "customers/create": _Form(frozenset({"id"}), _ALL | _CUSTOMER, kind="Customer"),
    "customers/merge": _form(_OF_MERGES),
    "customers/data_request": _form(_OF_COMPLIANCE | _OF_A_DATA_REQUEST | _CUSTOMER),
    "customers/redact": _form(_OF_COMPLIANCE | _OF_A_REDACTION | _CUSTOMER),
    "shop/redact": _Form(_OF_COMPLIANCE, (_ALL - _OF_COMPLIANCE) | _CUSTOMER),
    "app/uninstalled": _Form(_OF_SHOPS, (_ALL - _OF_SHOPS) | _CUSTOMER),
}

SHOP_FIELD: Mapping[str, str] = {
    "customers/data_request": "shop_domain",
    "customers/redact": "shop_domain",
    "shop/redact": "shop_domain",
    "app/uninstalled": "myshopify_domain",
}
"""The field of the signed body that names the shop, by topic, where there always is one."""

CHECKED: Mapping[str, frozenset[str]] = {
    "orders/create": frozenset({_GID_FIELD, _STATUS_PAGE}),
    "orders/paid": frozenset({_GID_FIELD, _STATUS_PAGE}),
    "orders/updated": frozenset({_GID_FIELD, _STATUS_PAGE}),
    "orders/cancelled": frozenset({_GID_FIELD, _STATUS_PAGE}),
    "refunds/create": frozenset({_GID_FIELD}),
    "customers/create": frozenset({_GID_FIELD}),
    "customers/merge": frozenset(),
    "app/uninstalled": _OF_SHOPS,
}
"""Fields that are looked at here and go no further, by topic."""


def require_topic(body: Mapping[str, Any], topic: str) -> None:
    """Raise TopicMismatch unless `body` is what Shopify sends for `topic`, one of the worked on."""
    if fault := _FORMS[topic].fault(body):
        raise TopicMismatch(topic, fault)


def shop_named(body: Mapping[str, Any], topic: str) -> tuple[str, object] | None:
    """Return which shop the signed body says it is of, after the field that says so.

    None where it does not say: only an order's status page on a host of Shopify's names a shop, as
    many shops have it on a domain of their own. The value may be anything.
    """
    field = SHOP_FIELD.get(topic)
    if field is not None:
        return field, body[field]
    if topic.startswith("orders/"):
        host = _host(body.get(_STATUS_PAGE))
        if host.endswith(_SHOPIFYS_HOST):
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
