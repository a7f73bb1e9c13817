"""Parsing the answers of Square's Loyalty API.

Pure functions from decoded JSON. Anything unexpected is a BadTillAnswer.
"""

from dataclasses import dataclass
from datetime import date, tzinfo

from pointbook.till.errors import AmbiguousMember, BadTillAnswer, MemberNotRegistered
from pointbook.till.fields import Record, an_object, instant, last_day, number, records, text
from pointbook.till.member import PointsChange

_NO_SUCH_CUSTOMER = frozenset(
    {"CUSTOMER_NOT_FOUND", "INVALID_PHONE_NUMBER", "INVALID_VALUE", "NOT_FOUND"}
)
"""Square's codes for a customer id or a phone number that it cannot search for."""


@dataclass(frozen=True, slots=True)
class Account:
    """A loyalty account: Square's id, its points, and the parts of them that expire."""

    account_id: str
    balance_points: int
    lots: tuple[tuple[int, date], ...]


def read_found(answer: object, member_number: str, zone: tzinfo) -> Account:
    """Return the only account whose customer id or phone number is exactly the number.

    Raises MemberNotRegistered if there is none, AmbiguousMember if there are several.
    """
    found = [
        record
        for record in records(an_object(answer).get("loyalty_accounts") or [])
        if member_number in (text(record, "customer_id"), _phone(record))
    ]
    if not found:
        raise MemberNotRegistered(f"no loyalty account of {member_number} at Square")
    if len(found) > 1:
        raise AmbiguousMember(f"{len(found)} loyalty accounts at Square are of {member_number}")
    return _account(found[0], zone)


def read_balance(answer: object, account_id: str) -> int:
    """Return the points of the account that was asked for by its id."""
    record = an_object(an_object(answer).get("loyalty_account"))
    if text(record, "id") != account_id:
        raise BadTillAnswer("Square answered with another loyalty account")
    return number(record, "balance")


def is_no_such_customer(refusal: object) -> bool:
    """Return whether a search was refused because of the number alone."""
    return error_code(refusal) in _NO_SUCH_CUSTOMER


def error_code(refusal: object) -> str:
    """Return the code of the first error; "" if there is none."""
    errors = records(an_object(refusal).get("errors") or [])
    return text(errors[0], "code") if errors else ""


def carries_out(event: Record, change: PointsChange, reason: str) -> bool:
    """Return whether an event of the account is this change, which `reason` names."""
    adjusted = event.get("adjust_points")
    if adjusted is None:
        return False
    adjusted = an_object(adjusted)
    # A manual adjustment may have a long text of the staff's own; it is only compared.
    if adjusted.get("reason") != reason:
        return False
    if number(adjusted, "points") != change.points:
        raise BadTillAnswer(f"Square carried out change {change.change_id} with other points")
    return True


def _account(record: Record, zone: tzinfo) -> Account:
    account_id = text(record, "id")
    if not account_id:
        raise BadTillAnswer("a loyalty account has no id")
    lots = [
        (number(lot, "points"), last_day(instant(lot, "expires_at"), zone))
        for lot in records(record.get("expiring_point_deadlines") or [])
    ]
    soonest_first = tuple(sorted(lots, key=lambda lot: lot[1]))
    return Account(account_id, number(record, "balance"), soonest_first)


def _phone(record: Record) -> str:
    mapping = record.get("mapping")
    return "" if mapping is None else text(an_object(mapping), "phone_number")
