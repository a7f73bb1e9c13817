"""Days and instants, worked out the slow way: by walking the calendar and asking the clock.

Nothing here is taken from the product; only the rule classes are its own, since they are inputs.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from pointbook.domain.expiry import Days, ExpiryRule, FixedDate, Months, Never, Rolling, RoundTo

FOREVER = date.max
"""Stands for the last valid day of a point that never expires."""

ONE_DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def last_day(rule: ExpiryRule, today: date) -> date:
    """The last day on which a point granted `today` can be spent."""
    if isinstance(rule, Never):
        return FOREVER
    if isinstance(rule, FixedDate):
        return rule.day
    if isinstance(rule, Rolling):
        return last_day(rule.period, today)
    day = _days_on(today, rule.days) if isinstance(rule, Days) else _months_on(today, rule)
    while rule.round_to is not None and not _ends(rule.round_to, day):
        day += ONE_DAY
    return day


@cache
def lapses_at(day: date, time_zone: str) -> datetime | None:
    """The first second at which the clocks of the zone show a later day; None: it never comes."""
    if day == FOREVER:
        return None
    zone = ZoneInfo(time_zone)
    midnight = int((datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH).total_seconds())
    still, over = midnight - 2 * 86_400, midnight + 3 * 86_400
    while over - still > 1:
        middle = (still + over) // 2
        if local_day(EPOCH + timedelta(seconds=middle), zone) > day:
            over = middle
        else:
            still = middle
    return EPOCH + timedelta(seconds=over)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The day that a calendar on the wall shows at this instant."""
    return instant.astimezone(zone).date()


def _ends(round_to: RoundTo, day: date) -> bool:
    tomorrow = day + ONE_DAY
    if round_to is RoundTo.MONTH_END:
        return tomorrow.month != day.month
    return tomorrow.year != day.year


def _days_on(today: date, days: int) -> date:
    for _ in range(days):
        today += ONE_DAY
    return today


def _months_on(today: date, rule: Months) -> date:
    first = today.replace(day=1)
    for _ in range(rule.months):
        first = _first_of_next_month(first)
    day = first
    while day.day < today.day and (day + ONE_DAY).month == first.month:
        day += ONE_DAY
    return day


def _first_of_next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
