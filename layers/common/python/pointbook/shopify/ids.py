"""The forms of Shopify customer ids, and the one form that the ledger stores.

| form | sender |
|---|---|
| `8840734670934` as a number | webhooks |
| `"8840734670934"` | Flow by Shopify's documentation, till member numbers, my page's paths |
| `"gid://shopify/Customer/8840734670934"` | Flow in practice, session tokens, the Admin API |
| `"gid://shopify/Customer8840734670934"` | the merchants' own Flow documents |
"""

import re

from pointbook.errors import InvalidRequest
from pointbook.validation import shown

_DIGITS = r"[1-9][0-9]{0,19}"
_GID = r"gid://shopify/Customer/([1-9][0-9]{0,19})"
_ANY_NUMBER = r"(?:gid://shopify/[A-Za-z]+/)?([1-9][0-9]{0,19})"
_ANY_FORM = r"(?:gid://shopify/Customer/?)?([1-9][0-9]{0,19})"


def customer_digits(value: object, field: str = "customer_id") -> str:
    """Return the customer id `value` as 1 to 20 ASCII digits without a leading zero.

    Raises InvalidRequest for everything but the four forms above, such as bool, float, zero, a
    sign, leading zeros, spaces, digits of other scripts, another kind of gid, a query string.
    """
    found = re.fullmatch(_ANY_FORM, _as_text(value))
    if not found:
        raise InvalidRequest(
            field,
            f"{field} is {shown(value)}, but must be a Shopify customer id, such as"
            " gid://shopify/Customer/8840734670934.",
        )
    return found[1]


def number_digits(value: object, field: str) -> str:
    """Return the id of any Shopify object, such as an order, as digits; gids may be of any kind.

    Raises InvalidRequest for everything else.
    """
    found = re.fullmatch(_ANY_NUMBER, _as_text(value))
    if not found:
        raise InvalidRequest(field, f"{field} is {shown(value)}, but must be a Shopify id.")
    return found[1]


def customer_digits_in_gid(value: object) -> str | None:
    """Return the digits of exactly `gid://shopify/Customer/<digits>`, else None."""
    found = re.fullmatch(_GID, value) if isinstance(value, str) else None
    return found[1] if found else None


def is_customer_digits(text: str) -> bool:
    """Return whether `text` is a customer id in the form that the ledger stores."""
    return re.fullmatch(_DIGITS, text) is not None


def customer_gid(digits: str) -> str:
    """Return the gid for Shopify's Admin API of the customer with these `digits`."""
    if not is_customer_digits(digits):
        raise ValueError(f"{digits!r} are not the digits of a customer id")
    return f"gid://shopify/Customer/{digits}"


def _as_text(value: object) -> str:
    if type(value) is int and 0 < value < 10**20:
        return str(value)
    return value if isinstance(value, str) else ""
