"""The ledger's promises, kept on every engine. One thread; for more see test_concurrency.py."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

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
from pointbook.ledger.account_writes import TIME
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import ENTRIES_PER_WRITE_MAX
from tests.engines.counting import CountingClient
from tests.support.engine import SHOP, Engine, all_entries
from tests.support.examples import CUSTOMER, HOLD_ID, NOON, ORDER, OTHER
from tests.support.ledgers import FLOW, HOLD_SECONDS, MONTH, ONE_FOR_A_HUNDRED, LedgerDriver


def booked(answer: Booked | Refusal) -> Booked:
    assert isinstance(answer, Booked), answer
    return answer


def refused(answer: Booked | Refusal) -> Code:
    assert isinstance(answer, Refusal), answer
    return answer.code


# --- granting and consuming ---------------------------------------------------------------------


def test_points_are_granted_and_consumed(driver: LedgerDriver) -> None:
    granted, consumed = booked(driver.grant(100)), booked(driver.consume(30))

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
    assert driver.ledger.read(SHOP, CUSTOMER).figures == consumed.figures
    assert driver.topics() == ["add/flow", "sub/flow"]
    assert driver.findings() == []


def test_cause_and_reason_are_stored_with_an_entry(driver: LedgerDriver) -> None:
    cause = Cause("manual", actor="staff-7", cause_entry_id=f"{CUSTOMER}-000000000001")
    driver.grant(100, reason="おわび", cause=cause)

    (entry,) = all_entries(driver.store, CUSTOMER)
    assert entry.cause == cause
    assert entry.text is not None
    assert entry.text.reason == "おわび"
    assert driver.findings() == []


def test_a_repetition_gets_the_first_answer_and_has_no_effect(driver: LedgerDriver) -> None:
    driver.grant(100)
    first = booked(driver.consume(30, "k1"))
    driver.grant(7)
    driver.clock.pass_time(days=400)  # the points are long gone

    again = booked(driver.consume(30, "k1"))

    assert again == replace(first, duplicate=True)
    assert not first.duplicate
    assert driver.topics() == ["add/flow", "sub/flow", "add/flow"]


def test_a_key_is_not_taken_for_another_request(driver: LedgerDriver) -> None:
    driver.grant(100)
    first = booked(driver.consume(30, "k1"))

    assert refused(driver.consume(31, "k1")) is Code.IDEMPOTENCY_MISMATCH
    assert booked(driver.consume(30, "k1")).entry_ids == first.entry_ids
    assert driver.figures()["approved"] == 70


def test_a_refusal_changes_nothing_and_is_not_recorded(driver: LedgerDriver) -> None:
    driver.grant(100)
    before = driver.store.account(SHOP, CUSTOMER)

    assert refused(driver.consume(101, "k1")) is Code.INSUFFICIENT_POINTS
    assert driver.store.account(SHOP, CUSTOMER) == before

    driver.grant(1)
    assert not booked(driver.consume(101, "k1")).duplicate


def test_points_that_must_be_in_time_are_refused_too_late_but_a_repetition_never_is(
    driver: LedgerDriver,
) -> None:
    day = FixedDate(driver.clock.now().date())
    command = Grant(100, day, in_time=True)
    first = booked(driver.say(command, "k1"))
    driver.clock.pass_time(days=2)

    assert booked(driver.say(command, "k1")) == replace(first, duplicate=True)
    assert refused(driver.say(command, "k2")) is Code.DAY_PAST
    assert driver.topics() == ["add/flow", "sub/expire"]


def test_a_preview_answers_as_the_execution_would_and_writes_nothing(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.hold(60)
    driver.clock.pass_time(days=400)  # the hold is over, and both lots have lapsed
    driver.consume(1, "too much")
    for command, key in ((Grant(30, MONTH), "k1"), (Consume(9000), "k2"), (Grant(5, MONTH), "k3")):
        instruction = Instruction(SHOP, CUSTOMER, command, FLOW, identity=Identity("test:key", key))
        before = driver.store.account(SHOP, CUSTOMER)
        previewed = driver.ledger.preview(instruction)
        assert driver.ledger.preview(instruction) == previewed
        assert driver.store.account(SHOP, CUSTOMER) == before
        assert driver.ledger.execute(instruction) == previewed
    instruction = Instruction(
        SHOP, CUSTOMER, Grant(30, MONTH), FLOW, identity=Identity("test:key", "k1")
    )
    assert booked(driver.ledger.preview(instruction)).duplicate
    other = replace(instruction, content={"points": 31})
    assert refused(driver.ledger.preview(other)) is Code.IDEMPOTENCY_MISMATCH


def test_a_customer_without_points_has_no_account(driver: LedgerDriver) -> None:
    view = driver.ledger.read(SHOP, CUSTOMER)

    assert (view.customer_id, view.version, view.lots, view.hold) == (CUSTOMER, 0, (), None)
    assert driver.figures() == {}
    assert driver.ledger.history(SHOP, CUSTOMER, limit=10) == []
    assert refused(driver.consume(1)) is Code.INSUFFICIENT_POINTS
    assert booked(driver.say(Settle())).entry_ids == ()
    assert driver.store.account(SHOP, CUSTOMER) is None


# --- holds --------------------------------------------------------------------------------------


def test_a_hold_is_taken_made_ready_and_released(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.hold(40)
    driver.say(MarkReady("h1"))

    assert driver.figures() == {"approved": 60, "total": 60, "lifetime": 100, "hold": 40}
    hold = driver.ledger.read(SHOP, CUSTOMER).hold
    assert hold is not None
    assert (hold.points, hold.state) == (40, HoldState.READY)
    assert refused(driver.hold(10, hold_id="h2")) is Code.HOLD_OPEN
    booked(driver.release())
    assert driver.figures() == {"approved": 100, "total": 100, "lifetime": 100}
    assert refused(driver.release()) is Code.HOLD_NOT_FOUND
    assert driver.findings() == []


def test_a_hold_ends_by_itself_at_its_very_instant(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.hold(40)

    driver.clock.pass_time(seconds=HOLD_SECONDS - 0.001)
    assert driver.figures()["approved"] == 60
    driver.clock.pass_time(seconds=0.001)
    assert driver.figures()["approved"] == 100
    assert driver.topics() == ["add/flow", "sub/hold"]  # not booked yet

    driver.clock.pass_time(hours=1)
    booked(driver.consume(100))
    _, _, released, consumed = all_entries(driver.store, CUSTOMER)
    assert released.entry.at == NOON + timedelta(seconds=HOLD_SECONDS)
    assert released.entry.recorded_at == consumed.entry.at == driver.clock.now()
    assert (released.cause, consumed.cause) == (TIME, Cause("flow"))
    assert driver.findings() == []


def test_an_order_captures_the_hold_once(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.hold(40)

    first = booked(driver.capture(25))
    assert len(first.entry_ids) == 2  # spent, and the rest given back
    assert first.alarms == ()
    assert booked(driver.capture(25)).entry_ids == ()
    assert driver.figures() == {"approved": 75, "total": 75, "lifetime": 100, "spent": 25}
    assert refused(driver.release()) is Code.HOLD_NOT_FOUND
    assert driver.findings() == []


def test_an_order_that_comes_after_its_hold_still_counts(driver: LedgerDriver) -> None:
    driver.grant(40)
    driver.hold(40)
    driver.clock.pass_time(hours=1)
    driver.consume(30)

    late = booked(driver.capture(40))
    assert late.alarms == (ALARM_LATE_ORDER,)
    assert driver.figures() == {"approved": -30, "total": -30, "lifetime": 40, "spent": 70}
    assert booked(driver.capture(40, order_id="9002")).alarms == (ALARM_CODE_USED_AGAIN,)
    assert driver.findings() == []


# --- orders -------------------------------------------------------------------------------------


def test_an_order_earns_is_confirmed_and_loses_what_is_refunded(driver: LedgerDriver) -> None:
    driver.update_order(updated_at=NOON, goods=Goods(10_000))
    assert driver.figures() == {"pending": 100, "total": 100}
    driver.update_order(confirmed_at=NOON)
    assert driver.figures() == {"approved": 100, "total": 100, "lifetime": 100}

    refunds = (Refund("3", Goods(2_000)), Refund("21", Goods(1_000)))
    driver.update_order(refunds=refunds)
    assert driver.figures() == {"approved": 70, "total": 70, "lifetime": 100}
    assert driver.findings() == []


def test_an_order_update_counts_once_however_often_and_late_it_comes(driver: LedgerDriver) -> None:
    updates: list[dict[str, Any]] = [
        {"refunds": (Refund("3", Goods(2_000)),)},
        {"updated_at": NOON, "goods": Goods(10_000)},
        {"updated_at": NOON - timedelta(hours=1), "goods": Goods(99_900)},
        {"confirmed_at": NOON},
    ]
    for each in (*updates, *updates):
        booked(driver.update_order(**each))

    assert driver.figures() == {"approved": 80, "total": 80, "lifetime": 80}
    assert driver.topics() == ["pending/add", "add/order"]
    assert driver.account().revision == 3  # the refund that came first, the goods, the confirmation


def test_a_cancelled_order_gives_back_what_was_spent_on_it_once(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.hold(40)
    driver.capture(40)
    driver.update_order(cancelled=True)

    def give_back() -> Booked:
        return booked(driver.say(ReturnSpending(ORDER, HOLD_ID, MONTH)))

    assert len(give_back().entry_ids) == 1
    assert give_back().entry_ids == ()
    assert driver.figures() == {"approved": 100, "total": 100, "lifetime": 100}
    assert driver.findings() == []


def test_points_of_an_order_are_found_and_approved_when_their_days_are_over(
    driver: LedgerDriver,
) -> None:
    held = replace(ONE_FOR_A_HUNDRED, pending_days=14)
    bought = {"updated_at": NOON, "goods": Goods(9_000, 900), "taxes_included": False}
    driver.update_order(held, **bought, confirmed_at=NOON)
    driver.clock.pass_time(days=14)
    found = [
        each[:2]
        for shard in range(DUE_SHARDS)
        for each in driver.store.due(DueKind.PENDING, shard, driver.clock.now())
    ]
    assert found == [(SHOP, ORDER)]
    assert driver.figures() == {"pending": 99, "total": 99}

    booked(driver.update_order())
    assert booked(driver.update_order()).entry_ids == ()
    assert driver.figures() == {"approved": 99, "total": 99, "lifetime": 99}
    assert driver.topics() == ["pending/add", "add/order"]
    assert driver.findings() == []


def test_points_used_at_a_till_are_spent_once_even_where_they_are_missing(
    driver: LedgerDriver,
) -> None:
    driver.grant(30)
    spend = SpendOnOrder(40, ORDER, "till")
    first = booked(driver.say(spend))
    assert first.alarms == (ALARM_SPENT_WITHOUT_POINTS,)
    assert booked(driver.say(spend)).entry_ids == ()
    assert driver.figures() == {"approved": -10, "total": -10, "lifetime": 30, "spent": 40}
    assert driver.topics() == ["add/flow", "sub/order"]
    assert driver.findings() == []


# --- merging ------------------------------------------------------------------------------------


def test_two_customers_become_one_once(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.hold(40)
    driver.grant(5, customer_id=OTHER)

    merged = booked(driver.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify")))
    again = booked(driver.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify")))

    assert again == Booked((), merged.figures, duplicate=True)
    assert driver.figures(OTHER) == {"approved": 105, "total": 105, "lifetime": 105}
    assert driver.topics() == ["add/flow", "sub/hold", "add/hold", "sub/merge"]
    assert driver.topics(OTHER) == ["add/flow", "add/merge"]
    assert driver.findings() == driver.findings(OTHER) == []


def test_a_merged_customers_id_leads_to_the_survivor_for_ever(driver: LedgerDriver) -> None:
    driver.grant(100, "before")
    driver.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify"))
    driver.ledger.merge(SHOP, OTHER, "7003", Cause("shopify"))

    before = booked(driver.grant(100, "before"))
    assert before.duplicate
    assert before.entry_ids == (f"{CUSTOMER}-000000000001",)

    after = booked(driver.consume(30, "after"))
    assert after.entry_ids == ("7003-000000000002",)
    assert booked(driver.consume(30, "after")) == replace(after, duplicate=True)
    for customer_id in (CUSTOMER, OTHER, "7003"):
        assert driver.ledger.read(SHOP, customer_id).customer_id == "7003"
        assert driver.figures(customer_id)["approved"] == 70
        assert len(driver.ledger.history(SHOP, customer_id, limit=9)) == 2
    assert refused(driver.consume(71)) is Code.INSUFFICIENT_POINTS


def test_a_merge_that_cannot_be_is_refused(driver: LedgerDriver) -> None:
    driver.grant(100)
    driver.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify"))

    def merge(source_id: str, target_id: str) -> Code:
        return refused(driver.ledger.merge(SHOP, source_id, target_id, Cause("shopify")))

    assert merge(OTHER, OTHER) is Code.SAME_ACCOUNT
    assert merge(CUSTOMER, CUSTOMER) is Code.SAME_ACCOUNT
    assert merge(CUSTOMER, "7003") is Code.ACCOUNT_MERGED


def test_merges_that_come_in_the_wrong_order_end_at_the_same_survivor(driver: LedgerDriver) -> None:
    """Shopify merged the first into the second, then the second into the third."""
    for points, customer_id in ((100, CUSTOMER), (10, OTHER), (1, "7003")):
        driver.grant(points, customer_id=customer_id)

    driver.ledger.merge(SHOP, OTHER, "7003", Cause("shopify"))
    merged = booked(driver.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify")))

    assert driver.figures("7003")["approved"] == 111
    for source_id, target_id in ((CUSTOMER, OTHER), (OTHER, "7003"), ("7003", CUSTOMER)):
        again = booked(driver.ledger.merge(SHOP, source_id, target_id, Cause("shopify")))
        assert again == Booked((), merged.figures, duplicate=True)
    assert driver.topics("7003") == ["add/flow", "add/merge", "add/merge"]
    assert driver.findings() == driver.findings(OTHER) == driver.findings("7003") == []


# --- much that falls due ------------------------------------------------------------------------


def test_more_than_one_write_holds_is_settled_by_writes_of_its_own_first(engine: Engine) -> None:
    client = CountingClient(engine.client)
    driver = LedgerDriver(engine, client)
    for day in range(1, 46):
        driver.grant(1, expiry=Days(day))
    driver.grant(1, expiry=Days(99))
    driver.clock.pass_time(days=60)
    client.forget()

    answer = booked(driver.consume(1, "k1"))

    writes = [len(call["TransactItems"]) for call in client.requests("transact_write_items")]
    puts_besides = 1  # the account; the last write has the idempotency record too
    assert writes == [
        ENTRIES_PER_WRITE_MAX + puts_besides,
        ENTRIES_PER_WRITE_MAX + puts_besides,
        5 + 1 + puts_besides + 1,
    ]
    assert answer.entry_ids == (f"{CUSTOMER}-000000000092",)
    entries = all_entries(driver.store, CUSTOMER)
    assert [entry.cause for entry in entries[46:]] == [TIME] * 45 + [Cause("flow")]
    times = [entry.entry.at for entry in entries]
    assert times == sorted(times)
    assert driver.figures() == {"lifetime": 46, "spent": 1}
    assert booked(driver.consume(1, "k1")).duplicate
    assert driver.findings() == []
