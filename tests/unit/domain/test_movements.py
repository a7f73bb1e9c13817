"""Each movement of points: from where, to where, under which topic, and when it is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import HOLD_SECONDS_MAX, Account
from pointbook.domain.decision import settle_part, settled
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days, FixedDate, Rolling
from pointbook.domain.lots import Lot, Lots
from pointbook.domain.orders import DebtPolicy, EarningRule, Goods, OrderUpdate
from pointbook.domain.refusal import Code
from pointbook.domain.state import State
from tests.support.domain import (
    END_OF_TODAY,
    IN_30_DAYS,
    MILLISECOND,
    NEVER_EXPIRES,
    NOW,
    account,
    after,
    cancel,
    confirm,
    day,
    done,
    hold,
    in_debt,
    lots,
    promised,
    refused,
    spent,
    through,
    topics,
)

FIVE = account((5, 20))
PENDING_FIVE = promised(FIVE, 5)
EARNED_FIVE = after(done(PENDING_FIVE, confirm("p1", through(20))))
SPENT_FIVE = spent(account((10, 20)), 5)
HELD_FIVE, HELD_RECORD = hold(account((10, 20)), 5)
CODE_OF_FIVE = State(HELD_FIVE, hold_record=HELD_RECORD)
RELEASING_FIVE = done(HELD_FIVE, c.BeginRelease("h1")).account


def of_days(*lots_of: tuple[int, int]) -> Lots:
    """Lots: a day of March, and points."""
    return tuple(Lot(day(number), points) for number, points in lots_of)


UNDO_GRANT = c.ReverseImport(5, of_days((20, 5)), "move#1")
UNDO_REMOVAL = c.ReverseImport(5, of_days((20, 5)), "move#1", was_removal=True)
REMOVED_FIVE = done(account((10, 20)), c.Remove(5)).account
PROMISE = c.UpdateOrder("p1", OrderUpdate(NOW, Goods(5)), EarningRule(1), IN_30_DAYS)
GIVE_BACK = c.ReturnSpending("s1", "till", IN_30_DAYS)


def grant(topic: Topic) -> c.Grant:
    return c.Grant(5, IN_30_DAYS, topic)


@pytest.mark.parametrize(
    ("before", "command", "source", "target", "topic", "approved"),
    [
        (FIVE, grant(Topic.ADD_ORDER), "issued", "approved", "points/add/order", 5),
        (FIVE, grant(Topic.ADD_SIGN_UP), "issued", "approved", "points/add/sign_up", 5),
        (FIVE, grant(Topic.ADD_MANUAL), "issued", "approved", "points/add/manual", 5),
        (FIVE, grant(Topic.ADD_FLOW), "issued", "approved", "points/add/flow", 5),
        (FIVE, grant(Topic.ADD_IMPORT), "issued", "approved", "points/add/import", 5),
        (FIVE, PROMISE, "issued", "pending", "points/pending/add", 0),
        (PENDING_FIVE, confirm("p1"), "pending", "approved", "points/add/order", 5),
        (PENDING_FIVE, cancel("p1"), "pending", "cancelled", "points/pending/cancel", 0),
        (FIVE, c.Remove(5), "approved", "removed", "points/sub/manual", -5),
        (FIVE, UNDO_GRANT, "approved", "reversed", "points/sub/manual", -5),
        (REMOVED_FIVE, UNDO_REMOVAL, "removed", "approved", "points/add/manual", 5),
        (FIVE, c.Consume(5), "approved", "spent", "points/sub/flow", -5),
        (FIVE, c.PlaceHold(5, "h1", 600), "approved", "hold", "points/sub/hold", -5),
        (HELD_FIVE, c.UndoHold("h1"), "hold", "approved", "points/add/hold", 5),
        (RELEASING_FIVE, c.ReleaseHold("h1"), "hold", "approved", "points/add/hold", 5),
        (CODE_OF_FIVE, c.CaptureHold(5, "h1", "o1"), "hold", "spent", "points/hold/spent", 0),
        (FIVE, c.SpendOnOrder(5, "o1", "till"), "approved", "spent", "points/sub/order", -5),
        (EARNED_FIVE, cancel("p1"), "approved", "reversed", "points/sub/refund", -5),
        (SPENT_FIVE, GIVE_BACK, "spent", "approved", "points/add/refund", 5),
    ],
)
def test_a_movement_is_one_entry_between_two_buckets(
    before: Account | State, command: c.Command, source: str, target: str, topic: str, approved: int
) -> None:
    decision = done(before, command)
    account_before = before.account if isinstance(before, State) else before
    (entry,) = decision.entries
    assert decision.command_entries == (entry,)
    assert dict(entry.moves) == {source: -5, target: 5}
    assert (entry.topic, entry.approved_delta, entry.points) == (topic, approved, 5)
    assert entry.figures == decision.account.figures
    assert entry.entry_id == f"1001-{account_before.version + 1:012d}"
    assert decision.changes(account_before)


def test_a_lot_that_lapses_goes_from_approved_to_expired() -> None:
    decision = done(account((5, 10)), c.Settle(), END_OF_TODAY)
    (entry,) = decision.entries
    assert dict(entry.moves) == {"approved": -5, "expired": 5}
    assert (entry.topic, entry.approved_delta) == ("points/sub/expire", -5)
    assert (decision.settled, decision.command_entries) == (1, ())


@pytest.mark.parametrize(
    ("there", "requested", "enough"), [(5, 4, True), (5, 5, True), (5, 6, False), (0, 1, False)]
)
@pytest.mark.parametrize("kind", ["consume", "remove", "hold"])
def test_no_more_is_spent_than_is_there(
    kind: str, there: int, requested: int, enough: bool
) -> None:
    before = account((there, 20)) if there else Account("1001")
    commands: dict[str, c.Command] = {
        "consume": c.Consume(requested),
        "remove": c.Remove(requested),
        "hold": c.PlaceHold(requested, "h1", 600),
    }
    if enough:
        assert done(before, commands[kind]).account.figures.approved == there - requested
    else:
        assert refused(before, commands[kind]) is Code.INSUFFICIENT_POINTS


@pytest.mark.parametrize("command", [c.Consume(1), c.Remove(1), c.PlaceHold(1, "h1", 600)])
def test_who_owes_points_spends_none(command: c.Command) -> None:
    assert refused(in_debt(3), command) is Code.INSUFFICIENT_POINTS


def test_a_refusal_changes_nothing_and_comes_even_after_what_is_due() -> None:
    before = account((5, 10))
    assert refused(before, c.Consume(1), END_OF_TODAY) is Code.INSUFFICIENT_POINTS
    assert settled(before, END_OF_TODAY - MILLISECOND).figures.approved == 5


@pytest.mark.parametrize(
    ("late", "spendable"), [(-MILLISECOND, 5), (timedelta(), 0), (MILLISECOND, 0)]
)
def test_points_stop_counting_at_the_very_moment_they_lapse(
    late: timedelta, spendable: int
) -> None:
    before = account((5, 10))
    now = END_OF_TODAY + late
    assert settled(before, now).figures.approved == spendable
    assert (refused(before, c.Consume(6), now)) is Code.INSUFFICIENT_POINTS
    if spendable:
        assert done(before, c.Consume(5), now).account.figures.approved == 0
    else:
        assert refused(before, c.Consume(1), now) is Code.INSUFFICIENT_POINTS


def test_what_lapsed_long_ago_is_written_down_with_the_time_it_lapsed() -> None:
    decision = done(account((5, 10), (5, 11)), c.Settle(), NOW + timedelta(days=9))
    assert [entry.at for entry in decision.entries] == [
        END_OF_TODAY,
        END_OF_TODAY + timedelta(days=1),
    ]
    assert {entry.recorded_at for entry in decision.entries} == {NOW + timedelta(days=9)}
    assert decision.account.last_at == END_OF_TODAY + timedelta(days=1)


def test_points_granted_with_a_day_that_is_over_expire_at_once() -> None:
    decision = done(FIVE, c.Grant(3, through(9)))
    assert topics(decision.entries) == ["points/add/flow", "points/sub/expire"]
    assert lots(decision.account.lots) == {20: 5}
    assert decision.account.last_at == NOW


def test_time_never_runs_backwards_for_an_account() -> None:
    before = done(account((5, 10)), c.Settle(), END_OF_TODAY).account
    decision = done(before, c.Grant(5, Days(1)), NOW)
    assert decision.account.as_of == END_OF_TODAY
    assert decision.entries[-1].at == END_OF_TODAY
    assert lots(decision.account.lots) == {12: 5}


def test_much_that_is_due_is_settled_in_parts_the_earliest_first() -> None:
    before = account((1, 10), (2, 11), (3, 12))
    now = NOW + timedelta(days=9)
    part = settle_part(before, now, 2)
    assert (part.settled, len(part.entries), lots(part.account.lots)) == (2, 2, {12: 3})
    rest = settle_part(part.account, now, 2)
    assert (rest.settled, len(rest.entries), rest.account.lots) == (1, 1, ())
    whole = settled(before, now)
    assert replace(rest.account, revision=whole.revision) == whole


def test_never_means_that_no_time_is_too_late() -> None:
    before = done(Account("1001"), c.Grant(5, NEVER_EXPIRES)).account
    assert settled(before, NOW + timedelta(days=365 * 1000)).figures.approved == 5


def test_nothing_to_settle_is_nothing_to_write() -> None:
    assert not done(FIVE, c.Settle()).changes(FIVE)


@pytest.mark.parametrize(("credit", "left"), [(2, -1), (3, 0), (4, 1)])
def test_every_credit_repays_the_debt_first(credit: int, left: int) -> None:
    after = done(in_debt(3), c.Grant(credit, through(20))).account
    assert after.figures.approved == left
    assert lots(after.lots) == ({20: left} if left > 0 else {})


def earned(before: Account, points: int, number: int, policy: DebtPolicy) -> State:
    """An order has earned points that are valid through a day of March."""
    update = OrderUpdate(NOW, Goods(points), confirmed_at=NOW)
    rule = EarningRule(1, debt_policy=policy)
    return after(done(before, c.UpdateOrder("e1", update, rule, through(number))))


@pytest.mark.parametrize(("consumed", "left"), [(4, 1), (5, 0), (6, -1)])
def test_a_refund_of_more_than_is_there_is_a_debt_or_lets_it_go(consumed: int, left: int) -> None:
    for policy, approved in ((DebtPolicy.CARRY, left), (DebtPolicy.CLAMP, max(0, left))):
        state = earned(FIVE, 6, 20, policy)
        state = replace(state, account=done(state.account, c.Consume(consumed)).account)
        assert done(state, cancel("e1")).account.figures.approved == approved


@pytest.mark.parametrize("spent_points", [1, 3])
def test_a_clamped_refund_of_nothing_is_no_entry(spent_points: int) -> None:
    state = earned(Account("1001"), 1, 20, DebtPolicy.CLAMP)
    used = c.SpendOnOrder(spent_points, "o1", "till")
    state = replace(state, account=done(state.account, used).account)
    assert done(state, cancel("e1")).entries == ()


def test_a_refund_takes_the_grants_own_lot_first() -> None:
    state = earned(account((5, 20)), 5, 25, DebtPolicy.CARRY)
    assert lots(done(state, cancel("e1")).account.lots) == {20: 5}


def test_giving_back_restores_the_same_days_and_no_lot_gets_a_new_one() -> None:
    state = spent(account((5, 20), (1, 25)), 8)
    given = replace(GIVE_BACK, expiry=through(30))
    after_all = done(state, given).account
    assert (lots(after_all.lots), after_all.figures.approved) == ({20: 3, 25: 1, 30: 2}, 6)
    no_debt = replace(state, account=done(state.account, c.Grant(2, through(15))).account)
    assert lots(done(no_debt, given).account.lots) == {20: 5, 25: 1, 30: 2}


def test_lapsed_points_come_back_and_expire_at_once_with_both_entries_visible() -> None:
    later = NOW + timedelta(days=2)
    decision = done(spent(account((5, 10)), 5), GIVE_BACK, later)
    assert topics(decision.entries) == ["points/add/refund", "points/sub/expire"]
    assert decision.account.figures.approved == 0


@pytest.mark.parametrize(
    ("late", "last_day"), [(-MILLISECOND, 10), (timedelta(), 14), (MILLISECOND, 14)]
)
def test_lapsed_points_come_back_on_a_new_day_where_a_rule_says_so(
    late: timedelta, last_day: int
) -> None:
    command = replace(GIVE_BACK, lapsed_expiry=Days(3))
    decision = done(spent(account((5, 10)), 5), command, END_OF_TODAY + late)
    assert lots(decision.account.lots) == {last_day: 5}


@pytest.mark.parametrize(
    "command", [c.Grant(1, Rolling(Days(8))), c.Consume(1, renew=Rolling(Days(8)))]
)
def test_activity_renews_every_lot_where_expiry_rolls(command: c.Command) -> None:
    after = done(account((5, 12), (5, 25)), command).account
    assert set(lots(after.lots)) == {18, 25}


def test_confirming_is_an_activity() -> None:
    confirmed = done(PENDING_FIVE, confirm("p1", Rolling(Days(15)))).account
    assert lots(confirmed.lots) == {25: 10}


def test_joining_lots_never_brings_lapsed_points_back_to_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointbook.domain.lots.LOTS_MAX", 1)
    decision = done(FIVE, c.Grant(3, FixedDate(day(9))))
    assert topics(decision.entries) == ["points/add/flow", "points/sub/expire"]
    assert lots(decision.account.lots) == {20: 5}


@pytest.mark.parametrize("points", [0, -1, c.POINTS_MAX + 1, True, 1.0, "1"])
def test_a_command_moves_a_whole_number_of_points_within_bounds(points: int) -> None:
    for make in (
        lambda: c.Consume(points),
        lambda: c.Grant(points, IN_30_DAYS),
        lambda: c.PlaceHold(points, "h1", 600),
        lambda: c.SpendOnOrder(points, "o1", "till"),
    ):
        with pytest.raises(ValueError, match="whole number"):
            make()


@pytest.mark.parametrize("points", [1, c.POINTS_MAX - 1, c.POINTS_MAX])
def test_as_many_points_as_allowed_are_granted(points: int) -> None:
    granted = done(Account("1001"), c.Grant(points, IN_30_DAYS)).account
    assert granted.figures.lifetime == points


@pytest.mark.parametrize("seconds", [-1, 0, HOLD_SECONDS_MAX + 1])
def test_a_hold_lasts_within_bounds(seconds: int) -> None:
    for fine in (1, HOLD_SECONDS_MAX):
        c.PlaceHold(1, "h1", fine)
    with pytest.raises(ValueError, match=str(seconds)):
        c.PlaceHold(1, "h1", seconds)


@pytest.mark.parametrize("topic", sorted(set(Topic) - c.GRANT_TOPICS))
def test_a_grant_has_the_topic_of_a_grant(topic: Topic) -> None:
    with pytest.raises(ValueError, match=topic):
        c.Grant(1, IN_30_DAYS, topic)


@pytest.mark.parametrize(
    ("grants", "row", "left"),
    [
        (((5, 12), (5, 20)), of_days((20, 5)), ((12, 5),)),
        (((3, 12), (2, 20)), of_days((20, 5)), ()),
        (((9, 12), (2, 20)), of_days((20, 5)), ((12, 6),)),
        (((9, 12),), (), ((12, 4),)),
    ],
)
def test_an_undone_row_takes_its_own_lot_first_and_then_the_soonest(
    grants: tuple[tuple[int, int], ...], row: Lots, left: tuple[tuple[int, int], ...]
) -> None:
    assert done(account(*grants), c.ReverseImport(5, row, "m#1")).account.lots == of_days(*left)


def test_an_undone_row_takes_no_more_than_is_free_and_leaves_no_debt() -> None:
    taken = done(account((3, 20)), c.ReverseImport(5, of_days((20, 5)), "m#1"))
    assert taken.account.balances.reversed == 3
    assert taken.account.figures.approved == 0
    for nothing in (Account("1001"), in_debt(3)):
        assert done(nothing, c.ReverseImport(5, of_days((20, 5)), "m#1")).entries == ()


def test_what_has_lapsed_of_an_undone_row_is_taken_from_no_other_lot() -> None:
    before = account((5, 10), (8, 20))
    decision = done(before, c.ReverseImport(5, of_days((10, 5)), "m#1"), END_OF_TODAY)
    assert [entry.topic for entry in decision.entries] == ["points/sub/expire"]
    paid_a_debt = c.ReverseImport(7, of_days((10, 5)), "m#1")
    assert done(before, paid_a_debt, END_OF_TODAY).account.lots == of_days((20, 6))


def test_an_undone_removal_comes_back_on_its_own_days_and_lapses_if_they_are_over() -> None:
    removed = done(account((5, 12), (5, 20)), c.Remove(7, "m#1"))
    (entry,) = removed.entries
    row = tuple(Lot(lot.valid_through, -lot.points) for lot in entry.lots)
    undone = done(removed.account, c.ReverseImport(7, row, "m#1", was_removal=True))
    assert undone.account.lots == of_days((12, 5), (20, 5))
    late = c.ReverseImport(5, of_days((9, 5)), "m#1", was_removal=True)
    assert done(removed.account, late).account.balances.expired == 5


def test_no_more_comes_back_than_was_removed() -> None:
    command = c.ReverseImport(6, of_days((20, 6)), "m#1", was_removal=True)
    assert refused(REMOVED_FIVE, command) is Code.NOT_REMOVED


@pytest.mark.parametrize(("points", "was_removal"), [(4, False), (4, True), (6, True)])
def test_a_reversal_whose_lots_do_not_fit_its_points_is_an_error(
    points: int, was_removal: bool
) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        c.ReverseImport(points, of_days((20, 5)), "m#1", was_removal=was_removal)
