"""One account published to Flow: every entry, in order, and what stands in the way."""

from collections.abc import Callable
from typing import Any

import pytest

from pointbook.services.publishing import outbox as module
from pointbook.services.publishing.outbox import OutboxPublisher
from pointbook.store.outbox import Cursor, Leased, Outbox
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.flow import FakeFlow, RealClock, dead, down, locked, repeats, reply_lost, well
from tests.support import engine as engines
from tests.support.engine import SHOP, Engine, opened
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver
from tests.support.logs import metric_sums

APPROVED, CHANGED = "points-approved-changed", "points-changed"
PSEUDONYM = "01234567890123456789"


def entry(version: int, customer_id: str = CUSTOMER) -> str:
    return f"{customer_id}-{version:012d}"


def both(*versions: int) -> list[tuple[str, str]]:
    """The triggers of entries that change approved points."""
    return [(entry(version), handle) for version in versions for handle in (APPROVED, CHANGED)]


class Shop:
    """A shop's ledger, its outbox and its Flow."""

    def __init__(self) -> None:
        self.engine: Engine = opened(engines.MEMORY, MemoryDynamoDB())
        self.clock = RealClock()
        self.flow = FakeFlow(self.clock)
        self.outbox = Outbox(Table(self.engine.client, self.engine.table))
        self.subscriptions = TriggerSubscriptions(Table(self.engine.client, self.engine.table))
        self.driver = OutboxPublisher(
            self.outbox, self.subscriptions, lambda _: self.flow, self.clock, random=lambda: 1.0
        )
        self.ledger = LedgerDriver(self.engine)

    def deliver(self, version: int | None = None, seconds: float = 60.0, **more: Any) -> None:
        run = self.driver.run(SHOP, seconds, **more)
        run.deliver(CUSTOMER, version)
        run.write_metrics()

    def due(self) -> list[str]:
        return list(self.outbox.due(SHOP, self.clock.now()))

    def due_in(self, seconds: float) -> bool:
        """Whether the account is due in so many seconds, and not a second earlier."""
        self.clock.pass_time(seconds=seconds - 1)
        before = self.due()
        self.clock.pass_time(seconds=1)
        return before == [] and self.due() == [CUSTOMER]

    def cursor(self) -> dict[str, Any] | None:
        key = (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "OUTBOX")
        return self.engine.client.items(self.engine.table).get(key)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_every_entry_is_published_once_and_in_order(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    for points in (100, 50):
        shop.ledger.grant(points)
    shop.ledger.consume(30)
    shop.deliver(version=3)
    shop.deliver(version=3)
    assert shop.flow.delivered == both(1, 2, 3)
    assert shop.outbox.published(SHOP, CUSTOMER) == 3
    assert metric_sums(capsys) == {"TriggersSent": 6}


def test_a_hold_that_becomes_spent_leaves_approved_alone_and_says_only_what_changed(
    shop: Shop,
) -> None:
    shop.ledger.grant(100)
    shop.ledger.hold(40)
    shop.ledger.capture(40)
    shop.deliver(version=3)
    assert shop.flow.delivered == [*both(1, 2), (entry(3), CHANGED)]


def test_an_ordinary_change_costs_two_updates_and_one_query(shop: Shop) -> None:
    shop.ledger.grant(100)
    shop.deliver(version=1)
    before = shop.engine.client.sequence
    shop.ledger.grant(1)
    booked = shop.engine.client.sequence
    shop.deliver(version=2)
    assert (booked - before, shop.engine.client.sequence - booked) == (1, 2)


def test_a_published_version_costs_no_write(shop: Shop) -> None:
    shop.ledger.grant(100)
    shop.deliver(version=1)
    before = shop.engine.client.sequence
    shop.deliver(version=1)
    assert (shop.engine.client.sequence, shop.flow.calls) == (before, 2)


def test_more_entries_than_a_page_holds_are_all_published(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ENTRIES", 3)
    for count in range(7):
        shop.ledger.grant(1, key=str(count))
    shop.deliver(version=7)
    assert shop.flow.delivered == both(*range(1, 8))
    shop.ledger.grant(1, key="7")
    shop.ledger.grant(1, key="8")
    shop.deliver(version=9)
    assert shop.flow.delivered == both(*range(1, 10))
    assert shop.due() == []


def test_a_disabled_trigger_is_skipped(shop: Shop) -> None:
    shop.ledger.grant(100)
    shop.subscriptions.record(SHOP, CHANGED, shop.clock.now(), enabled=False)
    shop.deliver(version=1)
    assert shop.flow.delivered == [(entry(1), APPROVED)]
    shop.clock.pass_time(seconds=1)
    shop.subscriptions.record(SHOP, CHANGED, shop.clock.now(), enabled=True)
    shop.ledger.grant(1)
    shop.deliver(version=2)
    assert shop.flow.delivered == [(entry(1), APPROVED), *both(2)]


def test_entries_of_an_erased_customer_are_not_published(shop: Shop) -> None:
    shop.ledger.grant(100, customer_id=PSEUDONYM)
    shop.driver.run(SHOP, 60).deliver(PSEUDONYM, 1)
    assert (shop.flow.calls, len(list(shop.outbox.unpublished(lambda _: None)))) == (0, 1)
    assert (f"SHOP#{SHOP}#CUSTOMER#{PSEUDONYM}", "OUTBOX") not in shop.engine.client.items(
        shop.engine.table
    )


def test_an_account_without_entries_leaves_no_cursor(shop: Shop) -> None:
    shop.deliver(version=1)
    assert shop.cursor() is None


# --- what stands in the way -----------------------------------------------------------------------


def test_a_failed_trigger_is_retried_from_where_publishing_stopped(shop: Shop) -> None:
    for _ in range(3):
        shop.ledger.grant(10)
    shop.flow.faults.extend([well, well, well, down])
    shop.deliver(version=3)
    assert shop.outbox.published(SHOP, CUSTOMER) == 1
    assert shop.due_in(5)
    shop.deliver()
    assert shop.flow.delivered == both(1, 2, 3), (
        "the half of entry 2 that was taken is not repeated"
    )
    assert (shop.outbox.published(SHOP, CUSTOMER), shop.due()) == (3, [])


def test_pauses_grow_to_ten_minutes_and_begin_anew_once_something_was_sent(shop: Shop) -> None:
    shop.ledger.grant(10)
    for seconds in (5, 10, 20, 40, 80, 160, 320, 600, 600):
        shop.flow.faults.append(down)
        shop.deliver(version=1)
        assert shop.due_in(seconds), seconds
    shop.flow.faults.extend([well, down])
    shop.deliver()
    assert shop.due_in(5)


def test_only_a_lost_reply_causes_a_repeat(shop: Shop) -> None:
    shop.ledger.grant(10)
    shop.flow.faults.append(reply_lost)
    shop.deliver(version=1)
    shop.clock.pass_time(seconds=5)
    shop.deliver()
    assert shop.flow.delivered == [(entry(1), APPROVED), *both(1)]
    assert repeats(shop.flow.delivered) == 1


@pytest.mark.parametrize("fault", [down, locked])
def test_a_shop_that_cannot_be_reached_is_called_no_more_in_this_run(
    shop: Shop, fault: Callable[..., None]
) -> None:
    for customer_id in ("7001", "7002", "7003"):
        shop.ledger.grant(10, customer_id=customer_id)
    shop.flow.faults.append(fault)
    run = shop.driver.run(SHOP, 60)
    for customer_id in ("7001", "7002", "7003"):
        run.deliver(customer_id, 1)
    assert (shop.flow.calls, run.stopped) == (1, True)
    shop.clock.pass_time(seconds=5)
    assert sorted(shop.due()) == ["7001", "7002", "7003"]


def test_one_dead_customers_entry_does_not_block_what_follows(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.ledger.grant(10)
    shop.ledger.grant(20)
    shop.flow.faults.extend([dead, dead])
    shop.deliver(version=2)
    assert shop.flow.delivered == both(2)
    out = capsys.readouterr().out
    assert out.count('"trigger_refused"') == 2
    assert f'"entry_id":"{entry(1)}"' in out.replace(" ", "")
    assert shop.outbox.published(SHOP, CUSTOMER) == 2


def test_triggers_held_back_are_counted_for_the_alarm(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.ledger.grant(10)
    shop.flow.faults.append(down)
    shop.deliver(version=1)
    assert metric_sums(capsys) == {"TriggersHeldBack": 1}


def test_a_run_that_is_out_of_time_enqueues_the_rest(shop: Shop) -> None:
    for count in range(10):
        shop.ledger.grant(10, key=str(count))
    shop.flow.seconds_a_call = 1.0
    shop.deliver(version=10, seconds=5)
    assert shop.flow.calls == 5
    assert shop.due() == [CUSTOMER]
    shop.deliver(version=10, seconds=0.5)
    assert shop.flow.calls == 5
    shop.deliver(seconds=60)
    assert shop.flow.delivered == both(*range(1, 11))


def test_a_paused_shop_is_not_called(shop: Shop) -> None:
    shop.ledger.grant(10)
    shop.deliver(version=1, enqueue_only=True)
    assert shop.flow.calls == 0
    assert shop.due_in(5)


def test_an_unexpected_error_reschedules_its_own_account_only(shop: Shop) -> None:
    shop.ledger.grant(10)
    shop.flow.faults.append(lambda _: {}["fault"])  # type: ignore[index]
    run = shop.driver.run(SHOP, 60)
    run.deliver(CUSTOMER, 1)
    assert (run.stopped, shop.due_in(5)) == (False, True)


def test_a_cursor_that_waits_for_missing_entries_is_rescheduled(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.ledger.grant(10)
    shop.deliver(version=1)
    shop.outbox.request(SHOP, CUSTOMER, 5, shop.clock.now())
    shop.deliver()
    assert shop.due_in(5)
    assert "_EntriesMissing" in capsys.readouterr().out


# --- two senders ----------------------------------------------------------------------------------


def test_while_one_sender_has_the_lease_others_only_enqueue(shop: Shop) -> None:
    shop.ledger.grant(10)
    now = shop.clock.now()
    hold_request = Cursor(SHOP, CUSTOMER, "theirs", now + module.LEASE)
    assert isinstance(shop.outbox.acquire(hold_request, now, 1), Cursor)
    shop.deliver(version=1)
    assert shop.flow.calls == 0
    assert shop.due_in(module.LEASE.total_seconds()), "should they have died"
    shop.deliver()
    assert shop.flow.delivered == both(1)


def test_entries_added_during_publishing_are_published_as_well(shop: Shop) -> None:
    shop.ledger.grant(10)

    def meanwhile(_: FakeFlow) -> None:
        shop.ledger.grant(20)
        shop.deliver(version=2)  # another sender, turned away

    shop.flow.faults.append(meanwhile)
    shop.deliver(version=1)
    assert shop.flow.calls == 4
    assert (shop.outbox.published(SHOP, CUSTOMER), shop.due()) == (2, [])


def test_a_lease_is_renewed_while_many_entries_are_published(shop: Shop) -> None:
    for count in range(20):
        shop.ledger.grant(10, key=str(count))
    shop.flow.seconds_a_call = 3.0
    left: list[float] = []

    def look(_: FakeFlow) -> None:
        now = shop.clock.now()
        found = shop.outbox.acquire(Cursor(SHOP, CUSTOMER, "x", now), now, None)
        assert isinstance(found, Leased)
        left.append((found.until - now).total_seconds())

    shop.flow.faults.extend([look] * 40)
    shop.deliver(version=20, seconds=1_000)
    assert len(left) == 40
    assert min(left) >= module.LEASE_RENEWAL_MARGIN.total_seconds() - 3


def test_a_sender_without_its_lease_sends_nothing_more(shop: Shop) -> None:
    shop.ledger.grant(10)
    shop.ledger.grant(10)

    def stall(flow: FakeFlow) -> None:
        flow.clock.pass_time(seconds=60)
        shop.deliver(version=2)

    shop.flow.faults.append(stall)
    shop.deliver(version=2)
    stalled = (entry(1), APPROVED)
    assert shop.flow.delivered == [*both(1, 2), stalled], "the other sender's, and nothing after it"
    assert shop.outbox.published(SHOP, CUSTOMER) == 2
