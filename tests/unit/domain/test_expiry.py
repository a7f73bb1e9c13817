"""How long points last: every rule at the edges of months, years, leap days and clock changes."""

from datetime import UTC, date, datetime

import pytest

from pointbook.domain.expiry import (
    DAYS_MAX,
    MONTHS_MAX,
    NEVER,
    Days,
    ExpiryRule,
    FixedDate,
    Months,
    Never,
    Rolling,
    RoundTo,
    day_of,
    lapse_instant,
    last_valid_day,
    parse_rule,
    rule_text,
)
from tests.reference import calendar_walk
from tests.support.domain import MILLISECOND

MONTH_END, YEAR_END = RoundTo.MONTH_END, RoundTo.YEAR_END


@pytest.mark.parametrize(
    ("rule", "today", "last"),
    [
        (Days(1), date(2027, 12, 31), date(2028, 1, 1)),
        (Days(30), date(2027, 3, 10), date(2027, 4, 9)),
        (Days(1), date(2028, 2, 28), date(2028, 2, 29)),
        (Days(1), date(2027, 2, 28), date(2027, 3, 1)),
        (Days(90, YEAR_END), date(2027, 10, 2), date(2027, 12, 31)),
        (Days(91, YEAR_END), date(2027, 10, 2), date(2028, 12, 31)),
        (Days(21, MONTH_END), date(2027, 3, 10), date(2027, 3, 31)),
        (Days(22, MONTH_END), date(2027, 3, 10), date(2027, 4, 30)),
        (Months(1), date(2027, 1, 31), date(2027, 2, 28)),
        (Months(1), date(2028, 1, 31), date(2028, 2, 29)),
        (Months(1), date(2028, 1, 30), date(2028, 2, 29)),
        (Months(1), date(2028, 1, 29), date(2028, 2, 29)),
        (Months(1), date(2028, 1, 28), date(2028, 2, 28)),
        (Months(12), date(2028, 2, 29), date(2029, 2, 28)),
        (Months(48), date(2028, 2, 29), date(2032, 2, 29)),
        (Months(1), date(2027, 12, 31), date(2028, 1, 31)),
        (Months(12), date(2027, 12, 1), date(2028, 12, 1)),
        (Months(11), date(2027, 1, 1), date(2027, 12, 1)),
        (Months(12, MONTH_END), date(2027, 2, 3), date(2028, 2, 29)),
        (Months(12, MONTH_END), date(2027, 12, 31), date(2028, 12, 31)),
        (Months(1, YEAR_END), date(2027, 11, 30), date(2027, 12, 31)),
        (Months(1, YEAR_END), date(2027, 12, 1), date(2028, 12, 31)),
        (FixedDate(date(2020, 1, 1)), date(2027, 3, 10), date(2020, 1, 1)),
        (Never(), date(2027, 3, 10), NEVER),
        (Rolling(Days(3)), date(2027, 3, 10), date(2027, 3, 13)),
        (Rolling(Months(1)), date(2027, 1, 31), date(2027, 2, 28)),
    ],
)
def test_a_rule_names_the_last_day_on_which_points_count(
    rule: ExpiryRule, today: date, last: date
) -> None:
    assert last_valid_day(rule, today) == last
    assert calendar_walk.last_day(rule, today) == last


@pytest.mark.parametrize(
    ("zone", "last_day", "lapse"),
    [
        ("Asia/Tokyo", date(2027, 12, 31), datetime(2027, 12, 31, 15, tzinfo=UTC)),
        ("UTC", date(2027, 12, 31), datetime(2028, 1, 1, tzinfo=UTC)),
        # Clocks go forward in the night of 14 March 2027 and back in that of 7 November.
        ("America/New_York", date(2027, 3, 13), datetime(2027, 3, 14, 5, tzinfo=UTC)),
        ("America/New_York", date(2027, 3, 14), datetime(2027, 3, 15, 4, tzinfo=UTC)),
        ("America/New_York", date(2027, 11, 6), datetime(2027, 11, 7, 4, tzinfo=UTC)),
        ("America/New_York", date(2027, 11, 7), datetime(2027, 11, 8, 5, tzinfo=UTC)),
        # Midnight itself is skipped, or comes twice.
        ("America/Sao_Paulo", date(2018, 11, 3), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("America/Havana", date(2027, 11, 6), datetime(2027, 11, 7, 4, tzinfo=UTC)),
        # Samoa went from 29 to 31 December.
        ("Pacific/Apia", date(2011, 12, 29), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_is_over_at_the_first_instant_of_the_next(
    zone: str, last_day: date, lapse: datetime
) -> None:
    assert lapse_instant(last_day, zone) == lapse
    assert calendar_walk.lapses_at(last_day, zone) == lapse
    assert day_of(lapse - MILLISECOND, zone) == last_day
    assert day_of(lapse, zone) > last_day


def test_points_that_never_expire_have_no_instant_at_which_they_do() -> None:
    with pytest.raises(AssertionError, match="no such instant"):
        lapse_instant(NEVER, "Asia/Tokyo")


TEXTS = [
    ("never", Never()),
    ("days:1", Days(1)),
    ("days:30:month_end", Days(30, MONTH_END)),
    ("months:12", Months(12)),
    ("months:12:year_end", Months(12, YEAR_END)),
    ("date:2027-03-31", FixedDate(date(2027, 3, 31))),
    ("rolling:months:12", Rolling(Months(12))),
    ("rolling:days:90:month_end", Rolling(Days(90, MONTH_END))),
    (f"days:{DAYS_MAX}", Days(DAYS_MAX)),
    (f"months:{MONTHS_MAX}", Months(MONTHS_MAX)),
]


@pytest.mark.parametrize(("text", "rule"), TEXTS)
def test_a_rule_and_its_text_say_the_same(text: str, rule: ExpiryRule) -> None:
    assert parse_rule(text) == rule
    assert rule_text(rule) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "days", "days:", "days:-1", "days:+1", "days:1.5", "days:１", "days:0"),
        *(f"days:{DAYS_MAX + 1}", "months:0", f"months:{MONTHS_MAX + 1}", "days:1:"),
        *("days:1:week_end", "days:1:month_end:year_end", "weeks:1", "never:days:1", "date:"),
        *("date:2027-02-29", "rolling", "rolling:never"),
        *("rolling:rolling:days:1", "rolling:date:2027-03-31"),
    ],
)
def test_a_text_that_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_rule(text)


@pytest.mark.parametrize(("kind", "most"), [(Days, DAYS_MAX), (Months, MONTHS_MAX)])
def test_a_period_is_at_least_one_and_bounded(kind: type[Days | Months], most: int) -> None:
    for fine in (1, most):
        kind(fine)
    for wrong in (-1, 0, most + 1):
        with pytest.raises(ValueError, match=str(wrong)):
            kind(wrong)
