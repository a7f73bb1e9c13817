"""The cursors of the till's outbox: what they keep, on every engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.domain.till_pushes import MemberState, Push
from pointbook.store.outbox import Cursor, Outbox
from pointbook.store.table import Table
from pointbook.store.till_pushes import Plan, State, TillCursor, TillPushes
from tests.support.engine import SHOP, Engine
from tests.support.examples import CUSTOMER, NOON
from tests.support.ledgers import LedgerDriver

LEASE = timedelta(seconds=40)
PLAN = Plan("pb-1", "7001", "t1", -30, 100, 4, -5, 110, NOON, NOON + LEASE)
PUSHES = (Push(100, 100, 2, NOON), Push(-30, None, 3, NOON + LEASE, "an echo"))
MEMBER_STATE = MemberState(NOON, 70, 80, -5, PUSHES)


@pytest.fixture
def pushes(engine: Engine) -> TillPushes:
    return TillPushes(Table(engine.client, engine.table))


def acquired(pushes: TillPushes, lease: str = "mine", begin: int = 0) -> Cursor:
    request = Cursor(SHOP, CUSTOMER, lease, NOON + LEASE)
    cursor = pushes.acquire(request, NOON, None, lambda: begin)
    assert isinstance(cursor, Cursor)
    return cursor


def found(pushes: TillPushes) -> TillCursor:
    cursor = pushes.find(SHOP, CUSTOMER)
    assert cursor is not None
    return cursor


def state(
    member_state: MemberState = MEMBER_STATE, *, pushed: bool = True, planned: bool = False
) -> State:
    return State(member_state, pushed=pushed, planned=planned, balance_set=False)


def test_a_new_cursor_begins_where_it_is_told_to_and_an_old_one_where_it_was(
    pushes: TillPushes,
) -> None:
    assert acquired(pushes, begin=3).published == 3
    pushes.drop(SHOP, CUSTOMER)
    pushes.request(SHOP, CUSTOMER, 9, NOON, lambda: 7)
    assert acquired(pushes, begin=3).published == 7


def test_member_state_and_plan_are_kept_as_they_were(pushes: TillPushes) -> None:
    cursor = acquired(pushes)
    assert pushes.save_plan(cursor, PLAN).plan == PLAN
    pushes.save_state(cursor, state(planned=True))
    assert (found(pushes).plan, found(pushes).member_state) == (PLAN, MEMBER_STATE)
    pushes.save_state(cursor, state())
    assert found(pushes).plan is None
    assert pushes.release_state(replace(cursor, published=4), state(MEMBER_STATE.forgotten()))
    assert found(pushes) == TillCursor(
        published=4,
        requested=0,
        member_state=replace(MemberState(), pushes=PUSHES),
        plan=None,
        set_balance=False,
        waiting_since=None,
        leased=False,
        member_number=PLAN.member_number,
    )
    assert found(pushes).is_idle


def test_rescheduling_keeps_the_plan_and_says_since_when_something_waits(
    pushes: TillPushes,
) -> None:
    cursor = acquired(pushes)
    pushes.save_plan(cursor, PLAN)
    pushes.reschedule_state(cursor, NOON + LEASE, state(planned=True))
    again = acquired(pushes)
    pushes.reschedule_state(again, NOON + 2 * LEASE, state(planned=True))
    assert (found(pushes).plan, found(pushes).waiting_since) == (PLAN, NOON + LEASE)
    assert not found(pushes).is_idle
    assert pushes.release_state(acquired(pushes), state())
    assert found(pushes).is_idle


def test_pushes_are_left_alone_by_a_sender_that_pushed_nothing(pushes: TillPushes) -> None:
    cursor = acquired(pushes)
    pushes.save_state(cursor, state())
    echoed = replace(PUSHES[0], echo="an echo")
    assert pushes.record_echo(SHOP, CUSTOMER, found(pushes), echoed)
    assert pushes.release_state(cursor, state(pushed=False))
    assert found(pushes).member_state.pushes == (echoed, PUSHES[1])


def test_an_echo_is_recorded_once(pushes: TillPushes) -> None:
    cursor = acquired(pushes)
    assert pushes.release_state(cursor, state())
    before = found(pushes)
    assert pushes.record_echo(SHOP, CUSTOMER, before, replace(PUSHES[0], echo="one"))
    assert not pushes.record_echo(SHOP, CUSTOMER, before, replace(PUSHES[0], echo="two"))
    assert found(pushes).member_state.pushes[0].echo == "one"


def test_no_echo_is_recorded_once_the_next_push_is_planned(pushes: TillPushes) -> None:
    pushes.save_state(acquired(pushes), state())
    before = found(pushes)
    pushes.save_plan(Cursor(SHOP, CUSTOMER, "mine", NOON + LEASE), PLAN)
    assert not pushes.record_echo(SHOP, CUSTOMER, before, replace(PUSHES[0], echo="one"))


def test_the_two_outboxes_of_a_customer_have_nothing_in_common(
    pushes: TillPushes, engine: Engine
) -> None:
    flow = Outbox(Table(engine.client, engine.table))
    pushes.request(SHOP, CUSTOMER, 3, NOON)
    assert list(flow.due(SHOP, NOON)) == []
    flow.request(SHOP, CUSTOMER, 9, NOON)
    assert (list(pushes.due(SHOP, NOON)), found(pushes).requested) == ([CUSTOMER], 3)
    pushes.drop(SHOP, CUSTOMER)
    assert (list(flow.due(SHOP, NOON)), list(pushes.due(SHOP, NOON))) == ([CUSTOMER], [])


def test_levelling_is_queued_with_and_without_a_cursor(pushes: TillPushes) -> None:
    pushes.request_balance(SHOP, CUSTOMER, 5, NOON)
    assert (found(pushes).set_balance, found(pushes).published, found(pushes).requested) == (
        True,
        4,
        5,
    )
    assert pushes.release_state(
        replace(acquired(pushes), published=5), replace(state(), balance_set=True)
    )
    assert (found(pushes).set_balance, found(pushes).is_idle) == (False, True)
    pushes.request_balance(SHOP, CUSTOMER, 5, NOON)
    assert (found(pushes).set_balance, list(pushes.due(SHOP, NOON))) == (True, [CUSTOMER])


def test_nothing_of_an_erased_customer_comes_back(pushes: TillPushes, engine: Engine) -> None:
    ledger = LedgerDriver(engine)
    ledger.grant(100)
    acquired(pushes)
    pk = {"S": f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}"}
    engine.client.update_item(
        TableName=engine.table,
        Key={"pk": pk, "sk": {"S": "ACCOUNT"}},
        UpdateExpression="SET erased = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    engine.client.delete_item(TableName=engine.table, Key={"pk": pk, "sk": {"S": "TILL_PUSH"}})
    pushes.request(SHOP, CUSTOMER, 3, NOON)
    pushes.request_balance(SHOP, CUSTOMER, 3, NOON)
    request = Cursor(SHOP, CUSTOMER, "mine", NOON + LEASE)
    assert pushes.acquire(request, NOON, None, lambda: 0) is None
    assert pushes.find(SHOP, CUSTOMER) is None
