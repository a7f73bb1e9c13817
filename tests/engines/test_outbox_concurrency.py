"""Several senders of one account at once: each entry is published once and in order."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pointbook.clock import SystemClock
from pointbook.services.publishing.outbox import OutboxPublisher
from pointbook.shopify.triggers import Trigger
from pointbook.store.outbox import Outbox
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.meanwhile import Meanwhile
from tests.support import engine as engines
from tests.support.engine import MEMORY, SHOP, Engine, opened
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver

SENDERS = 6
ENTRIES = 30


class SlowFlow:
    """Flow, which notes who is inside at the same time."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        self.most_at_once = 0
        self._inside = 0
        self._lock = threading.Lock()

    def send(self, trigger: Trigger, seconds: float) -> str | None:
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
        threading.Event().wait(0.002)
        with self._lock:
            self.published.append((str(trigger.payload["Entry Id"]), trigger.handle))
            self._inside -= 1
        return None


def side_by_side(work: list[Callable[[], None]]) -> None:
    """Do all at the same time; fails when one of them does."""
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(one) for one in work]:
            done.result()


@pytest.mark.parametrize("at", range(4))
def test_a_first_entry_is_sent_at_once_whenever_it_comes_while_there_is_nothing_to_send(
    at: int,
) -> None:
    """Before one of the calls of a sender that has found no entry, one is written and requested."""
    engine = opened(MEMORY, MemoryDynamoDB())
    flow, ledger = SlowFlow(), LedgerDriver(engine)
    table = Table(engine.client, engine.table)
    subscriptions = TriggerSubscriptions(table)

    def write() -> None:
        ledger.grant(1)
        Outbox(table).request(SHOP, CUSTOMER, 1, SystemClock().now())

    client = Meanwhile(engine, at, write)
    for one in (Table(client, engine.table), table):
        sender = OutboxPublisher(Outbox(one), subscriptions, lambda _: flow, SystemClock())
        sender.run(SHOP, 30).deliver(CUSTOMER, 1)
    assert client.calls > at, "the sender makes fewer calls"
    assert len(flow.published) == 2


@pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)
def test_concurrent_senders_publish_each_entry_once_and_in_order(engine: Engine) -> None:
    flow = SlowFlow()
    outbox = Outbox(Table(engine.client, engine.table))
    subscriptions = TriggerSubscriptions(Table(engine.client, engine.table))
    driver = OutboxPublisher(outbox, subscriptions, lambda _: flow, SystemClock())
    ledger = LedgerDriver(engine)
    booked = threading.Event()

    def add_entries() -> None:
        for number in range(ENTRIES):
            ledger.grant(1, key=str(number))
            driver.run(SHOP, 30).deliver(CUSTOMER, number + 1)
        booked.set()

    def sweep() -> None:
        while not booked.is_set():
            driver.run(SHOP, 30).deliver(CUSTOMER)

    def wake() -> None:
        while not booked.is_set():
            account = ledger.store.account(SHOP, CUSTOMER)
            if account is not None:
                driver.run(SHOP, 30).deliver(CUSTOMER, account.version)

    work: list[Callable[[], None]] = [
        add_entries,
        *[sweep] * (SENDERS // 2),
        *[wake] * (SENDERS // 2),
    ]
    side_by_side(work)
    driver.run(SHOP, 30).deliver(CUSTOMER, ENTRIES)

    entries = [f"{CUSTOMER}-{version:012d}" for version in range(1, ENTRIES + 1)]
    both = ("points-approved-changed", "points-changed")
    assert flow.published == [(entry, handle) for entry in entries for handle in both]
    assert flow.most_at_once == 1, "one sender at a time"
    assert outbox.published(SHOP, CUSTOMER) == ENTRIES
