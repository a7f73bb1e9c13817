"""What my page says of the programme: how long points last."""

import pytest

from pointbook.domain.programme import default_programme
from pointbook.page.offer import offer

UNUSED = {"number": None, "to_end_of": None, "day": None, "renewed": False}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("days:30", {"kind": "days", "number": 30}),
        ("days:90:year_end", {"kind": "days", "number": 90, "to_end_of": "year"}),
        ("months:12", {"kind": "months", "number": 12}),
        ("months:12:month_end", {"kind": "months", "number": 12, "to_end_of": "month"}),
        ("date:2027-03-31", {"kind": "day", "day": "2027-03-31"}),
        ("never", {"kind": "never"}),
        (
            "rolling:months:6:month_end",
            {"kind": "months", "number": 6, "to_end_of": "month", "renewed": True},
        ),
    ],
)
def test_each_expiry_rule_is_told_in_parts(rule: str, said: dict[str, object]) -> None:
    programme = default_programme(1, expiry=rule)
    assert offer(programme, 0, None)["expiry"] == UNUSED | said
