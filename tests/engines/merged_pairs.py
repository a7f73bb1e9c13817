"""A shop in which pairs of merged customers are erased while everything else goes on.

The real services work on an engine, on messages as the queues keep them, by several threads. Of
each pair the webhooks come in another order, among everything else that is under way; what fails
comes again in the next round, as SQS brings it, and after `TRIES_MAX` rounds it is a dead letter.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, permutations
from random import Random
from typing import Any, Final

from pointbook.clock import SystemClock
from pointbook.deadline import Deadline
from pointbook.domain.chain import Cause, milliseconds
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.expiry import Days
from pointbook.domain.ports import DueKind, StoreUnavailable
from pointbook.domain.programme import default_programme
from pointbook.errors import PointbookError, ShopifyUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services import customers as customer_events
from pointbook.services.holds import HoldResult, HoldService
from pointbook.services.imports import Import
from pointbook.services.message import Message, message_text, read_message
from pointbook.services.orders import OrderService
from pointbook.services.privacy.requests import PrivacyService
from pointbook.services.publishing.outbox import OutboxPublisher
from pointbook.services.publishing.reports import ReportSender
from pointbook.services.publishing.runs import Publisher
from pointbook.services.sweeps import Sweep, settling
from pointbook.shopify.discounts import Discount
from pointbook.shopify.flow_action import REPORT_POINTS, FlowAction
from pointbook.shopify.triggers import Trigger
from pointbook.store.hold_calls import HoldCallLimiter
from pointbook.store.outbox import Outbox
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.reports import Reports
from pointbook.store.sent_reminders import Reminders
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.locked import LockedClient
from tests.fakes.privacy import MemoryBucket, privacy_service
from tests.support.engine import SHOP, Engine
from tests.support.hold_orders import order_payload
from tests.support.payloads import data_request_payload, merge_payload, redact_payload

WORKERS: Final = 6
TRIES_MAX: Final = 8
"""As the template's queues: then a message is a dead letter."""

STALE: Final = 0.2
"""How many of the reads that may be old are, where the engine can look back."""

ORDER_POINTS: Final = 3
"""What an order of 300 yen earns."""

HELD_POINTS: Final = 20
PAIRS_TOGETHER: Final = (1, 1, 3, 24)
"""How many pairs are under way at a time: with few, all of a pair happens at once."""

IN_EVERY_ORDER: Final = tuple(permutations(("merge", "redact source", "redact target", "paid")))

_LOOK_SECONDS: Final = 0.005

type Act = Callable[[], object]


class QuickClock(SystemClock):
    """Real time, moved ahead by the test; waiting only yields to other threads.

    What a thread has waited, and each reading of the clock, counts for its own deadlines, so that a
    loop without progress ends soon.
    """

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._waited = threading.local()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self._passed(_LOOK_SECONDS)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.002))
        self._passed(seconds)

    def _passed(self, seconds: float) -> float:
        """What counts as waited by this thread, with so much more."""
        self._waited.seconds = float(getattr(self._waited, "seconds", 0.0)) + seconds
        return self._waited.seconds


class YieldingClient:
    """A client whose callers yield to each other, so that they meet at any call.

    Where the engine has a history, eventually consistent reads show the past now and then.
    """

    def __init__(self, client: Any, random: Random) -> None:
        self._client = client
        self._locked = LockedClient(client) if isinstance(client, MemoryDynamoDB) else client
        self._random = random

    def __getattr__(self, operation: str) -> Any:
        time.sleep(0 if self._random.random() < 0.9 else 0.0005)
        if operation == "batch_get_item" and self._is_stale():
            before = max(0, self._client.sequence - self._random.randint(1, 40))
            return getattr(LockedClient(self._client.as_of(before)), operation)
        return getattr(self._locked, operation)

    def _is_stale(self) -> bool:
        return isinstance(self._client, MemoryDynamoDB) and self._random.random() < STALE


class Flow:
    """Shopify Flow: slow, and down now and then until it `is_up` for good."""

    def __init__(self, random: Random) -> None:
        self.is_up = False
        self.sent: list[Trigger] = []
        self._random = random

    def send(self, trigger: Trigger, seconds: float) -> str | None:
        time.sleep(0.001)
        if not self.is_up and self._random.random() < 0.4:
            raise ShopifyUnavailable(1)
        self.sent.append(trigger)
        return None


