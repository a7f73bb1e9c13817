"""Reading the fields of tills' answers, strictly: anything unexpected is a BadTillAnswer."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

from pointbook.till.errors import BadTillAnswer
from pointbook.validation import shown

type Record = Mapping[str, object]

TEXT_CHARS_MAX = 200
"""No field that we read is longer; texts from here reach the page, the next request and the log."""

_NUMBER = re.compile(r"-?[0-9]{1,15}")
_UNIX_SECONDS_MAX = 253_402_300_799
"""The end of the year 9999."""


def an_object(value: object) -> Record:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise BadTillAnswer(f"expected an object, not {shown(value)}")
    return value


def records(value: object) -> list[Record]:
    """Return a list of JSON objects."""
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise BadTillAnswer("expected a list of objects")
    return value


def text(record: Record, name: str) -> str:
    """Return a field as text, a number's digits included; "" when it is absent or null."""
    value = record.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadTillAnswer(f"{name} is {shown(value)}")
    found = str(value)
    if len(found) > TEXT_CHARS_MAX:
        raise BadTillAnswer(f"{name} is {shown(found)}, a text of {len(found)} characters")
    return found


def number(record: Record, name: str) -> int:
    """Return a whole number, or the text of one."""
    found = text(record, name)
    if not _NUMBER.fullmatch(found):
        raise BadTillAnswer(f"{name} is {shown(found)}, not a whole number")
    return int(found)


def instant(record: Record, name: str) -> datetime:
    """Return a time such as 2026-11-30T12:00:00+09:00, aware."""
    found = text(record, name)
    try:
        at = datetime.fromisoformat(found)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadTillAnswer(f"{name} is {shown(found)}, not a time with its offset")
    return at


def unix_instant(record: Record, name: str) -> datetime:
    """Return a time given as seconds since 1970."""
    seconds = number(record, name)
    if not 0 <= seconds <= _UNIX_SECONDS_MAX:
        raise BadTillAnswer(f"{name} is {seconds}, not a time in seconds")
    return datetime.fromtimestamp(seconds, UTC)


def last_day(expires_at: datetime, zone: tzinfo) -> date:
    """Return the last day on which points are valid that end at this instant, in this time zone.

    Tills give the first instant after it, or its last second: both are the same day.
    """
    try:
        return (expires_at - timedelta(seconds=1)).astimezone(zone).date()
    except OverflowError:
        raise BadTillAnswer(f"the points expire at {expires_at}, which is no day") from None
