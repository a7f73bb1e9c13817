"""The bugs that are planted in the counting of what the shop's staff moves, one at a time."""

from dataclasses import replace
from typing import Final

from pointbook.domain.refusal import daily_limit_reached
from pointbook.ledger import ledger
from pointbook.store import dynamodb, staff_limits
from pointbook.store.table import ABSENT, Put
from tests.simulation.mutations.planted import Bug


def _unconditional(counting: Put | int, *, first: bool) -> Put | int:
    is_first = isinstance(counting, Put) and counting.condition == ABSENT
    if isinstance(counting, int) or is_first is not first:
        return counting
    return Put(counting.item)


STAFF_BUGS: Final = (
    Bug(
        "a count written over another",
        staff_limits.StaffLimits.counting,
        lambda original, *asked: _unconditional(original(*asked), first=False),
    ),
    Bug(
        "a first count written over another",
        staff_limits.StaffLimits.counting,
        lambda original, *asked: _unconditional(original(*asked), first=True),
    ),
    Bug(
        "a limit that allows one adjustment more",
        staff_limits.StaffLimits.counting,
        lambda original, limits, shop, limit: original(
            limits, shop, replace(limit, points_max=limit.points_max + limit.points)
        ),
    ),
    Bug(
        "booked and not counted",
        dynamodb.DynamoStore.commit,
        lambda original, store, write: original(store, replace(write, daily_limit=None)),
    ),
    Bug(
        "refused by what the request itself has taken",
        ledger._beyond_limit,
        lambda _original, _instruction, _snapshot, reached: daily_limit_reached(
            reached.points_left
        ),
    ),
)
