"""Which lots a customer is to be reminded of: once for each lot and each lead, in days.

A lot is due for a lead while no more than so many days are left. One that is due for several (it
was granted for a few days only, or nobody listened before) is told once, for all of them.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from pointbook.domain.lots import Lot, Lots

type SentReminders = Mapping[date, frozenset[int]]
"""By the last day of a lot, the leads that it was told for."""


class Reminder(NamedTuple):
    """A lot to tell of, and the leads (days) that this counts for."""

    lot: Lot
    lead_days: frozenset[int]


def due_reminders(
    lots: Lots, today: date, lead_days: Iterable[int], sent: SentReminders
) -> tuple[Reminder, ...]:
    """What is to be told today, the soonest first.

    A lot that was told for the shortest lead that it is due for is not told again, whatever has
    been added to it since.
    """
    days = frozenset(lead_days)
    found = []
    for lot in lots:
        due = frozenset(lead for lead in days if lot.valid_through - today <= timedelta(lead))
        if due and min(due) not in sent.get(lot.valid_through, ()):
            found.append(Reminder(lot, due))
    return tuple(found)


def with_sent(sent: SentReminders, reminder: Reminder, today: date) -> SentReminders:
    """What has been told now; days that are over are forgotten."""
    day = reminder.lot.valid_through
    now_sent = {**sent, day: sent.get(day, frozenset()) | reminder.lead_days}
    return {day: lead_days for day, lead_days in now_sent.items() if day >= today}
