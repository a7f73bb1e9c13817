"""One account's changes pushed to the till: each once, in order, and what stands in the way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pointbook.deadline import Deadline
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant, SpendOnOrder, UpdateOrder
from pointbook.domain.expiry import Days
from pointbook.domain.orders import Goods, OrderUpdate
from pointbook.domain.programme_rules import TillPush
from pointbook.errors import StoreRefused
from pointbook.services.publishing.runs import Publisher
from pointbook.services.till_push.delivery import CALL_SECONDS_LEAST, Parts
from pointbook.services.till_push.pusher import TillPusher
from pointbook.store.outbox import Cursor
from pointbook.store.table import Table
from pointbook.store.till_members import Membership, TillMembers
from pointbook.store.till_pushes import TillCursor, TillPushes
from pointbook.till.errors import MemberNotRegistered, TillThrottled
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.flow import RealClock
from tests.fakes.pushed_till import (
    Effect,
    FakeTill,
    TillFault,
    breaker_open,
    digits,
    down,
    hangs,
    late,
    refuses,
    reply_lost,
    throttled,
    well,
)
from tests.support import engine as engines
from tests.support.engine import SHOP, Engine, opened
from tests.support.examples import CUSTOMER, ORDER
from tests.support.ledgers import LedgerDriver
from tests.support.logs import logged

AT_TILL = Cause.reported("flow", "run")
OTHER = "7002"
PSEUDONYM = "01234567890123456789"
UNKNOWN_OUTCOME = (reply_lost, hangs, late)


class Shop:
    """A shop's ledger, its till, and the outbox between them."""

    def __init__(self, mode: TillPush = TillPush.CHANGES) -> None:
        self.engine: Engine = opened(engines.MEMORY, MemoryDynamoDB())
        self.clock = RealClock()
        self.till = FakeTill(self.clock, {CUSTOMER: 0})
        self.mode = mode
        self.ledger = LedgerDriver(self.engine)
        table = Table(self.engine.client, self.engine.table)
        self.pushes, self.members = TillPushes(table), TillMembers(table)
        self.till_name = "the first"
        name = lambda: self.till_name  # noqa: E731
        parts = Parts(self.pushes, self.members, digits, self.clock, lambda: 1.0, name)
        self.pusher = TillPusher(parts, lambda: self.till, lambda _: self.mode)

    def deliver(
        self, version: int | None = None, first: int = 0, seconds: float = 60.0, **more: Any
    ) -> None:
        """The stream shows an account, by default from its first version; or the queue does."""
        run = self.pusher.run(SHOP, seconds, **more)
        run.deliver(CUSTOMER, version, first or 1)
        run.write_metrics()

    def follow(self) -> None:
        """The stream shows the account as it is now."""
        version = self.ledger.account().version
        self.deliver(version, version)

    def grant(self, points: int) -> None:
        """Points are granted, and the stream shows it; so with the next two."""
        self.ledger.grant(points)
        self.follow()

    def consume(self, points: int) -> None:
        self.ledger.consume(points)
        self.follow()

    def hold(self, points: int) -> None:
        self.ledger.hold(points)
        self.follow()

    def sweep(self, **later: float) -> None:
        """The schedule runs some time later."""
        self.clock.pass_time(**later)
        for customer_id in self.due():
            self.pusher.run(SHOP, 60.0).deliver(customer_id)

    def due(self) -> list[str]:
        return list(self.pushes.due(SHOP, self.clock.now()))

    @property
    def cursor(self) -> TillCursor:
        found = self.pushes.find(SHOP, CUSTOMER)
        assert found is not None
        return found

    @property
    def has_cursor(self) -> bool:
        return self.pushes.find(SHOP, CUSTOMER) is not None

    def replace_till(self, points: int) -> FakeTill:
        """The shop has another till, at which the customer has these points."""
        before, self.till_name = self.till, "the second"
        self.till = FakeTill(self.clock, {CUSTOMER: points})
        return before

    @property
    def balance(self) -> int:
        self.till.catch_up()
        return self.till.balances[CUSTOMER]

    def is_done(self, version: int) -> bool:
        """Whether all up to `version` is pushed, and nothing waits."""
        cursor = self.cursor
        self.clock.pass_time(days=1)
        return cursor.published == version and cursor.is_idle and self.due() == []


