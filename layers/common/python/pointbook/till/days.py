"""Days as tills write them."""

import calendar
import re
from datetime import date

from pointbook.validation import shown

_DAY = re.compile(r"([0-9]{4})[-/]?([0-9]{2})[-/]?([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})")


def parse_day(text: str) -> date | None:
    """Read `2025-12-31`, `2025/12/31`, `20251231`, or a month (`2025/12`: its last day).

    Empty text is None: the points never expire. Anything else raises ValueError.
    """
    if not text:
        return None
    if day := _DAY.fullmatch(text):
        return date(*(int(part) for part in day.groups()))
    if month := _MONTH.fullmatch(text):
        return _last_day(int(month[1]), int(month[2]))
    raise ValueError(f"{shown(text)} is not a day (2025-12-31) or a month (2025/12)")


def _last_day(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first.replace(day=calendar.monthrange(year, month)[1])
