"""One instance of a function: its clock, its client of the table, its transport to Shopify.

The oracle checks every call of its ledger, command by command, against the reference model;
whatever the instance does to the table or at Shopify, the watcher looks at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final, Protocol, override

from pointbook.domain.chain import Cause
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Refusal
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.ledger.loading import DEADLINE_SECONDS
from pointbook.ledger.read_only import View
from pointbook.services.holds import HoldService
from pointbook.services.orders import OrderService
from pointbook.services.orphaned_codes import OrphanedCodeService
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.discounts import Discount, Discounts
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.hold_calls import HoldCallLimiter
from pointbook.store.orphaned_codes import OrphanedCodes
from pointbook.store.table import Table
from tests.fakes.admin_api import Tokens
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Fault, FaultyClient, Plan, Unwatched
from tests.fakes.faulty_shopify import FaultyTransport
from tests.simulation.checker.oracle import Oracle
from tests.simulation.kernel.requests import Attempt, Request
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

    def violated(self, wrong: Violation) -> None:
        """A write or an answer is not right."""
        ...


@dataclass(frozen=True, slots=True)
class CheckedRequest(Request):
    """An instruction of a service, as the oracle takes it."""

    given_cause: Cause = field(default_factory=lambda: Cause("simulation"))

    @property
    @override
    def cause(self) -> Cause:
        return self.given_cause


@dataclass(slots=True)
class Shared:
    """What all instances share."""

    scheduler: Scheduler
    random: Random
    engine: MemoryDynamoDB
    oracle: Oracle
    watcher: Watcher
    programme: Programme
    numbers: defaultdict[object, int] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = defaultdict(count(1).__next__)

    def number(self, instruction: Instruction | None = None) -> int:
        """A new number, but the same for instructions that are the same by their identity."""
        if instruction is None or instruction.identity is None:
            return self.numbers[object()]
        customer_id, identity = instruction.customer_id, instruction.identity
        return self.numbers[customer_id, identity, instruction.content_hash]

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Report a violation to the watcher: a sweep goes on after whatever is raised in it."""
        try:
            yield
        except Violation as wrong:
            self.watcher.violated(wrong)
            raise


class Witness(Unwatched):
    """Shows the oracle what the ledger's current call does to the table."""

    def __init__(self, shared: Shared, clock: SkewedClock) -> None:
        self.attempt: Attempt | None = None
        self._shared = shared
        self._clock = clock

    def issued(self, operation: str) -> object:
        """Who calls, and what its clock says."""
        return self.attempt, self._clock.wall_ms

    def suffered(self, fault: Fault) -> None:
        """Count it."""
        self._shared.watcher.suffered(fault)

    def committed(self, request: dict[str, Any], stamp: object) -> None:
        """Have writes of accounts checked by the oracle, and all others by the watcher."""
        assert isinstance(stamp, tuple)
        attempt, wall_ms = stamp
        puts = [one["Put"] for one in request.get("TransactItems", []) if "Put" in one]
        if any(put["Item"]["sk"]["S"] == "ACCOUNT" for put in puts):
            sequence = self._shared.engine.sequence
            with self._shared.reporting():
                self._shared.oracle.committed(sequence, attempt, puts, wall_ms)
            for alarm in attempt.commits[-1].alarms:
                self._shared.watcher.alarmed(alarm)
        self._shared.watcher.look()

    def answered(self) -> None:
        """The ledger can have read something."""
        if self.attempt is not None:
            self._shared.oracle.looked(self.attempt, self._shared.engine.sequence)


