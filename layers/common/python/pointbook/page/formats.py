"""Numbers, days and times in the formats of the page's two languages.

docs/decisions/0020-dates-and-numbers-by-hand.md says why without a library. A test compares the
results with Babel.
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
    """`December 31, 2025, 18:05` or `2025年12月31日 18:05`, in the time zone of `time`."""
    clock = f"{time.hour}:{time.minute:02}"
    match locale:
        case "en":
            return f"{format_day(time, locale)}, {clock}"
        case "ja":
            return f"{format_day(time, locale)} {clock}"
