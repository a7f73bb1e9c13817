"""An imitated points app: it gives and takes points by itself, and exports its balances as CSV."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

COLUMNS = ("customer_id", "title", "point", "expired_at", "created_at")
TITLE = "移行分"


class OldApp:
    """The app that a shop used before: points by customer and last day, the soonest spent first."""

    def __init__(self, days: Sequence[date]) -> None:
        """Points expire on one of these `days`."""
        self.days = tuple(days)
        self.stopped = False
        self.lots: dict[str, dict[date, int]] = {}

    def balance(self, customer_id: str) -> int:
        """A customer's points."""
        return sum(self.lots.get(customer_id, {}).values())

    def earn(self, customer_id: str, points: int, day: date) -> None:
        """An order, or a sign-up; nothing once the app is stopped."""
        if not self.stopped:
            lots = self.lots.setdefault(customer_id, {})
            lots[day] = lots.get(day, 0) + points

    def spend(self, customer_id: str, points: int) -> None:
        """A customer uses points; nothing once the app is stopped."""
        lots = self.lots.get(customer_id, {})
        for day in sorted(lots):
            used = 0 if self.stopped else min(points, lots[day])
            lots[day] -= used
            points -= used

    def renew(self, customer_id: str) -> None:
        """All points get the last of the days, as by an activity."""
        if not self.stopped and (points := self.balance(customer_id)):
            self.lots[customer_id] = {self.days[-1]: points}

    def leave(self, customer_id: str) -> None:
        """A customer leaves the app, and is in no later export."""
        self.lots.pop(customer_id, None)

    def export(self, file: Path) -> Path:
        """Write all balances; a customer without points has one row with 0."""
        with file.open("w", encoding="utf-8", newline="") as written:
            writer = csv.writer(written)
            writer.writerow(COLUMNS)
            writer.writerows(self._rows())
        return file

    def _rows(self) -> Iterable[tuple[str, str, int, str, str]]:
        for customer_id, lots in self.lots.items():
            filled = [(day, points) for day, points in sorted(lots.items()) if points]
            for day, points in filled or [(self.days[0], 0)]:
                yield customer_id, TITLE, points, day.isoformat(), ""
