"""Lots: approved points grouped by the last day on which they can be spent.

`Lots` are sorted by day, with one lot for each day, none empty: grants that lapse together share
a lot.
"""

from collections.abc import Collection, Iterable
from datetime import date
from itertools import pairwise
from typing import NamedTuple

LOTS_MAX = 100
"""The most lots that an account keeps; see `bounded` for what happens beyond."""


class Lot(NamedTuple):
    """`points` that can be spent through the day `valid_through`."""

    valid_through: date
    points: int


type Lots = tuple[Lot, ...]


def total(lots: Iterable[Lot]) -> int:
    """The points in all of these lots."""
    return sum(lot.points for lot in lots)


def added(lots: Iterable[Lot], more: Iterable[Lot]) -> Lots:
    """Both sets of lots together, one lot a day. Changes may be negative; empty lots vanish."""
    points_by_day: dict[date, int] = {}
    for lot in (*lots, *more):
        points_by_day[lot.valid_through] = points_by_day.get(lot.valid_through, 0) + lot.points
    return tuple(
        Lot(day, points_by_day[day]) for day in sorted(points_by_day) if points_by_day[day]
    )


def negated(lots: Iterable[Lot]) -> Lots:
    """The same lots with the opposite sign."""
    return tuple(Lot(lot.valid_through, -lot.points) for lot in lots)


def take(lots: Lots, points: int, first: Collection[date] = ()) -> tuple[Lots, Lots]:
    """Take `points`, at most what is there, the soonest-expiring lot first.

    Lots of the days named in `first` go before all others. Returns what was taken and what is left.
    """
    assert points >= 0, f"cannot take {points} points"
    taken: list[Lot] = []
    missing = points
    for lot in sorted(lots, key=lambda lot: (lot.valid_through not in first, lot.valid_through)):
        part = min(lot.points, missing)
        if part == 0:
            break
        taken.append(Lot(lot.valid_through, part))
        missing -= part
    return tuple(sorted(taken)), added(lots, negated(taken))


def bounded(lots: Lots) -> Lots:
    """Join lots until there are at most `LOTS_MAX`: the two nearest, on the later day.

    So the customer never loses a day. Of equally near pairs the one that lapses first is joined.
    """
    while len(lots) > LOTS_MAX:
        gaps = [later.valid_through - lot.valid_through for lot, later in pairwise(lots)]
        at = gaps.index(min(gaps))
        joined = Lot(lots[at + 1].valid_through, lots[at].points + lots[at + 1].points)
        lots = (*lots[:at], joined, *lots[at + 2 :])
    return lots


def renewed(lots: Lots, day: date) -> Lots:
    """Every lot valid at least through `day`; a lot that lasts longer keeps its day."""
    return added((), (Lot(max(lot.valid_through, day), lot.points) for lot in lots))
