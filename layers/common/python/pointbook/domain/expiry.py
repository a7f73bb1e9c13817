"""How long points last: the last day on which they can be spent.

A day is a day of the account's calendar (its time zone). Points valid through a day are spendable
until 24:00 of it and have lapsed from that instant on.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

NEVER = date.max
"""The last valid day of points that do not expire."""

DAYS_MAX = 36_500
MONTHS_MAX = 1_200


class RoundTo(StrEnum):
    """The end of a period to which the last valid day is extended."""

    MONTH_END = "month_end"
    YEAR_END = "year_end"


@dataclass(frozen=True, slots=True)
class Days:
    """Valid through the Nth day after today (1: through tomorrow)."""

    days: int
    round_to: RoundTo | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.days <= DAYS_MAX:
            raise ValueError(f"days is {self.days}, but must be 1 to {DAYS_MAX}")


@dataclass(frozen=True, slots=True)
class Months:
    """Valid through the same day N months on; the last day of a month that is too short."""

    months: int
    round_to: RoundTo | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.months <= MONTHS_MAX:
            raise ValueError(f"months is {self.months}, but must be 1 to {MONTHS_MAX}")


@dataclass(frozen=True, slots=True)
class FixedDate:
    """Valid through one named day. Once that day is over, points granted lapse at once."""

    day: date


@dataclass(frozen=True, slots=True)
class Never:
    """Valid for ever."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """Valid for `period` since the customer's last earning or spending, which renews every lot."""

    period: Days | Months


type ExpiryRule = Days | Months | FixedDate | Never | Rolling


def without_renewal(rule: ExpiryRule) -> ExpiryRule:
    """The same rule for points that come without any activity of the customer."""
    return rule.period if isinstance(rule, Rolling) else rule


def last_valid_day(rule: ExpiryRule, today: date) -> date:
    """The last day on which points granted `today` under `rule` can be spent."""
    match rule:
        case Days(days, round_to):
            return _rounded(today + timedelta(days=days), round_to)
        case Months(months, round_to):
            return _rounded(_months_after(today, months), round_to)
        case FixedDate(day):
            return day
        case Never():
            return NEVER
        case Rolling(period):
            return last_valid_day(period, today)
        case _:
            assert_never(rule)


@lru_cache(maxsize=4096)
def lapse_instant(valid_through: date, time_zone: str) -> datetime:
    """The first instant (UTC) at which points valid through this day no longer count."""
    assert valid_through != NEVER, "points that never expire have no such instant"
    midnight = datetime.combine(valid_through + timedelta(days=1), time.min, ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def day_of(instant: datetime, time_zone: str) -> date:
    """The calendar day of an aware instant in a time zone."""
    return instant.astimezone(ZoneInfo(time_zone)).date()


def parse_rule(text: str) -> ExpiryRule:
    """Parse a rule.

    `days:30`, `months:12`, `months:12:month_end`, `days:90:year_end`, `date:2027-03-31`, `never`,
    `rolling:months:12`. Raises ValueError that lists the possible forms.
    """
    match text.split(":"):
        case ["never"]:
            return Never()
        case ["date", day] if (fixed := _date_or_none(day)) is not None:
            return FixedDate(fixed)
        case ["rolling", *rest]:
            return Rolling(_parse_period(rest, text))
        case parts:
            return _parse_period(parts, text)


def rule_text(rule: ExpiryRule) -> str:
    """The text of a rule, as `parse_rule` reads it."""
    match rule:
        case Days(number, round_to) | Months(number, round_to):
            unit = "days" if isinstance(rule, Days) else "months"
            return f"{unit}:{number}" + (f":{round_to}" if round_to else "")
        case FixedDate(day):
            return f"date:{day.isoformat()}"
        case Never():
            return "never"
        case Rolling(period):
            return f"rolling:{rule_text(period)}"
        case _:
            assert_never(rule)


def _parse_period(parts: list[str], text: str) -> Days | Months:
    match parts:
        case ["days" | "months" as unit, count, *end] if count.isascii() and count.isdigit():
            if len(end) <= 1 and all(name in set(RoundTo) for name in end):
                period = Days if unit == "days" else Months
                return period(int(count), RoundTo(end[0]) if end else None)
    raise ValueError(
        f"{text!r} is not an expiry rule: use days:N or months:N (optionally with :month_end or "
        ":year_end), date:YYYY-MM-DD, never, or rolling: before days or months"
    )


def _date_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _months_after(today: date, months: int) -> date:
    years, month_index = divmod(today.month - 1 + months, 12)
    year, month = today.year + years, month_index + 1
    return date(year, month, min(today.day, monthrange(year, month)[1]))


def _rounded(day: date, round_to: RoundTo | None) -> date:
    if round_to is None:
        return day
    month = 12 if round_to is RoundTo.YEAR_END else day.month
    return date(day.year, month, monthrange(day.year, month)[1])
