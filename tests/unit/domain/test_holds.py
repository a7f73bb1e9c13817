"""A hold comes back or becomes an order, exactly once; a late order wins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import LAPSED_DAYS_MAX, Account, HoldRecord, HoldState
from pointbook.domain.decision import Decision, settled
from pointbook.domain.expiry import Days, Rolling
from pointbook.domain.refusal import Code
from pointbook.domain.state import State
from tests.support.domain import (
    END_OF_TODAY,
    MILLISECOND,
    NOW,
    account,
    done,
    hold,
    lots,
    order_of,
    refused,
    through,
    topics,
)

TEN_MINUTES = timedelta(seconds=600)
LATER = NOW + timedelta(minutes=11)
TEN = account((4, 20), (6, 25))
HELD, RECORD = hold(TEN, 7)
STATES = {
    HoldState.PREPARING: HELD,
    HoldState.READY: done(HELD, c.MarkReady("h1")).account,
    HoldState.RELEASING: done(HELD, c.BeginRelease("h1")).account,
}


def capture(
    before: Account, points: int, record: HoldRecord, order_id: str = "o1", **more: object
) -> Decision:
    """An order with the hold's code, eleven minutes later unless said otherwise."""
    now = more.pop("now", LATER)
    command = c.CaptureHold(points, record.hold_id, order_id)
    state = State(before, hold_record=record)
    return done(state, replace(command, **more), now)  # type: ignore[arg-type]


def record_of(decision: Decision) -> HoldRecord:
    assert decision.record is not None
    return decision.record


def test_a_hold_takes_the_soonest_expiring_points_and_remembers_their_days() -> None:
    assert HELD.hold is not None
    assert lots(HELD.lots) == {25: 3}
    assert lots(HELD.hold.lots) == lots(RECORD.lots) == {20: 4, 25: 3}
    assert (HELD.hold.ends_at, HELD.hold.state) == (NOW + TEN_MINUTES, HoldState.PREPARING)


def test_one_hold_at_a_time() -> None:
    assert refused(HELD, c.PlaceHold(1, "h2", 600)) is Code.HOLD_OPEN


@pytest.mark.parametrize(
    ("late", "open_still"), [(-MILLISECOND, True), (timedelta(), False), (MILLISECOND, False)]
)
@pytest.mark.parametrize("state", HoldState)
def test_a_hold_is_over_at_the_very_moment_it_ends(
    state: HoldState, late: timedelta, open_still: bool
) -> None:
    before, now = STATES[state], NOW + TEN_MINUTES + late
    assert settled(before, now).figures.hold == (7 if open_still else 0)
    if open_still:
        assert refused(before, c.PlaceHold(1, "h2", 600), now) is Code.HOLD_OPEN
    else:
        decision = done(before, c.PlaceHold(10, "h2", 600), now)
        assert topics(decision.entries) == ["points/add/hold", "points/sub/hold"]
        assert decision.entries[0].at == NOW + TEN_MINUTES


type Step = type[c.MarkReady | c.BeginRelease | c.UndoHold | c.ReleaseHold]
ALLOWED: dict[Step, dict[HoldState, HoldState | None]] = {
    c.MarkReady: {HoldState.PREPARING: HoldState.READY, HoldState.READY: HoldState.READY},
    c.BeginRelease: dict.fromkeys(HoldState, HoldState.RELEASING),
    c.UndoHold: {HoldState.PREPARING: None},
    c.ReleaseHold: {HoldState.RELEASING: None},
}


@pytest.mark.parametrize("state", HoldState)
@pytest.mark.parametrize("step", ALLOWED)
def test_each_step_of_a_hold_is_taken_from_its_own_states_only(
    step: Step, state: HoldState
) -> None:
    before = STATES[state]
    if state not in ALLOWED[step]:
        assert refused(before, step("h1")) is Code.HOLD_WRONG_STATE
        return
    decision = done(before, step("h1"))
    after = ALLOWED[step][state]
    assert (decision.account.hold and decision.account.hold.state) == after
    assert decision.changes(before) == (after != state)
    if after is None:
        assert decision.account.lots == TEN.lots
    else:
        assert decision.entries == ()


@pytest.mark.parametrize("step", ALLOWED)
def test_a_hold_that_is_not_open_is_not_found(step: Step) -> None:
    assert refused(HELD, step("h2")) is Code.HOLD_NOT_FOUND
    assert refused(TEN, step("h1")) is Code.HOLD_NOT_FOUND
    assert refused(HELD, step("h1"), LATER) is Code.HOLD_NOT_FOUND


def test_what_lapsed_while_it_was_held_comes_back_and_expires_at_once() -> None:
    now = END_OF_TODAY - timedelta(minutes=5)
    held, _ = hold(account((5, 10)), 3, now)
    decision = done(held, c.Settle(), now + TEN_MINUTES)
    assert topics(decision.entries) == ["points/sub/expire", "points/add/hold", "points/sub/expire"]
    assert [entry.at for entry in decision.entries] == [END_OF_TODAY, *[now + TEN_MINUTES] * 2]
    assert lots(decision.account.lapsed) == {10: 5}


