"""A month's statements as they are on file, what they sum to, and what is owed at their end."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, takewhile
from typing import Any, Protocol

from pointbook.domain.books.breakage import estimate
from pointbook.domain.books.journal import worth_of
from pointbook.domain.books.liability import by_expiry
from pointbook.domain.books.movements import Movement, Sum, available
from pointbook.domain.books.periods import Period, month_of
from pointbook.domain.books.statement import Statement, joined
from pointbook.domain.expiry import day_of
from pointbook.services.statement_lines import StatementFile
from pointbook.services.statement_runs import DAYS_BACK_MAX, SETTLING

_READERS = 8

_LATE = timedelta(hours=3)
"""Statements are written every hour; later than that one is missed."""


class Files(Protocol):
    """Where statements are kept. Every method raises Unavailable."""

    def days(self, shop: str, since: date) -> Iterator[date]:
        """The days from `since` on that have a statement, the earliest first."""
        ...

    def read(self, shop: str, day: date) -> str | None:
        """The statement of a day."""
        ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is shown of a shop without any statement: its programme's rules."""

    time_zone: str
    currency: str
    worth_minor: int


@dataclass(frozen=True, slots=True)
class MonthBooks:
    """The books of one shop; nothing is added up anew, so a request costs a few files."""

    shop: str
    files: Files
    defaults: Defaults
    now: datetime

    def month(self, year: int, month: int) -> dict[str, Any]:
        """Return the body of `GET /staff/books`. Raises Unavailable."""
        period = Period.month(year, month, self.defaults.time_zone)
        listed = self.files.days(self.shop, period.first - timedelta(days=DAYS_BACK_MAX))
        days = list(takewhile(lambda day: day <= period.last, listed))
        earlier = [day for day in days if day < period.first]
        within = [day for day in days if day >= period.first]
        read = read_all(self.files, self.shop, [*earlier[-1:], *within])
        files, changed = read[len(earlier[-1:]) :], set(changed_days(read))
        return {
            "shop": self.shop,
            "month": month_of(period.first),
            **self._surroundings(read),
            "is_over": within[-1:] == [period.last],
            "as_of": within[-1].isoformat() if within else None,
            "missing": [day.isoformat() for day in self._missing(period, days)],
            "is_closed": all(_is_right(one, changed) for one in files),
            "total": _total([one.statement for one in files]),
            "days": [_day(one, changed) for one in files],
            "liability": liability(read[-1]) if read else None,
        }

    def latest(self, count: int) -> tuple[list[str], list[str]]:
        """Recent days without a statement, and those of the last `count` on file that are wrong.

        Raises Unavailable.
        """
        last = last_settled_day(self.now - _LATE, self.defaults.time_zone)
        first = last - timedelta(days=DAYS_BACK_MAX - 1)
        days = [day for day in self.files.days(self.shop, first) if day <= last]
        if not days and next(self.files.days(self.shop, date.min), last) < first:
            return [day.isoformat() for day in Period(first, last, "UTC").days()], []
        files = read_all(self.files, self.shop, days[-count:])
        changed = set(changed_days(files))
        period = Period(first, last, self.defaults.time_zone)
        missing = [day.isoformat() for day in self._missing(period, days)]
        wrong = [one.period.first.isoformat() for one in files if not _is_right(one, changed)]
        return missing, wrong

    def _missing(self, period: Period, days: Sequence[date]) -> Iterator[date]:
        """The days of the month without a statement, since the shop has any."""
        until = min(period.last, last_settled_day(self.now, self.defaults.time_zone))
        for day in period.days():
            if days and days[0] < day <= until and day not in days:
                yield day

    def _surroundings(self, files: Sequence[StatementFile]) -> dict[str, Any]:
        if not files:
            return asdict(self.defaults)
        last = files[-1]
        return asdict(Defaults(last.period.time_zone, last.currency, last.worth_minor))


def last_settled_day(now: datetime, time_zone: str) -> date:
    """The last day that is over, long enough for its statement to be written."""
    return day_of(now - SETTLING, time_zone) - timedelta(days=1)


def read_all(files: Files, shop: str, days: Sequence[date]) -> list[StatementFile]:
    """The statements of these days, in their order. Raises Unavailable."""

    def read(day: date) -> StatementFile:
        lines = files.read(shop, day)
        assert lines is not None, "the bucket has just listed it, and nothing is deleted"
        return StatementFile.read(lines)[0]

    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(read, days))


def changed_days(files: Sequence[StatementFile]) -> Iterator[date]:
    """The days that do not begin with the figures with which the day before them ended."""
    for before, after in pairwise(files):
        follows = after.period.first - before.period.last == timedelta(days=1)
        if follows and after.statement.opening != before.statement.closing:
            yield after.period.first


def liability(file: StatementFile) -> dict[str, Any]:
    """What a shop owes at the end of a statement, with what a point is worth in it."""
    statement, day, worth = file.statement, file.period.last, Decimal(file.worth_minor)
    outstanding, breakage = available(statement.closing), estimate(statement, month_of(day))
    expected = {"points": breakage.points, "value_minor": worth_of(breakage.points, worth)}
    return {
        "day": day.isoformat(),
        "outstanding": outstanding,
        "value_minor": worth_of(outstanding, worth),
        "held": statement.closing.hold,
        "owed": statement.owed,
        "pending": statement.closing.pending,
        "by_expiry": [
            {"expires": expires, "points": points, "value_minor": worth_of(points, worth)}
            for expires, points in by_expiry(statement).items()
        ],
        "breakage": expected if breakage.is_estimated else None,
    }


def _is_right(file: StatementFile, changed: Collection[date]) -> bool:
    return file.statement.is_closed and file.period.first not in changed


def _day(file: StatementFile, changed: Collection[date]) -> dict[str, Any]:
    statement = file.statement
    return {
        "day": file.period.first.isoformat(),
        **_movements(statement),
        "held": statement.closing.hold,
        "pending": statement.closing.pending,
        "is_closed": _is_right(file, changed),
    }


def _total(statements: Sequence[Statement]) -> dict[str, Any] | None:
    return _movements(joined(statements)) if statements else None


def _movements(statement: Statement) -> dict[str, Any]:
    moved: dict[Movement, Sum] = statement.movements
    return {
        "opening": available(statement.opening),
        "closing": available(statement.closing),
        "movements": {
            kind: {"entries": one.entries, "points": one.points} for kind, one in moved.items()
        },
    }
