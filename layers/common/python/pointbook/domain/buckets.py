"""The buckets of a customer's account and the six figures read off them.

Every movement takes points out of one bucket and puts them into another, so the balances of an
account always sum to zero. `issued` is the only bucket that is normally below zero: it counts
every point that was ever promised. `approved` below zero is a debt.
"""

from enum import StrEnum
from typing import NamedTuple

type Moves = tuple[tuple[Bucket, int], ...]


class Bucket(StrEnum):
    """Where points can be. The value is the name used in entries and exports."""

    ISSUED = "issued"
    PENDING = "pending"
    CANCELLED = "cancelled"
    APPROVED = "approved"
    HOLD = "hold"
    SPENT = "spent"
    EXPIRED = "expired"
    REVERSED = "reversed"
    REMOVED = "removed"


class Figures(NamedTuple):
    """The six figures, in points, as of one instant.

    `total` is approved + pending, so it falls while a hold is open. `lifetime` counts every point
    that was ever approved; nothing lowers it.
    """

    approved: int
    pending: int
    total: int
    lifetime: int
    spent: int
    hold: int


class Balances(NamedTuple):
    """The balance of each bucket, in points. They sum to zero."""

    issued: int = 0
    pending: int = 0
    cancelled: int = 0
    approved: int = 0
    hold: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    removed: int = 0

    def moved(self, moves: Moves) -> "Balances":
        """The balances after `moves`, pairs of a bucket and the change of its balance."""
        after = self._asdict()
        for bucket, change_points in moves:
            after[bucket.value] += change_points
        return Balances(**after)

    def figures(self) -> Figures:
        """The six figures: docs/concepts.md, "Figures"."""
        return Figures(
            approved=self.approved,
            pending=self.pending,
            total=self.approved + self.pending,
            lifetime=-self.issued - self.pending - self.cancelled,
            spent=self.spent,
            hold=self.hold,
        )


def transfer(source: Bucket, target: Bucket, points: int) -> Moves:
    """`points` out of `source` into `target`, in the order in which buckets stand above."""
    assert points > 0, f"a movement moves at least one point, not {points}"
    assert source is not target, f"{source} to itself is no movement"
    changes = {source: -points, target: points}
    return tuple((bucket, changes[bucket]) for bucket in Bucket if bucket in changes)
