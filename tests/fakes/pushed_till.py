"""A till that takes pushes, for tests: members, each change as it happened, and faults."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pointbook.deadline import Deadline
from pointbook.till.errors import (
    AmbiguousMember,
    BreakerOpen,
    ChangeRefused,
    MemberNotRegistered,
    TillThrottled,
    TillTimeout,
    TillUnavailable,
)
from pointbook.till.member import Capabilities, Member, PointsChange
from tests.fakes.faulty_dynamodb import Crash
from tests.fakes.flow import RealClock

type Effect = Callable[[], None]
type TillFault = Callable[["FakeTill", Effect], None]
"""Called in place of the call; `effect` carries it out."""

LATE = timedelta(seconds=4)
"""How long after its answer was given up the till may still carry out a change."""


def digits(_shop: str, customer_id: str, _deadline: Deadline) -> str:
    """The member number is the customer's id."""
    return customer_id


@dataclass(slots=True)
class FakeTill:
    """A till without idempotency: a change that is sent twice happens twice.

    Each call first has the next of the `faults`, if any is left. `sent` are the changes as they
    were sent, `changes` those that happened.
    """

    clock: RealClock
    balances: dict[str, int] = field(default_factory=dict)
    sent: list[PointsChange] = field(default_factory=list)
    changes: list[PointsChange] = field(default_factory=list)
    faults: deque[TillFault] = field(default_factory=deque)
    pushes: bool = True
    ambiguous: bool = False
    calls: list[str] = field(default_factory=list)
    _late: list[tuple[timedelta, Effect]] = field(default_factory=list)
    _began: timedelta = timedelta()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(pushes=self.pushes, expiry=False, lots=False, ranks=False)

    def member(self, member_number: str, deadline: Deadline, till_id: str | None = None) -> Member:
        self._call("member", lambda: None)
        balance = self._balance(member_number)
        return Member(member_number, "t1", balance, None, None, self.clock.now())

    def add_points(self, change: PointsChange, deadline: Deadline) -> int:
        self.sent.append(change)
        self._call("add_points", lambda: self._add(change))
        return self.balances[change.member_number]

    def is_applied(self, change: PointsChange, deadline: Deadline) -> bool:
        self._call("is_applied", lambda: None)
        self._balance(change.member_number)
        return any(one.change_id == change.change_id for one in self.changes)

    def use(self, member_number: str, points: int) -> None:
        """The counter takes points, or gives them if below zero."""
        self.balances[member_number] -= points

    def later(self, effect: Effect) -> None:
        """Carry something out when the caller has given up."""
        self._late.append((timedelta(seconds=self.clock.monotonic()) + LATE, effect))

    @property
    def pushed(self) -> list[int]:
        """The points of each change that happened."""
        return [change.points for change in self.changes]

    def _call(self, name: str, effect: Effect) -> None:
        self.catch_up()
        self.calls.append(name)
        fault = self.faults.popleft() if self.faults else well
        fault(self, effect)

    def catch_up(self) -> None:
        """Carry out what is late by now."""
        now = timedelta(seconds=self.clock.monotonic())
        due = [effect for at, effect in self._late if at <= now]
        self._late = [(at, effect) for at, effect in self._late if at > now]
        for effect in due:
            effect()

    def _balance(self, member_number: str) -> int:
        if self.ambiguous:
            raise AmbiguousMember(member_number)
        if member_number not in self.balances:
            raise MemberNotRegistered(member_number)
        return self.balances[member_number]

    def _add(self, change: PointsChange) -> None:
        balance = self._balance(change.member_number) + change.points
        if balance < 0:
            raise ChangeRefused("more than the member has")
        self.balances[change.member_number] = balance
        self.changes.append(change)


def well(_: FakeTill, effect: Effect) -> None:
    """Carry it out and answer."""
    effect()


def down(_till: FakeTill, _effect: Effect) -> None:
    """Do nothing and fail."""
    raise TillUnavailable("503")


def hangs(_till: FakeTill, _effect: Effect) -> None:
    """Do nothing and do not answer in time."""
    raise TillTimeout("no answer")


def reply_lost(_: FakeTill, effect: Effect) -> None:
    """Carry it out, but the answer never comes."""
    effect()
    raise TillTimeout("no answer")


def late(till: FakeTill, effect: Effect) -> None:
    """Carry it out only after the caller has given up."""
    till.later(effect)
    raise TillTimeout("no answer")


def refuses(_till: FakeTill, _effect: Effect) -> None:
    """Never accept it."""
    raise ChangeRefused("a limit")


def throttled(_till: FakeTill, _effect: Effect) -> None:
    """Ask for a pause."""
    raise TillThrottled("429", 30)


def breaker_open(_till: FakeTill, _effect: Effect) -> None:
    """Do not even call."""
    raise BreakerOpen("open")


def crash(_till: FakeTill, _effect: Effect) -> None:
    """The caller ends before the till has got it."""
    raise Crash


def lost_in_a_crash(_: FakeTill, effect: Effect) -> None:
    """The caller ends after the till has carried it out."""
    effect()
    raise Crash
