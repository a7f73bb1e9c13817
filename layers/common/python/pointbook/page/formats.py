"""Numbers, days and times as readers of the page's two languages write them.

By hand for two languages (docs/decisions/0020-dates-and-numbers-by-hand.md says why). A test
compares what these functions say with Babel.
"""

from datetime import date, datetime

from pointbook.page.locale import Locale

_ENGLISH_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def format_points(points: int) -> str:
    """`1,250`; both languages group thousands with commas."""
    return f"{points:,}"


def format_day(day: date, locale: Locale) -> str:
    """`December 31, 2025` or `2025年12月31日`."""
    match locale:
        case "en":
            return f"{_ENGLISH_MONTHS[day.month - 1]} {day.day}, {day.year}"
        case "ja":
            return f"{day.year}年{day.month}月{day.day}日"


def format_time(time: datetime, locale: Locale) -> str:
    """The day and the time, in the zone that the time carries: `December 31, 2025, 18:05`."""
    clock = f"{time.hour}:{time.minute:02}"
    match locale:
        case "en":
            return f"{format_day(time, locale)}, {clock}"
        case "ja":
            return f"{format_day(time, locale)} {clock}"