@pytest.mark.parametrize(("late", "days"), [(-MILLISECOND, {10: 5}), (timedelta(), {10: 3, 14: 2})])
def test_what_lapsed_while_it_was_held_gets_a_new_day_where_a_rule_says_so(
    late: timedelta, days: dict[int, int]
) -> None:
    now = END_OF_TODAY - TEN_MINUTES + late
    held, _ = hold(account((5, 10)), 2, now, lapsed_expiry=Days(3))
    after = done(held, c.Settle(), now + TEN_MINUTES).account
    assert lots(after.lots) | lots(after.lapsed) == days


def test_a_hold_that_ends_as_its_lot_lapses_ends_first() -> None:
    now = END_OF_TODAY - TEN_MINUTES
    held, _ = hold(account((5, 10)), 2, now)
    decision = done(held, c.Settle(), END_OF_TODAY)
    assert topics(decision.entries) == ["points/add/hold", "points/sub/expire"]
    assert decision.entries[1].points == 5


def test_a_lot_that_lapses_before_its_hold_ends_goes_first() -> None:
    held, _ = hold(account((5, 10)), 2, END_OF_TODAY - TEN_MINUTES + MILLISECOND)
    decision = done(held, c.Settle(), END_OF_TODAY + MILLISECOND)
    assert topics(decision.entries) == ["points/sub/expire", "points/add/hold", "points/sub/expire"]


def test_a_released_hold_repays_the_debt_first() -> None:
    owing = done(HELD, c.SpendOnOrder(5, "o1", "till")).account
    assert owing.debt == 2
    after = done(owing, c.UndoHold("h1")).account
    assert lots(after.lots) == {20: 2, 25: 3}


def test_releasing_never_joins_lapsed_points_with_later_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointbook.domain.lots.LOTS_MAX", 1)
    held, _ = hold(account((2, 10)), 2, END_OF_TODAY - timedelta(minutes=5))
    with_more = done(held, c.Grant(5, through(11)), END_OF_TODAY - timedelta(minutes=4)).account
    after = done(with_more, c.Settle(), END_OF_TODAY + TEN_MINUTES).account
    assert lots(after.lots) == {11: 5}
    assert after.figures.approved == 5


# --- an order in time ----------------------------------------------------------------------------


@pytest.mark.parametrize("state", HoldState)
def test_an_open_hold_becomes_the_order_in_any_state(state: HoldState) -> None:
    decision = capture(STATES[state], 7, RECORD, now=NOW)
    assert topics(decision.entries) == ["points/hold/spent"]
    assert decision.account.figures == (3, 0, 3, 10, 7, 0)
    assert record_of(decision).orders == ("o1",)
    (spending,) = order_of(decision).spendings
    assert (spending.points, lots(spending.lots)) == (7, {20: 4, 25: 3})
    assert decision.alarms == ()


@pytest.mark.parametrize(
    ("used", "spent", "back", "alarms"),
    [
        (6, {20: 4, 25: 2}, {25: 4}, ()),
        (7, {20: 4, 25: 3}, {25: 3}, ()),
        (8, {20: 4, 25: 3}, {25: 3}, ("used_more_than_held",)),
        (1, {20: 1}, {20: 3, 25: 6}, ()),
    ],
)
def test_an_order_spends_what_it_used_and_gives_back_the_rest(
    used: int, spent: dict[int, int], back: dict[int, int], alarms: tuple[str, ...]
) -> None:
    decision = capture(HELD, used, RECORD, now=NOW)
    assert lots(order_of(decision).spendings[0].lots) == spent
    assert lots(decision.account.lots) == back
    assert decision.account.hold is None
    assert decision.alarms == alarms


def test_the_same_order_counts_once() -> None:
    first = capture(HELD, 7, RECORD, now=NOW)
    again = capture(first.account, 7, record_of(first), now=NOW)
    assert (again.entries, again.order, again.record, again.alarms) == ((), None, None, ())


def test_an_order_renews_free_lots_and_what_it_gives_back() -> None:
    renew = Rolling(Days(18))
    decision = capture(HELD, 1, RECORD, now=NOW, renew=renew)
    assert lots(decision.account.lots) == {28: 9}
    whole = capture(HELD, 7, RECORD, now=NOW, renew=renew)
    assert lots(whole.account.lots) == {28: 3}


def test_renewing_brings_nothing_back_to_life_that_lapsed_while_it_was_held() -> None:
    now = END_OF_TODAY - timedelta(minutes=5)
    held, record = hold(account((5, 10)), 5, now)
    decision = capture(held, 2, record, now=END_OF_TODAY, renew=Rolling(Days(5)))
    assert topics(decision.entries) == ["points/hold/spent", "points/add/hold", "points/sub/expire"]
    assert decision.account.figures.approved == 0


# --- an order that comes too late ----------------------------------------------------------------


def test_a_late_order_takes_free_points_of_the_same_days() -> None:
    decision = capture(HELD, 7, RECORD)
    assert topics(decision.entries) == ["points/add/hold", "points/sub/hold"]
    assert (decision.settled, decision.alarms) == (1, ("late_order",))
    assert dict(decision.entries[1].moves) == {"approved": -7, "spent": 7}
    assert decision.account.figures == (3, 0, 3, 10, 7, 0)


