"""The fields of a webhook's body that go on to a queue: all others are dropped.

So no address, e-mail, phone number, note, title or tag gets onto a queue, and no name but an
order's own, such as #1001.

A shape maps the fields of an object to their kinds: a value, an object or a list of objects, each
with a shape of its own. There are three cases:

| in the body | on the queue |
|---|---|
| the field is missing, or null where Shopify sends null | nothing: the worker uses the default |
| a valid value | the value, normalized |
| anything else | `UNREADABLE`: the worker refuses the message and names the field |

The marker replaces the value, so that nothing else gets through in a field that is listed. Values
are not interpreted here but by the workers.

Fields as in Shopify's webhook reference, API version 2026-04 and later
(https://shopify.dev/docs/api/webhooks).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pointbook.shopify.discount_code import is_our_code

ID_MAX = 10**20

UNREADABLE = "unreadable"
"""The marker in place of an invalid value."""

TILL_NAMESPACE, TILL_KEY = "omni_hub", "point_used"
"""The metafield in which Omni Hub writes how many points an order used at a till."""

_ORDER_NAME = re.compile(r"[^\s@0-9]{0,12}[0-9]{1,12}[^\s@]{0,12}")
"""The order's number, in what the merchant writes before and behind it."""

_ID = re.compile(r"(?:gid://shopify/[A-Za-z]{1,40}/?)?[0-9]{1,20}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?")
_FLOAT = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,25}(?:[eE]-[0-9]{1,2})?")
_COUNT = re.compile(r"[0-9]{1,18}")
_WORD = re.compile(r"[A-Za-z_]{1,40}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_TIME = re.compile(
    r"([12][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})"
)
_POINTS = re.compile(r"[0-9]{1,10}")
_FULL_WIDTH = {ord("０") + digit: ord("0") + digit for digit in range(10)}

_CURRENCY_DIGITS_MAX = 4
_FLOAT_DIGITS_MIN = 15
"""An inexact double has at least so many digits in its shortest form."""


@dataclass(frozen=True, slots=True)
class Value:
    """A field with one value, and its name on the queue if it is another one.

    `read` returns the normalized value, UNREADABLE, or None to drop a valid value. With `null` set,
    null means the same as a missing field.
    """

    read: Callable[[Any], Any]
    name: str = ""
    null: bool = False


@dataclass(frozen=True, slots=True)
class One:
    """A field with an object."""

    shape: "Shape"
    null: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """A field with a list of objects. The list keeps its length: other fields refer to indexes."""

    shape: "Shape"
    null: bool = False


type Part = Value | One | Each
type Shape = Mapping[str, Part]


