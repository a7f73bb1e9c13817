"""Parsing Smaregi's answers: lists of objects whose numbers are texts.

Pure functions from decoded JSON. Anything unexpected is a BadTillAnswer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pointbook.till.days import parse_day
from pointbook.till.errors import AmbiguousMember, BadTillAnswer, MemberNotRegistered
from pointbook.validation import shown

# customers.status: 0 enabled, 1 disabled, 2 card lost, 3 withdrawn, 4 merged into another. Absent
# counts as enabled; a member with any other status is not shown.
_FORMER = frozenset({"3", "4"})
_CURRENT = frozenset({"", "0", "1", "2"})
_TEXT_CHARS_MAX = 200
"""No field is longer; texts from here reach the page, the next request and the log."""
_NUMBER = re.compile(r"-?[0-9]{1,15}")


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


def read_customer(answer: object, member_number: str) -> Customer:
    """Return the only current member whose code is exactly the number.

    A search may find more than the exact code, so every record is compared. Raises
    MemberNotRegistered if there is none, AmbiguousMember if there are several.
    """
    found = [
        record
        for record in _records(answer)
        if _text(record, "customerCode") == member_number and _is_current(record)
    ]
    if not found:
        raise MemberNotRegistered(f"no member {member_number} at the till: check the sync")
    if len(found) > 1:
        raise AmbiguousMember(f"{len(found)} members at the till have the number {member_number}")
    customer_id = _text(found[0], "customerId")
    if not customer_id:
        raise BadTillAnswer(f"member {member_number} has no customerId")
    return Customer(customer_id, _text(found[0], "rank") or None)


def read_points(answer: object, customer_id: str) -> Points:
    """Return the points of this customer. Raises MemberNotRegistered if there are none."""
    for record in _records(answer):
        if _text(record, "customerId") == customer_id:
            return Points(_number(record, "point"), _day(record, "pointExpireDate"))
    raise MemberNotRegistered(f"the till has no points of its customer {customer_id}")


def _is_current(record: Mapping[str, object]) -> bool:
    status = _text(record, "status")
    if status not in _CURRENT | _FORMER:
        raise BadTillAnswer(f"status is {shown(status)}, which Smaregi does not document")
    return status in _CURRENT


def _records(answer: object) -> list[Mapping[str, object]]:
    if not isinstance(answer, list) or not all(isinstance(record, dict) for record in answer):
        raise BadTillAnswer("expected a list of objects")
    return answer


def _text(record: Mapping[str, object], name: str) -> str:
    """The field as text; "" when it is absent or null."""
    value = record.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadTillAnswer(f"{name} is {shown(value)}")
    text = str(value)
    if len(text) > _TEXT_CHARS_MAX:
        raise BadTillAnswer(f"{name} is {shown(text)}, a text of {len(text)} characters")
    return text


def _number(record: Mapping[str, object], name: str) -> int:
    text = _text(record, name)
    if not _NUMBER.fullmatch(text):
        raise BadTillAnswer(f"{name} is {shown(text)}, not a whole number")
    return int(text)


def _day(record: Mapping[str, object], name: str) -> date | None:
    try:
        return parse_day(_text(record, name))
    except ValueError as error:
        raise BadTillAnswer(f"{name}: {error}") from error
