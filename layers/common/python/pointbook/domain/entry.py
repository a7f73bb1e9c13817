"""Entries: one for each movement of points, never changed once written."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pointbook.domain.buckets import Bucket, Figures, Moves
from pointbook.domain.lots import Lots

_ORIGINAL_DAY = re.compile(r"[^@]+@(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})")
"""What `about` is for a row of an import that had one."""


class Topic(StrEnum):
    """The kind of a movement; Flow gets those that change approved points under this name."""

    ADD_ORDER = "points/add/order"
    ADD_SIGN_UP = "points/add/sign_up"
    ADD_MANUAL = "points/add/manual"
    ADD_FLOW = "points/add/flow"
    ADD_IMPORT = "points/add/import"
    ADD_HOLD = "points/add/hold"
    ADD_REFUND = "points/add/refund"
    ADD_MERGE = "points/add/merge"
    SUB_MANUAL = "points/sub/manual"
    SUB_FLOW = "points/sub/flow"
    SUB_HOLD = "points/sub/hold"
    SUB_ORDER = "points/sub/order"
    SUB_EXPIRE = "points/sub/expire"
    SUB_REFUND = "points/sub/refund"
    SUB_MERGE = "points/sub/merge"
    PENDING_ADD = "points/pending/add"
    PENDING_CANCEL = "points/pending/cancel"
    HOLD_SPENT = "points/hold/spent"
    EXPIRED_SPENT = "points/expired/spent"
    EXPIRY_EXTEND = "points/expiry/extend"


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of one account, or a new last day of some of its points.

    `at` is when the movement took effect, `recorded_at` when it was recorded: they differ for a
    hold that ended before anybody looked. `moves` are bucket changes that sum to zero, `lots` the
    changes of the free lots, `held_lots` those of the open hold's lots. `figures` are the six
    figures after it. `about` is the id of the order or hold concerned.
    """

    customer_id: str
    version: int
    topic: Topic
    at: datetime
    recorded_at: datetime
    moves: Moves
    lots: Lots
    held_lots: Lots
    figures: Figures
    about: str = ""

    @property
    def entry_id(self) -> str:
        """The id under which triggers, answers and history name this entry."""
        return entry_id(self.customer_id, self.version)

    @property
    def approved_delta(self) -> int:
        """The change of approved points."""
        return dict(self.moves).get(Bucket.APPROVED, 0)

    @property
    def lasting_longer(self) -> int:
        """The points that got a later last day, of an entry of that kind."""
        return sum(lot.points for lot in self.lots if lot.points > 0)

    @property
    def original_day(self) -> date | None:
        """The day on which another app granted points that were imported, where the entry says."""
        if self.topic is not Topic.ADD_IMPORT:
            return None
        found = _ORIGINAL_DAY.fullmatch(self.about)
        return date.fromisoformat(found["day"]) if found else None

    @property
    def points(self) -> int:
        """The points moved."""
        return sum(change for _, change in self.moves if change > 0)


def entry_id(customer_id: str, version: int) -> str:
    """The id of one entry of a customer's account."""
    return f"{customer_id}-{version:012d}"
