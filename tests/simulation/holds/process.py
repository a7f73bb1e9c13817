"""One instance of a function in the simulation of holds: its clock, its table, its line to Shopify.

Every call of its ledger is judged by the same oracle as in `world`, command by command, against the
reference model; whatever it does to the table or at Shopify, the watcher looks at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final, Protocol, override

from pointbook.deadline import Deadline
from pointbook.domain.chain import Cause
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Refusal
from pointbook.ledger.instruction import Booked, Instruction, View
from pointbook.ledger.ledger import Ledger
from pointbook.ledger.loading import DEADLINE_SECONDS
from pointbook.services.holds import HoldService
from pointbook.services.orders import OrderService
from pointbook.services.orphaned_codes import OrphanedCodeService
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.discounts import Discount, Discounts
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.hold_calls import HoldCallLimiter
from pointbook.store.orphaned_codes import OrphanedCodes
from pointbook.store.table import Table
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Fault, FaultyClient, Plan, Request
from tests.fakes.faulty_shopify import FaultyTransport
from tests.simulation.checker.oracle import Oracle
from tests.simulation.kernel.requests import Ask, Attempt
from tests.simulation.kernel.scheduler import Scheduler, SkewedClock
from tests.simulation.kernel.violation import Violation, must
from tests.support.table import TABLE

SHOP: Final = "demo.myshopify.com"
TIME_ZONE: Final = "Asia/Tokyo"
CODE_KEY: Final = b"the key of the codes of the simulation"


class Watcher(Protocol):
    """Looks whenever something has happened."""

    def look(self) -> None:
        """Something has happened."""
        ...

    def suffered(self, fault: Fault) -> None:
        """The table failed."""
        ...

    def alarmed(self, alarm: str) -> None:
        """A write raises an alarm."""
        ...

    def broke(self, wrong: Violation) -> None:
        """A write or an answer is not right."""
        ...


@dataclass(frozen=True, slots=True)
class JudgedAsk(Ask):
    """An instruction of a desk's, in the words of the oracle."""

    given_cause: Cause = field(default_factory=lambda: Cause("simulation"))

    @property
    @override
    def cause(self) -> Cause:
        return self.given_cause


@dataclass(slots=True)
class Numbers:
    """Gives the same number to requests that are the same by their identity."""

    given: dict[object, int] = field(default_factory=dict)
    latest: Iterator[int] = field(default_factory=lambda: count(1))

    def of(self, instruction: Instruction) -> int:
        """The number of an instruction."""
        if instruction.identity is None:
            return next(self.latest)
        name = (instruction.customer_id, instruction.identity, instruction.content_hash)
        if name not in self.given:
            self.given[name] = next(self.latest)
        return self.given[name]


@dataclass(slots=True)
class Surroundings:
    """What all instances share."""

    scheduler: Scheduler
    random: Random
    engine: MemoryDynamoDB
    oracle: Oracle
    watcher: Watcher
    programme: Programme
    numbers: Numbers = field(default_factory=Numbers)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Tell the watcher of a violation: a sweep passes over whatever is raised in it."""
        try:
            yield
        except Violation as wrong:
            self.watcher.broke(wrong)
            raise


class Witness:
    """Tells the oracle what the ledger's call that is under way does to the table."""

    def __init__(self, around: Surroundings, clock: SkewedClock) -> None:
        self.attempt: Attempt | None = None
        self._around = around
        self._clock = clock

    def issued(self, operation: str) -> object:
        """Who calls, and what its clock says."""
        return self.attempt, self._clock.wall_ms

    def suffered(self, fault: Fault) -> None:
        """Count it."""
        self._around.watcher.suffered(fault)

    def committed(self, request: Request, stamp: object) -> None:
        """Judge writes of books; what is on lists only, nobody else judges but the watcher."""
        assert isinstance(stamp, tuple)
        attempt, wall_ms = stamp
        puts = [one["Put"] for one in request.get("TransactItems", []) if "Put" in one]
        if any(put["Item"]["sk"]["S"] == "ACCOUNT" for put in puts):
            sequence = self._around.engine.sequence
            with self._around.kept():
                self._around.oracle.committed(sequence, attempt, puts, wall_ms)
            for alarm in attempt.commits[-1].alarms:
                self._around.watcher.alarmed(alarm)
        self._around.watcher.look()

    def answered(self) -> None:
        """The ledger can have learnt something."""
        if self.attempt is not None:
            self._around.oracle.looked(self.attempt, self._around.engine.sequence)


