"""The outbox under every fault at every call: all is published, in order, with few repeats.

Some entries are booked and published: with each fault at the sender's n-th call, for each n, and
with random faults everywhere. The stream is as AWS's: it delivers each change until a run succeeds.
Afterwards time passes and the schedule runs, as it does in the cloud.
"""

from collections.abc import Callable
from random import Random

import pytest

from pointbook.errors import PointbookError
from pointbook.services.publishing.outbox import OutboxPublisher
from pointbook.store.outbox import Outbox
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
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
from tests.fakes.flow import (
    Delivered,
    FakeFlow,
    RealClock,
    down,
    firsts,
    never_goes_back,
    repeats,
    reply_lost,
    well,
)
from tests.support import engine as engines
from tests.support.engine import SHOP, opened
from tests.support.ledgers import LedgerDriver

CUSTOMERS = ("7001", "7002")
MINUTE = 60
SWEEPS_MAX = 40
LOSING = frozenset(
    {
        Fault.CRASH_BEFORE,
        Fault.CRASH_AFTER,
        Fault.LATE_COMMIT,
        Fault.REPLY_LOST,
        Fault.SERVER_ERROR_AFTER,
    }
)
"""Faults after which a sender may not know whether Flow has the trigger."""


class Shop:
    """A ledger whose outbox works on a table that fails as the plan says."""

    def __init__(self, plan: Plan, random: Random) -> None:
        self.memory = MemoryDynamoDB()
        self.engine = opened(engines.MEMORY, self.memory)
        self.clock = RealClock()
        self.flow = FakeFlow(self.clock)
        self.late = Standstill()
        self.ledger = LedgerDriver(self.engine)
        self.plan = plan
        self._random = random
        self.client = FaultyClient(self.memory, self.memory, self, self.late, random, Unwatched())
        self._stream: list[tuple[str, int]] = []

    def next(self, operation: str) -> Fault | None:
        return self.plan.next(operation)

    def add_entries(self) -> None:
        """Six entries of two accounts."""
        self.ledger.grant(100)
        self.ledger.grant(10, customer_id=CUSTOMERS[1])
        self.ledger.consume(30)
        self.ledger.hold(20)
        self.ledger.capture(20)
        self.ledger.grant(5, customer_id=CUSTOMERS[1])
        self._stream = [(CUSTOMERS[0], 1), (CUSTOMERS[1], 1), (CUSTOMERS[0], 4), (CUSTOMERS[1], 2)]

    def publish(self) -> None:
        """Deliver the stream's records, each until a run succeeds; then run the schedule."""
        for customer_id, version in self._stream:
            while not self._run(customer_id, version):
                self.clock.pass_time(seconds=1)
        self.plan = Nothing()
        self.late.catch_up()
        for _ in range(SWEEPS_MAX):
            self.clock.pass_time(seconds=MINUTE)
            for customer_id in list(self._outbox().due(SHOP, self.clock.now())):
                self._run(customer_id, None)

    def _run(self, customer_id: str, version: int | None) -> bool:
        """Whether a new sender did not fail."""
        outbox = self._outbox()
        subscriptions = TriggerSubscriptions(Table(self.client, self.engine.table))
        flow, random = self.flow, self._random.random
        publisher = OutboxPublisher(outbox, subscriptions, lambda _: flow, self.clock, random)
        try:
            publisher.run(SHOP, 50).deliver(customer_id, version)
        except (Crash, PointbookError):
            return False
        return True

    def _outbox(self) -> Outbox:
        return Outbox(Table(self.client, self.engine.table))

    def published(self) -> list[int]:
        """The version up to which each account is published."""
        return [self._outbox().published(SHOP, one) for one in CUSTOMERS]

    def waiting(self) -> list[str]:
        """The accounts that are still queued, now or later."""
        items = self.memory.items(self.engine.table)
        return [pk for (pk, sk), item in items.items() if sk == "OUTBOX" and "due_trigger" in item]


def expected() -> dict[str, list[Delivered]]:
    """The triggers that Flow gets when nothing goes wrong, by customer."""
    shop = Shop(Nothing(), Random(0))
    shop.add_entries()
    shop.publish()
    assert repeats(shop.flow.delivered) == 0
    return {customer_id: of(customer_id, shop) for customer_id in CUSTOMERS}


def of(customer_id: str, shop: Shop) -> list[Delivered]:
    return [one for one in shop.flow.delivered if one[0].startswith(customer_id)]


def must_be_published(shop: Shop, what: object) -> None:
    """Everything, in order for each customer, and nothing is queued any more."""
    for customer_id, triggers in EXPECTED.items():
        found = of(customer_id, shop)
        assert firsts(found) == triggers, what
        assert never_goes_back(found), what
    assert shop.published() == [4, 2], what
    assert shop.waiting() == [], what


EXPECTED = expected()


def calls_without_faults() -> list[str]:
    seen = At(10**9, Fault.CRASH_BEFORE)
    shop = Shop(seen, Random(0))
    shop.add_entries()
    shop.publish()
    return seen.seen


def test_the_entries_have_both_kinds_of_triggers() -> None:
    handles = {handle for triggers in EXPECTED.values() for _, handle in triggers}
    assert handles == {"points-approved-changed", "points-changed"}
    assert [len(triggers) for triggers in EXPECTED.values()] == [7, 4]


def test_every_fault_at_every_call_loses_nothing_and_repeats_only_for_cause() -> None:
    calls = calls_without_faults()
    assert len(calls) >= 12
    tried = 0
    for number, operation in enumerate(calls):
        for fault in sorted(POSSIBLE[operation]):
            shop = Shop(At(number, fault), Random(number))
            shop.add_entries()
            shop.publish()
            must_be_published(shop, (number, operation, fault))
            if fault not in LOSING:
                assert repeats(shop.flow.delivered) == 0, (number, operation, fault)
            tried += 1
    assert tried > 100


def crash(_: FakeFlow) -> str | None:
    """The sender ends before Flow has got it."""
    raise Crash


def lost_in_a_crash(flow: FakeFlow) -> str | None:
    """The sender ends after Flow has got it."""
    assert flow.trying is not None
    flow.received.append(flow.trying)
    raise Crash


@pytest.mark.parametrize(
    ("fault", "repeated"), [(down, 0), (reply_lost, 1), (crash, None), (lost_in_a_crash, None)]
)
def test_flow_failing_at_every_call_loses_nothing(
    fault: Callable[[FakeFlow], str | None], repeated: int | None
) -> None:
    """A sender that ends between the two triggers of an entry has not recorded the first one."""
    for number in range(sum(map(len, EXPECTED.values()))):
        shop = Shop(Nothing(), Random(number))
        shop.add_entries()
        shop.flow.faults.extend([*[well] * number, fault])
        shop.publish()
        must_be_published(shop, number)
        assert repeats(shop.flow.delivered) in ((0, 1, 2) if repeated is None else (repeated,))


@pytest.mark.parametrize("seed", range(150))
def test_faults_by_chance_everywhere(seed: int) -> None:
    random = Random(seed)
    rates = dict.fromkeys(Fault, 0.012) | {Fault.CRASH_AFTER: 0.04, Fault.CRASH_BEFORE: 0.04}
    shop = Shop(Seeded(random, rates), random)
    shop.add_entries()
    shop.flow.faults.extend(random.choice([down, reply_lost, well, crash]) for _ in range(12))
    shop.publish()
    must_be_published(shop, seed)
