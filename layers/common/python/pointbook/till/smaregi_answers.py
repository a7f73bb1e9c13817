"""Parsing Smaregi's answers: lists of objects whose numbers are texts.

Pure functions from decoded JSON. Anything unexpected is a BadTillAnswer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pointbook.till.days import parse_day
from pointbook.till.errors import AmbiguousMember, BadTillAnswer, MemberNotRegistered
from pointbook.till.fields import Record, instant, number, records, text
from pointbook.till.member import PointsChange
from pointbook.validation import shown

# customers.status: 0 enabled, 1 disabled, 2 card lost, 3 withdrawn, 4 merged into another. Absent
# counts as enabled; a member with any other status is not shown.
_FORMER = frozenset({"3", "4"})
_CURRENT = frozenset({"", "0", "1", "2"})

_POINTS_ADDED, _POINTS_SUBTRACTED = "6", "7"
_NOT_CANCELLED = frozenset({"", "0"})

CLOCKS_APART = timedelta(seconds=30)
"""How far Smaregi's clock may be behind ours before a change of ours is not found any more."""

_CERTAINLY_LATER = timedelta(seconds=2)
"""Smaregi's times have whole seconds: a transaction this long after the plan is not from before."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A member record: Smaregi's own id and the shop's rank code. It carries no points."""

    customer_id: str
    rank_code: str | None


@dataclass(frozen=True, slots=True)
class Points:
    """A member's points and the last day on which they are valid."""

    balance_points: int
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that added points to a member (negative: took them away), and its time."""

    transaction_id: str
    points: int
    at: datetime


def read_customer(answer: object, member_number: str) -> Customer:
    """Return the only current member whose code is exactly the number.

    A search may find more than the exact code, so every record is compared. Raises
    MemberNotRegistered if there is none, AmbiguousMember if there are several.
    """
    found = [
        record
        for record in records(answer)
        if text(record, "customerCode") == member_number and _is_current(record)
    ]
    if not found:
        raise MemberNotRegistered(f"no member {member_number} at the till: check the sync")
    if len(found) > 1:
        raise AmbiguousMember(f"{len(found)} members at the till have the number {member_number}")
    customer_id = text(found[0], "customerId")
    if not customer_id:
        raise BadTillAnswer(f"member {member_number} has no customerId")
    return Customer(customer_id, text(found[0], "rank") or None)


def read_points(answer: object, customer_id: str) -> Points:
    """Return the points of this customer. Raises MemberNotRegistered if there are none."""
    for record in records(answer):
        if text(record, "customerId") == customer_id:
            return Points(number(record, "point"), _day(record, "pointExpireDate"))
    raise MemberNotRegistered(f"the till has no points of its customer {customer_id}")


def read_transactions(answer: object, customer_id: str) -> list[Transaction]:
    """Return the additions and subtractions of points of this customer that were not cancelled."""
    return [
        _transaction(record)
        for record in records(answer)
        if text(record, "customerId") == customer_id
        and text(record, "transactionHeadDivision") in (_POINTS_ADDED, _POINTS_SUBTRACTED)
        and text(record, "cancelDivision") in _NOT_CANCELLED
    ]


def carried_out_by(
    change: PointsChange,
    transactions: Collection[Transaction],
    balance_points: int,
    others: Collection[str],
) -> str | None:
    """Return the id of the transaction by which a change was carried out; None if there is none.

    It has exactly the change's points and no other change's id (`others`). One that may be from
    just before the change was planned counts only if the balance is another than then.
    """
    moved = balance_points != change.balance_before
    for one in transactions:
        fits = one.points == change.points and one.transaction_id not in others
        if fits and (moved or one.at >= change.planned_at + _CERTAINLY_LATER):
            return one.transaction_id
    return None


def _is_current(record: Record) -> bool:
    status = text(record, "status")
    if status not in _CURRENT | _FORMER:
        raise BadTillAnswer(f"status is {shown(status)}, which Smaregi does not document")
    return status in _CURRENT


def _transaction(record: Record) -> Transaction:
    transaction_id = text(record, "transactionHeadId")
    if not transaction_id:
        raise BadTillAnswer("a transaction has no transactionHeadId")
    # Smaregi does not say which of the two has the points of a subtraction, nor its sign.
    points = max(abs(_number_or_none(record, name)) for name in ("newPoint", "spendPoint"))
    added = text(record, "transactionHeadDivision") == _POINTS_ADDED
    at = instant(record, "transactionDateTime")
    return Transaction(transaction_id, points if added else -points, at)


def _number_or_none(record: Record, name: str) -> int:
    """Return a whole number; 0 when it is absent or null."""
    return number(record, name) if text(record, name) else 0


def _day(record: Record, name: str) -> date | None:
    try:
        return parse_day(text(record, name))
    except ValueError as error:
        raise BadTillAnswer(f"{name}: {error}") from error