def not_carried(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Why something was not pushed, once for each time."""
    return [line["Code"] for line in logged(capsys, "TillPushesNotCarried")]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_changes_are_added_to_whatever_the_till_has(shop: Shop) -> None:
    shop.till.balances[CUSTOMER] = 500
    shop.grant(100)
    shop.consume(30)
    assert (shop.till.pushed, shop.balance) == ([100, -30], 570)
    assert shop.is_done(2)


def test_several_entries_are_carried_as_their_sum(shop: Shop) -> None:
    for _ in range(130):
        shop.ledger.grant(10)
    shop.ledger.hold(50)
    shop.deliver(131)
    assert (sum(shop.till.pushed), len(shop.till.pushed)) == (1250, 2), "a page of entries each"
    assert shop.is_done(131)


def test_entries_that_leave_the_balance_as_it_is_call_nobody(shop: Shop) -> None:
    shop.ledger.grant(100)
    shop.ledger.hold(30)
    shop.ledger.release()
    shop.deliver(3, first=1)
    shop.ledger.hold(30, "another")
    shop.ledger.release("another")
    calls = len(shop.till.calls)
    shop.deliver(5, first=4)
    assert (len(shop.till.calls), shop.till.pushed) == (calls, [100])
    assert shop.is_done(5)


def test_told_to_overwrite_the_first_contact_sets_the_balance_and_no_later_one_does() -> None:
    shop = Shop(TillPush.BALANCE)
    shop.till.balances[CUSTOMER] = 4000
    shop.grant(100)
    assert shop.balance == 100
    shop.till.use(CUSTOMER, -7)
    shop.grant(1)
    assert shop.balance == 108, "points that the counter gave are not overwritten"


def test_a_first_contact_that_finds_the_same_balance_writes_nothing() -> None:
    shop = Shop(TillPush.BALANCE)
    shop.till.balances[CUSTOMER] = 1250
    shop.grant(1250)
    assert (shop.till.pushed, shop.balance) == ([], 1250)
    shop.consume(300)
    assert (shop.till.pushed, shop.balance) == ([-300], 950)


def test_an_account_begins_with_the_first_change_that_the_stream_shows(shop: Shop) -> None:
    shop.ledger.grant(1000)
    shop.ledger.clock.pass_time(seconds=1)
    shop.grant(20)
    assert shop.till.pushed == [20]


def test_what_fell_due_with_the_first_change_is_carried_with_it(shop: Shop) -> None:
    """One write added both entries; the stream shows the account after it."""
    shop.ledger.grant(1000, expiry=Days(1))
    shop.ledger.clock.pass_time(days=5)
    shop.ledger.grant(20)
    assert shop.ledger.topics() == ["add/flow", "sub/expire", "add/flow"]
    shop.till.balances[CUSTOMER] = 1000
    shop.follow()
    assert (shop.till.pushed, shop.balance) == ([-980], 20)


# --- outcomes that are not known ----------------------------------------------------------------


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOME)
def test_a_change_of_unknown_outcome_happens_once(shop: Shop, fault: TillFault) -> None:
    shop.till.faults.extend([well, fault])
    shop.grant(100)
    assert shop.cursor.plan is not None
    assert not shop.cursor.is_idle
    for _ in range(3):
        shop.sweep(seconds=60)
    assert (shop.till.pushed, shop.balance) == ([100], 100)
    assert shop.is_done(1)


def test_a_change_whose_outcome_the_till_no_longer_knows_does_not_stop_the_next_ones(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is left to the comparison of balances, and to a person."""
    shop.till.faults.extend([well, reply_lost, refuses])
    shop.grant(100)
    shop.ledger.grant(20)
    shop.sweep(days=31)
    assert not_carried(capsys) == ["unknown_outcome"]
    assert (shop.till.pushed, shop.balance) == ([100, 20], 120)
    assert shop.is_done(2)


def test_the_till_is_asked_before_a_change_is_sent_again_under_the_same_id(shop: Shop) -> None:
    shop.till.faults.extend([well, hangs])
    shop.grant(100)
    shop.till.calls.clear()
    shop.sweep(seconds=60)
    assert shop.till.calls == ["is_applied", "add_points"]
    assert len(shop.till.sent) == 2
    assert shop.till.sent[0] == shop.till.sent[1]


def test_the_next_change_waits_until_the_outcome_of_the_last_is_known(shop: Shop) -> None:
    shop.till.faults.extend([well, late])
    shop.grant(100)
    shop.consume(30)
    assert shop.till.calls == ["member", "add_points"], "too early to ask"
    shop.sweep(seconds=60)
    assert (shop.till.pushed, shop.balance) == ([100, -30], 70)


def test_a_change_that_happens_while_it_is_sent_again_counts(shop: Shop) -> None:
    """It is found out by the refusal: the points are gone already."""
    given_up: list[Effect] = []

    def gives_up(till: FakeTill, effect: Effect) -> None:
        given_up.append(effect)
        hangs(till, effect)

    def very_late(_: FakeTill, effect: Effect) -> None:
        given_up[0]()
        effect()

    shop.grant(100)
    shop.till.faults.extend([well, gives_up])
    shop.hold(80)
    shop.till.faults.extend([well, very_late])
    shop.sweep(seconds=60)
    assert (shop.till.pushed, shop.balance) == ([100, -80], 20)
    assert shop.is_done(2)


# --- what stands in the way ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", [down, hangs, throttled, breaker_open])
@pytest.mark.parametrize("place", [0, 1])
def test_hours_of_an_outage_lose_nothing(shop: Shop, fault: TillFault, place: int) -> None:
    shop.ledger.grant(100)
    shop.till.faults.extend([well] * place + [fault] * 30)
    shop.follow()
    assert shop.till.pushed == []
    for number in range(1, 60):
        if number % 10 == 0:
            shop.grant(1)
        shop.sweep(minutes=11)
    assert shop.balance == 105
    assert sum(shop.till.pushed) == 105
    assert shop.is_done(6)


def test_the_pause_grows_from_attempt_to_attempt(shop: Shop) -> None:
    shop.till.faults.extend([down] * 12)
    shop.grant(100)
    pauses = []
    for _ in range(9):
        began = shop.clock.now()
        while not shop.due():
            shop.clock.pass_time(seconds=1)
        pauses.append((shop.clock.now() - began).total_seconds())
        shop.sweep()
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_a_till_that_is_not_called_stops_the_run_and_the_others_wait(shop: Shop) -> None:
    shop.till.balances[OTHER] = 0
    shop.ledger.grant(100)
    shop.ledger.grant(100, customer_id=OTHER)
    shop.till.faults.extend([breaker_open])
    run = shop.pusher.run(SHOP, 60.0)
    run.deliver(CUSTOMER, 1, 1)
    run.deliver(OTHER, 1, 1)
    assert run.stopped
    assert shop.till.calls == ["member"]
    shop.clock.pass_time(seconds=16)
    assert sorted(shop.due()) == sorted([CUSTOMER, OTHER])


def test_a_pause_that_the_till_asks_for_is_kept(shop: Shop) -> None:
    shop.till.faults.extend([throttled])
    shop.grant(100)
    shop.clock.pass_time(seconds=29)
    assert shop.due() == []
    shop.clock.pass_time(seconds=1)
    assert shop.due() == [CUSTOMER]


def test_a_pause_beyond_all_reason_ends_all_the_same(shop: Shop) -> None:
    def absurd(_till: FakeTill, _effect: Effect) -> None:
        raise TillThrottled("429", 999_999)

    shop.till.faults.extend([absurd])
    shop.grant(100)
    shop.sweep(minutes=10)
    assert shop.till.pushed == [100]


def test_an_account_that_was_dropped_after_the_queue_was_read_does_not_begin_anew(
    shop: Shop,
) -> None:
    """Otherwise all that the account ever had would be pushed once more."""
    shop.grant(100)
    shop.till.faults.extend([down])
    shop.grant(20)
    shop.clock.pass_time(minutes=1)
    (read_before,) = shop.due()
    shop.pushes.drop(SHOP, CUSTOMER)
    shop.pusher.run(SHOP, 60.0).deliver(read_before)
    assert (shop.till.pushed, shop.has_cursor) == ([100], False)


def test_a_shop_whose_programme_cannot_be_read_does_not_stop_the_others(shop: Shop) -> None:
    def mode(of_shop: str) -> TillPush:
        if of_shop != SHOP:
            raise StoreRefused("ValidationException", "damaged")
        return TillPush.CHANGES

    pusher = TillPusher(shop.pusher.parts, lambda: shop.till, mode)
    publisher = Publisher(shop.pushes, pusher, shop.clock)
    shop.till.faults.extend([down])
    shop.grant(100)
    shop.clock.pass_time(minutes=1)
    publisher.sweep(["other.myshopify.com", SHOP], 60.0)
    assert shop.till.pushed == [100]


def test_an_account_that_another_sender_holds_waits_for_its_lease(shop: Shop) -> None:
    shop.ledger.grant(100)
    now = shop.clock.now()
    other = Cursor(SHOP, CUSTOMER, "theirs", now + timedelta(seconds=40))
    shop.pushes.acquire(other, now, 1, lambda: 0)
    shop.follow()
    assert shop.till.calls == []
    shop.sweep(seconds=39)
    assert shop.till.calls == []
    shop.sweep(seconds=1)
    assert shop.till.pushed == [100]


def test_a_run_without_time_leaves_the_account_in_the_queue(shop: Shop) -> None:
    shop.ledger.grant(100)
    shop.deliver(1, seconds=CALL_SECONDS_LEAST - 0.1)
    assert shop.till.calls == []
    shop.sweep(seconds=1)
    assert shop.till.pushed == [100]


def test_entries_that_are_missing_do_not_end_the_wait(shop: Shop) -> None:
    shop.ledger.grant(100)
    shop.pushes.request(SHOP, CUSTOMER, 9, shop.clock.now())
    shop.sweep(seconds=1)
    assert (shop.cursor.published, shop.cursor.is_idle) == (1, False)
    assert shop.till.pushed == [100]


def test_how_long_the_longest_has_been_waiting_is_measured(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.till.faults.extend([down] * 3)
    shop.grant(100)
    for _ in range(2):
        shop.clock.pass_time(minutes=40)
        shop.deliver()
    waited = [line["TillPushWaitedSeconds"] for line in logged(capsys, "TillPushWaitedSeconds")]
    assert waited == [[2400 - 5], [4800 - 5]]
    shop.clock.pass_time(minutes=40)
    shop.deliver()
    assert shop.cursor.waiting_since is None


# --- members ------------------------------------------------------------------------------------


def test_nothing_is_carried_to_a_member_that_the_till_does_not_know(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    del shop.till.balances[CUSTOMER]
    shop.grant(100)
    assert not_carried(capsys) == ["not_registered"]
    shop.till.balances[CUSTOMER] = 30
    shop.grant(1)
    assert shop.balance == 31
    assert shop.is_done(2)


def test_a_member_that_is_registered_later_begins_with_the_ledgers_balance_where_told_to() -> None:
    shop = Shop(TillPush.BALANCE)
    del shop.till.balances[CUSTOMER]
    shop.grant(100)
    shop.till.balances[CUSTOMER] = 30
    shop.grant(1)
    assert shop.balance == 101


def test_of_two_members_with_one_number_neither_is_changed(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.till.ambiguous = True
    shop.grant(100)
    assert shop.till.pushed == []
    assert not_carried(capsys) == ["ambiguous"]
    cached = shop.members.read(SHOP, CUSTOMER)
    assert cached is not None
    assert cached.membership is Membership.AMBIGUOUS


def test_a_member_who_leaves_during_a_change_is_not_waited_for(shop: Shop) -> None:
    shop.till.faults.extend([well, hangs])
    shop.grant(100)
    del shop.till.balances[CUSTOMER]
    shop.sweep(seconds=60)
    assert shop.is_done(1)


def test_what_the_till_has_afterwards_is_kept_for_my_page(shop: Shop) -> None:
    shop.grant(100)
    cached = shop.members.read(SHOP, CUSTOMER)
    assert cached is not None
    assert (cached.membership, cached.balance_points, cached.till_id) == (
        Membership.MEMBER,
        100,
        "t1",
    )


def test_nobody_is_called_for_a_pseudonym(shop: Shop) -> None:
    shop.pusher.run(SHOP, 60.0).deliver(PSEUDONYM, 1, 1)
    assert shop.till.calls == []


# --- points that the till has not ---------------------------------------------------------------


def test_the_till_gives_up_what_it_has_and_the_rest_with_the_next_credit(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 950)
    shop.hold(300)
    assert shop.balance == 0
    assert not_carried(capsys) == ["remainder"]
    shop.grant(200)
    assert shop.balance == 0, "250 are still owed"
    shop.grant(100)
    assert shop.balance == 50
    assert shop.till.pushed == [1000, -50, 50]


def test_a_debt_is_taken_off_the_next_credit_at_the_till_too() -> None:
    shop = Shop(TillPush.BALANCE)
    order = UpdateOrder(ORDER, OrderUpdate(goods=Goods(0)), None, Days(30))
    shop.ledger.say(order)
    shop.ledger.grant(10)
    shop.ledger.say(SpendOnOrder(100, ORDER, "till"))
    shop.follow()
    assert (shop.ledger.figures()["approved"], shop.balance) == (-90, 0)
    shop.grant(150)
    assert shop.balance == shop.ledger.figures()["approved"] == 60


def test_points_that_the_counter_takes_between_reading_and_writing_are_not_lost(
    shop: Shop,
) -> None:
    shop.grant(100)

    def meanwhile(till: FakeTill, effect: Effect) -> None:
        till.use(CUSTOMER, 60)
        effect()

    shop.till.faults.extend([well, meanwhile])
    shop.hold(50)
    assert shop.balance == 0, "40 of the 50; the counter's 60 stay taken"
    assert shop.cursor.member_state.remainder_points == -10


def test_a_change_that_the_till_keeps_refusing_is_tried_again_later(shop: Shop) -> None:
    shop.till.faults.extend([well, refuses, well, refuses])
    shop.grant(100)
    assert (shop.cursor.plan, shop.cursor.is_idle) == (None, False)
    shop.sweep(seconds=60)
    assert shop.till.pushed == [100]


# --- what the till has already ------------------------------------------------------------------


def test_a_movement_that_the_till_reported_is_not_carried_back(shop: Shop) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 300)
    shop.ledger.consume(300, cause=AT_TILL)
    shop.ledger.say(Grant(5, Days(9)), cause=AT_TILL)
    shop.till.use(CUSTOMER, -5)
    shop.follow()
    assert (shop.till.pushed, shop.balance) == ([1000], 705)
    shop.consume(5)
    assert shop.balance == shop.ledger.figures()["approved"] == 700


def test_a_consume_whose_points_the_till_lacks_already_is_its_report(shop: Shop) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 300)
    shop.consume(300)
    assert (shop.till.pushed, shop.balance) == ([1000], 700)
    shop.consume(300)
    assert shop.balance == 400, "the same points are missing once"


def test_it_is_recognized_also_after_another_contact(shop: Shop) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 300)
    shop.grant(12)
    shop.consume(300)
    assert shop.balance == shop.ledger.figures()["approved"] == 712


def test_points_that_are_missing_for_more_than_a_day_explain_nothing_any_more(shop: Shop) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 300)
    shop.grant(12)
    shop.clock.pass_time(hours=25)
    shop.consume(300)
    assert shop.balance == 412


