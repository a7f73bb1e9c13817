"""Short ways to say when it is, what an account has, and what is asked of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from pointbook.domain import commands as c
from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.decide import Decision, decide
from pointbook.domain.entry import Entry
from pointbook.domain.expiry import Days, FixedDate, Never
from pointbook.domain.lots import Lots
from pointbook.domain.orders import Order
from pointbook.domain.refusal import Code, Refusal

MILLISECOND = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)

NOW = datetime(2027, 3, 10, 3, 0, tzinfo=UTC)
"""Noon of 10 March in Tokyo."""

TODAY = date(2027, 3, 10)
END_OF_TODAY = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
"""24:00 of 10 March in Tokyo."""

IN_30_DAYS = Days(30)
NEVER_EXPIRES = Never()


def day(number: int) -> date:
    """A day of March 2027; 10 is today."""
    return date(2027, 3, number)


def through(number: int) -> FixedDate:
    """Valid through a day of March 2027."""
    return FixedDate(day(number))


def account(*grants: tuple[int, int], now: datetime = NOW) -> Account:
    """An account with grants: points, and the day of March through which they are valid."""
    made = Account("1001")
    for points, number in grants:
        made = done(made, c.Grant(points, through(number)), now).account
    return made


def in_debt(points: int) -> Account:
    """An account that owes so many points."""
    return done(Account("1001"), c.Reverse(points), NOW).account


def done(before: Account, command: c.Command, now: datetime = NOW) -> Decision:
    """What a command that must not be refused comes to."""
    decision = decide(before, command, now)
    assert isinstance(decision, Decision), decision
    return decision


def refused(before: Account, command: c.Command, now: datetime = NOW) -> Code:
    """Why a command that must be refused is."""
    refusal = decide(before, command, now)
    assert isinstance(refusal, Refusal), refusal
    assert refusal.message.endswith(".")
    return refusal.code


def lots(of: Lots) -> dict[int, int]:
    """Points by day of March."""
    assert all(lot.valid_through.replace(day=1) == date(2027, 3, 1) for lot in of)
    return {lot.valid_through.day: lot.points for lot in of}


def topics(entries: tuple[Entry, ...]) -> list[str]:
    """What each entry was."""
    return [entry.topic.value for entry in entries]


def hold(
    before: Account, points: int, now: datetime = NOW, hold_id: str = "h1", **more: object
) -> tuple[Account, HoldRecord]:
    """The account with a hold of ten minutes, and the hold's record."""
    command = c.TakeHold(points, hold_id, 600)
    decision = done(before, replace(command, **more), now)  # type: ignore[arg-type]
    assert decision.record is not None
    return decision.account, decision.record


def order_of(decision: Decision) -> Order:
    """The order as a decision left it."""
    assert decision.order is not None
    return decision.order
