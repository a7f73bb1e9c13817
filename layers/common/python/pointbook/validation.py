"""Strict parsing of input: JSON, whole numbers, texts and days.

One module for all input (Flow, my page, secrets), so that a number is the same everywhere. Python's
own parsers are too lenient for a ledger: `int(" 1_000 ")`, `int("１０")`, `json.loads("NaN")` and
`json.loads('{"a": 1, "a": 2}')` all succeed.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from pointbook.errors import InvalidRequest, MalformedBody

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+ -][0-9]{2}:[0-9]{2})"
)
_WHOLE_NUMBER = r"0|-?[1-9][0-9]{0,18}"


def json_value(raw: bytes, parse_float: Callable[[str], Any] = float) -> Any:
    """Return the value of `raw` (UTF-8 JSON); `parse_float` parses its fractions.

    Raises MalformedBody for anything that parsers could understand differently, or that could not
    be stored: another encoding, a duplicate member, NaN and Infinity, half a surrogate pair,
    nesting or numbers that are too large.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=parse_float,
        )
        if b"\\u" in raw:  # only an escape can contain half a surrogate pair
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedBody("The body is not well-formed JSON.") from error
    return value


def json_object(raw: bytes, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the JSON object in `raw`. Raises MalformedBody if it is anything else."""
    value = json_value(raw, parse_float)
    if not isinstance(value, dict):
        raise MalformedBody("The body is not a JSON object.")
    return value


def whole_number(value: object, field: str, low: int, high: int) -> int:
    """Return `value`, an int or its canonical ASCII decimal text, as an int from `low` to `high`.

    Refused with InvalidRequest: bool, float (also 5.0), "5.0", "1e3", "1,000", "+5", "007", digits
    of other scripts, and surrounding spaces: a template that renders them can be corrected.
    """
    number = _integer(value)
    if number is None or not low <= number <= high:
        raise InvalidRequest(
            field, f"{field} is {shown(value)}, but must be a whole number from {low} to {high}."
        )
    return number


def text(value: object, field: str, max_chars: int) -> str:
    """Return `value`, a text of 1 to `max_chars` characters, at least one of them visible."""
    if not isinstance(value, str) or _is_blank(value) or len(value) > max_chars:
        raise InvalidRequest(
            field, f"{field} is {shown(value)}, but must be a text of 1 to {max_chars} characters."
        )
    return value


def optional_text(value: object, field: str, max_chars: int) -> str | None:
    """Like `text`, but None for missing, empty and blank: a template may render to nothing."""
    if value is None or (isinstance(value, str) and _is_blank(value)):
        return None
    return text(value, field, max_chars)


def optional_day(value: object, field: str) -> date | None:
    """Return the day of a text such as "2026-12-31"; None for missing, empty and blank.

    Refused with InvalidRequest: every other form, and days that do not exist.
    """
    given = optional_text(value, field, 255)
    if given is None:
        return None
    try:
        return date.fromisoformat(given if re.fullmatch(_DAY, given) else "")
    except ValueError as error:
        raise InvalidRequest(
            field, f"{field} is {shown(given)}, but must be a day such as 2026-12-31."
        ) from error


def optional_instant(value: object, field: str) -> datetime | None:
    """Return the instant of a text in RFC 3339's form; None for missing, empty and blank.

    Refused with InvalidRequest: every other form, one without an offset from UTC too. In a query
    that was not encoded the offset's "+" has become a space.
    """
    given = optional_text(value, field, 255)
    if given is None:
        return None
    try:
        return datetime.fromisoformat(
            given.upper().replace(" ", "+") if re.fullmatch(_INSTANT, given) else ""
        )
    except ValueError as error:
        raise InvalidRequest(
            field,
            f"{field} is {shown(given)}, but must be an instant such as 2026-11-28T09:00:00+09:00.",
        ) from error


def optional_flag(value: object, field: str) -> bool:
    """Return `value`, true or false; False if it is missing. Raises InvalidRequest."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidRequest(field, f"{field} is {shown(value)}, but must be true or false.")


def shown(value: object) -> str:
    """Return `value` for a message: short, and quoted if it is a text."""
    match value:
        case None:
            return "missing"
        case bool():
            return str(value).lower()
        case dict():
            return "an object"
        case list():
            return "a list"
    written = repr(value)
    if len(written) <= 40:
        return written
    return f"{written[:36]}...{written[0]}" if isinstance(value, str) else f"{written[:37]}..."


def _is_blank(value: str) -> bool:
    """Return whether nothing is visible: spaces, and characters such as U+200B and NUL."""
    return not any(one.isprintable() and not one.isspace() for one in value)


def _integer(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(_WHOLE_NUMBER, value):
        return int(value)
    return value if type(value) is int else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is duplicate")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