class CheckedLedger(Ledger):
    """A ledger whose every answer is checked."""

    def __init__(
        self, store: DynamoStore, clock: SkewedClock, shared: Shared, witness: Witness
    ) -> None:
        super().__init__(store, clock, shared.random.random)
        self._skewed = clock
        self._shared = shared
        self._witness = witness

    @override
    def execute(
        self, instruction: Instruction, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Booked | Refusal:
        request = CheckedRequest(
            number=self._shared.number(instruction),
            who=(instruction.shop, instruction.customer_id),
            name=_name(instruction),
            command=instruction.command,
            identity=instruction.identity,
            content=instruction.content,
            given_cause=instruction.cause,
        )
        return self._checked(
            request,
            lambda: super(CheckedLedger, self).execute(instruction, deadline_seconds),
            self._shared.oracle.replied,
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
        number, who = self._shared.number(), (shop, source_id)
        request = CheckedRequest(number, who, "merge", merge_into=target_id, given_cause=cause)
        merge = super().merge
        return self._checked(
            request,
            lambda: merge(shop, source_id, target_id, cause, time_zone, deadline_seconds),
            self._shared.oracle.replied,
        )

    @override
    def read(self, shop: str, customer_id: str) -> View:
        request = CheckedRequest(0, (shop, customer_id), "read", reads=True)
        read = super().read
        return self._checked(request, lambda: read(shop, customer_id), self._shared.oracle.seen)

    def _checked[Answer](
        self,
        request: Request,
        call: Callable[[], Answer],
        check: Callable[[Attempt, Answer, int], None],
    ) -> Answer:
        oracle, engine = self._shared.oracle, self._shared.engine
        attempt = Attempt(request, self._skewed)
        oracle.called(attempt, engine.sequence)
        self._witness.attempt = attempt
        try:
            answer = call()
        except BaseException:
            oracle.failed(attempt, engine.sequence)
            raise
        finally:
            self._witness.attempt = None
        with self._shared.reporting():
            check(attempt, answer, engine.sequence)
        return answer


class CountedDiscounts:
    """My page's calls to Shopify, each of which must have been counted."""

    def __init__(self, calls: HoldCallLimiter, discounts: Discounts, shared: Shared) -> None:
        self._calls = calls
        self._discounts = discounts
        self._shared = shared
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
        """Deactivate a code."""
        self._begin()
        return self._discounts.deactivate(code)

    def _begin(self) -> None:
        with self._shared.reporting():
            must("pace", self._counted > 0, "Shopify is called, and nobody has counted it")
        self._counted -= 1


class Process:
    """One instance of a function, with the services that it may have."""

    def __init__(self, shared: Shared, plan: Plan, transport: FaultyTransport) -> None:
        self.clock = SkewedClock(shared.scheduler, shared.random.randint(-SKEW_MS, SKEW_MS))
        witness = Witness(shared, self.clock)
        client: Any = FaultyClient(
            shared.engine, shared.engine, plan, shared.scheduler, shared.random, witness
        )
        self.store = DynamoStore(Table(client, TABLE))
        self.ledger = CheckedLedger(self.store, self.clock, shared, witness)
        self._orphaned_codes = OrphanedCodes(Table(client, TABLE))
        self._discounts = Discounts(AdminApi("https://shop", Tokens(), transport, self.clock))
        self._counted_discounts = CountedDiscounts(
            HoldCallLimiter(Table(client, TABLE)), self._discounts, shared
        )
        self._programme = shared.programme

    def hold_service(self) -> HoldService:
        """The service of my page's functions."""
        return HoldService(
            shop=SHOP,
            ledger=self.ledger,
            clock=self.clock,
            programme=self._programme,
            discounts=self._counted_discounts,
            call_limiter=self._counted_discounts,
            code_key=CODE_KEY,
        )

    def order_service(self) -> OrderService:
        """The service of the worker of orders."""
        return OrderService(SHOP, self.ledger, self.clock, self._programme, unused_customers)

    def orphaned_code_service(self) -> OrphanedCodeService:
        """The service of the sweep of codes."""
        return OrphanedCodeService(self._orphaned_codes, self.clock, lambda _: self._discounts)


SKEW_MS: Final = 200
"""How far the clock of an instance may be from the true time."""

_NAMES: Final = {"MarkReady": "mark_ready", "BeginRelease": "begin_release"}


def _name(instruction: Instruction) -> str:
    kind = type(instruction.command).__name__
    return _NAMES.get(kind, kind)
