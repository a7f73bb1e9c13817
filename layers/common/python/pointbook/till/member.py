"""A member's points at the till, and the interface of every till adapter."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Member:
    """A member's points as the till reported them.

    `expires_on` is the last day on which the points are valid, None if they never expire; a day
    in the past stays as it is. `rank` is the shop's own word ("gold"), None if the till has none.
    `as_of` (aware, UTC) is when the till reported it; `stale` marks a value that was cached from an
    earlier answer.
    """

    member_number: str
    balance_points: int
    expires_on: date | None
    rank: str | None
    as_of: datetime
    stale: bool = False


class Till(Protocol):
    """A till of which one member can be read."""

    def member(self, member_number: str, timeout_seconds: float) -> Member:
        """Return the member with exactly this number (the digits of the Shopify customer id).

        Returns, or raises one of `pointbook.till.errors`, within `timeout_seconds`, however the
        till behaves.
        """
        ...
