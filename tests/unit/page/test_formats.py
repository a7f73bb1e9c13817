"""Numbers and days by hand read exactly as Babel writes them."""

from datetime import date

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from pointbook.page.formats import format_day, format_points
from pointbook.page.locale import Locale

LOCALES: tuple[Locale, ...] = ("en", "ja")


@given(st.integers(min_value=-(10**15), max_value=10**15), st.sampled_from(LOCALES))
def test_points_are_grouped_as_babel_groups_them(points: int, locale: Locale) -> None:
    assert format_points(points) == format_decimal(points, locale=locale)


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(LOCALES))
def test_days_are_written_as_babel_writes_them(day: date, locale: Locale) -> None:
    assert format_day(day, locale) == format_date(day, "long", locale=locale)


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("locale", LOCALES)
def test_every_month_is_written_as_babel_writes_it(month: int, locale: Locale) -> None:
    day = date(2025, month, 1)
    assert format_day(day, locale) == format_date(day, "long", locale=locale)
