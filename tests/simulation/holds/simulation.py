"""A shop whose customers use their points at the checkout, from one seed.

Customers request holds, once or several times at once, and give up or try again; some release, some
check out at any time up to the very end; webhooks of orders come late, twice, in parallel; sweeps
run; customers are merged. The table, the transport to Shopify and the processes fail at any call.
The oracle checks every command against the reference model, and `HoldsChecker` everything else.
"""

import io
import random as global_random
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from functools import partial
from random import Random
from typing import Any, Final

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days, ExpiryRule, FixedDate, Never, day_of
from pointbook.domain.ports import DueKind, StoreUnavailable
from pointbook.domain.programme import default_programme
from pointbook.domain.refusal import Refusal
from pointbook.errors import HoldFailed, HoldReleasing, LedgerUnavailable, RateLimited
from pointbook.ledger.instruction import Identity, Instruction
from pointbook.services.message import Message
from pointbook.services.sweeps import Sweep, settling
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash, Fault, Nothing, Plan, Seeded
from tests.fakes.faulty_shopify import Drawn, FaultyTransport, Listed, Trouble
from tests.fakes.faulty_shopify import Plan as TroublePlan
from tests.fakes.shopify import ShopifyModel
from tests.simulation.checker.oracle import Oracle
from tests.simulation.holds.checker import GID, Bought, HoldRequest, HoldsChecker, HoldsReport
from tests.simulation.holds.process import SHOP, TIME_ZONE, Process, Shared
from tests.simulation.kernel.scheduler import Scheduler
from tests.simulation.kernel.simulation import DAY, HOUR, RATES, SECOND, START_MS
from tests.simulation.kernel.violation import Violation, must
from tests.support.hold_orders import order_payload
from tests.support.instants import instant
from tests.support.table import create_table

CUSTOMERS: Final = ("7001", "7002", "7003", "7004")
HOLDS: Final = 14
MINUTE: Final = 60 * SECOND
SWEEP_SECONDS: Final = 30.0
KINDS: Final = (DueKind.HOLD, DueKind.CODE)
NO_ANSWER: Final = (LedgerUnavailable, StoreUnavailable, Crash)


def run_holds(seed: int, holds: int = HOLDS) -> HoldsReport:
    """Run one seed to its end, or to its first violation."""
    global_random.seed(seed)  # the pauses between two calls to Shopify are drawn from there
    simulation = HoldsSimulation(seed)
    with redirect_stdout(io.StringIO()):
        try:
            simulation.run(holds)
        except (Violation, AssertionError) as wrong:
            simulation.violated(wrong)
    return simulation.report