@pytest.mark.parametrize(("free", "debt"), [(8, 0), (7, 0), (6, 1), (0, 7)])
def test_what_a_late_order_misses_is_a_debt_that_the_next_credit_repays(
    free: int, debt: int
) -> None:
    released = settled(HELD, LATER)
    before = done(released, c.Consume(10 - free), LATER).account if free < 10 else released
    decision = capture(before, 7, RECORD)
    assert decision.account.debt == debt
    assert decision.account.figures.spent == 10 - free + 7
    repaid = done(decision.account, c.Grant(7, through(30)), LATER).account
    assert repaid.figures.approved == free


def test_a_late_order_takes_first_what_its_release_let_expire() -> None:
    now = END_OF_TODAY - timedelta(minutes=5)
    held, record = hold(account((5, 10), (5, 20)), 7, now)
    decision = capture(held, 7, record, now=END_OF_TODAY + TEN_MINUTES)
    assert topics(decision.entries)[-2:] == ["points/expired/spent", "points/sub/hold"]
    assert [entry.points for entry in decision.entries[-2:]] == [5, 2]
    assert lots(decision.account.lots) == {20: 3}
    assert decision.account.lapsed == ()
    assert decision.account.balances.expired == 0
    assert lots(order_of(decision).spendings[0].lots) == {10: 5, 20: 2}


@pytest.mark.parametrize(("used", "lapsed"), [(2, {10: 1}), (3, {})])
def test_a_late_order_takes_no_more_expired_points_than_it_used(
    used: int, lapsed: dict[int, int]
) -> None:
    now = END_OF_TODAY - timedelta(minutes=5)
    held, record = hold(account((3, 10), (5, 20)), 3, now)
    decision = capture(held, used, record, now=END_OF_TODAY + TEN_MINUTES)
    assert topics(decision.entries)[-1] == "points/expired/spent"
    assert decision.entries[-1].approved_delta == 0
    assert lots(decision.account.lapsed) == lapsed
    assert decision.account.figures.approved == 5


def test_a_late_order_is_an_activity_even_if_expired_points_paid_it() -> None:
    now = END_OF_TODAY - timedelta(minutes=5)
    held, record = hold(account((3, 10), (5, 12)), 3, now)
    renew = Rolling(Days(9))
    decision = capture(held, 3, record, now=END_OF_TODAY + TEN_MINUTES, renew=renew)
    assert lots(decision.account.lots) == {20: 5}


def test_a_late_order_takes_no_expired_points_of_other_days() -> None:
    held, record = hold(account((4, 20)), 4)
    with_more = done(held, c.Grant(3, through(10)), NOW).account
    later = END_OF_TODAY + TEN_MINUTES
    decision = capture(with_more, 4, record, now=later)
    assert lots(decision.account.lapsed) == {10: 3}
    assert decision.account.figures.approved == 0


@pytest.mark.parametrize(
    ("later_days", "expired_again"), [(LAPSED_DAYS_MAX - 1, True), (LAPSED_DAYS_MAX, False)]
)
def test_so_many_lapsed_days_are_remembered_and_no_more(
    later_days: int, expired_again: bool
) -> None:
    now = END_OF_TODAY - timedelta(minutes=5)
    held, record = hold(account((3, 10)), 3, now)
    before = held
    for number in range(later_days):
        before = done(before, c.Grant(1, through(11 + number)), now).account
    decision = capture(before, 3, record, now=now + timedelta(days=15))
    assert ("points/expired/spent" in topics(decision.entries)) == expired_again
    assert decision.account.debt == (0 if expired_again else 3)


def test_a_second_order_with_the_same_code_is_paid_again_with_an_alarm() -> None:
    first = capture(HELD, 7, RECORD, now=NOW)
    second = capture(first.account, 7, record_of(first), "o2", now=NOW)
    assert second.alarms == ("code_used_again",)
    assert record_of(second).orders == ("o1", "o2")
    assert second.account.figures == (-4, 0, -4, 10, 14, 0)
    (spending,) = order_of(second).spendings
    assert (spending.points, lots(spending.lots)) == (7, {25: 3})


def test_a_late_order_leaves_a_newer_hold_alone() -> None:
    newer, _ = hold(HELD, 3, LATER, hold_id="h2")
    decision = capture(newer, 7, RECORD)
    assert decision.account.figures.hold == 3
    assert decision.account.figures.spent == 7


def test_late_and_more_than_held_are_both_alarms() -> None:
    assert capture(HELD, 8, RECORD).alarms == ("used_more_than_held", "late_order")


def test_a_code_of_another_customers_hold_takes_no_points_of_this_one() -> None:
    theirs = replace(RECORD, customer_id="1002")
    command = c.CaptureHold(7, "h1", "o1")
    assert refused(State(TEN, hold_record=theirs), command) is Code.NOT_THE_OWNER
    assert refused(State(TEN), command) is Code.HOLD_NOT_FOUND
