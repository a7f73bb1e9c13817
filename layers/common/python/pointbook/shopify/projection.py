"""Which fields of a webhook's body go on to a queue: what is not named here is dropped.

So no name, address, e-mail, phone, note, title or tag gets behind the entrance.

A shape names the fields of an object; a field is an object or list of objects with a shape of its
own, or one value of a kind. A value that is null or not of its kind is left out too, so that
nothing rides along in a field that is kept. Nothing is interpreted here: that is the workers' work.

Fields as in Shopify's webhook reference (https://shopify.dev/docs/api/webhooks).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pointbook.domain.tags import tag_digest
from pointbook.shopify.discount_code import is_our_code

ID_MAX = 10**20

UNREADABLE = "unreadable"
"""What an id becomes that is there and is none. Workers refuse it."""

_ID = re.compile(r"(?:gid://shopify/[A-Za-z]{1,40}/?)?[0-9]{1,20}(?:\?[a-z_]{1,20}=[0-9]{1,20})?")
_JOB = re.compile(r"gid://shopify/Job/[A-Za-z0-9-]{1,64}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?")
_WORD = re.compile(r"[A-Za-z_]{1,40}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,20}(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
_KEY = re.compile(r"[a-z0-9_.-]{1,64}")
_NUMBERS = re.compile(r"[0-9.,+-]{1,32}")

_OUR_NAMESPACE = "omni_hub"


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that is kept: how its value is read (None: left out), and its name if another."""

    read: Callable[[Any], Any]
    name: str = ""


type Shape = Mapping[str, Shape | Kept]


