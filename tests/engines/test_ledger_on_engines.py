"""The ledger's promises, kept on every engine. One thread; for more see test_concurrency.py."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pointbook.domain.account import HoldState
from pointbook.domain.chain import Cause
from pointbook.domain.commands import (
    Consume,
    Grant,
    MarkReady,
    ReturnSpending,
    Settle,
    SpendOnOrder,
)
from pointbook.domain.expiry import Days, FixedDate
from pointbook.domain.holds import ALARM_CODE_USED_AGAIN, ALARM_LATE_ORDER
from pointbook.domain.order_points import ALARM_SPENT_WITHOUT_POINTS
from pointbook.domain.orders import Goods, Refund
from pointbook.domain.ports import DUE_SHARDS, DueKind
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import ENTRIES_PER_WRITE_MAX
from pointbook.ledger.writes import TIME
from tests.engines.counting import CountingClient
from tests.support.engine import SHOP, Engine, book_of
from tests.support.examples import CUSTOMER, HOLD_ID, NOON, ORDER, OTHER
from tests.support.ledgers import FLOW, HOLD_SECONDS, MONTH, ONE_FOR_A_HUNDRED, Desk


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def booked(answer: Booked | Refusal) -> Booked:
    assert isinstance(answer, Booked), answer
    return answer


def refused(answer: Booked | Refusal) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


# --- granting and consuming ---------------------------------------------------------------------


def test_points_are_granted_and_consumed(desk: Desk) -> None:
    granted, consumed = booked(desk.grant(100)), booked(desk.consume(30))

    assert granted.entry_ids == (f"{CUSTOMER}-000000000001",)
    assert consumed.entry_ids == (f"{CUSTOMER}-000000000002",)
    assert consumed.figures._asdict() == {
        "approved": 70,
        "pending": 0,
        "total": 70,
        "lifetime": 100,
        "spent": 30,
        "hold": 0,
    }
    assert desk.ledger.read(SHOP, CUSTOMER).figures == consumed.figures
    assert desk.topics() == ["add/flow", "sub/flow"]
    assert desk.findings() == []


def test_who_caused_an_entry_and_why_is_kept_with_it(desk: Desk) -> None:
    cause = Cause("manual", actor="staff-7", cause_entry_id=f"{CUSTOMER}-000000000001")
    desk.grant(100, reason="おわび", cause=cause)

    (entry,) = book_of(desk.store, CUSTOMER)
    assert entry.cause == cause
    assert entry.text is not None
    assert entry.text.reason == "おわび"
    assert desk.findings() == []


def test_a_repetition_gets_the_first_answer_and_has_no_effect(desk: Desk) -> None:
    desk.grant(100)
    first = booked(desk.consume(30, "k1"))
    desk.grant(7)
    desk.clock.pass_time(days=400)  # the points are long gone

    again = booked(desk.consume(30, "k1"))

    assert again == replace(first, duplicate=True)
    assert not first.duplicate
    assert desk.topics() == ["add/flow", "sub/flow", "add/flow"]


def test_a_key_is_not_taken_for_another_request(desk: Desk) -> None:
    desk.grant(100)
    first = booked(desk.consume(30, "k1"))

    assert refused(desk.consume(31, "k1")) is Code.IDEMPOTENCY_MISMATCH
    assert booked(desk.consume(30, "k1")).entry_ids == first.entry_ids
    assert desk.figures()["approved"] == 70


def test_a_refusal_changes_nothing_and_is_not_remembered(desk: Desk) -> None:
    desk.grant(100)
    before = desk.store.account(SHOP, CUSTOMER)

    assert refused(desk.consume(101, "k1")) is Code.INSUFFICIENT_POINTS
    assert desk.store.account(SHOP, CUSTOMER) == before

    desk.grant(1)
    assert not booked(desk.consume(101, "k1")).duplicate


def test_points_that_must_be_in_time_are_refused_too_late_but_a_repetition_never_is(
    desk: Desk,
) -> None:
    day = FixedDate(desk.clock.now().date())
    command = Grant(100, day, in_time=True)
    first = booked(desk.say(command, "k1"))
    desk.clock.pass_time(days=2)

    assert booked(desk.say(command, "k1")) == replace(first, duplicate=True)
    assert refused(desk.say(command, "k2")) is Code.DAY_PAST
    assert desk.topics() == ["add/flow", "sub/expire"]


def test_a_rehearsal_answers_as_the_deed_would_and_writes_nothing(desk: Desk) -> None:
    desk.grant(100)
    desk.hold(60)
    desk.clock.pass_time(days=400)  # the hold is over, and both lots have lapsed
    desk.consume(1, "too much")
    for command, key in ((Grant(30, MONTH), "k1"), (Consume(9000), "k2"), (Grant(5, MONTH), "k3")):
        wish = Instruction(SHOP, CUSTOMER, command, FLOW, identity=Identity("test:key", key))
        before = desk.store.account(SHOP, CUSTOMER)
        rehearsed = desk.ledger.rehearse(wish)
        assert desk.ledger.rehearse(wish) == rehearsed
        assert desk.store.account(SHOP, CUSTOMER) == before
        assert desk.ledger.execute(wish) == rehearsed
    wish = Instruction(SHOP, CUSTOMER, Grant(30, MONTH), FLOW, identity=Identity("test:key", "k1"))
    assert booked(desk.ledger.rehearse(wish)).duplicate
    other = replace(wish, content={"points": 31})
    assert refused(desk.ledger.rehearse(other)) is Code.IDEMPOTENCY_MISMATCH


def test_a_customer_without_points_has_an_empty_book(desk: Desk) -> None:
    view = desk.ledger.read(SHOP, CUSTOMER)

    assert (view.customer_id, view.version, view.lots, view.hold) == (CUSTOMER, 0, (), None)
    assert desk.figures() == {}
    assert desk.ledger.history(SHOP, CUSTOMER, limit=10) == []
    assert refused(desk.consume(1)) is Code.INSUFFICIENT_POINTS
    assert booked(desk.say(Settle())).entry_ids == ()
    assert desk.store.account(SHOP, CUSTOMER) is None


# --- holds --------------------------------------------------------------------------------------


def test_a_hold_is_taken_made_ready_and_released(desk: Desk) -> None:
    desk.grant(100)
    desk.hold(40)
    desk.say(MarkReady("h1"))

    assert desk.figures() == {"approved": 60, "total": 60, "lifetime": 100, "hold": 40}
    hold = desk.ledger.read(SHOP, CUSTOMER).hold
    assert hold is not None
    assert (hold.points, hold.state) == (40, HoldState.READY)
    assert refused(desk.hold(10, hold_id="h2")) is Code.HOLD_OPEN
    booked(desk.release())
    assert desk.figures() == {"approved": 100, "total": 100, "lifetime": 100}
    assert refused(desk.release()) is Code.HOLD_NOT_FOUND
    assert desk.findings() == []


def test_a_hold_ends_by_itself_at_its_very_instant(desk: Desk) -> None:
    desk.grant(100)
    desk.hold(40)

    desk.clock.pass_time(seconds=HOLD_SECONDS - 0.001)
    assert desk.figures()["approved"] == 60
    desk.clock.pass_time(seconds=0.001)
    assert desk.figures()["approved"] == 100
    assert desk.topics() == ["add/flow", "sub/hold"]  # nobody has written it down yet

    desk.clock.pass_time(hours=1)
    booked(desk.consume(100))
    _, _, released, consumed = book_of(desk.store, CUSTOMER)
    assert released.entry.at == NOON + timedelta(seconds=HOLD_SECONDS)
    assert released.entry.recorded_at == consumed.entry.at == desk.clock.now()
    assert (released.cause, consumed.cause) == (TIME, Cause("flow"))
    assert desk.findings() == []


def test_an_order_captures_the_hold_once(desk: Desk) -> None:
    desk.grant(100)
    desk.hold(40)

    first = booked(desk.capture(25))
    assert len(first.entry_ids) == 2  # spent, and the rest given back
    assert first.alarms == ()
    assert booked(desk.capture(25)).entry_ids == ()
    assert desk.figures() == {"approved": 75, "total": 75, "lifetime": 100, "spent": 25}
    assert refused(desk.release()) is Code.HOLD_NOT_FOUND
    assert desk.findings() == []


def test_an_order_that_comes_after_its_hold_still_counts(desk: Desk) -> None:
    desk.grant(40)
    desk.hold(40)
    desk.clock.pass_time(hours=1)
    desk.consume(30)

    late = booked(desk.capture(40))
    assert late.alarms == (ALARM_LATE_ORDER,)
    assert desk.figures() == {"approved": -30, "total": -30, "lifetime": 40, "spent": 70}
    assert booked(desk.capture(40, order_id="9002")).alarms == (ALARM_CODE_USED_AGAIN,)
    assert desk.findings() == []


# --- orders -------------------------------------------------------------------------------------


def test_an_order_earns_is_confirmed_and_loses_what_is_refunded(desk: Desk) -> None:
    desk.tell_order(updated_at=NOON, goods=Goods(10_000))
    assert desk.figures() == {"pending": 100, "total": 100}
    desk.tell_order(confirmed_at=NOON)
    assert desk.figures() == {"approved": 100, "total": 100, "lifetime": 100}

    refunds = (Refund("3", Goods(2_000)), Refund("21", Goods(1_000)))
    desk.tell_order(refunds=refunds)
    assert desk.figures() == {"approved": 70, "total": 70, "lifetime": 100}
    assert desk.findings() == []


def test_news_of_an_order_counts_once_however_often_and_late_it_comes(desk: Desk) -> None:
    news: list[dict[str, Any]] = [
        {"refunds": (Refund("3", Goods(2_000)),)},
        {"updated_at": NOON, "goods": Goods(10_000)},
        {"updated_at": NOON - timedelta(hours=1), "goods": Goods(99_900)},
        {"confirmed_at": NOON},
    ]
    for each in (*news, *news):
        booked(desk.tell_order(**each))

    assert desk.figures() == {"approved": 80, "total": 80, "lifetime": 80}
    assert desk.topics() == ["pending/add", "add/order"]
    account = desk.store.account(SHOP, CUSTOMER)
    assert account is not None
    assert account.revision == 3  # the refund that came first, the goods, the confirmation


def test_a_cancelled_order_gives_back_what_was_spent_on_it_once(desk: Desk) -> None:
    desk.grant(100)
    desk.hold(40)
    desk.capture(40)
    desk.tell_order(cancelled=True)

    def give_back() -> Booked:
        return booked(desk.say(ReturnSpending(ORDER, HOLD_ID, MONTH)))

    assert len(give_back().entry_ids) == 1
    assert give_back().entry_ids == ()
    assert desk.figures() == {"approved": 100, "total": 100, "lifetime": 100}
    assert desk.findings() == []


def test_points_of_an_order_are_found_and_approved_when_their_days_are_over(desk: Desk) -> None:
    held = replace(ONE_FOR_A_HUNDRED, pending_days=14)
    bought = {"updated_at": NOON, "goods": Goods(9_000, 900), "taxes_included": False}
    desk.tell_order(held, **bought, confirmed_at=NOON)
    desk.clock.pass_time(days=14)
    found = [
        each
        for shard in range(DUE_SHARDS)
        for each in desk.store.due(DueKind.PENDING, shard, desk.clock.now())
    ]
    assert found == [(SHOP, ORDER)]
    assert desk.figures() == {"pending": 99, "total": 99}

    booked(desk.tell_order())
    assert booked(desk.tell_order()).entry_ids == ()
    assert desk.figures() == {"approved": 99, "total": 99, "lifetime": 99}
    assert desk.topics() == ["pending/add", "add/order"]
    assert desk.findings() == []


def test_points_used_at_a_till_are_spent_once_even_where_they_are_missing(desk: Desk) -> None:
    desk.grant(30)
    spend = SpendOnOrder(40, ORDER, "till")
    first = booked(desk.say(spend))
    assert first.alarms == (ALARM_SPENT_WITHOUT_POINTS,)
    assert booked(desk.say(spend)).entry_ids == ()
    assert desk.figures() == {"approved": -10, "total": -10, "lifetime": 30, "spent": 40}
    assert desk.topics() == ["add/flow", "sub/order"]
    assert desk.findings() == []


# --- merging ------------------------------------------------------------------------------------


def test_two_customers_become_one_once(desk: Desk) -> None:
    desk.grant(100)
    desk.hold(40)
    desk.grant(5, customer_id=OTHER)

    merged = booked(desk.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify")))
    again = booked(desk.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify")))

    assert again == Booked((), merged.figures, duplicate=True)
    assert desk.figures(OTHER) == {"approved": 105, "total": 105, "lifetime": 105}
    assert desk.topics() == ["add/flow", "sub/hold", "add/hold", "sub/merge"]
    assert desk.topics(OTHER) == ["add/flow", "add/merge"]
    assert desk.findings() == desk.findings(OTHER) == []


def test_the_old_number_leads_to_the_survivor_for_ever(desk: Desk) -> None:
    desk.grant(100, "before")
    desk.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify"))
    desk.ledger.merge(SHOP, OTHER, "7003", Cause("shopify"))

    before = booked(desk.grant(100, "before"))
    assert before.duplicate
    assert before.entry_ids == (f"{CUSTOMER}-000000000001",)

    after = booked(desk.consume(30, "after"))
    assert after.entry_ids == ("7003-000000000002",)
    assert booked(desk.consume(30, "after")) == replace(after, duplicate=True)
    for customer_id in (CUSTOMER, OTHER, "7003"):
        assert desk.ledger.read(SHOP, customer_id).customer_id == "7003"
        assert desk.figures(customer_id)["approved"] == 70
        assert len(desk.ledger.history(SHOP, customer_id, limit=9)) == 2
    assert refused(desk.consume(71)) is Code.INSUFFICIENT_POINTS


def test_a_merge_that_cannot_be_is_refused(desk: Desk) -> None:
    desk.grant(100)
    desk.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify"))

    def merge(source_id: str, target_id: str) -> Code:
        return refused(desk.ledger.merge(SHOP, source_id, target_id, Cause("shopify")))

    assert merge(OTHER, OTHER) is Code.SAME_ACCOUNT
    assert merge(CUSTOMER, CUSTOMER) is Code.SAME_ACCOUNT
    assert merge(CUSTOMER, "7003") is Code.ACCOUNT_MERGED


def test_merges_that_come_in_the_wrong_order_end_at_the_same_survivor(desk: Desk) -> None:
    """Shopify merged the first into the second, then the second into the third."""
    for points, customer_id in ((100, CUSTOMER), (10, OTHER), (1, "7003")):
        desk.grant(points, customer_id=customer_id)

    desk.ledger.merge(SHOP, OTHER, "7003", Cause("shopify"))
    merged = booked(desk.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify")))

    assert desk.figures("7003")["approved"] == 111
    for source_id, target_id in ((CUSTOMER, OTHER), (OTHER, "7003"), ("7003", CUSTOMER)):
        again = booked(desk.ledger.merge(SHOP, source_id, target_id, Cause("shopify")))
        assert again == Booked((), merged.figures, duplicate=True)
    assert desk.topics("7003") == ["add/flow", "add/merge", "add/merge"]
    assert desk.findings() == desk.findings(OTHER) == desk.findings("7003") == []


# --- much that falls due ------------------------------------------------------------------------


def test_more_than_one_write_holds_is_settled_by_writes_of_its_own_first(engine: Engine) -> None:
    client = CountingClient(engine.client)
    desk = Desk(engine, client)
    for day in range(1, 46):
        desk.grant(1, expiry=Days(day))
    desk.grant(1, expiry=Days(99))
    desk.clock.pass_time(days=60)
    client.forget()

    answer = booked(desk.consume(1, "k1"))

    writes = [len(call["TransactItems"]) for call in client.requests("transact_write_items")]
    puts_besides = 1  # the account; the last write has the remembered request too
    assert writes == [
        ENTRIES_PER_WRITE_MAX + puts_besides,
        ENTRIES_PER_WRITE_MAX + puts_besides,
        5 + 1 + puts_besides + 1,
    ]
    assert answer.entry_ids == (f"{CUSTOMER}-000000000092",)
    book = book_of(desk.store, CUSTOMER)
    assert [entry.cause for entry in book[46:]] == [TIME] * 45 + [Cause("flow")]
    assert [entry.entry.at for entry in book] == sorted(entry.entry.at for entry in book)
    assert desk.figures() == {"lifetime": 46, "spent": 1}
    assert booked(desk.consume(1, "k1")).duplicate
    assert desk.findings() == []


# --- history ------------------------------------------------------------------------------------


def test_history_pages_from_the_newest_entry_to_the_first(desk: Desk) -> None:
    for _ in range(7):
        desk.grant(1)

    def page(before_version: int | None) -> list[int]:
        found = desk.ledger.history(SHOP, CUSTOMER, limit=3, before_version=before_version)
        return [entry.entry.version for entry in found]

    assert [page(None), page(5), page(2), page(1)] == [[7, 6, 5], [4, 3, 2], [1], []]
