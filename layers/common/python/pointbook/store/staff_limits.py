"""The points that each member of a shop's staff has moved by hand on the latest day.

One item for each, written in the transaction that moves the points: what is booked is counted,
once, and nothing else is. It is written on the condition that nobody has counted since it was read.
"""

from datetime import date

from pointbook.domain.staff import DailyLimit
from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.table import ABSENT, Put, Table
from pointbook.store.values import Stored, int_of, number

_UNCOUNTED = "counted_day = :read_day AND points = :read_points"


class StaffLimits:
    """The counters in the ledger's table. Every method raises what the table raises."""

    def __init__(self, table: Table) -> None:
        """Count in `table`."""
        self._table = table

    def points_moved(self, shop: str, staff_id: str, day: date) -> int:
        """How many points a member of the staff has moved by hand on a day of the shop's."""
        return _moved(self._table.get(keys.staff(shop, staff_id)), day)

    def counting(self, shop: str, limit: DailyLimit) -> Put | int:
        """The write that counts the points of `limit`; if they are too many, how many are left."""
        item = self._table.get(keys.staff(shop, limit.staff_id))
        moved = _moved(item, limit.day)
        if moved + limit.points > limit.points_max:
            return max(0, limit.points_max - moved)
        day = max(_day(item), _day_number(limit.day))
        counted = {"counted_day": number(day), "points": number(moved + limit.points)}
        new = {**keys.staff(shop, limit.staff_id), **SCHEMA, **counted}
        if not item:
            return Put(new, ABSENT)
        read = {":read_day": item["counted_day"], ":read_points": item["points"]}
        return Put(new, _UNCOUNTED, read)


def _moved(item: Stored | None, day: date) -> int:
    """The points of a day. A later day than this one counts as well: its clock was ahead."""
    return int_of(item["points"]) if item and _day(item) >= _day_number(day) else 0


def _day(item: Stored | None) -> int:
    return int_of(item["counted_day"]) if item else 0


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
