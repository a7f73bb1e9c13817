"""Two customers become one: everything moves once, and the vanished account points on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import LAPSED_DAYS_MAX, Account
from pointbook.domain.buckets import Balances
from pointbook.domain.decision import settled
from pointbook.domain.merge import Merged, merge, tombstones_to_move
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State
from tests.support.domain import (
    END_OF_TODAY,
    MILLISECOND,
    NOW,
    account,
    after,
    cancel,
    confirm,
    done,
    hold,
    in_debt,
    lots,
    order_of,
    promised,
    refused,
    through,
    topics,
)

TARGET = replace(account((5, 22)), customer_id="1002")


def merged(source: Account, target: Account = TARGET, now: object = NOW) -> Merged:
    result = merge(source, target, now)  # type: ignore[arg-type]
    assert isinstance(result, Merged), result
    return result


def merge_refused(source: Account, target: Account) -> Refusal:
    refusal = merge(source, target, NOW)
    assert isinstance(refusal, Refusal)
    return refusal


def owing(points: int) -> Account:
    return replace(in_debt(points), customer_id="1002")


def test_every_bucket_moves_to_the_survivor_in_one_entry_each() -> None:
    source = replace(account((10, 20)), account_id="b1")
    source = promised(source, 7).account
    source = done(promised(source, 2, "p2"), cancel("p2")).account
    for command in (c.Consume(1), c.Remove(1)):
        source = done(source, command).account
    earned = done(promised(source, 1, "p3"), confirm("p3", through(20)))
    source = done(after(earned), cancel("p3")).account
    source = done(source, c.Grant(1, through(9))).account
    result = merged(source, replace(TARGET, account_id="b2"))
    (leaving,), (arriving,) = result.source.entries, result.target.entries
    assert (leaving.topic, arriving.topic) == ("points/sub/merge", "points/add/merge")
    assert (leaving.about, arriving.about) == ("b2", "b1")
    assert dict(arriving.moves) == {bucket: -change for bucket, change in leaving.moves}
    assert result.source.account.balances == Balances()
    assert result.target.account.figures == (13, 7, 20, 17, 1, 0)
    assert lots(result.target.account.lots) == {20: 8, 22: 5}
    assert lots(result.target.account.lapsed) == {9: 1}
    assert (result.source.account.lots, result.source.account.lapsed) == ((), ())
    assert result.released_hold is None


def test_the_vanished_account_is_a_tombstone_that_points_to_the_survivor() -> None:
    gone = merged(account((5, 20))).source.account
    assert gone.merged_into == "1002"
    assert refused(gone, c.Grant(1, through(20))) is Code.ACCOUNT_MERGED
    assert refused(gone, c.Settle()) is Code.ACCOUNT_MERGED
    assert settled(gone, NOW).figures == (0, 0, 0, 0, 0, 0)
    other = replace(account((1, 20)), customer_id="1003")
    for pair in ((gone, other), (other, gone)):
        refusal = merge_refused(*pair)
        assert refusal.code is Code.ACCOUNT_MERGED
        assert "1002" in refusal.message


def test_an_account_is_not_merged_into_itself() -> None:
    assert merge_refused(TARGET, TARGET).code is Code.SAME_ACCOUNT


def test_merging_an_account_without_entries_writes_a_tombstone_and_no_entry() -> None:
    result = merged(Account("1001"))
    assert (result.source.entries, result.target.entries) == ((), ())
    assert result.source.account.merged_into == "1002"
    assert result.target.account.balances == TARGET.balances


@pytest.mark.parametrize(("debt", "approved"), [(4, 1), (5, 0), (6, -1)])
def test_a_debt_on_either_side_is_repaid_from_the_others_points(debt: int, approved: int) -> None:
    free = {22: approved} if approved > 0 else {}
    into = merged(in_debt(debt), TARGET).target.account
    assert (into.figures.approved, lots(into.lots)) == (approved, free)
    other = merged(account((5, 22)), owing(debt)).target.account
    assert (other.figures.approved, lots(other.lots)) == (approved, free)


def test_debts_on_both_sides_add_up() -> None:
    assert merged(in_debt(2), owing(3)).target.account.figures.approved == -5


@pytest.mark.parametrize("late", [-MILLISECOND, timedelta(), MILLISECOND])
def test_the_vanished_customers_open_hold_is_released(late: timedelta) -> None:
    held, _ = hold(account((5, 20)), 3)
    result = merged(held, TARGET, NOW + timedelta(seconds=600) + late)
    assert result.released_hold == ("h1" if late < timedelta() else None)
    assert result.source.settled == (0 if late < timedelta() else 1)
    assert topics(result.source.entries) == ["points/add/hold", "points/sub/merge"]
    assert result.target.account.figures.approved == 10


def test_what_a_released_hold_brings_back_too_late_expires_before_it_moves() -> None:
    held, _ = hold(account((5, 10)), 5, END_OF_TODAY - MILLISECOND)
    result = merged(held, TARGET, END_OF_TODAY)
    assert topics(result.source.entries) == [
        "points/add/hold",
        "points/sub/expire",
        "points/sub/merge",
    ]
    assert lots(result.target.account.lapsed) == {10: 5}


def test_the_survivors_hold_stays_open() -> None:
    held, _ = hold(TARGET, 3)
    after = merged(account((5, 20)), held).target.account
    assert after.hold == held.hold
    assert after.figures.hold == 3


def test_what_is_due_on_either_side_is_settled_first() -> None:
    target = replace(account((5, 10), (1, 22)), customer_id="1002")
    result = merged(account((5, 10), (1, 20)), target, END_OF_TODAY)
    assert (result.source.settled, result.target.settled) == (1, 1)
    assert lots(result.target.account.lots) == {20: 1, 22: 1}


def test_merging_happens_after_all_that_either_side_has_seen() -> None:
    for early, late in ((account((5, 20)), TARGET), (TARGET, account((5, 20)))):
        seen = done(late, c.Settle(), END_OF_TODAY).account
        for pair in ((early, seen), (seen, early)):
            result = merged(*pair)
            assert result.source.account.as_of == result.target.account.as_of == END_OF_TODAY


def test_nothing_that_is_over_in_the_survivors_calendar_survives_a_merge() -> None:
    source = replace(account((5, 10)), time_zone="America/New_York")
    now = END_OF_TODAY + timedelta(hours=1)
    result = merged(source, TARGET, now)
    assert topics(result.target.entries) == ["points/add/merge", "points/sub/expire"]
    assert lots(result.target.account.lots) == {22: 5}


def test_the_survivor_remembers_the_latest_lapsed_days_of_both() -> None:
    sides = [Account("1001"), Account("1002")]
    for number in range(LAPSED_DAYS_MAX + 1):
        at = number % 2
        sides[at] = done(sides[at], c.Grant(1, through(1 + number))).account
    after = merged(*sides).target.account
    assert lots(after.lapsed) == {2 + number: 1 for number in range(LAPSED_DAYS_MAX)}


def test_an_order_with_a_code_of_the_vanished_customer_is_paid_by_the_survivor() -> None:
    held, record = hold(account((5, 20)), 5)
    survivor = merged(held).target.account
    decision = done(State(survivor, hold_record=record), c.CaptureHold(5, "h1", "o1"))
    assert decision.account.figures == (5, 0, 5, 10, 5, 0)
    assert order_of(decision).spendings[0].customer_id == "1002"


# --- tombstones ----------------------------------------------------------------------------------


def test_the_survivor_names_those_who_were_merged_into_it_in_their_order() -> None:
    first = merged(account((5, 20)))
    assert first.target.account.merged_from == ("1001",)
    assert first.source.account.merged_from == ()
    other = replace(account((1, 20)), customer_id="1003")
    second = merged(other, first.target.account)
    assert second.target.account.merged_from == ("1001", "1003")


def test_a_merge_points_the_tombstones_of_its_source_to_the_survivor() -> None:
    stones = [Account(name, revision=7, merged_into="1002") for name in ("1003", "1005")]
    source = replace(account((5, 20)), customer_id="1002", merged_from=("1001", "1003", "1005"))
    target = replace(TARGET, customer_id="1004", merged_from=("1006",))
    onward = merge(source, target, NOW, stones)
    assert isinstance(onward, Merged)
    assert onward.target.account.merged_from == ("1006", "1003", "1005", "1002")
    assert onward.source.account.merged_from == ("1001",)
    assert onward.tombstones == tuple(
        replace(stone, revision=8, merged_into="1004") for stone in stones
    )


def test_the_latest_tombstones_are_moved_and_no_more_than_a_transaction_takes() -> None:
    names = tuple(str(number) for number in range(2000, 2100))
    assert tombstones_to_move(replace(TARGET, merged_from=names)) == names[60:]
    assert tombstones_to_move(replace(TARGET, merged_from=names[:3])) == names[:3]


def test_an_erased_customer_takes_no_commands_and_is_not_merged() -> None:
    gone = replace(Account("1001"), erased=True)
    for command in (c.Grant(1, through(20)), c.Settle(), c.SpendOnOrder(1, "o1", "till")):
        assert refused(gone, command) is Code.CUSTOMER_ERASED
    for pair in ((gone, TARGET), (TARGET, gone)):
        assert merge_refused(*pair).code is Code.CUSTOMER_ERASED
    assert settled(gone, NOW).figures == (0, 0, 0, 0, 0, 0)
