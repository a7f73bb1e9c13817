"""Many customers, chains of merges, and Shopify asks to erase some of them in the midst of it all.

One seed is one shop. The real services work on a table that fails: webhooks of merges, redactions
and orders by parallel workers in any order, Flow actions, reports that wait for a slow Shopify, the
outbox's senders, reminders, holds that are used, sweeps, data requests. What fails is delivered
again. When all requests are done, `checker` checks everything that is left.
"""

import io
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final
from unittest.mock import patch

from pointbook.domain.buckets import Figures
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command, Consume, Grant, PlaceHold, Settle
from pointbook.domain.expiry import Days
from pointbook.domain.ports import IdempotencyRecord, StoreUnavailable
from pointbook.domain.programme import default_programme
from pointbook.errors import Unavailable
from pointbook.ledger.instruction import Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services import customers as customer_events
from pointbook.services.message import Message
from pointbook.services.orders import OrderService
from pointbook.services.privacy.requests import PrivacyService
from pointbook.shopify.discount_code import hold_id_of
from pointbook.store.customer_items import CustomerErased
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.outbox import Cursor, LeaseLost, Outbox
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.reports import Reports
from pointbook.store.sent_reminders import Reminders
from pointbook.store.table import Table
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash, Fault, FaultyClient, Nothing, Plan, Seeded, Unwatched
from tests.fakes.privacy import MemoryBucket, privacy_service
from tests.simulation.erasures.checker import check_erased
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.scheduler import Scheduler, SkewedClock
from tests.simulation.kernel.violation import Violation, must
from tests.support.hold_orders import order_payload
from tests.support.payloads import data_request_payload, merge_payload, redact_payload
from tests.support.table import TABLE, create_table

SHOP: Final = "demo.myshopify.com"
START_MS: Final = 1_795_000_000_000
SECOND: Final = 1_000
WINDOW_MS: Final = 20 * SECOND
TROUBLE_MS: Final = 200 * SECOND
"""Then the table fails no more, so that everything can finish."""

TRIES_MAX: Final = 100
WATCH_MINUTES: Final = 20
RUNS_MAX: Final = 60
RATES: Final = {
    Fault.THROTTLED: 0.01,
    Fault.CONFLICT: 0.02,
    Fault.SERVER_ERROR_AFTER: 0.01,
    Fault.REPLY_LOST: 0.02,
    Fault.LATE_COMMIT: 0.02,
    Fault.STALE: 0.1,
    Fault.TORN: 0.1,
    Fault.CRASH_BEFORE: 0.01,
    Fault.CRASH_AFTER: 0.02,
}


