"""Which lots are told of, and when."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pointbook.domain.lots import Lot
from pointbook.domain.reminders import Reminded, Reminder, after_telling, to_tell

TODAY = date(2027, 3, 10)
LEADS = (30, 7)


def lot(days_left: int) -> Lot:
    return Lot(TODAY + timedelta(days_left), 100)


def leads_of(days_left: int, *before: int) -> list[set[int]]:
    """For which leads a lot is told, after it was told for others."""
    reminded = {lot(days_left).valid_through: frozenset(before)}
    return [set(one.leads) for one in to_tell((lot(days_left),), TODAY, LEADS, reminded)]


def test_a_lot_is_due_for_a_lead_from_the_day_on_that_it_has_so_many_left() -> None:
    assert leads_of(31) == []
    assert leads_of(30) == [{30}]
    assert leads_of(8) == [{30}]
    assert leads_of(7) == [{30, 7}]
    assert leads_of(0) == [{30, 7}]


def test_what_was_told_is_told_again_for_a_shorter_lead_only() -> None:
    assert leads_of(30, 30) == []
    assert leads_of(7, 30) == [{30, 7}]
    assert leads_of(7, 30, 7) == []


def test_a_longer_lead_that_a_programme_gets_later_is_no_reason_to_tell_again() -> None:
    assert leads_of(5, 7) == []


def test_days_that_are_over_are_forgotten_and_today_is_not() -> None:
    over = TODAY - timedelta(1)
    before = {over: frozenset({7}), TODAY: frozenset({7})}
    after = after_telling(before, Reminder(lot(7), frozenset({7})), TODAY)
    assert after == {TODAY: frozenset({7}), lot(7).valid_through: frozenset({7})}


@given(
    leads=st.sets(st.integers(1, 40), max_size=4),
    lots=st.sets(st.integers(0, 60), max_size=4),
    visits=st.sets(st.integers(0, 60), min_size=1),
)
def test_whenever_it_is_looked_at_each_lot_is_told_once_for_each_lead_that_has_come(
    leads: set[int], lots: set[int], visits: set[int]
) -> None:
    """At the first visit after each lead has begun; leads that share a visit share it."""
    reminded: Reminded = {}
    told: list[tuple[date, int]] = []
    days = {left: TODAY + timedelta(left) for left in lots}
    for passed in sorted(visits):
        today = TODAY + timedelta(passed)
        there = tuple(Lot(day, 1) for day in sorted(days.values()) if day >= today)
        for reminder in to_tell(there, today, leads, reminded):
            reminded = after_telling(reminded, reminder, today)
            told.append((reminder.lot.valid_through, passed))
    expected = {
        (day, min(visit for visit in seen))
        for left, day in days.items()
        for lead in leads
        if (seen := [visit for visit in visits if left - lead <= visit <= left])
    }
    assert sorted(told) == sorted(expected)
