"""What a till tells about one member, and the one question every till adapter answers."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Member:
    """A member's points as the till gave them.

    `expires_on` is the last day on which the points are valid, None when they never lapse; a day
    in the past is kept as given. `rank` is the shop's own word ("gold"), None when the till has
    none. `as_of` (aware, UTC) is when the till said so; `stale` marks a value that was kept
    from an earlier answer.
    """

    member_number: str
    balance_points: int
    expires_on: date | None
    rank: str | None
    as_of: datetime
    stale: bool = False


class Till(Protocol):
    """A till that can be asked for one member."""

    def member(self, member_number: str, timeout_seconds: float) -> Member:
        """Ask for the member with exactly this number (the digits of the Shopify customer id).

        Answers or raises one of `pointbook.till.errors` within `timeout_seconds`, however the
        till behaves.
        """
        ...
