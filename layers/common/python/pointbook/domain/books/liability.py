"""What is outstanding at the end of a statement: by expiry month, by age, by programme version."""

from collections import Counter

from pointbook.domain.books.periods import months_between
from pointbook.domain.books.statement import EXPIRED, NEVER_EXPIRES, Statement

AGE_BANDS = ((0, 2), (3, 5), (6, 11), (12, 23), (24, None))
"""Ages in months, both included: since the month in which the points came."""

type Band = tuple[int, int | None]


def by_expiry(statement: Statement) -> dict[str, int]:
    """Points by the month in which they expire: those that have expired first, never last."""
    points = Counter[str]()
    for group, (free, held) in statement.outstanding.items():
        points[group.expires] += free + held

    def place(month: str) -> tuple[bool, bool, str]:
        return month == NEVER_EXPIRES, month != EXPIRED, month

    return {month: points[month] for month in sorted(points, key=place)}


def by_age(statement: Statement, closing_month: str) -> dict[Band, int]:
    """Points by how long ago they came."""
    points = dict.fromkeys(AGE_BANDS, 0)
    for group, (free, held) in statement.outstanding.items():
        age = months_between(group.came, closing_month)
        band = next(one for one in AGE_BANDS if one[1] is None or age <= one[1])
        points[band] += free + held
    return dict(points)


def by_programme(statement: Statement) -> dict[int, int]:
    """Points by the version of the programme that was in force when they came; 0: before any."""
    points = Counter[int]()
    for group, (free, held) in statement.outstanding.items():
        points[group.programme] += free + held
    return dict(sorted(points.items()))


def in_lots(statement: Statement) -> int:
    """All points in lots, held ones included: what the shop owes."""
    return sum(free + held for free, held in statement.outstanding.values())
