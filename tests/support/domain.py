"""Short names for instants, accounts, commands and what they come to."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from pointbook.domain import commands as c
from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.entry import Entry
from pointbook.domain.expiry import Days, ExpiryRule, FixedDate, Never
from pointbook.domain.lots import Lots
from pointbook.domain.orders import EarningRule, Goods, Order, OrderUpdate
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State

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
    return done(Account("1001"), c.SpendOnOrder(points, "d1", "till"), NOW).account


def promised(before: Account, points: int, order_id: str = "p1") -> State:
    """The account with so many points pending for an order, and the order."""
    update = OrderUpdate(NOW, Goods(points))
    decision = done(before, c.UpdateOrder(order_id, update, EarningRule(1), IN_30_DAYS))
    return after(decision)


def spent(before: Account, points: int, order_id: str = "s1") -> State:
    """The account after so many points were used at a till on an order that was cancelled."""
    state = after(done(before, c.SpendOnOrder(points, order_id, "till")))
    return after(done(state, cancel(order_id)))


def cancel(order_id: str) -> c.UpdateOrder:
    """The order is cancelled."""
    return c.UpdateOrder(order_id, OrderUpdate(cancelled=True), EarningRule(1), IN_30_DAYS)


def confirm(order_id: str, expiry: ExpiryRule = IN_30_DAYS) -> c.UpdateOrder:
    """The order is paid."""
    return c.UpdateOrder(order_id, OrderUpdate(confirmed_at=NOW), EarningRule(1), expiry)


def after(decision: Decision) -> State:
    """What a decision leaves behind, as it would be loaded again."""
    return State(decision.account, decision.order, decision.record)


def done(before: Account | State, command: c.Command, now: datetime = NOW) -> Decision:
    """What a command that must not be refused comes to."""
    decision = decide(_state(before), command, now)
    assert isinstance(decision, Decision), decision
    return decision


def refused(before: Account | State, command: c.Command, now: datetime = NOW) -> Code:
    """Why a command that must be refused is."""
    refusal = decide(_state(before), command, now)
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
    command = c.PlaceHold(points, hold_id, 600)
    decision = done(before, replace(command, **more), now)  # type: ignore[arg-type]
    assert decision.record is not None
    return decision.account, decision.record


def order_of(decision: Decision) -> Order:
    """The order as a decision left it."""
    assert decision.order is not None
    return decision.order


def _state(before: Account | State) -> State:
    return before if isinstance(before, State) else State(before)
