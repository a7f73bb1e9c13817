"""Rows of an import: validated, and named by what they say.

A row's name is a digest of its points and days, and its number among the customer's rows that are
equal to it. So a file that is sorted anew has the same rows, and two equal rows are two. The title
is not part of it: it can be erased, and a digest of it would remain.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from pointbook.domain.commands import POINTS_MAX
from pointbook.domain.expiry import day_of
from pointbook.errors import InvalidRequest
from pointbook.services.bulk_imports.csv_file import Line
from pointbook.services.imports import TEXT_LENGTH_MAX
from pointbook.shopify.ids import customer_digits
from pointbook.validation import optional_day, optional_text, shown, text, whole_number

_NAME_HEX = 16

_ZERO_FILLED = re.compile("[1-9][0-9]{4,}0{5}$")
"""An id of ten or more digits whose last five are zeros.

A spreadsheet shows a long number with six digits (8.84073E+12) and saves what it shows. One true id
in 100,000 looks the same.
"""

_HINTS: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (field, re.compile(pattern, re.IGNORECASE), hint)
    for field, pattern, hint in (
        (
            "customer_id",
            r"[0-9]+([.,][0-9]+)?E\+?[0-9]+",
            (
                "A spreadsheet has rounded it, and its last digits are lost: export the file again"
                " with this column as text."
            ),
        ),
        ("customer_id", r"0+[0-9]+", "Leave out the zeros in front."),
        ("customer_id", r"[0-9]+\.0+", "Leave out the decimals."),
        ("customer_id", r"""(['"=\u2018\u2019]).*""", "Leave out the quotation mark in front."),
        ("customer_id", r"[0-9]{1,3}([, .'\u00a0\u202f][0-9]{3})+", "Leave out the separators."),
        ("customer_id", r"\s+.*|.*\s+", "Leave out the blanks around it."),
        ("point", r"-?[0-9]{1,3}([, .'\u00a0\u202f][0-9]{3})+", "Leave out the separators."),
        ("point", r"-?[0-9]+[.,][0-9]+", "Points are whole numbers."),
        ("point", r"[\u2212\u2012-\u2015\uff0d\u25b2\u25b3].*|\(.*\)", "Write -300 with a hyphen."),
        ("point", r"[0-9]+([.,][0-9]+)?E\+?[0-9]+", "A spreadsheet has shortened it."),
        (".*_at", r"[0-9]{5}", "This is a spreadsheet's number of a day: format it as a date."),
        (
            ".*_at",
            r"[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}.*",
            "Write year-month-day, with hyphens.",
        ),
        (".*", r".*[\uff10-\uff19].*", "Write the digits in half width."),
    )
)
"""What spreadsheets and people make of ids, points and days, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One valid row. `points` below zero are removed.

    `granted_on` is the original day of the points, from `created_at`. Without `expires_on` the
    programme's rule applies, counted from that day. `name` is unique among the customer's rows.
    """

    line: int
    customer_id: str
    title: str
    points: int
    expires_on: date | None = None
    created_at: str = ""
    granted_on: date | None = None
    name: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it this row, within its import."""
        return self.customer_id, self.name

    def text(self) -> bytes:
        """Return the row as one line of a part's file."""
        fields = [self.line, self.name, self.customer_id, self.title, self.points]
        days = [day.isoformat() if day else None for day in (self.expires_on, self.granted_on)]
        return json.dumps([*fields, *days, self.created_at], separators=(",", ":")).encode()

    @classmethod
    def read(cls, line: bytes) -> "Row":
        """Return the row of a line that `text` has written."""
        number, name, customer_id, title, points, expires_on, granted_on, created_at = json.loads(
            line
        )
        return cls(
            number,
            customer_id,
            title,
            points,
            date.fromisoformat(expires_on) if expires_on else None,
            created_at,
            date.fromisoformat(granted_on) if granted_on else None,
            name,
        )