class JudgedLedger(Ledger):
    """A ledger whose every answer is judged."""

    def __init__(
        self, store: DynamoStore, clock: SkewedClock, around: Surroundings, witness: Witness
    ) -> None:
        super().__init__(store, clock, around.random.random)
        self._skewed = clock
        self._around = around
        self._witness = witness

    @override
    def execute(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal:
        ask = JudgedAsk(
            number=self._around.numbers.of(instruction),
            who=(instruction.shop, instruction.customer_id),
            name=_name(instruction),
            command=instruction.command,
            identity=instruction.identity,
            content=instruction.content,
            given_cause=instruction.cause,
        )
        return self._judged(
            ask,
            lambda: super(JudgedLedger, self).execute(instruction, deadline_seconds),
            self._around.oracle.replied,
        )

    @override
    def merge(
        self,
        shop: str,
        source_id: str,
        target_id: str,
        cause: Cause,
        time_zone: str = TIME_ZONE,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> Booked | Refusal:
        number = next(self._around.numbers.latest)
        who = (shop, source_id)
        ask = JudgedAsk(number, who, "merge", merge_into=target_id, given_cause=cause)
        merge = super().merge
        return self._judged(
            ask,
            lambda: merge(shop, source_id, target_id, cause, time_zone, deadline_seconds),
            self._around.oracle.replied,
        )

    @override
    def read(self, shop: str, customer_id: str) -> View:
        ask = JudgedAsk(0, (shop, customer_id), "read", reads=True)
        read = super().read
        return self._judged(ask, lambda: read(shop, customer_id), self._around.oracle.seen)

    def _judged[Answer](
        self,
        ask: Ask,
        call: Callable[[], Answer],
        judge: Callable[[Attempt, Answer, int], None],
    ) -> Answer:
        oracle, engine = self._around.oracle, self._around.engine
        attempt = Attempt(ask, self._skewed)
        oracle.called(attempt, engine.sequence)
        self._witness.attempt = attempt
        try:
            answer = call()
        except BaseException:
            oracle.failed(attempt, engine.sequence)
            raise
        finally:
            self._witness.attempt = None
        with self._around.kept():
            judge(attempt, answer, engine.sequence)
        return answer


class _Token:
    """An access token is always there."""

    def token(self, deadline: Deadline, refused: str = "") -> str:
        return "shpat_1"


class Paced:
    """What my page asks of Shopify: each call has been counted by whoever makes it."""

    def __init__(self, calls: HoldCallLimiter, discounts: Discounts, around: Surroundings) -> None:
        self._calls = calls
        self._discounts = discounts
        self._around = around
        self._counted = 0

    def count(self, shop: str, who: str, now: datetime, most: int) -> int:
        """Count one more call."""
        wait_seconds = self._calls.count(shop, who, now, most)
        self._counted += not wait_seconds
        return wait_seconds

    def create(self, discount: Discount) -> str:
        """Make a discount."""
        self._begin()
        return self._discounts.create(discount)

    def deactivate(self, code: str) -> bool:
        """Switch a code off."""
        self._begin()
        return self._discounts.deactivate(code)

    def _begin(self) -> None:
        with self._around.kept():
            must("pace", self._counted > 0, "Shopify is called, and nobody has counted it")
        self._counted -= 1


class Process:
    """One instance of a function, with the desks that it may have."""

    def __init__(self, around: Surroundings, plan: Plan, line: FaultyTransport) -> None:
        self.clock = SkewedClock(around.scheduler, around.random.randint(-SKEW_MS, SKEW_MS))
        witness = Witness(around, self.clock)
        client: Any = FaultyClient(
            around.engine, around.engine, plan, around.scheduler, around.random, witness
        )
        self.store = DynamoStore(Table(client, TABLE))
        self.ledger = JudgedLedger(self.store, self.clock, around, witness)
        self._orphaned_codes = OrphanedCodes(Table(client, TABLE))
        self._discounts = Discounts(AdminApi("https://shop", _Token(), line, self.clock))
        self._paced = Paced(HoldCallLimiter(Table(client, TABLE)), self._discounts, around)
        self._programme = around.programme

    def hold_service(self) -> HoldService:
        """What my page's functions have."""
        return HoldService(
            shop=SHOP,
            ledger=self.ledger,
            clock=self.clock,
            programme=self._programme,
            discounts=self._paced,
            call_limiter=self._paced,
            code_key=CODE_KEY,
        )

    def order_service(self) -> OrderService:
        """What the worker of orders has."""
        return OrderService(SHOP, self.ledger, self.clock, self._programme, unused_customers)

    def orphaned_code_service(self) -> OrphanedCodeService:
        """What the sweep of codes has."""
        return OrphanedCodeService(self._orphaned_codes, self.clock, lambda _: self._discounts)


SKEW_MS: Final = 200
"""How far the clock of an instance may be from the true time."""

_NAMES: Final = {"MarkReady": "mark_ready", "BeginRelease": "begin_release"}


def _name(instruction: Instruction) -> str:
    kind = type(instruction.command).__name__
    return _NAMES.get(kind, kind)