def projected(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Return what `shape` keeps of `body`. Lists keep their length: fields refer to places."""
    kept: dict[str, Any] = {}
    for name, part in shape.items():
        if isinstance(part, Kept):
            kept[part.name or name] = part.read(body.get(name))
        else:
            kept[name] = _nested(body.get(name), part)
    return {name: value for name, value in kept.items() if value is not None}


def _nested(value: object, shape: Shape) -> dict[str, Any] | list[Any] | None:
    if isinstance(value, dict):
        return projected(value, shape)
    if isinstance(value, list):
        return [projected(one, shape) if isinstance(one, dict) else {} for one in value]
    return None


def _text_of(form: re.Pattern[str]) -> Kept:
    def read(value: object) -> str | None:
        return value if isinstance(value, str) and form.fullmatch(value) else None

    return Kept(read)


def _id(value: object) -> int | str | None:
    if type(value) is int:
        return value if 0 <= value < ID_MAX else None
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _id_or_unreadable(value: object) -> int | str | None:
    """An id whose absence means something: one that cannot be read is not taken for absent."""
    return None if value is None else _id(value) or UNREADABLE


def _ids(value: object) -> list[int | str] | None:
    if not isinstance(value, list):
        return None
    return [found for one in value if (found := _id(one)) is not None]


def _amount(value: object) -> str | None:
    """Money as the text of its exact decimal: Shopify sends texts, and some numbers."""
    text = str(value) if type(value) is int else value if isinstance(value, str) else ""
    return text if _AMOUNT.fullmatch(text) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and abs(value) < ID_MAX else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _is_given(value: object) -> bool | None:
    """That there is a text; what it says is kept nowhere."""
    return True if isinstance(value, str) and value.strip() else None


def _tag_digests(value: object) -> list[str] | None:
    """A digest of each tag, which tells only whether it is one that the programme names."""
    tags = value.split(",") if isinstance(value, str) else value
    if not isinstance(tags, list):
        return None
    digests = (tag_digest(tag) for tag in tags if isinstance(tag, str) and tag.strip())
    return list(dict.fromkeys(digests))


def _our_code(value: object) -> str | None:
    """A code of a hold; other codes may say whose they are, and are nothing to points."""
    return value if isinstance(value, str) and is_our_code(value) else None


def _our_metafields(value: object) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [
        projected(one, _METAFIELD)
        for one in value
        if isinstance(one, dict) and one.get("namespace") == _OUR_NAMESPACE
    ]


def _number_text(value: object) -> int | str | None:
    if type(value) is int:
        return _count(value)
    return value if isinstance(value, str) and _NUMBERS.fullmatch(value) else None


ID = Kept(_id)
IDS = Kept(_ids)
AMOUNT = Kept(_amount)
COUNT = Kept(_count)
FLAG = Kept(_flag)
TIME = _text_of(_TIME)
WORD = _text_of(_WORD)
CURRENCY = _text_of(_CURRENCY)
DOMAIN = _text_of(_DOMAIN)
OUR_CODE = Kept(_our_code)

_METAFIELD: Shape = {
    "namespace": _text_of(_KEY),
    "key": _text_of(_KEY),
    "value": Kept(_number_text),
}
_SHOP_MONEY: Shape = {"shop_money": {"amount": AMOUNT, "currency_code": CURRENCY}}
_TAX_LINES: Shape = {"price": AMOUNT, "price_set": _SHOP_MONEY}
_TIP: Shape = {
    "tip_payment_gateway": Kept(_is_given, name="has_tip_gateway"),
    "tip_payment_method": Kept(_is_given, name="has_tip_method"),
}
_WHO: Shape = {"customer": {"id": Kept(_id_or_unreadable)}}

REFUND: Shape = {
    "id": ID,
    "order_id": ID,
    "created_at": TIME,
    "processed_at": TIME,
    "refund_line_items": {
        "line_item_id": ID,
        "quantity": COUNT,
        "subtotal": AMOUNT,
        "subtotal_set": _SHOP_MONEY,
        "total_tax": AMOUNT,
        "total_tax_set": _SHOP_MONEY,
        "line_item": {"gift_card": FLAG, **_TIP},
    },
    "transactions": {"kind": WORD, "status": WORD, "amount": AMOUNT, "currency": CURRENCY},
    "order_adjustments": {
        "kind": WORD,
        "amount": AMOUNT,
        "amount_set": _SHOP_MONEY,
        "tax_amount": AMOUNT,
        "tax_amount_set": _SHOP_MONEY,
    },
    "refund_shipping_lines": {"id": ID},
    "total_duties_set": _SHOP_MONEY,
}

ORDER: Shape = {
    "id": ID,
    "customer": {"id": ID, "tags": Kept(_tag_digests, name="tag_digests")},
    "test": FLAG,
    "currency": CURRENCY,
    "created_at": TIME,
    "updated_at": TIME,
    "processed_at": TIME,
    "cancelled_at": TIME,
    "financial_status": WORD,
    "taxes_included": FLAG,
    "subtotal_price": AMOUNT,
    "total_tax": AMOUNT,
    "total_discounts": AMOUNT,
    "line_items": {
        "id": ID,
        "quantity": COUNT,
        "current_quantity": COUNT,
        "price": AMOUNT,
        "price_set": _SHOP_MONEY,
        "gift_card": FLAG,
        **_TIP,
        "discount_allocations": {
            "amount": AMOUNT,
            "amount_set": _SHOP_MONEY,
            "discount_application_index": COUNT,
        },
        "tax_lines": _TAX_LINES,
    },
    "discount_applications": {"type": WORD, "code": OUR_CODE},
    "discount_codes": {"code": OUR_CODE, "amount": AMOUNT, "type": WORD},
    "refunds": REFUND,
    "metafields": Kept(_our_metafields),
}

SHAPES: Mapping[str, Shape] = {
    "orders/create": ORDER,
    "orders/paid": ORDER,
    "orders/updated": ORDER,
    "orders/cancelled": ORDER,
    "refunds/create": REFUND,
    "customers/create": {"id": ID, "created_at": TIME},
    "customers/merge": {
        "admin_graphql_api_customer_kept_id": ID,
        "admin_graphql_api_customer_deleted_id": ID,
        "admin_graphql_api_job_id": _text_of(_JOB),
        "status": WORD,
    },
    "customers/data_request": {**_WHO, "orders_requested": IDS, "data_request": {"id": ID}},
    "customers/redact": {**_WHO, "orders_to_redact": IDS},
    "shop/redact": {"shop_id": ID, "shop_domain": DOMAIN},
    "app/uninstalled": {"id": ID, "domain": DOMAIN, "myshopify_domain": DOMAIN},
}
"""What is kept of each topic. A topic that is not here is not worked on."""
