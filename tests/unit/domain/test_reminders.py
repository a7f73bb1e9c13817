"""Which lots are told of, and when."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pointbook.domain.lots import Lot
from pointbook.domain.reminders import Reminder, SentReminders, due_reminders, with_sent

TODAY = date(2027, 3, 10)
LEAD_DAYS = (30, 7)


def lot(days_left: int) -> Lot:
    return Lot(TODAY + timedelta(days_left), 100)


def lead_days_of(days_left: int, *before: int) -> list[set[int]]:
    """For which leads a lot is told, after it was told for others."""
    sent_reminders = {lot(days_left).valid_through: frozenset(before)}
    return [
        set(one.lead_days)
        for one in due_reminders((lot(days_left),), TODAY, LEAD_DAYS, sent_reminders)
    ]


def test_a_lot_is_due_for_a_lead_from_the_day_on_that_it_has_so_many_left() -> None:
    assert lead_days_of(31) == []
    assert lead_days_of(30) == [{30}]
    assert lead_days_of(8) == [{30}]
    assert lead_days_of(7) == [{30, 7}]
    assert lead_days_of(0) == [{30, 7}]


def test_what_was_told_is_told_again_for_a_shorter_lead_only() -> None:
    assert lead_days_of(30, 30) == []
    assert lead_days_of(7, 30) == [{30, 7}]
    assert lead_days_of(7, 30, 7) == []


def test_a_longer_lead_that_a_programme_gets_later_is_no_reason_to_tell_again() -> None:
    assert lead_days_of(5, 7) == []


def test_days_that_are_over_are_forgotten_and_today_is_not() -> None:
    over = TODAY - timedelta(1)
    before = {over: frozenset({7}), TODAY: frozenset({7})}
    after = with_sent(before, Reminder(lot(7), frozenset({7})), TODAY)
    assert after == {TODAY: frozenset({7}), lot(7).valid_through: frozenset({7})}


@given(
    lead_days=st.sets(st.integers(1, 40), max_size=4),
    lots=st.sets(st.integers(0, 60), max_size=4),
    visits=st.sets(st.integers(0, 60), min_size=1),
)
def test_whenever_it_is_looked_at_each_lot_is_told_once_for_each_lead_that_has_come(
    lead_days: set[int], lots: set[int], visits: set[int]
) -> None:
    """At the first visit after each lead has begun; leads that share a visit share it."""
    sent_reminders: SentReminders = {}
    told: list[tuple[date, int]] = []
    days = {left: TODAY + timedelta(left) for left in lots}
    for passed in sorted(visits):
        today = TODAY + timedelta(passed)
        there = tuple(Lot(day, 1) for day in sorted(days.values()) if day >= today)
        for reminder in due_reminders(there, today, lead_days, sent_reminders):
            sent_reminders = with_sent(sent_reminders, reminder, today)
            told.append((reminder.lot.valid_through, passed))
    expected = {
        (day, min(visit for visit in seen))
        for left, day in days.items()
        for lead in lead_days
        if (seen := [visit for visit in visits if left - lead <= visit <= left])
    }
    assert sorted(told) == sorted(expected)
