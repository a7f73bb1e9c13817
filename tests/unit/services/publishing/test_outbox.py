"""One book told to Flow: all of it, in order, and what stands in the way."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from pointbook.services.publishing import outbox as module
from pointbook.services.publishing.outbox import OutboxPublisher
from pointbook.store.outbox import Cursor, Leased, Outbox
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.flow import (
    FakeFlow,
    RealClock,
    dead,
    down,
    locked,
    lost,
    repeats,
    well,
)
from tests.support import engine as engines
from tests.support.engine import SHOP, Engine, opened
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver

APPROVED, CHANGED = "points-approved-changed", "points-changed"
PSEUDONYM = "01234567890123456789"


def entry(version: int, customer_id: str = CUSTOMER) -> str:
    return f"{customer_id}-{version:012d}"


def both(*versions: int) -> list[tuple[str, str]]:
    """What entries that change approved points call for."""
    return [(entry(version), handle) for version in versions for handle in (APPROVED, CHANGED)]


class World:
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
        """Whether the book is due in so many seconds, and not a second earlier."""
        self.clock.pass_time(seconds=seconds - 1)
        before = self.due()
        self.clock.pass_time(seconds=1)
        return before == [] and self.due() == [CUSTOMER]

    def cursor(self) -> dict[str, Any] | None:
        key = (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "OUTBOX")
        return self.engine.client.items(self.engine.table).get(key)


@pytest.fixture
def world() -> World:
    return World()


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The sum of each metric that has no dimension but the stage."""
    found: Counter[str] = Counter()
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        if "_aws" in line and "Handle" not in line:
            name = line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]
            found[name] += line[name][0]
    return dict(found)