@dataclass(slots=True)
class ErasureReport(Report):
    """What a run came to."""

    erased: int = 0
    done: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who is merged into whom, and who is to be erased."""

    customers: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    redacted: tuple[str, ...]

    def must_be_erased(self) -> set[str]:
        """The redacted, and who was merged into one of them that was not merged on."""
        sources = {source for source, _ in self.merges}
        last = {one for one in self.redacted if one not in sources}
        return self._with_merged(last) | set(self.redacted)

    def may_be_erased(self) -> set[str]:
        """The redacted, and whoever was merged into one of them."""
        return self._with_merged(set(self.redacted))

    def _with_merged(self, names: set[str]) -> set[str]:
        found = set(names)
        while more := {a for a, b in self.merges if b in found} - found:
            found |= more
        return found


def run_erasures(seed: int) -> ErasureReport:
    """One shop; the report says what was violated."""
    report = ErasureReport(seed)
    drawn = Random(f"secrets {seed}")  # pseudonyms and names of accounts, the same for a seed
    with (
        redirect_stdout(io.StringIO()),
        patch("pointbook.store.pseudonyms.randbelow", drawn.randrange),
        patch("secrets.token_hex", lambda size: f"{drawn.getrandbits(8 * size):0{2 * size}x}"),
    ):
        try:
            ErasureSimulation(seed, report).run()
        except Violation as violation:
            report.violation = str(violation)
    return report


class ErasureSimulation(Unwatched):
    """The shop of one seed."""

    def __init__(self, seed: int, report: ErasureReport) -> None:
        """Draw who is merged and who is erased."""
        self.random = Random(f"erasures {seed}")
        self.report = report
        self.engine = MemoryDynamoDB(page_items=self.random.choice((4, 20, 1000)))
        create_table(self.engine)
        self.scheduler = Scheduler(self.random, START_MS)
        self.plan: Plan = Nothing()
        self.bucket = MemoryBucket()
        self.programme = default_programme()
        self.orders: dict[str, dict[str, Any]] = {}
        self.moved: Counter[str] = Counter()
        self.scenario = self._drawn()

    def _drawn(self) -> Scenario:
        names = [str(7_000_000 + number) for number in range(self.random.randint(3, 9))]
        merges = [
            (one, self.random.choice(names[at + 1 :][:2]))
            for at, one in enumerate(names[:-1])
            if self.random.random() < 0.75
        ]
        self.random.shuffle(merges)
        redacted = [one for one in names if self.random.random() < 0.5] or names[-1:]
        return Scenario(tuple(names), tuple(merges), tuple(redacted))

    def run(self) -> None:
        """Everybody acts at once; then all open requests are finished, and all is checked."""
        for customer in self.scenario.customers:
            self._spawn(0, partial(self._begin, customer))
        self.scheduler.run()
        self.plan = Seeded(self.random, RATES)
        self._send_all()
        self.scheduler.run()
        self._work_off()
        self.report.erased = len(check_erased(self))

    def _send_all(self) -> None:
        """Webhooks and whatever else is under way, each at its own time."""
        for source, target in self.scenario.merges:
            for _ in range(self.random.choice((1, 1, 2))):
                self._at(partial(self._merge, source, target), self.random.choice((1, 1, 3)))
        for customer in self.scenario.redacted:
            for _ in range(self.random.choice((1, 1, 2))):
                self._at(partial(self._redact, customer), self.random.choice((1, 1, 3)))
        self._meanwhile()

    def _meanwhile(self) -> None:
        """What customers, workflows, senders and the schedule do meanwhile."""
        for customer in self.scenario.customers:
            for act in (self._grant, self._report, self._publish, self._remind, self._request_data):
                self._at(partial(act, customer))
            for act in (self._order, self._settle, self._hold_and_use, self._grant, self._reprice):
                self._at(partial(act, customer))
        self.scheduler.later(TROUBLE_MS, self._calm)
        for _ in range(3):
            self._at(self._watch)
        for minute in range(WATCH_MINUTES):
            self._spawn(WINDOW_MS + minute * 60 * SECOND, self._watch)

    def _calm(self) -> None:
        self.plan = Nothing()

    def _work_off(self) -> None:
        for run in range(RUNS_MAX):
            self._spawn(SECOND, self._watch)
            for order_id in self.orders if run == 0 else ():
                self._spawn(SECOND, partial(self._cancel, order_id))
            self.scheduler.run()
            if not self.open_requests():
                return
        must("progress", holds=False, message=f"open for ever: {self.open_requests()}")

    def open_requests(self) -> list[str]:
        """The requests that are not done."""
        found = PrivacyRequests(Table(self.engine, TABLE)).all_of(SHOP)
        return [f"{one.kind} {one.subject}" for one in found if one.finished_at is None]

    # --- who acts, and what comes again ---------------------------------------------------------

    def _at(self, act: Callable[[], object], windows: int = 1) -> None:
        self._spawn(self.random.randint(0, windows * WINDOW_MS), act)

    def _spawn(self, after_ms: int, act: Callable[[], object], tries: int = 1) -> None:
        self.scheduler.spawn(after_ms, partial(self._try, act, tries))

    def _try(self, act: Callable[[], object], tries: int) -> None:
        must("progress", tries <= TRIES_MAX, f"it fails each time: {act}")
        try:
            act()
        except (Unavailable, StoreUnavailable, Crash):
            again_ms = self.random.choice((10, SECOND, 5 * SECOND, 30 * SECOND))
            self._spawn(again_ms, act, tries + 1)

    # --- what they do ---------------------------------------------------------------------------

    def _begin(self, customer: str) -> None:
        self._execute(customer, Grant(200, Days(400)), f"first {customer}", "Yamada")
        self._order(customer)
        self._order(customer, worth=0)
        code = f"CODE-{customer[-2:]}"
        hold = PlaceHold(20, hold_id_of(code), 600, code=code)
        self._execute(customer, hold)

    def _execute(self, customer: str, command: Command, key: str = "", reason: str = "") -> None:
        identity = Identity("test:key", key) if key else None
        cause = Cause("flow", "run", "")
        more: Any = {"reason": reason, "identity": identity, "content": {}}
        self._ledger().execute(Instruction(SHOP, customer, command, cause, **more))

    def _grant(self, customer: str) -> None:
        key = str(self.random.random())
        self._execute(customer, Grant(5, Days(400)), key, "Yamada")
        self._execute(customer, Consume(1), f"{key} used", "Yamada")

    def _settle(self, customer: str) -> None:
        self._execute(customer, Settle())

    def _hold_and_use(self, customer: str) -> None:
        self._order(customer, f"CODE-{customer[-2:]}")

    def _order(self, customer: str, code: str = "", worth: int = 300) -> None:
        """A paid order: it earns, or uses a code; most are cancelled in the end."""
        order_id = str(9_000_000 + len(self.orders))
        payload = order_payload(order_id, code, 15, customer, self.scheduler.now_ms, left=worth)
        self.orders[order_id] = payload
        self._deliver_order(order_id, "orders/paid")

    def _reprice(self, customer: str) -> None:
        """An order that was worth nothing, and that no entry is about, is worth something now."""
        for order_id, payload in self.orders.items():
            if self._is_of(order_id, customer) and payload["subtotal_price"] == "0":
                payload |= {"subtotal_price": "300", "updated_at": self._clock().now().isoformat()}
                payload["line_items"][0] |= {"price": "300"}
                self._deliver_order(order_id, "orders/updated")

    def _deliver_order(self, order_id: str, topic: str) -> None:
        ledger, clock = self._ledger(), self._clock()
        orders = OrderService(SHOP, ledger, clock, self.programme, unused_customers)
        message = self._message(topic, self.orders[order_id])
        self._spawn(0, partial(orders.carry_out, message))

    def _cancel(self, order_id: str) -> None:
        at = self._clock().now() + timedelta(seconds=1)
        self.orders[order_id] |= {"cancelled_at": at.isoformat(), "updated_at": at.isoformat()}
        self._deliver_order(order_id, "orders/cancelled")

    def _merge(self, source: str, target: str) -> None:
        client = self._client()
        message = self._message("customers/merge", merge_payload(source, target))
        ledger, requests = self._ledger(self._store(client)), PrivacyRequests(Table(client, TABLE))
        customer_events.carry_out(message, ledger, self.programme, requests)
        self.report.done["merges"] += 1

    def _redact(self, customer: str) -> None:
        orders = [one for one in self.orders if self._is_of(one, customer)]
        payload = redact_payload(customer, [one for one in orders if self.random.random() < 0.5])
        self._spawn(self.random.choice((0, 10, SECOND)), partial(self._reprice, customer))
        self._privacy().carry_out(self._message("customers/redact", payload))
        for _ in range(3):  # they may have read before the erasure
            self._spawn(0, partial(self._grant, customer))

    def _is_of(self, order_id: str, customer: str) -> bool:
        return bool(self.orders[order_id]["customer"]["id"] == int(customer))

    def _request_data(self, customer: str) -> None:
        payload = data_request_payload(customer, 9)
        self._privacy().carry_out(self._message("customers/data_request", payload))

    def _watch(self) -> None:
        run = self._privacy().watch((SHOP,), 240.0)
        must("progress", not run.failed, "a request fails")

    def _report(self, customer: str) -> None:
        """As the service does it: count, query a slow Shopify, record."""
        reports = Reports(Table(self._client(), TABLE))
        sent = IdempotencyRecord(
            f"{self.random.getrandbits(256):064x}", "0" * 64, ("1",), Figures(*[0] * 6)
        )
        with suppress(CustomerErased):
            if reports.count(SHOP, customer, self._clock().now(), 100):
                self._clock().sleep(self.random.random() * 9)
                reports.record(SHOP, customer, sent)

    def _publish(self, customer: str) -> None:
        """As the service does it while Shopify is slow or down."""
        outbox, now = Outbox(Table(self._client(), TABLE)), self._clock().now()
        outbox.request(SHOP, customer, 2, now)
        lease = str(self.random.random())
        request = Cursor(SHOP, customer, lease, now + timedelta(seconds=15))
        cursor = outbox.acquire(request, now, None)
        if not isinstance(cursor, Cursor):
            return
        self._clock().sleep(self.random.random() * 9)
        with suppress(LeaseLost):
            outbox.advance(cursor)
            outbox.reschedule(cursor, now + timedelta(seconds=60))

    def _remind(self, customer: str) -> None:
        clock = self._clock()
        reminders = Reminders(Table(self._client(), TABLE), clock)
        sent_reminders = reminders.claim(
            SHOP, customer, clock.now(), clock.now() + timedelta(seconds=60)
        )
        if sent_reminders is not None:
            clock.sleep(self.random.random() * 9)
            reminders.release(SHOP, customer, sent_reminders)

    # --- services -------------------------------------------------------------------------------

    def _message(self, topic: str, payload: dict[str, Any]) -> Message:
        return Message(topic, SHOP, self._clock().now(), f"e-{self.random.random()}", payload)

    def _clock(self) -> SkewedClock:
        return SkewedClock(self.scheduler, 0)

    def _client(self) -> FaultyClient:
        return FaultyClient(self.engine, self.engine, self, self.scheduler, self.random, self)

    def _store(self, client: FaultyClient | None = None) -> DynamoStore:
        return DynamoStore(Table(client or self._client(), TABLE))

    def _ledger(self, store: DynamoStore | None = None) -> Ledger:
        return Ledger(store or self._store(), self._clock(), random=self.random.random)

    def _privacy(self) -> PrivacyService:
        return privacy_service(Table(self._client(), TABLE), self._clock(), self.bucket)

    # --- as plan and witness of the clients -----------------------------------------------------

    def next(self, operation: str) -> Fault | None:
        """The fault of the next call, by the plan that is in force by now."""
        return self.plan.next(operation)

    def suffered(self, fault: Fault) -> None:
        """Count it."""
        self.report.faults[fault] += 1

    def committed(self, request: dict[str, Any], stamp: object) -> None:
        """Add up what was booked: only the ledger writes entries in transactions."""
        for action in request.get("TransactItems", ()):
            item = action.get("Put", {}).get("Item", {})
            for bucket, points in item.get("moves", _NONE)["M"].items():
                self.moved[bucket] += int(points["N"])
        self.report.done["writes"] += 1


_NONE: Final[dict[str, Any]] = {"M": {}}
