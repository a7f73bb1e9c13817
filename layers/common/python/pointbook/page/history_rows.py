"""The rows of a customer's history: what a reader sees of the entries.

A hold and its end are one row; a hold whose discount could not be made is none. Pending points have
a row of their own only while they are pending. Every other entry is a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pointbook.domain.account import Account
from pointbook.domain.buckets import Bucket
from pointbook.domain.chain import BookedEntry
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import day_of
from pointbook.domain.holds import DISCOUNT_NOT_MADE
from pointbook.domain.orders import Order

KINDS: Mapping[Topic, str] = {
    Topic.ADD_ORDER: "earned",
    Topic.ADD_SIGN_UP: "welcome",
    Topic.ADD_MANUAL: "added",
    Topic.ADD_FLOW: "added",
    Topic.ADD_IMPORT: "moved_in",
    Topic.ADD_MERGE: "moved_in",
    Topic.ADD_HOLD: "not_used",
    Topic.ADD_REFUND: "returned",
    Topic.SUB_MANUAL: "removed",
    Topic.SUB_FLOW: "used",
    Topic.SUB_HOLD: "used",
    Topic.HOLD_SPENT: "used",
    Topic.SUB_ORDER: "used_in_store",
    Topic.EXPIRED_SPENT: "used_expired",
    Topic.SUB_EXPIRE: "expired",
    Topic.SUB_REFUND: "taken_back",
    Topic.SUB_MERGE: "moved_out",
    Topic.EXPIRY_EXTEND: "extended",
    Topic.PENDING_ADD: "pending",
    Topic.PENDING_CANCEL: "pending_canceled",
}
"""What each entry is to its reader."""

RESERVED = "reserved"
"""The row of points that are held."""

_OF_ORDERS = frozenset(
    {
        Topic.ADD_ORDER,
        Topic.ADD_REFUND,
        Topic.SUB_HOLD,
        Topic.SUB_ORDER,
        Topic.SUB_REFUND,
        Topic.HOLD_SPENT,
        Topic.EXPIRED_SPENT,
        Topic.PENDING_ADD,
        Topic.PENDING_CANCEL,
    }
)
"""Entries that are about an order; others are about a hold, or another account."""

_WITHOUT_CHANGE = frozenset({Topic.ADD_HOLD})
"""The reader never saw these points leave."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as a customer reads it.

    `points` is how many it is about, `change` what it changed for the reader: a hold that an order
    used has taken its points, one that came back has changed nothing. `comes_on` is the day on
    which pending points come, None if that is not known yet.
    """

    kind: str
    points: int
    change: int
    order_id: str | None = None
    comes_on: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the row as the API shows it."""
        return {
            "kind": self.kind,
            "points": self.points,
            "change": self.change,
            "order_id": self.order_id,
            "comes_on": self.comes_on.isoformat() if self.comes_on else None,
        }


def may_be_pending(entry: Entry, account: Account) -> bool:
    """Whether it depends on its order if an entry is still shown as pending."""
    return entry.topic is Topic.PENDING_ADD and account.balances.pending > 0


def row_of(
    booked: BookedEntry,
    before: BookedEntry | None,
    account: Account,
    orders: Mapping[str, Order],
) -> Row | None:
    """Return the row of an entry, None if it belongs to another entry's row.

    `before` is the entry before it, `account` the account as it is now, settled; `orders` are those
    for which `may_be_pending`.
    """
    entry = booked.entry
    match entry.topic:
        case Topic.SUB_HOLD if _places_hold(entry):
            return _row_of_open_hold(entry, account)
        case Topic.ADD_HOLD if _belongs_to_another_row(booked, before):
            return None
        case Topic.PENDING_ADD:
            return _row_of_pending(entry, account, orders.get(entry.about))
        case Topic.HOLD_SPENT:
            return _row(entry, -entry.points)
        case Topic.EXPIRY_EXTEND:
            return Row(KINDS[entry.topic], entry.lasting_longer, 0)
    return _row(entry, 0 if entry.topic in _WITHOUT_CHANGE else entry.approved_delta)


def _row(entry: Entry, change: int, comes_on: date | None = None) -> Row:
    order_id = entry.about or None if entry.topic in _OF_ORDERS else None
    return Row(KINDS[entry.topic], entry.points, change, order_id, comes_on)


def _places_hold(entry: Entry) -> bool:
    """Whether it reserves points; a late order takes them under the same topic."""
    return entry.topic is Topic.SUB_HOLD and any(move[0] is Bucket.HOLD for move in entry.moves)


def _row_of_open_hold(entry: Entry, account: Account) -> Row | None:
    hold = account.hold
    is_open = hold is not None and hold.hold_id == entry.about
    return Row(RESERVED, entry.points, 0) if is_open else None


def _belongs_to_another_row(booked: BookedEntry, before: BookedEntry | None) -> bool:
    """Whether a hold's end is part of its use, or of a failed attempt."""
    if booked.cause.actor == DISCOUNT_NOT_MADE:
        return True
    return before is not None and before.entry.topic is Topic.HOLD_SPENT


def _row_of_pending(entry: Entry, account: Account, order: Order | None) -> Row | None:
    if order is None or not order.pending_points:
        return None
    comes_on = day_of(order.approves_at, account.time_zone) if order.approves_at else None
    return _row(entry, 0, comes_on)