def test_every_entry_is_told_once_and_in_order(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for points in (100, 50):
        world.ledger.grant(points)
    world.ledger.consume(30)
    world.deliver(version=3)
    world.deliver(version=3)
    assert world.flow.told == both(1, 2, 3)
    assert world.outbox.published(SHOP, CUSTOMER) == 3
    assert metrics(capsys) == {"TriggersSent": 6}


def test_a_hold_that_becomes_spent_leaves_approved_alone_and_says_only_what_changed(
    world: World,
) -> None:
    world.ledger.grant(100)
    world.ledger.hold(40)
    world.ledger.capture(40)
    world.deliver(version=3)
    assert world.flow.told == [*both(1, 2), (entry(3), CHANGED)]


def test_the_usual_change_costs_two_updates_and_one_query(world: World) -> None:
    world.ledger.grant(100)
    world.deliver(version=1)
    before = world.engine.client.sequence
    world.ledger.grant(1)
    booked = world.engine.client.sequence
    world.deliver(version=2)
    assert (booked - before, world.engine.client.sequence - booked) == (1, 2)


def test_a_version_that_was_told_costs_no_write(world: World) -> None:
    world.ledger.grant(100)
    world.deliver(version=1)
    before = world.engine.client.sequence
    world.deliver(version=1)
    assert (world.engine.client.sequence, world.flow.asked) == (before, 2)


def test_more_entries_than_a_page_holds_are_all_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ENTRIES", 3)
    for count in range(7):
        world.ledger.grant(1, key=str(count))
    world.deliver(version=7)
    assert world.flow.told == both(*range(1, 8))
    world.ledger.grant(1, key="7")
    world.ledger.grant(1, key="8")
    world.deliver(version=9)
    assert world.flow.told == both(*range(1, 10))
    assert world.due() == []


def test_a_trigger_that_nobody_listens_to_is_passed_over(world: World) -> None:
    world.ledger.grant(100)
    world.subscriptions.record(SHOP, CHANGED, world.clock.now(), enabled=False)
    world.deliver(version=1)
    assert world.flow.told == [(entry(1), APPROVED)]
    world.clock.pass_time(seconds=1)
    world.subscriptions.record(SHOP, CHANGED, world.clock.now(), enabled=True)
    world.ledger.grant(1)
    world.deliver(version=2)
    assert world.flow.told == [(entry(1), APPROVED), *both(2)]


def test_nobody_is_told_of_an_erased_customers_points(world: World) -> None:
    world.ledger.grant(100, customer_id=PSEUDONYM)
    world.driver.run(SHOP, 60).deliver(PSEUDONYM, 1)
    assert (world.flow.asked, len(list(world.outbox.unpublished(lambda _: None)))) == (0, 1)
    assert (f"SHOP#{SHOP}#CUSTOMER#{PSEUDONYM}", "OUTBOX") not in world.engine.client.items(
        world.engine.table
    )


def test_a_book_without_entries_leaves_no_cursor_behind(world: World) -> None:
    world.deliver(version=1)
    assert world.cursor() is None


# --- what stands in the way -----------------------------------------------------------------------


def test_what_cannot_be_sent_is_tried_again_from_where_it_stopped(world: World) -> None:
    for _ in range(3):
        world.ledger.grant(10)
    world.flow.whims.extend([well, well, well, down])
    world.deliver(version=3)
    assert world.outbox.published(SHOP, CUSTOMER) == 1
    assert world.due_in(5)
    world.deliver()
    assert world.flow.told == both(1, 2, 3), "the half of entry 2 that was taken is not repeated"
    assert (world.outbox.published(SHOP, CUSTOMER), world.due()) == (3, [])


def test_pauses_grow_to_ten_minutes_and_begin_anew_once_something_was_sent(world: World) -> None:
    world.ledger.grant(10)
    for seconds in (5, 10, 20, 40, 80, 160, 320, 600, 600):
        world.flow.whims.append(down)
        world.deliver(version=1)
        assert world.due_in(seconds), seconds
    world.flow.whims.extend([well, down])
    world.deliver()
    assert world.due_in(5)


def test_only_a_lost_answer_makes_a_repeat(world: World) -> None:
    world.ledger.grant(10)
    world.flow.whims.append(lost)
    world.deliver(version=1)
    world.clock.pass_time(seconds=5)
    world.deliver()
    assert world.flow.told == [(entry(1), APPROVED), *both(1)]
    assert repeats(world.flow.told) == 1


@pytest.mark.parametrize("fault", [down, locked])
def test_a_shop_that_cannot_be_reached_is_called_no_more_in_this_run(
    world: World, fault: Callable[..., None]
) -> None:
    for customer_id in ("7001", "7002", "7003"):
        world.ledger.grant(10, customer_id=customer_id)
    world.flow.whims.append(fault)
    run = world.driver.run(SHOP, 60)
    for customer_id in ("7001", "7002", "7003"):
        run.deliver(customer_id, 1)
    assert (world.flow.asked, run.stopped) == (1, True)
    world.clock.pass_time(seconds=5)
    assert sorted(world.due()) == ["7001", "7002", "7003"]


def test_one_dead_customers_entry_does_not_block_what_follows(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ledger.grant(10)
    world.ledger.grant(20)
    world.flow.whims.extend([dead, dead])
    world.deliver(version=2)
    assert world.flow.told == both(2)
    out = capsys.readouterr().out
    assert out.count('"trigger_refused"') == 2
    assert f'"entry_id":"{entry(1)}"' in out.replace(" ", "")
    assert world.outbox.published(SHOP, CUSTOMER) == 2


def test_refusals_are_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.ledger.grant(10)
    world.flow.whims.append(dead)
    world.deliver(version=1)
    assert metrics(capsys) == {"TriggersRefused": 1, "TriggersSent": 1}


def test_what_is_held_back_is_counted_for_the_alarm(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ledger.grant(10)
    world.flow.whims.append(down)
    world.deliver(version=1)
    assert metrics(capsys) == {"TriggersHeldBack": 1}


def test_a_run_whose_time_is_up_puts_the_rest_on_the_list_at_once(world: World) -> None:
    for count in range(10):
        world.ledger.grant(10, key=str(count))
    world.flow.seconds_a_call = 1.0
    world.deliver(version=10, seconds=5)
    assert world.flow.asked == 5
    assert world.due() == [CUSTOMER]
    world.deliver(version=10, seconds=0.5)
    assert world.flow.asked == 5
    world.deliver(seconds=60)
    assert world.flow.told == both(*range(1, 11))


def test_a_shop_that_rests_is_not_called(world: World) -> None:
    world.ledger.grant(10)
    world.deliver(version=1, enqueue_only=True)
    assert world.flow.asked == 0
    assert world.due_in(5)


def test_a_fault_of_ours_puts_its_own_book_aside(world: World) -> None:
    world.ledger.grant(10)
    world.flow.whims.append(lambda _: {}["fault"])  # type: ignore[index]
    run = world.driver.run(SHOP, 60)
    run.deliver(CUSTOMER, 1)
    assert (run.stopped, world.due_in(5)) == (False, True)


def test_a_cursor_that_waits_for_entries_that_are_not_there_is_put_aside(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ledger.grant(10)
    world.deliver(version=1)
    world.outbox.request(SHOP, CUSTOMER, 5, world.clock.now())
    world.deliver()
    assert world.due_in(5)
    assert "_EntriesMissing" in capsys.readouterr().out


# --- two senders ----------------------------------------------------------------------------------


def test_while_somebody_sends_others_only_ask(world: World) -> None:
    world.ledger.grant(10)
    now = world.clock.now()
    hold_request = Cursor(SHOP, CUSTOMER, "theirs", now + module.LEASE)
    assert isinstance(world.outbox.acquire(hold_request, now, 1), Cursor)
    world.deliver(version=1)
    assert world.flow.asked == 0
    assert world.due_in(module.LEASE.total_seconds()), "should they have died"
    world.deliver()
    assert world.flow.told == both(1)


def test_what_is_booked_while_a_book_is_told_is_told_as_well(world: World) -> None:
    world.ledger.grant(10)

    def meanwhile(_: FakeFlow) -> None:
        world.ledger.grant(20)
        world.deliver(version=2)  # another sender, turned away

    world.flow.whims.append(meanwhile)
    world.deliver(version=1)
    assert world.flow.asked == 4
    assert (world.outbox.published(SHOP, CUSTOMER), world.due()) == (2, [])


def test_a_lease_is_kept_while_a_long_book_is_told(world: World) -> None:
    for count in range(20):
        world.ledger.grant(10, key=str(count))
    world.flow.seconds_a_call = 3.0
    left: list[float] = []

    def look(_: FakeFlow) -> None:
        now = world.clock.now()
        found = world.outbox.acquire(Cursor(SHOP, CUSTOMER, "x", now), now, None)
        assert isinstance(found, Leased)
        left.append((found.until - now).total_seconds())

    world.flow.whims.extend([look] * 40)
    world.deliver(version=20, seconds=1_000)
    assert len(left) == 40
    assert min(left) >= module.LEASE_RENEWAL_MARGIN.total_seconds() - 3


def test_who_lost_the_lease_sends_nothing_more(world: World) -> None:
    world.ledger.grant(10)
    world.ledger.grant(10)

    def stall(flow: FakeFlow) -> None:
        flow.clock.pass_time(seconds=60)
        world.deliver(version=2)

    world.flow.whims.append(stall)
    world.deliver(version=2)
    stalled = (entry(1), APPROVED)
    assert world.flow.told == [*both(1, 2), stalled], "the other sender's, and nothing after it"
    assert world.outbox.published(SHOP, CUSTOMER) == 2
