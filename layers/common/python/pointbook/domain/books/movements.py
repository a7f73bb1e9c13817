"""The kinds of movements in a statement, and their sums."""

from dataclasses import dataclass
from enum import StrEnum

from pointbook.domain.buckets import Balances, Bucket, Moves
from pointbook.domain.entry import Entry, Topic


class Movement(StrEnum):
    """The kind of a movement, by the bucket that points leave and the one that they enter."""

    GRANTED = "granted"
    PROMISED = "promised"
    APPROVED = "approved"
    CANCELLED = "cancelled"
    HELD = "held"
    RELEASED = "released"
    SPENT = "spent"
    SPENT_EXPIRED = "spent_expired"
    RETURNED = "returned"
    EXPIRED = "expired"
    REVERSED = "reversed"
    UNDONE = "undone"
    REMOVED = "removed"
    RESTORED = "restored"
    EXTENDED = "extended"
    MERGED = "merged"
    OTHER = "other"


_BY_BUCKETS = {
    (Bucket.ISSUED, Bucket.APPROVED): Movement.GRANTED,
    (Bucket.ISSUED, Bucket.PENDING): Movement.PROMISED,
    (Bucket.PENDING, Bucket.APPROVED): Movement.APPROVED,
    (Bucket.PENDING, Bucket.CANCELLED): Movement.CANCELLED,
    (Bucket.APPROVED, Bucket.HOLD): Movement.HELD,
    (Bucket.HOLD, Bucket.APPROVED): Movement.RELEASED,
    (Bucket.APPROVED, Bucket.SPENT): Movement.SPENT,
    (Bucket.HOLD, Bucket.SPENT): Movement.SPENT,
    (Bucket.EXPIRED, Bucket.SPENT): Movement.SPENT_EXPIRED,
    (Bucket.SPENT, Bucket.APPROVED): Movement.RETURNED,
    (Bucket.APPROVED, Bucket.EXPIRED): Movement.EXPIRED,
    (Bucket.APPROVED, Bucket.REVERSED): Movement.REVERSED,
    (Bucket.APPROVED, Bucket.REMOVED): Movement.REMOVED,
    (Bucket.REMOVED, Bucket.APPROVED): Movement.RESTORED,
}


def movement_of(entry: Entry) -> Movement:
    """The kind of an entry. A pair of buckets that is not known is OTHER, and is never left out."""
    if entry.topic in (Topic.ADD_MERGE, Topic.SUB_MERGE):
        return Movement.MERGED
    if entry.topic is Topic.EXPIRY_EXTEND:
        return Movement.EXTENDED
    if entry.topic is Topic.SUB_MANUAL and Bucket.REVERSED in dict(entry.moves):
        return Movement.UNDONE
    sources = [bucket for bucket, change in entry.moves if change < 0]
    targets = [bucket for bucket, change in entry.moves if change > 0]
    if len(sources) == len(targets) == 1:
        return _BY_BUCKETS.get((sources[0], targets[0]), Movement.OTHER)
    return Movement.OTHER


NOTHING = Balances()
"""All buckets are empty."""


@dataclass(slots=True)
class Sum:
    """What the entries of one kind add up to: how many, points moved, changes of the buckets.

    Of these, `earlier_entries` and `earlier_points` took effect on a day before the one on which
    they were recorded.
    """

    entries: int = 0
    points: int = 0
    changes: Balances = NOTHING
    earlier_entries: int = 0
    earlier_points: int = 0

    def add(self, points: int, moves: Moves, *, is_of_earlier_day: bool) -> None:
        """Add one entry."""
        self.entries += 1
        self.points += points
        self.changes = self.changes.moved(moves)
        if is_of_earlier_day:
            self.earlier_entries += 1
            self.earlier_points += points

    def plus(self, other: "Sum") -> "Sum":
        """Both together."""
        return Sum(
            self.entries + other.entries,
            self.points + other.points,
            plus(self.changes, other.changes),
            self.earlier_entries + other.earlier_entries,
            self.earlier_points + other.earlier_points,
        )


def plus(one: Balances, other: Balances) -> Balances:
    """The sum of two sets of balances, bucket by bucket."""
    return Balances(*(first + second for first, second in zip(one, other, strict=True)))


def minus(one: Balances, other: Balances) -> Balances:
    """The difference of two sets of balances, bucket by bucket."""
    return Balances(*(first - second for first, second in zip(one, other, strict=True)))


def available(balances: Balances) -> int:
    """Approved and held points: what the shop owes its customers, less what they owe."""
    return balances.approved + balances.hold
