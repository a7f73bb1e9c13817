"""Which reminders are due: one for each lot and each lead time, in days before it lapses.

A lot that is due for several lead times (it was granted for a few days only, or no workflow used
the trigger before) gets one reminder for all of them.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from pointbook.domain.lots import Lot, Lots

type SentReminders = Mapping[date, frozenset[int]]
"""The lead times for which reminders were sent, by the last day of the lot."""


class Reminder(NamedTuple):
    """A reminder of a lot, and the lead times (days) that it covers."""

    lot: Lot
    lead_days: frozenset[int]


def due_reminders(
    lots: Lots, today: date, lead_days: Iterable[int], sent: SentReminders
) -> tuple[Reminder, ...]:
    """The reminders due today, the soonest-expiring lot first.

    A lot is not due again if the reminder for its shortest due lead time was sent, whatever has
    been added to it since.
    """
    days = frozenset(lead_days)
    found = []
    for lot in lots:
        due = frozenset(day for day in days if lot.valid_through - today <= timedelta(day))
        if due and min(due) not in sent.get(lot.valid_through, ()):
            found.append(Reminder(lot, due))
    return tuple(found)


def with_sent(sent: SentReminders, reminder: Reminder, today: date) -> SentReminders:
    """The sent reminders with one more; past days are dropped."""
    day = reminder.lot.valid_through
    now_sent = {**sent, day: sent.get(day, frozenset()) | reminder.lead_days}
    return {day: lead_days for day, lead_days in now_sent.items() if day >= today}
