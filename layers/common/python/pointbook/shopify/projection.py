"""Which fields of a webhook's body go on to a queue: what is not named here is dropped.

So no name, address, e-mail, phone, note, title or tag gets behind the entrance.

A shape names the fields of an object: one value of a kind, an object or a list of objects, each
with a shape of its own. Three cases are told apart:

| in the body | what goes on |
|---|---|
| the field is missing, or null where Shopify sends null | nothing: the worker takes the default |
| a value of the field's kind | the value, in one form for each kind |
| anything else | `UNREADABLE`: the worker refuses the message and names the field |

The marker replaces the value, so that nothing rides along in a field that is kept. Apart from that
nothing is interpreted here: that is the workers' work.

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
"""What stands in place of a value that is there and is not of its field's kind."""

TILL_NAMESPACE, TILL_KEY = "omni_hub", "point_used"
"""The metafield in which Omni Hub says how many points an order used at a till."""

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
"""A double that is not quite what was meant has at least so many digits in its shortest form."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A field with one value, and its name on the queue if another.

    `read` returns the value in its usual form, UNREADABLE, or None: readable, but nothing to keep.
    `null` says the same as the field's absence where that is set.
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
    """A field with a list of objects. The list keeps its length: fields refer to places."""

    shape: "Shape"
    null: bool = False


type Part = Kept | One | Each
type Shape = Mapping[str, Part]


def projected(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Return what `shape` keeps of `body`."""
    kept: dict[str, Any] = {}
    for name, part in shape.items():
        value = _kept(body[name], part) if name in body else None
        if value is not None:
            kept[part.name or name if isinstance(part, Kept) else name] = value
    return kept


def till_points(value: object) -> str:
    """Return the points in Omni Hub's metafield as ASCII digits, or UNREADABLE.

    Blanks around them and full-width digits are read; "120pt", "1,20" and "120.5" are not.
    """
    if type(value) is int and value >= 0:
        value = str(value)
    digits = value.strip().translate(_FULL_WIDTH) if isinstance(value, str) else ""
    return str(int(digits)) if _POINTS.fullmatch(digits) else UNREADABLE


def _kept(value: object, part: Part) -> Any:
    if value is None:
        return None if part.null else UNREADABLE
    match part:
        case Kept():
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
    """Money as the text of its exact decimal: Shopify sends texts, and some numbers."""
    text = str(value) if type(value) is int else value if isinstance(value, str) else ""
    if _FLOAT.fullmatch(text) and (meant := _meant(text)):
        return meant
    return text if _AMOUNT.fullmatch(text) else UNREADABLE


def _meant(text: str) -> str:
    """The decimal that was meant by a number with a float's artefact; "" where there is none.

    59.970000000000006 is 59.97. No currency has more than four decimals.
    """
    exact = Decimal(text)
    digits = text.lower().partition("e")[0].replace(".", "").lstrip("-0")
    meant = round(exact, _CURRENCY_DIGITS_MAX)
    error_max = max(Decimal("1e-9"), abs(exact) * Decimal("4e-15"))
    if len(digits) < _FLOAT_DIGITS_MIN or abs(exact - meant) > error_max:
        return ""
    return f"{meant.normalize() + 0:f}"


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
    """A time with its zone, in ISO 8601; Ruby's blanks before time and zone are read too."""
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
    """That there is a text; what it says is kept nowhere."""
    if not isinstance(value, str):
        return UNREADABLE
    return True if value.strip() else None


def _our_code(value: object) -> str | None:
    """A code of a hold; other codes may say whose they are, and are nothing to points."""
    if not isinstance(value, str):
        return UNREADABLE
    return value if is_our_code(value) else None


def _till_metafields(value: object) -> list[Any] | str:
    """The till's metafield, and whatever cannot be told from it: other apps' are dropped."""
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


ID = Kept(_id)
IDS = Kept(_ids)
AMOUNT = Kept(_amount)
COUNT = Kept(_count)
FLAG = Kept(_flag)
TIME = Kept(_time)
TIME_OR_NULL = Kept(_time, null=True)
WORD = Kept(_word)
CURRENCY = Kept(_currency)
OUR_CODE = Kept(_our_code, null=True)

_TILL_METAFIELD: Shape = {
    "namespace": Kept(_name),
    "key": Kept(_name),
    "value": Kept(till_points),
}
_MONEY: Shape = {"shop_money": One({"amount": AMOUNT, "currency_code": CURRENCY})}
_TIP: Shape = {
    "tip_payment_gateway": Kept(_is_given, name="has_tip_gateway", null=True),
    "tip_payment_method": Kept(_is_given, name="has_tip_method", null=True),
}
_WHO: Shape = {"customer": One({"id": Kept(_id, null=True)}, null=True)}

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
    "metafields": Kept(_till_metafields),
}

SHAPES: Mapping[str, Shape] = {
    "orders/create": ORDER,
    "orders/paid": ORDER,
    "orders/updated": ORDER,
    "orders/cancelled": ORDER,
    "refunds/create": REFUND,
    "customers/create": {"id": ID},
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
"""What is kept of each topic. A topic that is not here is not worked on."""