def test_points_that_a_report_named_explain_no_other_consume(shop: Shop) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 300)
    shop.ledger.consume(300, cause=AT_TILL)
    shop.consume(300)
    assert shop.balance == shop.ledger.figures()["approved"] == 400


def test_what_the_counter_changed_and_nobody_reported_stays(shop: Shop) -> None:
    shop.grant(1000)
    shop.till.use(CUSTOMER, 40)
    shop.hold(100)
    shop.grant(7)
    assert shop.balance == 867


# --- switched on, off, and levelled -------------------------------------------------------------


def test_switched_off_the_cursor_goes_and_switched_on_it_begins_anew(shop: Shop) -> None:
    shop.grant(100)
    shop.mode = TillPush.NO
    shop.ledger.clock.pass_time(seconds=1)
    shop.grant(1000)
    assert not shop.has_cursor
    shop.mode = TillPush.CHANGES
    shop.ledger.clock.pass_time(seconds=1)
    shop.grant(7)
    assert (shop.till.pushed, shop.balance) == ([100, 7], 107)


def test_a_till_that_takes_no_pushes_is_never_called(shop: Shop) -> None:
    shop.till.pushes = False
    shop.grant(100)
    assert (shop.till.calls, shop.has_cursor) == ([], False)


def test_levelling_sets_the_ledgers_balance_once(shop: Shop) -> None:
    shop.grant(100)
    shop.till.balances[CUSTOMER] = 777
    shop.pushes.request_balance(SHOP, CUSTOMER, 1, shop.clock.now())
    shop.sweep(seconds=1)
    assert shop.balance == 100
    shop.till.use(CUSTOMER, -9)
    shop.grant(1)
    assert shop.balance == 110
    assert shop.is_done(2)


