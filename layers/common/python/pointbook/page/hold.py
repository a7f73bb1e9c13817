"""An open hold as the API shows it to its customer."""

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Any
from urllib.parse import quote

from pointbook.domain.account import Hold, HoldRecord, HoldState
from pointbook.domain.money import decimal_text


def shown_hold(hold: Hold, now: datetime) -> dict[str, Any]:
    """Return the hold as JSON; its code only while a checkout accepts it.

    The seconds left are for pages, because the clocks of browsers are often wrong.
    """
    return {
        "hold_id": hold.hold_id,
        "points": hold.points,
        "state": hold.state.value,
        "discount_code": hold.code if hold.state is HoldState.READY else None,
        "expires_at": hold.ends_at.isoformat(timespec="milliseconds"),
        "expires_in_seconds": max(0, ceil((hold.ends_at - now).total_seconds())),
    }


def with_worth(
    shown: Mapping[str, Any], record: HoldRecord | None, currency: str, shop: str
) -> dict[str, Any]:
    """Return a shown hold with what it is worth, and with its link into the cart.

    Its record says what it is worth, whatever the programme says by now.
    """
    code = shown["discount_code"]
    worth_minor = shown["points"] * record.worth_minor if record else None
    return {
        **shown,
        "discount_amount": None if worth_minor is None else decimal_text(worth_minor, currency),
        "currency": currency,
        "cart_url": cart_url(shop, code) if code else None,
    }


def cart_url(shop: str, code: str) -> str:
    """Return the address that puts a discount code into the visitor's cart, and shows the cart.

    https://help.shopify.com/en/manual/discounts/managing-discount-codes#share-a-discount-link
    """
    return f"https://{shop}/discount/{quote(code, safe='')}?redirect=%2Fcart"
