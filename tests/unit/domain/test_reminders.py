"""Which lots have a reminder, and when."""

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
    """The lead days for which a reminder is due, after those of earlier reminders."""
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


def test_a_second_reminder_is_due_for_shorter_lead_days_only() -> None:
    assert lead_days_of(30, 30) == []
    assert lead_days_of(7, 30) == [{30, 7}]
    assert lead_days_of(7, 30, 7) == []


def test_longer_lead_days_of_a_later_programme_make_no_reminder() -> None:
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
def test_each_lot_has_one_reminder_for_each_of_its_lead_days_whenever_it_is_looked_at(
    lead_days: set[int], lots: set[int], visits: set[int]
) -> None:
    """At the first visit after each lead has begun; leads that share a visit share it."""
    sent_reminders: SentReminders = {}
    due: list[tuple[date, int]] = []
    days = {left: TODAY + timedelta(left) for left in lots}
    for passed in sorted(visits):
        today = TODAY + timedelta(passed)
        there = tuple(Lot(day, 1) for day in sorted(days.values()) if day >= today)
        for reminder in due_reminders(there, today, lead_days, sent_reminders):
            sent_reminders = with_sent(sent_reminders, reminder, today)
            due.append((reminder.lot.valid_through, passed))
    expected = {
        (day, min(visit for visit in seen))
        for left, day in days.items()
        for lead in lead_days
        if (seen := [visit for visit in visits if left - lead <= visit <= left])
    }
    assert sorted(due) == sorted(expected)