def test_levelling_an_account_that_was_never_carried_sets_its_balance(shop: Shop) -> None:
    shop.ledger.grant(60)
    shop.ledger.grant(40)
    shop.pushes.request_balance(SHOP, CUSTOMER, 2, shop.clock.now())
    shop.sweep(seconds=1)
    assert shop.balance == 100


def no_number(_shop: str, _customer_id: str, _deadline: Deadline) -> str:
    """Shopify has no such customer, or no metafield."""
    raise MemberNotRegistered("the customer has no member number")


def deliver_without_number(shop: Shop) -> None:
    parts = replace(shop.pusher.parts, number=no_number)
    TillPusher(parts, lambda: shop.till, lambda _: shop.mode).run(SHOP, 60.0).deliver(CUSTOMER, 2)


def test_who_was_merged_gives_up_their_points_at_the_till_though_shopify_lost_the_number(
    shop: Shop,
) -> None:
    shop.grant(100)
    shop.ledger.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("customer"))
    deliver_without_number(shop)
    assert (shop.till.pushed, shop.balance) == ([100, -100], 0)


def test_who_gave_their_number_back_is_not_found_by_it(shop: Shop) -> None:
    """By now it may be another customer's."""
    shop.grant(100)
    shop.ledger.consume(30)
    deliver_without_number(shop)
    assert shop.till.pushed == [100]


