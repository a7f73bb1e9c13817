"""Days as tills write them."""

from datetime import date

import pytest

from pointbook.till.days import parse_day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-12-31", date(2025, 12, 31)),
        ("2025/12/31", date(2025, 12, 31)),
        ("20251231", date(2025, 12, 31)),
        ("2025/12", date(2025, 12, 31)),
        ("2025-2", date(2025, 2, 28)),
        ("2028/02", date(2028, 2, 29)),
        ("", None),
    ],
)
def test_a_month_means_its_last_day(text: str, day: date | None) -> None:
    assert parse_day(text) == day


@pytest.mark.parametrize(
    "text", ["2025-13-01", "2025/13", "2025-02-30", "soon", "2025", "0000-00", "２０２５-12-31"]
)
def test_what_is_not_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_day(text)