class Discounts:
    """The shop's discount codes: each is created and deactivated at once."""

    def create(self, discount: Discount) -> str:
        return f"gid://shopify/DiscountCodeNode/{discount.hold_id}"

    def deactivate(self, code: str) -> bool:
        return bool(code)


@dataclass(slots=True)
class Pair:
    """Two customers, of whom the source is merged into the target and both are erased."""

    number: int
    hold: HoldResult | None = None

    @property
    def source(self) -> str:
        return str(7_000_000_000_000 + 2 * self.number)

    @property
    def target(self) -> str:
        return str(7_000_000_000_001 + 2 * self.number)

    @property
    def customers(self) -> tuple[str, str]:
        return (self.source, self.target)

    @property
    def uses_hold(self) -> bool:
        """Whether the order under way has the hold's code; else the hold is released."""
        return self.number % 2 == 0

    @property
    def is_cancelled(self) -> bool:
        """Whether the order under way is cancelled in the end."""
        return self.number % 3 == 0

    def order_id(self, number: int) -> str:
        """Order 1 is the source's and under way, 2 is the target's, 3 comes meanwhile."""
        return str(9_000_000_000_000 + 10 * self.number + number)


class PairsShop:
    """The shop on an engine, with so many pairs."""

    def __init__(self, engine: Engine, pairs: int) -> None:
        self.engine = engine
        self.random = Random("pairs")
        self.client = YieldingClient(engine.client, self.random)
        self.clock = QuickClock()
        self.bucket = MemoryBucket()
        self.flow = Flow(self.random)
        self.programme = default_programme(1, hold_calls_per_minute="1000000")
        self.pairs = [Pair(number) for number in range(pairs)]
        self.accepted: Counter[str] = Counter()
        self.dead_letters: list[str] = []
        self._failed: list[Act] = []
        self._lock = threading.Lock()
        self._together = cycle(PAIRS_TOGETHER)

    @property
    def customers(self) -> set[str]:
        return {name for pair in self.pairs for name in pair.customers}

    # --- the whole of it ------------------------------------------------------------------------

    def run(self) -> None:
        """All pairs begin, everything is under way at once, and in the end everything is done."""
        self._work([partial(self._begin, pair) for pair in self.pairs])
        self._settle_all("the beginning")
        self._work(list(self._interleaved([self._under_way(pair) for pair in self.pairs])))
        self._settle_all("what was under way")
        self._work([partial(self._last_updates, pair) for pair in self.pairs])
        self._settle_all("the last updates")
        self._let_time_pass()

    def _interleaved(self, pairs: Sequence[list[Act]]) -> Iterator[Act]:
        """The acts of all pairs, each pair's in its order: some packed together, some far apart."""
        waiting = [list(acts) for acts in pairs]
        while waiting:
            group = [waiting.pop() for _ in range(min(len(waiting), next(self._together)))]
            while group := [acts for acts in group if acts]:
                yield self.random.choice(group).pop(0)

    def _work(self, acts: Sequence[Act]) -> None:
        """Several workers take one act after the other; those that fail are kept for later."""
        waiting = iter(acts)

        def work() -> None:
            while True:
                with self._lock:
                    act = next(waiting, None)
                if act is None:
                    return
                try:
                    act()
                except (PointbookError, StoreUnavailable):
                    self._failed.append(act)

        with ThreadPoolExecutor(WORKERS) as pool:
            for done in [pool.submit(work) for _ in range(WORKERS)]:
                done.result()

    def _settle_all(self, what: str) -> None:
        """Deliver what failed again, with a run of the schedule."""
        for _ in range(TRIES_MAX):
            if not self._failed:
                return
            again, self._failed = self._failed, []
            self._work([self._watch, *again])
        self.dead_letters += [f"{what}: {act}" for act in self._failed]
        self._failed = []

    def _let_time_pass(self) -> None:
        """An hour later: leases and holds are over, Flow is up, the schedules run."""
        self.flow.is_up = True
        self.clock.ahead = timedelta(hours=1)
        Sweep(self._store(), self.clock, settling(self._ledger())).run(DueKind.HOLD, 60.0)
        outbox = self._outbox()
        for _ in range(3):
            self._watch()
            Publisher(outbox, self._outbox_publisher(), self.clock).sweep((SHOP,), 60.0)

    # --- what is expected -----------------------------------------------------------------------

    def expected_balances(self, earned: int, used: int) -> dict[str, int]:
        """The shop's buckets by what was accepted; the rest is what its orders say of themselves.

        Orders keep `earned` points, and `used` points were spent on them.
        """
        granted, consumed = self.accepted["granted"], self.accepted["consumed"]
        reversed_points = ORDER_POINTS * sum(pair.is_cancelled for pair in self.pairs)
        sums = {
            "issued": -granted - earned - reversed_points,
            "approved": granted + earned - consumed - used,
            "spent": consumed + used,
            "reversed": reversed_points,
        }
        return {bucket: points for bucket, points in sums.items() if points}

    # --- what each pair does --------------------------------------------------------------------

    def _begin(self, pair: Pair) -> None:
        """Points with reasons and keys, an order under way, a hold, a row of an import."""
        self._grant(pair.source, 200, "first")
        self._grant(pair.target, 100, "first")
        self._consume(pair.target, 30)
        self._import(pair)
        if pair.hold is None:
            held = self._holds().create(pair.source, HELD_POINTS, f"hold {pair.number}")
            assert isinstance(held, HoldResult), held
            pair.hold = held
        self._orders().carry_out(self._order(pair, 1, pair.source, paid=False))
        self._orders().carry_out(self._order(pair, 2, pair.target))

    def _under_way(self, pair: Pair) -> list[Act]:
        """The webhooks in the pair's own order, some of them twice, among everything else."""
        webhooks = {
            "merge": partial(self._deliver, self._merge(pair)),
            "redact source": partial(self._deliver, self._redact(pair.source, pair, 1)),
            "redact target": partial(self._deliver, self._redact(pair.target, pair, 2)),
            "paid": partial(self._deliver, self._order(pair, 1, pair.source, later_seconds=60)),
        }
        acts: list[Act] = [
            webhooks[name] for name in IN_EVERY_ORDER[7 * pair.number % len(IN_EVERY_ORDER)]
        ]
        for act in self._meanwhile(pair):
            acts.insert(self.random.randint(0, len(acts)), act)
        repeated = self.random.choice(tuple(webhooks.values()))
        acts.insert(self.random.randint(0, len(acts)), repeated)
        return acts

    def _meanwhile(self, pair: Pair) -> list[Act]:
        new_order = self._order(pair, 3, pair.source)
        acts: list[Act] = [
            partial(self._deliver, new_order),
            partial(self._report, pair.source, f"run {pair.number}"),
            partial(self._report, pair.target, f"run {pair.number}"),
            partial(self._publish, pair.source),
            partial(self._publish, pair.target),
            partial(self._remind, pair.target),
            partial(self._grant, pair.source, 200, "first"),
            partial(self._grant, pair.source, 7, "meanwhile"),
            partial(self._grant, pair.target, 5, "meanwhile"),
            partial(self._import, pair),
            partial(self._deliver, self._request_data(pair.source, pair)),
            partial(self._deliver, self._request_data(pair.target, pair)),
        ]
        if not pair.uses_hold:
            acts.append(partial(self._release, pair))
        return acts

    def _last_updates(self, pair: Pair) -> None:
        """Every order is updated once more, and some of those under way are cancelled."""
        for number, customer in enumerate((pair.source, pair.target, pair.source), start=1):
            cancelled = number == 1 and pair.is_cancelled
            message = self._order(pair, number, customer, later_seconds=120, cancelled=cancelled)
            self._deliver(message)

    # --- webhooks, as they come off the queue ---------------------------------------------------

    def _deliver(self, text: str | Message) -> None:
        message = text if isinstance(text, Message) else read_message(text)
        if message.topic == "customers/merge":
            requests = PrivacyRequests(self._table)
            customer_events.carry_out(message, self._ledger(), self.programme, requests)
        elif message.topic.startswith("customers/"):
            self._privacy().carry_out(message)
        else:
            self._orders().carry_out(message)

    def _message(self, topic: str, payload: dict[str, Any]) -> Message:
        event_id = f"event-{self.random.getrandbits(64):x}"
        text = message_text(Message(topic, SHOP, self.clock.now(), event_id, payload))
        return read_message(text)

    def _merge(self, pair: Pair) -> Message:
        return self._message("customers/merge", merge_payload(pair.source, pair.target))

    def _redact(self, customer: str, pair: Pair, order: int) -> Message:
        return self._message("customers/redact", redact_payload(customer, [pair.order_id(order)]))

    def _request_data(self, customer: str, pair: Pair) -> Message:
        payload = data_request_payload(customer, pair.number + 1, [pair.order_id(1)])
        return self._message("customers/data_request", payload)

    def _order(
        self,
        pair: Pair,
        number: int,
        customer: str,
        *,
        paid: bool = True,
        later_seconds: int = 0,
        cancelled: bool = False,
    ) -> Message:
        at_ms = milliseconds(self.clock.now()) + later_seconds * 1000
        code, used = "", 0
        if number == 1 and paid and pair.uses_hold:
            assert pair.hold is not None, "the order comes after its hold"
            code, used = pair.hold.code, HELD_POINTS
        payload = order_payload(pair.order_id(number), code, used, customer, at_ms)
        payload["financial_status"] = "paid" if paid else "pending"
        if cancelled:
            payload["cancelled_at"] = payload["updated_at"]
        return self._message("orders/updated", json.loads(json.dumps(payload)))

    # --- everything else that is under way ------------------------------------------------------

    def _execute(self, customer: str, command: Command, key: str) -> bool:
        """Whether it was accepted now, and not before."""
        instruction = Instruction(
            SHOP,
            customer,
            command,
            Cause("flow", "run", ""),
            reason=f"For {customer}'s friend",
            identity=Identity("flow:key", key),
        )
        answer = self._ledger().execute(instruction)
        return isinstance(answer, Booked) and not answer.duplicate

    def _grant(self, customer: str, points: int, key: str) -> None:
        if self._execute(customer, Grant(points, Days(400)), key):
            self._accept("granted", points)

    def _consume(self, customer: str, points: int) -> None:
        if self._execute(customer, Consume(points), "consume"):
            self._accept("consumed", points)

    def _import(self, pair: Pair) -> None:
        """A row of each customer, under the number of the pair."""
        for customer in pair.customers:
            row = {"customer_id": customer, "title": "Moved in", "point": 11}
            done = Import(
                "move", SHOP, "operator", self._ledger(), self.programme, dry_run=False
            ).run({pair.number + 1: row}, Deadline.after(30.0, self.clock.monotonic))
            self._accept("granted", sum(11 for one in done if one["status"] == "booked"))

    def _accept(self, what: str, points: int) -> None:
        with self._lock:
            self.accepted[what] += points

    def _report(self, customer: str, run: str) -> None:
        subscriptions = TriggerSubscriptions(self._table)
        reports = Reports(self._table)
        driver = ReportSender(
            self._ledger(), reports, subscriptions, lambda _: self.flow, self.clock, per_hour=100
        )
        driver.report(FlowAction(SHOP, run, REPORT_POINTS, customer))

    def _publish(self, customer: str) -> None:
        """What the table's stream leads to, some time after a change."""
        account = self._store().account(SHOP, customer)
        if account is not None and not account.erased:
            time.sleep(0.001)
            self._outbox_publisher().run(SHOP, 5.0).deliver(customer, account.version)

    def _remind(self, customer: str) -> None:
        reminders = Reminders(self._table, self.clock)
        now = self.clock.now()
        sent_reminders = reminders.claim(SHOP, customer, now, now + timedelta(seconds=60))
        if sent_reminders is not None:
            time.sleep(0.001)
            reminders.release(SHOP, customer, sent_reminders)

    def _release(self, pair: Pair) -> None:
        assert pair.hold is not None, "it was taken in the beginning"
        self._holds().release(pair.source, pair.hold.hold_id)

    def _watch(self) -> None:
        assert not self._privacy().watch((SHOP,), 60.0).failed, "a request fails"

    # --- the services ---------------------------------------------------------------------------

    @property
    def _table(self) -> Table:
        return Table(self.client, self.engine.table)

    def _store(self) -> Any:
        return self.engine.store(self.client)

    def _ledger(self) -> Ledger:
        return Ledger(self._store(), self.clock, random=self.random.random)

    def _orders(self) -> OrderService:
        return OrderService(SHOP, self._ledger(), self.clock, self.programme, unused_customers)

    def _holds(self) -> HoldService:
        return HoldService(
            shop=SHOP,
            ledger=self._ledger(),
            clock=self.clock,
            programme=self.programme,
            discounts=Discounts(),
            call_limiter=HoldCallLimiter(self._table),
            code_key=b"a key of the test's",
        )

    def _privacy(self) -> PrivacyService:
        return privacy_service(self._table, self.clock, LockedClient(self.bucket))

    def _outbox(self) -> Outbox:
        return Outbox(self._table)

    def _outbox_publisher(self) -> OutboxPublisher:
        subscriptions = TriggerSubscriptions(self._table)
        return OutboxPublisher(self._outbox(), subscriptions, lambda _: self.flow, self.clock)