# --- another till -------------------------------------------------------------------------------


def test_what_was_planned_at_one_till_is_never_sent_to_another(shop: Shop) -> None:
    """There its id may be another member's."""
    shop.till.faults.extend([well, hangs])
    shop.grant(100)
    before = shop.replace_till(500)
    shop.sweep(seconds=60)
    assert (before.pushed, shop.till.pushed, shop.balance) == ([], [100], 600)
    assert "is_applied" not in shop.till.calls
    assert shop.till.sent[0].change_id != before.sent[0].change_id
    assert shop.is_done(1)


def test_told_to_overwrite_another_till_begins_with_the_ledgers_balance() -> None:
    shop = Shop(TillPush.BALANCE)
    shop.grant(100)
    shop.replace_till(7)
    shop.consume(30)
    assert (shop.till.pushed, shop.balance) == ([63], 70)
    shop.till.use(CUSTOMER, -5)
    shop.grant(1)
    assert shop.balance == 76, "only the first contact overwrites"


def test_what_another_till_lacks_was_not_taken_at_its_counter(shop: Shop) -> None:
    shop.grant(100)
    shop.replace_till(50)
    shop.consume(30)
    assert (shop.till.pushed, shop.balance) == ([-30], 20)


def test_a_till_that_does_not_answer_is_not_taken_for_another_one(shop: Shop) -> None:
    """Its credentials may be mistyped, and put right a minute later."""
    shop.till.faults.extend([well, reply_lost])
    shop.grant(100)
    shop.till_name = "mistyped"
    shop.till.faults.extend([down])
    shop.sweep(seconds=60)
    shop.till_name = "the first"
    shop.sweep(seconds=60)
    assert shop.till.pushed == [100]
    assert shop.is_done(1)


