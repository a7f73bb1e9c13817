"""A shop whose customers use their points at the checkout, from one seed.

Customers wish for holds, once or several times at once, and give up or try again; some release,
some check out at any time up to the very end; orders are told late, twice, in parallel; sweeps run;
customers are merged. The table, the line to Shopify and the processes fail at any call. The oracle
judges every command against the reference model, and `HoldsChecker` all that is beside the table.
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
from tests.simulation.holds.process import SHOP, TIME_ZONE, Process, Surroundings
from tests.simulation.kernel.scheduler import Scheduler
from tests.simulation.kernel.violation import Violation, must
from tests.simulation.kernel.world import DAY, HOUR, RATES, SECOND, START_MS
from tests.support.hold_orders import order_payload
from tests.support.instants import instant
from tests.support.table import create_table

CUSTOMERS: Final = ("7001", "7002", "7003", "7004")
WISHES: Final = 14
MINUTE: Final = 60 * SECOND
SWEEP_SECONDS: Final = 30.0
SWEEP_RESULT: Final = (DueKind.HOLD, DueKind.CODE)
NO_VERDICT: Final = (LedgerUnavailable, StoreUnavailable, Crash)


def run_holds(seed: int, wishes: int = WISHES) -> HoldsReport:
    """Run one seed to its end, or to its first violation."""
    global_random.seed(seed)  # the pauses between two calls to Shopify are drawn from there
    world = HoldsWorld(seed)
    with redirect_stdout(io.StringIO()):
        try:
            world.live(wishes)
        except (Violation, AssertionError) as wrong:
            world.broke(wrong)
    return world.report


class HoldsWorld:
    """The shop of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.report = HoldsReport(seed)
        engine = MemoryDynamoDB(page_items=self.random.choice((1, 3, 1000)))
        create_table(engine)
        self.scheduler = Scheduler(self.random, START_MS + self.random.randrange(9 * MINUTE))
        oracle = Oracle({SHOP: TIME_ZONE})
        self.shopify = ShopifyModel(lambda: self.scheduler.now_ms)
        self.judge = HoldsChecker(engine, oracle, self.shopify, self.scheduler, self.report)
        apart = Random(f"pace {seed}")  # the other draws of a seed stay what they were
        programme = default_programme(
            hold_seconds=self.random.choice(("600", "600", "120")),
            holds_per_hour=apart.choice(("20", "20", "2", "1")),
            hold_calls_per_minute=apart.choice(("60", "60", "60", "4", "1")),
        )
        self.judge.calls_per_minute = programme.hold_calls_per_minute
        self.hold_ms = programme.hold_seconds * SECOND
        self.around = Surroundings(self.scheduler, self.random, engine, oracle, self, programme)
        self.plan: Plan = Nothing()
        self.troubles: TroublePlan = Listed()

    def broke(self, wrong: Exception) -> None:
        """Keep the first violation."""
        self.report.violation = self.report.violation or str(wrong) or repr(wrong)

    # --- a life ----------------------------------------------------------------------------------

    def live(self, wishes: int) -> None:
        """Grant, wish, fail, calm down, and look at what is left."""
        for customer_id in CUSTOMERS:
            self.scheduler.spawn(0, partial(self._open, customer_id))
        self.scheduler.run()
        scale = self.random.choice((0.0, 0.3, 1.0, 1.5))
        self.plan = Seeded(self.random, {fault: rate * scale for fault, rate in RATES.items()})
        self.troubles = Drawn(self.random, self.random.choice((0.0, 0.1, 0.3, 0.6)))
        self.scheduler.spawn(0, lambda: self._request_holds(wishes))
        self.scheduler.spawn(MINUTE, self._sweep_each_minute)
        self.scheduler.run()
        self.plan, self.troubles = Nothing(), Listed()
        for _ in range(2):
            self.scheduler.spawn(
                2 * self.hold_ms, partial(self._sweep, (*SWEEP_RESULT, DueKind.LOT))
            )
            self.scheduler.run()
        self.look()
        self.judge.check_the_end()
        must("error", not self.report.violation, self.report.violation)

    def _open(self, customer_id: str) -> None:
        """Points that end today, tomorrow and never."""
        today = day_of(instant(self.scheduler.now_ms), TIME_ZONE)
        self._credit(customer_id, 8, FixedDate(today))
        self._credit(customer_id, self.random.choice((3, 10)), Days(1))
        self._credit(customer_id, self.random.choice((2, 12)), Never())

    def _request_holds(self, wishes: int) -> None:
        for number in range(wishes):
            points = self.random.choice((1, 3, 5, 8, 12))
            hold_request = HoldRequest(self.random.choice(CUSTOMERS), points, f"k{number}")
            self.judge.wishes[hold_request.hold_id] = hold_request
            self.report.wishes += 1
            self._ask_in(0, hold_request)
            for after_ms in (0, 5, 60, SECOND, 6 * SECOND, 30 * SECOND, self.hold_ms):
                if self.random.random() < 0.15:
                    self._ask_in(after_ms, hold_request)
            drawn = self.random.random()
            if drawn < 0.06:
                self.scheduler.spawn(self.random.randrange(self.hold_ms), self._merge)
            elif drawn < 0.15:
                self.scheduler.spawn(0, partial(self._credit, hold_request.customer_id, 4, Never()))
            self.scheduler.pause(self.random.choice((5, SECOND, MINUTE, MINUTE, 11 * MINUTE)))

    # --- customers -------------------------------------------------------------------------------

    def _ask_in(self, after_ms: int, hold_request: HoldRequest) -> None:
        self.scheduler.spawn(after_ms, lambda: self._ask(hold_request))

    def _ask(self, hold_request: HoldRequest) -> None:
        """One try of a wish; whoever gets no answer may try again."""
        self.report.requests += 1
        given_up = hold_request.given_up
        try:
            answer = (
                self._process()
                .hold_service()
                .create(hold_request.customer_id, hold_request.points, hold_request.key)
            )
        except HoldFailed:
            self.judge.told_failed(hold_request)
            self._count("wish: hold_failed")
        except RateLimited as limited:
            self.judge.told_limited(limited)
            self._count("wish: rate_limited by the shop's pace")
        except NO_VERDICT as end:
            self._count(f"wish: {type(end).__name__}")
        else:
            self.judge.told(hold_request, answer, given_up=given_up)
            self._count(f"wish: {answer.code if isinstance(answer, Refusal) else 'held'}")
            if not isinstance(answer, Refusal) and hold_request.told is None:
                hold_request.told = answer
                self._use(hold_request)
            return
        drawn = self.random.random()
        if drawn < 0.6:
            self._ask_in(self.random.choice((50, SECOND, 10 * SECOND, MINUTE)), hold_request)
        if drawn > 0.4:  # my page shows a hold that was left preparing
            after_ms = self.random.choice((50, SECOND, MINUTE))
            self.scheduler.spawn(after_ms, lambda: self._release(hold_request))

    def _use(self, hold_request: HoldRequest) -> None:
        """What a customer does with a code: releases it, pays with it, both, or nothing."""
        inside_ms = self.random.randrange(self.hold_ms)
        end_ms = self.hold_ms - self.random.choice((1_500, 800, 100))
        times = (SECOND, inside_ms, inside_ms, end_ms)
        drawn = self.random.random()
        if drawn < 0.5:
            self.scheduler.spawn(self.random.choice(times), lambda: self._release(hold_request))
        if drawn > 0.35:
            after_ms = self.random.choice(times)
            self.scheduler.spawn(after_ms, lambda: self._check_out(hold_request))
            if self.random.random() < 0.1:
                self.scheduler.spawn(after_ms, lambda: self._check_out(hold_request, racing=True))

    def _release(self, hold_request: HoldRequest) -> None:
        self.report.requests += 1
        try:
            answer = (
                self._process()
                .hold_service()
                .release(hold_request.customer_id, hold_request.hold_id)
            )
        except (HoldReleasing, RateLimited, *NO_VERDICT) as end:
            if isinstance(end, RateLimited):
                self.judge.told_limited(end)
            hold_request.given_up = hold_request.given_up or isinstance(end, HoldReleasing)
            self._count(f"release: {type(end).__name__}")
            if self.random.random() < 0.7:
                self.scheduler.spawn(
                    self.random.choice((50, SECOND, MINUTE)), lambda: self._release(hold_request)
                )
            return
        self.judge.told_released(hold_request, answer)
        self._count(f"release: {answer.code if isinstance(answer, Refusal) else 'released'}")

    def _check_out(self, hold_request: HoldRequest, *, racing: bool = False) -> None:
        """An order with the code, and how it is told."""
        assert hold_request.told is not None
        found = self.shopify.discount(hold_request.told.code)
        assert found is not None
        order_id = f"9{self.report.orders:06}"
        named = found.customers[0].removeprefix(GID)
        if not self.shopify.redeem(hold_request.told.code, named, order_id, racing=racing):
            self._count("checkout: code not taken")
            return
        self._count("checkout: code taken")
        self.report.orders += 1
        used = (
            self.random.randint(1, hold_request.points)
            if self.random.random() < 0.4
            else hold_request.points
        )
        self.judge.used(hold_request, Bought(order_id, used))
        code = self.random.choice((hold_request.told.code, hold_request.told.code.lower()))
        payload = order_payload(
            order_id, code, used, hold_request.customer_id, self.scheduler.now_ms
        )
        for _ in range(self.random.choice((1, 1, 2, 3))):
            late_ms = self.random.choice((100, 100, 100, SECOND, self.hold_ms, 2 * HOUR, DAY))
            self.scheduler.spawn(self.random.randint(50, late_ms), lambda: self._deliver(payload))

    def _deliver(self, payload: dict[str, Any]) -> None:
        """The worker of orders; what fails comes again."""
        self.report.requests += 1
        message = Message("orders/paid", SHOP, instant(self.scheduler.now_ms), "event", payload)
        try:
            self._process().order_service().carry_out(message)
        except NO_VERDICT:
            again_ms = self.random.choice((SECOND, MINUTE, 15 * MINUTE))
            self.scheduler.spawn(again_ms, lambda: self._deliver(payload))

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
            if self.judge.open_holds() or self.judge.listed():
                self.scheduler.spawn(0, self._sweep)
                if self.random.random() < 0.2:
                    self.scheduler.spawn(self.random.choice((0, 20)), self._sweep)
            self.scheduler.pause(MINUTE)

    def _sweep(self, kinds: Iterable[DueKind] = SWEEP_RESULT) -> None:
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
        except NO_VERDICT:
            self._count("cut short")

    def _process(self) -> Process:
        line = FaultyTransport(self.shopify, self, self.scheduler, self.random, self.look)
        return Process(self.around, self.plan, line)

    # --- told by tables and lines ----------------------------------------------------------------

    def look(self) -> None:
        """Something has happened."""
        with self.around.kept():
            self.judge.look()

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