@dataclass(frozen=True, slots=True)
class Calendar:
    """The shop's time zone, and the day that it is there."""

    time_zone: str
    today: date


def read_row(line: Line, calendar: Calendar) -> Row:
    """Return a row, not named yet. Raises InvalidRequest with what is wrong and what to do."""
    if line.problem:
        raise InvalidRequest("row", line.problem)
    try:
        return _row(line, calendar)
    except InvalidRequest as error:
        value = line.fields.get(error.field, "")
        raise InvalidRequest(
            error.field, f"{error.message} {hint(error.field, value)}".strip()
        ) from error


def _row(line: Line, calendar: Calendar) -> Row:
    fields = line.fields
    points = whole_number(fields["point"], "point", -POINTS_MAX, POINTS_MAX)
    if points == 0:
        raise InvalidRequest("point", "point is 0: there is nothing to book.")
    expires_on = optional_day(fields["expired_at"], "expired_at")
    if points < 0 and expires_on is not None:
        raise InvalidRequest(
            "expired_at",
            "Points are removed where they expire soonest: leave expired_at empty.",
        )
    created_at = (optional_text(fields["created_at"], "created_at", TEXT_LENGTH_MAX) or "").strip()
    return Row(
        line=line.number,
        customer_id=customer_digits(fields["customer_id"]),
        title=text(fields["title"], "title", TEXT_LENGTH_MAX),
        points=points,
        expires_on=expires_on,
        created_at=created_at,
        granted_on=granted_on(created_at, calendar) if created_at else None,
    )


def looks_rounded(row: Row) -> bool:
    """Whether a spreadsheet may have rounded the row's customer id."""
    return _ZERO_FILLED.search(row.customer_id) is not None


def points_of(line: Line) -> int:
    """Return the points of a refused row, for the totals; 0 if they cannot be read."""
    try:
        return whole_number(line.fields["point"], "point", -POINTS_MAX, POINTS_MAX)
    except InvalidRequest:
        return 0


def named(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield all rows with their names, a customer's together: what is granted first.

    The sequence, and so a dry run's outcome, does not depend on that of the file.
    """
    for _, equal in groupby(sorted(rows, key=_place), key=lambda row: _place(row)[:-1]):
        for number, row in enumerate(equal, 1):
            yield replace(row, name=f"{_digest(row)}-{number}")


def _place(row: Row) -> tuple[str, str, bool, str, int]:
    """Sorts rows; customers by a digest of their ids, so that neighbours in time are apart."""
    spread = hashlib.sha256(row.customer_id.encode()).hexdigest()[:_NAME_HEX]
    return spread, row.customer_id, row.points < 0, _digest(row), row.line


def _digest(row: Row) -> str:
    day = row.expires_on.isoformat() if row.expires_on else ""
    content = json.dumps([row.points, day, row.created_at])
    return hashlib.sha256(content.encode()).hexdigest()[:_NAME_HEX]


def granted_on(created_at: str, calendar: Calendar) -> date:
    """Return the original day of points, from `created_at`. Raises InvalidRequest."""
    try:
        found = datetime.fromisoformat(created_at) if created_at[4:5] == "-" else None
    except ValueError:
        found = None
    if found is None:
        raise InvalidRequest(
            "created_at",
            f"created_at is {shown(created_at)}, but must be a day or a time, such as 2025-04-01 or"
            " 2025-04-01T12:30:00+09:00.",
        )
    day = day_of(found, calendar.time_zone) if found.tzinfo else found.date()
    if day > calendar.today + timedelta(days=1):
        raise InvalidRequest("created_at", f"created_at is {created_at}, which is in the future.")
    return day


def hint(field: str, value: str) -> str:
    """What a spreadsheet or a person has made of a field, and what to do; "" if that is unknown."""
    for fields, pattern, advice in _HINTS:
        if re.fullmatch(fields, field) and pattern.fullmatch(value):
            return advice
    return ""
