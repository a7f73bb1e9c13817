"""The days of a statement, in a shop's time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from pointbook.domain.expiry import day_of, lapse_instant


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both included, in a time zone."""

    first: date
    last: date
    time_zone: str

    @classmethod
    def month(cls, year: int, month: int, time_zone: str) -> Self:
        """A calendar month."""
        first = date(year, month, 1)
        following = (first + timedelta(days=31)).replace(day=1)
        return cls(first, following - timedelta(days=1), time_zone)

    @property
    def start(self) -> datetime:
        """The first instant."""
        return lapse_instant(self.first - timedelta(days=1), self.time_zone)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return lapse_instant(self.last, self.time_zone)

    def days(self) -> Iterator[date]:
        """Each day."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    def day_of(self, instant: datetime) -> date:
        """The day on which an instant is."""
        return day_of(instant, self.time_zone)


def month_of(day: date) -> str:
    """A day's month: 2026-11."""
    return f"{day:%Y-%m}"


def months_between(earlier: str, later: str) -> int:
    """Whole calendar months between two months, 0 if there are none."""
    (first_year, first_month), (year, month) = (
        map(int, one.split("-")) for one in (earlier, later)
    )
    return max(0, (year - first_year) * 12 + month - first_month)
