"""A member's points at the till, and the interface of every till adapter."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from pointbook.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Member:
    """A member's points as the till reported them.

    `till_id` is the till's own id of the member, by which it is found faster. `expires_on` is the
    last day on which the points are valid, None if they never expire or the till does not say; a
    day in the past stays as it is. `rank` is the shop's own word ("gold"), None if the till has
    none. `as_of` (aware, UTC) is when the till reported it. `lots` are the points that expire and
    their last days, soonest first, of a till that knows them.
    """

    member_number: str
    till_id: str
    balance_points: int
    expires_on: date | None
    rank: str | None
    as_of: datetime
    lots: tuple[tuple[int, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a till can do: my page, the push and the drift report follow it.

    `pushes`: points can be added to and taken from a member. `expiry`, `lots`, `ranks`: whether a
    member has a last day, a last day for each part of the points, a rank.
    """

    pushes: bool
    expiry: bool
    lots: bool
    ranks: bool


@dataclass(frozen=True, slots=True)
class PointsChange:
    """One change of a member's points that we make at the till.

    `change_id` is ours, the same for every attempt (at most 45 printable ASCII characters).
    `points` is negative to take points away. `balance_before` and `planned_at` are the member's
    balance and the time when the change was planned, before the first attempt.
    """

    change_id: str
    member_number: str
    till_id: str
    points: int
    balance_before: int
    planned_at: datetime


class Till(Protocol):
    """A till. Every call returns, or raises one of `pointbook.till.errors`, by its deadline."""

    @property
    def capabilities(self) -> Capabilities:
        """What this till can do."""
        ...

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        """Return the member with exactly this number.

        `till_id`, if known, saves a call; a member that has another one by now is found anyway.
        """
        ...

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        """Carry out a change, never twice by itself, and return the balance after it.

        After a TillTimeout or TillUnavailable it may have happened: ask `is_applied` before the
        next attempt. Raises ChangeRefused if the till will never accept it as it is.
        """
        ...

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        """Return whether a change of unknown outcome has happened, by reading the till.

        Ask some seconds after the attempt: a till may carry out a request after its deadline.
        """
        ...
