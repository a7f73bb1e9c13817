"""Delivers a shop's history as Shopify and SQS may, and compares the accounts in the end.

Each webhook comes one to three times, at once or up to a day late, so in almost any order; now and
then a worker's table fails, its process ends or Shopify cannot be queried for a customer's tags,
and the message comes again. Every message takes the real way: webhook endpoint, text on the queue,
order service or customer events, ledger, store. Some bodies come once more under false headers
(`lying_headers`), or with an unreadable field (`garbled`), which must change nothing.

What must not depend on any of that: approved, pending, total, spent and hold of every customer, and
the points that each order keeps. `lifetime` may: points that were approved before they were
reversed count in it, others do not. So it is compared without what was reversed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, Final, NoReturn
from unittest.mock import patch

from pointbook import log
from pointbook.domain.account import Account, faults
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant, PlaceHold
from pointbook.domain.decision import settled
from pointbook.domain.entry import Topic
from pointbook.domain.ports import DueKind, ReadRequest, StoreUnavailable
from pointbook.domain.programme import Programme
from pointbook.domain.reconcile import reconcile
from pointbook.errors import InvalidRequest, LedgerUnavailable, TagsUnknown
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services import customers as customer_events
from pointbook.services.message import Message, read_message
from pointbook.services.orders import OrderService
from pointbook.services.sweeps import Sweep
from pointbook.shopify.discount_code import hold_id_of
from pointbook.shopify.webhook import CUSTOMERS, QUEUES
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from tests.fakes.customers import unused_customers
from tests.fakes.dynamodb import LATEST, MemoryDynamoDB
from tests.fakes.faulty_dynamodb import Crash, Fault, FaultyClient, Plan, Seeded, Unwatched
from tests.reference.orders_calculation import Bought, confirmed_at, figures, is_approved, points
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.scheduler import Scheduler, SkewedClock
from tests.simulation.kernel.violation import Violation, must
from tests.simulation.orders.customer_tags import CustomerTags, TagQuery
from tests.simulation.orders.garbled import Garbling
from tests.simulation.orders.lifecycles import (
    HOLD_SECONDS,
    LAST_DAYS,
    OTHER_SHOP,
    Checkout,
    ShopHistory,
    Webhook,
    draw_history,
)
from tests.simulation.orders.lying_headers import Lies
from tests.simulation.orders.order_life import SHOP
from tests.support.instants import milliseconds
from tests.support.table import TABLE, create_table
from tests.support.verified import faults_in

SECOND, DAY = 1_000, 86_400_000
PENDING_DAYS_MAX: Final = 30
SWEEP_SECONDS: Final = 60.0
FAULTY_SHARE: Final = 0.12
TRIES_MAX: Final = 20
REDRIVEN_AFTER_MS: Final = (3_600_000, 21_600_000, 43_200_000)
"""When a message that waits for Shopify comes again: a merge may be delivered a day late."""

_COMPARED: Final = ("approved", "pending", "total", "spent", "hold")

ORDERS: Final = 100
SHUFFLES: Final = 3
"""Orders of a shop, and how many times its history is delivered."""

RATES: Final = {
    Fault.THROTTLED: 0.03,
    Fault.CONFLICT: 0.05,
    Fault.SERVER_ERROR_AFTER: 0.03,
    Fault.REPLY_LOST: 0.05,
    Fault.LATE_COMMIT: 0.05,
    Fault.STALE: 0.15,
    Fault.TORN: 0.1,
    Fault.CRASH_BEFORE: 0.06,
    Fault.CRASH_AFTER: 0.1,
}


@dataclass(slots=True)
class Delivered(Report):
    """What a delivery came to."""

    orders: int = 0
    messages: int = 0
    deliveries: int = 0
    garbled: int = 0
    lies: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    metrics: Counter[str] = field(default_factory=Counter)
    entries: Counter[str] = field(default_factory=Counter)


def deliver_shop(shop: int) -> Delivered:
    """Deliver the history of a shop in a few ways; those with odd numbers have merges."""
    history, total = draw_history(shop, orders=ORDERS, merges=shop % 2 == 1), Delivered(shop)
    for shuffle in range(SHUFFLES):
        try:
            total.add(deliver(history, shop * SHUFFLES + shuffle))
        except Violation as violation:
            total.violation = f"shuffle {shuffle}: {violation}"
    return total


def deliver(history: ShopHistory, seed: int, later: Programme | None = None) -> Delivered:
    """Deliver a history in the order of a seed. Raises Violation where anything is not right.

    `later`: this programme is in force for everything but the first update of each order and of its
    buyer.
    """
    delivery = _Delivery(history, seed, later)
    delivery.run()
    return delivery.report


def deliver_and_let_expire(history: ShopHistory, seed: int) -> None:
    """Deliver a history in which points last `LAST_DAYS`, and wait until none is left."""
    delivery = _Delivery(history, seed, None)
    delivery.run()
    delivery.let_expire()


class _Delivery(Unwatched):
    def __init__(self, history: ShopHistory, seed: int, later: Programme | None) -> None:
        self.history = history
        self.later = later
        self.seen: set[str] = set()
        self.random = Random(seed)
        self.lies = Lies(seed)
        self.garbling = Garbling(seed)
        self.engine = MemoryDynamoDB()
        create_table(self.engine)
        start_ms = milliseconds(min(one.at for one in history.events)) - DAY
        self.scheduler = Scheduler(self.random, start_ms)
        self.clock = SkewedClock(self.scheduler, 0)
        self.store = DynamoStore(Table(self.engine, TABLE))
        self.plan: Plan = Seeded(self.random, RATES)
        self.tags = CustomerTags(history, self.store, self.clock, Random(seed))
        self.report = Delivered(seed, orders=len(history.shop.orders))

    def run(self) -> None:
        """Deliver everything, then check the accounts. Metrics are counted, log lines dropped."""
        with self._in_silence():
            self._happen()
        self.tags.settle()
        self._check()

    @contextmanager
    def _in_silence(self) -> Iterator[None]:
        with ExitStack() as patches:
            patches.enter_context(patch.object(log, "metric", self._count))
            for name in ("info", "warning", "error", "exception"):
                patches.enter_context(patch.object(log, name, lambda *_, **__: None))
            yield

    def _count(self, name: str, *_: object, **__: object) -> None:
        self.report.metrics[name] += 1

    def _happen(self) -> None:
        self._open()
        for one in sorted(self.history.events, key=lambda one: one.at):
            if isinstance(one, Webhook):
                self._send(one)
            else:
                self._at(one.at, partial(self._take, one))
        for day in range(25):
            self.scheduler.spawn(day * DAY, self._approve)
        self.scheduler.run()
        for hold in self.history.last_holds:
            self._take(hold)
        self._approve()

    def suffered(self, fault: Fault) -> None:
        self.report.faults[fault] += 1

    def let_expire(self) -> None:
        """Long after: points that were left have expired, and debts remain."""
        for days in (PENDING_DAYS_MAX, LAST_DAYS + 1):
            self.scheduler.now_ms += days * DAY
            with self._in_silence():
                self._approve()
        expected = figures(self.history.shop, self.clock.now())
        for customer, sums in expected.items():
            stored = self.store.account(SHOP, customer) or Account(customer)
            now = settled(stored, self.clock.now())
            left = sums.earned - sums.spent
            found = (now.balances.approved, now.balances.expired, now.lots)
            right = (min(0, left), max(0, left), ())
            must("expiry", found == right, f"{customer} has {found}, but should have {right}")

    # --- what happens ----------------------------------------------------------------------------

    def _open(self) -> None:
        for customer, granted in self.history.shop.granted.items():
            self._must_accept(customer, Grant(granted, self.history.programme.expiry))

    def _take(self, hold: Checkout) -> None:
        hold_id = hold_id_of(hold.code)
        command = PlaceHold(
            hold.points,
            hold_id,
            HOLD_SECONDS,
            code=hold.code,
            worth_minor=self.history.programme.point_worth_minor,
        )
        self._must_accept(hold.customer, command)

    def _must_accept(self, customer: str, command: Grant | PlaceHold, **more: Any) -> None:
        ledger = Ledger(self.store, self.clock, random=self.random.random)
        answer = ledger.execute(Instruction(SHOP, customer, command, Cause("test"), **more))
        must("history", isinstance(answer, Booked), f"{customer}: {command}: {answer}")

    def _approve(self) -> None:
        """The schedule, on a table that works: every order that is due is approved."""
        orders = self._orders(self.store)
        sweep = Sweep(self.store, self.clock, lambda _, order_id: orders.approve(order_id))
        result = sweep.run(DueKind.PENDING, SWEEP_SECONDS)
        must("sweep", not result.failed, f"{result}")

    def _at(self, at: datetime, run: Callable[[], object], late_ms: int = 0) -> None:
        self.scheduler.spawn(milliseconds(at) - self.scheduler.now_ms + late_ms, run)

    def _send(self, webhook: Webhook) -> None:
        """Deliver a webhook once, twice or three times."""
        self.report.messages += 1
        programme = self.history.programme
        if self.later is not None and webhook.topic.startswith("orders/"):
            if not webhook.names <= self.seen:
                self.seen |= webhook.names
                self._at(webhook.at, partial(self._deliver, webhook.text, programme, is_safe=True))
            programme = self.later
        for _ in range(self.random.choice([1, 1, 1, 1, 2, 2, 3])):
            longest = self.random.choice([1, 30, 30, 3_600, 3_600, 86_400])
            late_ms = self.random.randint(1, longest * SECOND)
            self._at(webhook.at, partial(self._deliver, webhook.text, programme), late_ms)
        for topic, shop, late_ms in self.lies.about(webhook):
            self._at(webhook.at, partial(self._lie, webhook, topic, shop, programme), late_ms)

        if (garbled := self.garbling.of(webhook)) is not None:
            self._at(webhook.at, partial(self._refuse, *garbled, programme))

    def _refuse(self, field: str, garbled: Webhook, programme: Programme) -> None:
        """A message with an unreadable field: the worker refuses it by the field's name."""
        self.report.garbled += 1

        def fail_on_query() -> NoReturn:
            raise Violation("unreadable", f"{field} cannot be read, and tags are asked for")

        try:
            self._orders(self.store, programme, fail_on_query).carry_out(read_message(garbled.text))
        except InvalidRequest as refusal:
            must("unreadable", refusal.field == field, f"{refusal.field} is named, not {field}")
        else:
            must("unreadable", False, f"{field} cannot be read, and the order is booked")

    def _lie(self, webhook: Webhook, topic: str, shop: str, programme: Programme) -> None:
        """The body of a webhook under another topic, or as another shop's."""
        text = self.lies.text(webhook, topic, shop)
        self.report.lies["refused" if text is None else "taken"] += 1
        if text is not None:
            self._deliver(text, programme)

    def _deliver(
        self, text: str, programme: Programme, tries: int = 1, *, is_safe: bool = False
    ) -> None:
        """One message in a worker; what fails is delivered again."""
        must("progress", tries <= TRIES_MAX, f"it fails each time: {text}")
        self.report.deliveries += 1
        is_faulty = not is_safe and self.random.random() < FAULTY_SHARE
        store = DynamoStore(Table(self._faulty(), TABLE)) if is_faulty else self.store
        message = read_message(text)
        try:
            if QUEUES[message.topic] == CUSTOMERS:
                requests = PrivacyRequests(Table(self.engine, TABLE))
                customer_events.carry_out(message, self._ledger(store), programme, requests)
            else:
                self._carry_out(message, store, programme, is_safe=is_safe)
        except (TagsUnknown, LedgerUnavailable, StoreUnavailable, Crash) as failure:
            self.report.failures[type(failure).__name__] += 1
            soon = (10, SECOND, 90 * SECOND, 900 * SECOND)
            waits = REDRIVEN_AFTER_MS if isinstance(failure, TagsUnknown) else soon
            again_ms = self.random.choice(waits)
            self.scheduler.spawn(again_ms, partial(self._deliver, text, programme, tries + 1))

    def _carry_out(
        self, message: Message, store: DynamoStore, programme: Programme, *, is_safe: bool
    ) -> None:
        query = self.tags.for_message(message.payload, is_safe=is_safe)
        try:
            self._orders(store, programme, lambda: query, message.shop).carry_out(message)
        finally:
            self.tags.look(query.order_id)

    def _orders(
        self,
        store: DynamoStore,
        programme: Programme | None = None,
        customers: Callable[[], TagQuery] = unused_customers,
        shop: str = SHOP,
    ) -> OrderService:
        rules = programme or self.history.programme
        return OrderService(shop, self._ledger(store), self.clock, rules, customers)

    def _ledger(self, store: DynamoStore) -> Ledger:
        return Ledger(store, self.clock, random=self.random.random)

    def _faulty(self) -> FaultyClient:
        return FaultyClient(self.engine, self.engine, self.plan, self.scheduler, self.random, self)

    # --- what must be so in the end --------------------------------------------------------------

    def _check(self) -> None:
        unknown_codes = self.report.metrics["CodesOfNoHold"]
        must("holds", not unknown_codes, f"{unknown_codes} times a code of ours was not known")
        for order in self.history.shop.orders:
            self._check_order(order)
        self._check_customers()
        self._check_strangers()

    def _check_strangers(self) -> None:
        """Whatever headers say: nobody has points but the shop's own customers.

        A merge names no shop, so another one may note it; of customers that it does not have.
        """
        bodies = [json.loads(one.body) for one in self.history.events if isinstance(one, Webhook)]
        named = {str(body["id"]) for body in bodies if "id" in body}
        for shop in (SHOP, OTHER_SHOP):
            for who in named if shop != SHOP else named.difference(self.history.shop.customers):
                found = self.store.account(shop, who)
                is_empty = found is None or found.version == 0
                must("strangers", is_empty, f"{who} of {shop} has an account: {found}")

    def _check_customers(self) -> None:
        must("verify", not (wrong := faults_in(self.engine)), f"verify finds {wrong}")
        shop = self.history.shop
        expected = figures(shop, self.clock.now())
        for customer in shop.customers:
            account = self.store.account(SHOP, customer)
            if account is not None:
                self._check_entries(account)
            if customer in shop.merged_into:
                gone_to = account.merged_into if account else None
                must("merge", gone_to is not None, f"{customer} is still there")
                continue
            found = settled(account or Account(customer), self.clock.now())
            seen = [getattr(found.figures, name) for name in _COMPARED]
            seen.append(found.figures.lifetime - found.balances.reversed)
            right = [getattr(expected[customer], name) for name in (*_COMPARED, "earned")]
            must("figures", seen == right, f"{customer} has {seen}, but should have {right}")

    def _check_order(self, order: Bought) -> None:
        rules = self.history.shop.rules
        read = ReadRequest(SHOP, None, order_id=order.order_id)
        stored = self.store.load(read, fresh=True).order
        must("order", stored is not None, f"{order.order_id} was never seen")
        assert stored is not None
        worth = points(order, rules) if order.customer is not None else 0
        right = (0, worth) if is_approved(order, rules, self.clock.now()) else (worth, 0)
        points_now = (stored.pending_points, stored.approved_points)
        since = confirmed_at(order, rules)
        must("order", stored.confirmed_at == since, f"confirmed at {since}, yet {stored}")
        must("order", points_now == right, f"{points_now} of {stored}, not {right} of {order}")

    def _check_entries(self, account: Account) -> None:
        who = account.customer_id
        entries = self.store.entries(SHOP, who, before_version=LATEST, limit=LATEST)
        self.report.entries.update(booked.entry.topic for booked in entries)
        wrong = [*faults(account), *reconcile(account, reversed(entries))]
        must("book", not wrong, f"{who}: {wrong}")
        for booked in entries:
            if booked.entry.topic is Topic.ADD_ORDER:
                order = next(
                    o for o in self.history.shop.orders if o.order_id == booked.entry.about
                )
                ripe = is_approved(order, self.history.shop.rules, booked.entry.at)
                must("order", ripe, f"approved before its time: {booked.entry} of {order}")
