"""Changes pushed to the till under every fault at every call: each happens once, and none is lost.

Some entries are booked and pushed: with each fault at the sender's n-th call of the table, with
each fault of the till at its n-th call, and with both by chance. The till knows no repetition: what
is sent twice happens twice. The stream delivers each change until a run succeeds; then time passes
and the schedule runs.
"""

from random import Random

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.programme_rules import TillPush
from pointbook.errors import PointbookError
from pointbook.services.till_push.delivery import Parts
from pointbook.services.till_push.pusher import TillPusher
from pointbook.store.table import Table
from pointbook.store.till_members import TillMembers
from pointbook.store.till_pushes import TillPushes
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import (
    POSSIBLE,
    At,
    Crash,
    Fault,
    FaultyClient,
    Nothing,
    Plan,
    Seeded,
    Standstill,
    Unwatched,
)
from tests.fakes.flow import RealClock
from tests.fakes.pushed_till import (
    FakeTill,
    TillFault,
    breaker_open,
    crash,
    digits,
    down,
    hangs,
    late,
    lost_in_a_crash,
    reply_lost,
    throttled,
    well,
)
from tests.support import engine as engines
from tests.support.engine import SHOP, opened
from tests.support.ledgers import LedgerDriver

CUSTOMERS = ("7001", "7002")
TILL_FAULTS: tuple[TillFault, ...] = (
    breaker_open,
    crash,
    down,
    hangs,
    late,
    lost_in_a_crash,
    reply_lost,
    throttled,
)
AT_TILL = Cause.reported("flow", "run")
SWEEPS_MAX = 60
OPENING = 50
"""What the till gave each member by itself, and must not be overwritten."""

UNREPORTED = 7
"""What the counter takes of each member without a report."""


class Shop:
    """A ledger whose changes are pushed through a table and to a till that fail as planned."""

    def __init__(self, plan: Plan, random: Random) -> None:
        self.memory = MemoryDynamoDB()
        self.engine = opened(engines.MEMORY, self.memory)
        self.clock = RealClock()
        self.till = FakeTill(self.clock, dict.fromkeys(CUSTOMERS, OPENING))
        self.late = Standstill()
        self.ledger = LedgerDriver(self.engine)
        self.plan = plan
        self._random = random
        self.client = FaultyClient(self.memory, self.memory, self, self.late, random, Unwatched())

    def next(self, operation: str) -> Fault | None:
        return self.plan.next(operation)

    def run(self) -> None:
        """Book, push, use points at the counter, and carry on."""
        first, second = CUSTOMERS
        self.ledger.grant(100)
        self.ledger.grant(10, customer_id=second)
        self._stream(first, 1, 1)
        self._stream(second, 1, 1)
        for customer_id in CUSTOMERS:
            self.till.use(customer_id, UNREPORTED)
        self.ledger.consume(30)
        self.ledger.hold(20)
        self.ledger.consume(5, cause=AT_TILL)
        self.till.use(first, 5)
        self.ledger.grant(5, customer_id=second)
        self._stream(first, 4, 2)
        self._stream(second, 2, 2)
        self._stream(first, 4, 4)  # a record that comes again
        self.plan = Nothing()
        self.late.catch_up()
        self.till.faults.clear()
        for _ in range(SWEEPS_MAX):
            self.clock.pass_time(minutes=1)
            for customer_id in list(self._pushes().due(SHOP, self.clock.now())):
                self._run(customer_id, None, 0)
        self.till.catch_up()

    def _stream(self, customer_id: str, version: int, first: int) -> None:
        while not self._run(customer_id, version, first):
            self.clock.pass_time(seconds=1)

    def _run(self, customer_id: str, version: int | None, first: int) -> bool:
        """Whether a new sender did not fail."""
        members = TillMembers(Table(self.client, self.engine.table))
        parts = Parts(self._pushes(), members, digits, self.clock, self._random.random)
        pusher = TillPusher(parts, lambda: self.till, lambda _: TillPush.CHANGES)
        try:
            pusher.run(SHOP, 50).deliver(customer_id, version, first)
        except (Crash, PointbookError):
            return False
        return True

    def _pushes(self) -> TillPushes:
        return TillPushes(Table(self.client, self.engine.table))


def must_be_equal(shop: Shop, what: object) -> None:
    """The till has what the ledger has, no change happened twice, and nothing waits."""
    ids = [change.change_id for change in shop.till.changes]
    assert len(ids) == len(set(ids)), what
    pushes = TillPushes(Table(shop.memory, shop.engine.table))
    for customer_id in CUSTOMERS:
        approved = shop.ledger.figures(customer_id)["approved"]
        expected = OPENING + approved - UNREPORTED
        assert shop.till.balances[customer_id] == expected, (what, customer_id)
        cursor = pushes.find(SHOP, customer_id)
        assert cursor is not None, (what, customer_id)
        assert cursor.is_idle, (what, customer_id)


def calls_without_faults() -> tuple[list[str], list[str]]:
    """The calls of the table, and those of the till."""
    seen = At(10**9, Fault.CRASH_BEFORE)
    shop = Shop(seen, Random(0))
    shop.run()
    must_be_equal(shop, "without faults")
    return seen.seen, shop.till.calls


def test_every_fault_at_every_call_of_the_table_loses_nothing_and_doubles_nothing() -> None:
    calls, _ = calls_without_faults()
    assert len(calls) >= 20
    tried = 0
    for number, operation in enumerate(calls):
        for fault in sorted(POSSIBLE[operation]):
            shop = Shop(At(number, fault), Random(number))
            shop.run()
            must_be_equal(shop, (number, operation, fault))
            tried += 1
    assert tried > 150


@pytest.mark.parametrize("fault", TILL_FAULTS)
def test_every_fault_of_the_till_at_every_call_loses_nothing_and_doubles_nothing(
    fault: TillFault,
) -> None:
    _, calls = calls_without_faults()
    assert len(calls) >= 8
    for number, call in enumerate(calls):
        shop = Shop(Nothing(), Random(number))
        shop.till.faults.extend([*[well] * number, fault])
        shop.run()
        must_be_equal(shop, (number, call))


@pytest.mark.parametrize("fault", TILL_FAULTS)
def test_a_fault_after_an_outcome_that_is_unknown_loses_nothing_and_doubles_nothing(
    fault: TillFault,
) -> None:
    for unknown in (hangs, reply_lost, late, lost_in_a_crash, crash):
        for number in range(4):
            shop = Shop(Nothing(), Random(number))
            shop.till.faults.extend([well, unknown, *[well] * number, fault, fault])
            shop.run()
            must_be_equal(shop, (unknown, number))


@pytest.mark.parametrize("seed", range(150))
def test_faults_by_chance_everywhere(seed: int) -> None:
    random = Random(seed)
    rates = dict.fromkeys(Fault, 0.012) | {Fault.CRASH_AFTER: 0.04, Fault.CRASH_BEFORE: 0.04}
    shop = Shop(Seeded(random, rates), random)
    shop.till.faults.extend(random.choice([*TILL_FAULTS, *[well] * 6]) for _ in range(20))
    shop.run()
    must_be_equal(shop, seed)
