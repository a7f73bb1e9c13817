"""A ledger on an engine, with a clock that the test sets, and its everyday instructions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.chain import Cause
from pointbook.domain.expiry import Days, ExpiryRule
from pointbook.domain.orders import EarningRule, OrderUpdate
from pointbook.domain.reconcile import Finding, reconcile
from pointbook.domain.refusal import Refusal
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from tests.support.engine import SHOP, Engine, all_entries
from tests.support.examples import CODE, CUSTOMER, HOLD_ID, NOON, ORDER

FLOW = Cause(source="flow")
MONTH = Days(30)
ONE_FOR_A_HUNDRED = EarningRule(unit_minor=100)
HOLD_SECONDS = 600


@dataclass(slots=True)
class SetClock:
    """Time stands still but for `pass_time`; waiting takes no time and is noted."""

    at: datetime = NOON
    monotonic_seconds: float = 0.0
    slept_seconds: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.monotonic_seconds

    def sleep(self, seconds: float) -> None:
        self.slept_seconds.append(seconds)
        self.monotonic_seconds += seconds

    def pass_time(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class LedgerDriver:
    """Gives a ledger instructions, and reads its entries."""

    def __init__(self, engine: Engine, client: Any = None) -> None:
        self.store = engine.store(client)
        self.clock = SetClock()
        self.ledger = Ledger(self.store, self.clock, random=lambda: 0.5)

    def say(self, command: c.Command, key: str | None = None, **more: Any) -> Booked | Refusal:
        """Give any instruction; `key` makes it one that is remembered."""
        identity = Identity("test:key", key) if key else None
        customer_id = more.pop("customer_id", CUSTOMER)
        cause = more.pop("cause", FLOW)
        return self.ledger.execute(
            Instruction(SHOP, customer_id, command, cause, identity=identity, **more)
        )

    def grant(
        self, points: int, key: str | None = None, expiry: ExpiryRule = MONTH, **more: Any
    ) -> Booked | Refusal:
        return self.say(c.Grant(points, expiry), key, content={"points": points}, **more)

    def consume(self, points: int, key: str | None = None, **more: Any) -> Booked | Refusal:
        return self.say(c.Consume(points), key, content={"points": points}, **more)

    def hold(self, points: int, hold_id: str = HOLD_ID) -> Booked | Refusal:
        return self.say(c.PlaceHold(points, hold_id, HOLD_SECONDS, code=CODE))

    def release(self, hold_id: str = HOLD_ID) -> Booked | Refusal:
        self.say(c.BeginRelease(hold_id))
        return self.say(c.ReleaseHold(hold_id))

    def capture(self, points: int, order_id: str = ORDER, **more: Any) -> Booked | Refusal:
        return self.say(c.CaptureHold(points, HOLD_ID, order_id), **more)

    def update_order(
        self, rule: EarningRule = ONE_FOR_A_HUNDRED, **update: Any
    ) -> Booked | Refusal:
        return self.say(c.UpdateOrder(ORDER, OrderUpdate(**update), rule, MONTH))

    def figures(self, customer_id: str = CUSTOMER) -> dict[str, int]:
        """The figures that are not zero."""
        figures = self.ledger.read(SHOP, customer_id).figures._asdict()
        return {name: points for name, points in figures.items() if points}

    def topics(self, customer_id: str = CUSTOMER) -> list[str]:
        """What happened, the first thing first, without the common `points/`."""
        return [
            booked.entry.topic.removeprefix("points/")
            for booked in all_entries(self.store, customer_id)
        ]

    def account(self, customer_id: str = CUSTOMER) -> Account:
        """The account, which must be there."""
        account = self.store.account(SHOP, customer_id)
        assert account is not None, f"{customer_id} has no account"
        return account

    def findings(self, customer_id: str = CUSTOMER) -> list[Finding]:
        """What is wrong with the account and its entries."""
        return reconcile(self.account(customer_id), all_entries(self.store, customer_id))