class HoldsSimulation:
    """The shop of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.report = HoldsReport(seed)
        engine = MemoryDynamoDB(page_items=self.random.choice((1, 3, 1000)))
        create_table(engine)
        self.scheduler = Scheduler(self.random, START_MS + self.random.randrange(9 * MINUTE))
        oracle = Oracle({SHOP: TIME_ZONE})
        self.shopify = ShopifyModel(lambda: self.scheduler.now_ms)
        self.checker = HoldsChecker(engine, oracle, self.shopify, self.scheduler, self.report)
        apart = Random(f"pace {seed}")  # the other draws of a seed stay what they were
        programme = default_programme(
            hold_seconds=self.random.choice(("600", "600", "120")),
            holds_per_hour=apart.choice(("20", "20", "2", "1")),
            hold_calls_per_minute=apart.choice(("60", "60", "60", "4", "1")),
        )
        self.checker.calls_per_minute = programme.hold_calls_per_minute
        self.hold_ms = programme.hold_seconds * SECOND
        self.shared = Shared(self.scheduler, self.random, engine, oracle, self, programme)
        self.plan: Plan = Nothing()
        self.troubles: TroublePlan = Listed()

    def violated(self, wrong: Exception) -> None:
        """Keep the first violation."""
        self.report.violation = self.report.violation or str(wrong) or repr(wrong)

    # --- a run -----------------------------------------------------------------------------------

    def run(self, holds: int) -> None:
        """Grant, send requests while calls fail, finish without faults, and check the end."""
        for customer_id in CUSTOMERS:
            self.scheduler.spawn(0, partial(self._open, customer_id))
        self.scheduler.run()
        scale = self.random.choice((0.0, 0.3, 1.0, 1.5))
        self.plan = Seeded(self.random, {fault: rate * scale for fault, rate in RATES.items()})
        self.troubles = Drawn(self.random, self.random.choice((0.0, 0.1, 0.3, 0.6)))
        self.scheduler.spawn(0, partial(self._send_all, holds))
        self.scheduler.spawn(MINUTE, self._sweep_each_minute)
        self.scheduler.run()
        self.plan, self.troubles = Nothing(), Listed()
        for _ in range(2):
            self.scheduler.spawn(2 * self.hold_ms, partial(self._sweep, (*KINDS, DueKind.LOT)))
            self.scheduler.run()
        self.look()
        self.checker.check_the_end()
        must("error", not self.report.violation, self.report.violation)

    def _open(self, customer_id: str) -> None:
        """Points that end today, tomorrow and never."""
        today = day_of(instant(self.scheduler.now_ms), TIME_ZONE)
        self._credit(customer_id, 8, FixedDate(today))
        self._credit(customer_id, self.random.choice((3, 10)), Days(1))
        self._credit(customer_id, self.random.choice((2, 12)), Never())

    def _send_all(self, holds: int) -> None:
        for number in range(holds):
            points = self.random.choice((1, 3, 5, 8, 12))
            request = HoldRequest(self.random.choice(CUSTOMERS), points, f"k{number}")
            self.checker.requests[request.hold_id] = request
            self.report.holds += 1
            self._create_in(0, request)
            for after_ms in (0, 5, 60, SECOND, 6 * SECOND, 30 * SECOND, self.hold_ms):
                if self.random.random() < 0.15:
                    self._create_in(after_ms, request)
            drawn = self.random.random()
            if drawn < 0.06:
                self.scheduler.spawn(self.random.randrange(self.hold_ms), self._merge)
            elif drawn < 0.15:
                self.scheduler.spawn(0, partial(self._credit, request.customer_id, 4, Never()))
            self.scheduler.pause(self.random.choice((5, SECOND, MINUTE, MINUTE, 11 * MINUTE)))

    # --- customers -------------------------------------------------------------------------------

    def _create_in(self, after_ms: int, request: HoldRequest) -> None:
        self.scheduler.spawn(after_ms, partial(self._create, request))

    def _create(self, request: HoldRequest) -> None:
        """Request a hold once; without an answer the customer may try again."""
        self.report.requests += 1
        given_up = request.given_up
        try:
            holds = self._process().hold_service()
            answer = holds.create(request.customer_id, request.points, request.key)
        except HoldFailed:
            self.checker.create_failed(request)
            self._count("create: hold_failed")
        except RateLimited as limited:
            self.checker.rate_limited(limited)
            self._count("create: rate_limited by the shop's pace")
        except NO_ANSWER as end:
            self._count(f"create: {type(end).__name__}")
        else:
            self.checker.created(request, answer, given_up=given_up)
            self._count(f"create: {answer.code if isinstance(answer, Refusal) else 'held'}")
            if not isinstance(answer, Refusal) and request.result is None:
                request.result = answer
                self._use(request)
            return
        drawn = self.random.random()
        if drawn < 0.6:
            self._create_in(self.random.choice((50, SECOND, 10 * SECOND, MINUTE)), request)
        if drawn > 0.4:  # my page shows a hold that was left preparing
            after_ms = self.random.choice((50, SECOND, MINUTE))
            self.scheduler.spawn(after_ms, partial(self._release, request))

    def _use(self, request: HoldRequest) -> None:
        """The customer releases the hold, pays with its code, both, or nothing."""
        inside_ms = self.random.randrange(self.hold_ms)
        end_ms = self.hold_ms - self.random.choice((1_500, 800, 100))
        times = (SECOND, inside_ms, inside_ms, end_ms)
        drawn = self.random.random()
        if drawn < 0.5:
            self.scheduler.spawn(self.random.choice(times), partial(self._release, request))
        if drawn > 0.35:
            after_ms = self.random.choice(times)
            self.scheduler.spawn(after_ms, partial(self._check_out, request))
            if self.random.random() < 0.1:
                self.scheduler.spawn(after_ms, partial(self._check_out, request, racing=True))

    def _release(self, request: HoldRequest) -> None:
        self.report.requests += 1
        try:
            holds = self._process().hold_service()
            answer = holds.release(request.customer_id, request.hold_id)
        except (HoldReleasing, RateLimited, *NO_ANSWER) as end:
            if isinstance(end, RateLimited):
                self.checker.rate_limited(end)
            request.given_up = request.given_up or isinstance(end, HoldReleasing)
            self._count(f"release: {type(end).__name__}")
            if self.random.random() < 0.7:
                self.scheduler.spawn(
                    self.random.choice((50, SECOND, MINUTE)), partial(self._release, request)
                )
            return
        self.checker.released(request, answer)
        self._count(f"release: {answer.code if isinstance(answer, Refusal) else 'released'}")

    def _check_out(self, request: HoldRequest, *, racing: bool = False) -> None:
        """An order with the code, and its webhooks."""
        assert request.result is not None
        found = self.shopify.discount(request.result.code)
        assert found is not None
        order_id = f"9{self.report.orders:06}"
        named = found.customers[0].removeprefix(GID)
        if not self.shopify.redeem(request.result.code, named, order_id, racing=racing):
            self._count("checkout: code not taken")
            return
        self._count("checkout: code taken")
        self.report.orders += 1
        used = (
            self.random.randint(1, request.points) if self.random.random() < 0.4 else request.points
        )
        self.checker.used(request, Bought(order_id, used))
        code = self.random.choice((request.result.code, request.result.code.lower()))
        payload = order_payload(order_id, code, used, request.customer_id, self.scheduler.now_ms)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            late_ms = self.random.choice((100, 100, 100, SECOND, self.hold_ms, 2 * HOUR, DAY))
            self.scheduler.spawn(self.random.randint(50, late_ms), partial(self._deliver, payload))

    def _deliver(self, payload: dict[str, Any]) -> None:
        """The worker of orders; what fails is delivered again."""
        self.report.requests += 1
        message = Message("orders/paid", SHOP, instant(self.scheduler.now_ms), "event", payload)
        try:
            self._process().order_service().carry_out(message)
        except NO_ANSWER:
            again_ms = self.random.choice((SECOND, MINUTE, 15 * MINUTE))
            self.scheduler.spawn(again_ms, partial(self._deliver, payload))

    # --- the shop --------------------------------------------------------------------------------

    def _credit(self, customer_id: str, points: int, expiry: ExpiryRule) -> None:
        """Points for a customer."""
        identity = Identity("credit", str(self.random.random()))
        grant = Instruction(
            SHOP, customer_id, Grant(points, expiry), Cause("test"), identity=identity
        )
        self._try(lambda: self._process().ledger.execute(grant))

    def _merge(self) -> None:
        source, target = self.random.sample(CUSTOMERS, 2)
        self._try(lambda: self._process().ledger.merge(SHOP, source, target, Cause("test")))

    def _sweep_each_minute(self) -> None:
        until_ms = self.scheduler.now_ms + 4 * HOUR
        while self.scheduler.now_ms < until_ms:
            if self.checker.open_holds() or self.checker.listed():
                self.scheduler.spawn(0, self._sweep)
                if self.random.random() < 0.2:
                    self.scheduler.spawn(self.random.choice((0, 20)), self._sweep)
            self.scheduler.pause(MINUTE)

    def _sweep(self, kinds: Iterable[DueKind] = KINDS) -> None:
        """Sweeps, each in an instance of its own."""
        for kind in kinds:
            process = self._process()
            settle = settling(process.ledger)
            work = process.orphaned_code_service().deactivate if kind is DueKind.CODE else settle
            sweep = Sweep(process.store, process.clock, work, self.random.shuffle)
            self._try(partial(sweep.run, kind, SWEEP_SECONDS))

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except NO_ANSWER:
            self._count("cut short")

    def _process(self) -> Process:
        transport = FaultyTransport(self.shopify, self, self.scheduler, self.random, self.look)
        return Process(self.shared, self.plan, transport)

    # --- events of tables and transports ---------------------------------------------------------

    def look(self) -> None:
        """Something has happened."""
        with self.shared.reporting():
            self.checker.look()

    def next_trouble(self) -> Trouble | None:
        """What goes wrong with the next call to Shopify; counted."""
        trouble = self.troubles.next_trouble()
        if trouble is not None:
            self.report.faults[trouble] += 1
        return trouble

    def suffered(self, fault: Fault) -> None:
        """The table failed; counted."""
        self.report.faults[fault] += 1

    def alarmed(self, alarm: str) -> None:
        """A write has raised an alarm; counted."""
        self.report.alarms[alarm] += 1

    def _count(self, answer: str) -> None:
        self.report.answers[answer] += 1
