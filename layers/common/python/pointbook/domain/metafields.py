"""Metafields: a copy of a customer's points at Shopify, for themes, segments, Flow and other apps.

    points_approved     the points that the customer can use; below zero in debt
    points_pending      the points of orders that are not approved yet
    points_expiring     the points that expire next, 0 if none do
    points_expiring_on  the last day on which they can be used; absent if none expire
    points_rank         the rank that the till last gave the customer; absent if it is not known
    points_as_of        when all of this was so

Nothing is decided by them: they are as old as `points_as_of` says.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pointbook.domain.account import Account
from pointbook.domain.decision import settled
from pointbook.domain.expiry import NEVER
from pointbook.domain.lots import Lot

EXPIRING_ON: Final = "points_expiring_on"
RANK: Final = "points_rank"

TYPES: Final[Mapping[str, str]] = {
    "points_approved": "number_integer",
    "points_pending": "number_integer",
    "points_expiring": "number_integer",
    EXPIRING_ON: "date",
    RANK: "single_line_text_field",
    "points_as_of": "date_time",
}
"""The type of each key, as shopify/shopify.app.toml declares it."""

OPTIONAL: Final = frozenset({EXPIRING_ON, RANK})
"""The keys that not every customer has; Shopify keeps no empty values."""

_RANK_LENGTH_MAX = 255


def metafields_of(account: Account, now: datetime, rank: str | None = None) -> dict[str, str]:
    """The values by key, with everything that has fallen due; keys without a value are absent."""
    shown = settled(account, now)
    # Several lines or blanks around a rank would be refused by its type.
    label = " ".join((rank or "").split())[:_RANK_LENGTH_MAX]
    expiring = _expiring(shown)
    values = {
        "points_approved": str(shown.figures.approved),
        "points_pending": str(shown.figures.pending),
        "points_expiring": str(expiring.points if expiring else 0),
        EXPIRING_ON: expiring.valid_through.isoformat() if expiring else "",
        RANK: label,
        "points_as_of": shown.as_of.astimezone(UTC).isoformat(timespec="seconds"),
    }
    return {key: value for key, value in values.items() if value}


def _expiring(account: Account) -> Lot | None:
    """The lot that expires next."""
    return next((lot for lot in account.lots if lot.valid_through != NEVER), None)