def with_card(shop: Shop, number: str) -> None:
    """The customer has another member number."""
    parts = replace(shop.pusher.parts, number=lambda *_: number)
    shop.pusher = replace(shop.pusher, parts=parts)


def test_told_to_overwrite_another_number_begins_with_the_ledgers_balance() -> None:
    shop = Shop(TillPush.BALANCE)
    shop.grant(100)
    shop.till.balances["card"] = 7
    with_card(shop, "card")
    shop.grant(1)
    assert shop.till.balances == {CUSTOMER: 100, "card": 101}
    shop.ledger.grant(1)
    shop.till.use("card", -5)
    shop.follow()
    assert shop.till.balances["card"] == 107, "only the first contact overwrites"


def test_what_the_member_of_another_number_lacks_was_not_taken_at_the_counter(shop: Shop) -> None:
    shop.grant(100)
    shop.till.balances["card"] = 50
    with_card(shop, "card")
    shop.consume(30)
    assert shop.till.balances == {CUSTOMER: 100, "card": 20}


def test_a_change_of_unknown_outcome_stays_with_the_number_that_it_was_planned_for(
    shop: Shop,
) -> None:
    shop.till.faults.extend([well, hangs])
    shop.grant(100)
    shop.till.balances["card"] = 50
    with_card(shop, "card")
    shop.sweep(seconds=60)
    assert shop.till.balances == {CUSTOMER: 100, "card": 50}