def projected(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Return the fields of `body` that are in `shape`."""
    projection: dict[str, Any] = {}
    for name, part in shape.items():
        value = _projected_value(body[name], part) if name in body else None
        if value is not None:
            projection[part.name or name if isinstance(part, Value) else name] = value
    return projection


def till_points(value: object) -> str:
    """Return the points in Omni Hub's metafield as ASCII digits, or UNREADABLE.

    Surrounding spaces and full-width digits are accepted; "120pt", "1,20" and "120.5" are not.
    """
    if type(value) is int and value >= 0:
        value = str(value)
    digits = value.strip().translate(_FULL_WIDTH) if isinstance(value, str) else ""
    return str(int(digits)) if _POINTS.fullmatch(digits) else UNREADABLE


def _projected_value(value: object, part: Part) -> Any:
    if value is None:
        return None if part.null else UNREADABLE
    match part:
        case Value():
            return part.read(value)
        case One():
            return _object(value, part.shape)
        case Each():
            return _list(value, lambda one: _object(one, part.shape))


def _object(value: object, shape: Shape) -> dict[str, Any] | str:
    return projected(value, shape) if isinstance(value, dict) else UNREADABLE


def _list(value: object, read: Callable[[Any], Any]) -> list[Any] | str:
    return [read(one) for one in value] if isinstance(value, list) else UNREADABLE


def _id(value: object) -> int | str:
    if type(value) is int:
        return value if 0 < value < ID_MAX else UNREADABLE
    return value if isinstance(value, str) and _ID.fullmatch(value) else UNREADABLE


def _ids(value: object) -> list[int | str] | str:
    return _list(value, _id)


def _amount(value: object) -> str:
    """Return money as the text of its exact decimal: Shopify sends texts, and some numbers."""
    text = str(value) if type(value) is int else value if isinstance(value, str) else ""
    if _FLOAT.fullmatch(text) and (corrected := _corrected_float(text)):
        return corrected
    return text if _AMOUNT.fullmatch(text) else UNREADABLE


def _corrected_float(text: str) -> str:
    """Return the decimal without a float's rounding error; "" if there is no such error.

    59.970000000000006 is 59.97. No currency has more than four decimals.
    """
    exact = Decimal(text)
    digits = text.lower().partition("e")[0].replace(".", "").lstrip("-0")
    corrected = round(exact, _CURRENCY_DIGITS_MAX)
    error_max = max(Decimal("1e-9"), abs(exact) * Decimal("4e-15"))
    if len(digits) < _FLOAT_DIGITS_MIN or abs(exact - corrected) > error_max:
        return ""
    return f"{corrected.normalize() + 0:f}"


def _count(value: object) -> int | str:
    if isinstance(value, str) and _COUNT.fullmatch(value):
        return int(value)
    return value if type(value) is int and abs(value) < ID_MAX else UNREADABLE


def _flag(value: object) -> bool | str:
    return value if isinstance(value, bool) else UNREADABLE


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else UNREADABLE


def _currency(value: object) -> str:
    return value.upper() if isinstance(value, str) and _CURRENCY.fullmatch(value) else UNREADABLE


def _time(value: object) -> str:
    """Return a time with its zone in ISO 8601; Ruby's spaces before time and zone are accepted."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return UNREADABLE
    text = f"{found[1]}T{found[2]}{found[3].replace('UTC', 'Z')}"
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return UNREADABLE
    return text


def _is_given(value: object) -> bool | str | None:
    """Return whether there is a text; the text itself is dropped."""
    if not isinstance(value, str):
        return UNREADABLE
    return True if value.strip() else None


def _our_code(value: object) -> str | None:
    """Return the code of a hold; other codes are dropped, as they may name a person."""
    if not isinstance(value, str):
        return UNREADABLE
    return value if is_our_code(value) else None


def _till_metafields(value: object) -> list[Any] | str:
    """Return the till's metafield, and markers for unreadable ones; other apps' are dropped."""
    found = _list(value, _till_metafield)
    return found if isinstance(found, str) else [one for one in found if one is not None]


def _till_metafield(one: object) -> dict[str, Any] | str | None:
    if not isinstance(one, dict):
        return UNREADABLE
    for name, ours in (("namespace", TILL_NAMESPACE), ("key", TILL_KEY)):
        given = one.get(name)
        if isinstance(given, str) and given != ours:
            return None
        if given is not None and not isinstance(given, str):
            return UNREADABLE
    return projected(one, _TILL_METAFIELD)


def _name(value: object) -> str:
    return value if isinstance(value, str) and value in (TILL_NAMESPACE, TILL_KEY) else UNREADABLE


def _order_name(value: object) -> str:
    """Return an order's name, such as #1001; "" for anything else, which stops no order."""
    return value if isinstance(value, str) and _ORDER_NAME.fullmatch(value) else ""


ID = Value(_id)
IDS = Value(_ids)
AMOUNT = Value(_amount)
COUNT = Value(_count)
FLAG = Value(_flag)
TIME = Value(_time)
TIME_OR_NULL = Value(_time, null=True)
WORD = Value(_word)
CURRENCY = Value(_currency)
OUR_CODE = Value(_our_code, null=True)

_TILL_METAFIELD: Shape = {
    "namespace": Value(_name),
    "key": Value(_name),
    "value": Value(till_points),
}
_MONEY: Shape = {"shop_money": One({"amount": AMOUNT, "currency_code": CURRENCY})}
_TIP: Shape = {
    "tip_payment_gateway": Value(_is_given, name="has_tip_gateway", null=True),
    "tip_payment_method": Value(_is_given, name="has_tip_method", null=True),
}
_WHO: Shape = {"customer": One({"id": Value(_id, null=True)}, null=True)}

REFUND: Shape = {
    "id": ID,
    "order_id": ID,
    "created_at": TIME,
    "refund_line_items": Each(
        {
            "line_item_id": ID,
            "quantity": COUNT,
            "subtotal": AMOUNT,
            "subtotal_set": One(_MONEY),
            "total_tax": AMOUNT,
            "total_tax_set": One(_MONEY),
            "line_item": One({"gift_card": FLAG, **_TIP}),
        }
    ),
    "transactions": Each({"kind": WORD, "status": WORD, "amount": AMOUNT, "currency": CURRENCY}),
    "order_adjustments": Each(
        {
            "kind": WORD,
            "amount": AMOUNT,
            "amount_set": One(_MONEY),
            "tax_amount": AMOUNT,
            "tax_amount_set": One(_MONEY),
        }
    ),
    "refund_shipping_lines": Each({"id": ID}),
    "total_duties_set": One(_MONEY, null=True),
}

ORDER: Shape = {
    "id": ID,
    "name": Value(_order_name, null=True),
    **_WHO,
    "test": FLAG,
    "currency": CURRENCY,
    "created_at": TIME,
    "updated_at": TIME,
    "cancelled_at": TIME_OR_NULL,
    "financial_status": WORD,
    "taxes_included": FLAG,
    "subtotal_price": AMOUNT,
    "total_tax": AMOUNT,
    "line_items": Each(
        {
            "id": ID,
            "quantity": COUNT,
            "current_quantity": COUNT,
            "price": AMOUNT,
            "price_set": One(_MONEY),
            "gift_card": FLAG,
            **_TIP,
            "discount_allocations": Each(
                {
                    "amount": AMOUNT,
                    "amount_set": One(_MONEY),
                    "discount_application_index": COUNT,
                }
            ),
            "tax_lines": Each({"price": AMOUNT, "price_set": One(_MONEY)}),
        }
    ),
    "discount_applications": Each({"type": WORD, "code": OUR_CODE}),
    "discount_codes": Each({"code": OUR_CODE, "amount": AMOUNT}),
    "refunds": Each(REFUND),
    "metafields": Value(_till_metafields),
}

ORDER_TOPICS = ("orders/create", "orders/paid", "orders/updated", "orders/cancelled")
SHAPES: Mapping[str, Shape] = {
    **dict.fromkeys(ORDER_TOPICS, ORDER),
    "refunds/create": REFUND,
    "customers/create": {"id": ID},
    "customers/enable": {"id": ID},
    "customers/merge": {
        "admin_graphql_api_customer_kept_id": ID,
        "admin_graphql_api_customer_deleted_id": ID,
        "status": WORD,
    },
    "customers/data_request": {**_WHO, "orders_requested": IDS, "data_request": One({"id": ID})},
    "customers/redact": {**_WHO, "orders_to_redact": IDS},
    "shop/redact": {},
    "app/uninstalled": {},
}
"""The shape of each topic's body. Other topics are not processed."""
