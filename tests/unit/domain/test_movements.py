"""Each movement of the book: from where, to where, under which topic, and when it is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.decide import settle_part, settled
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days, FixedDate, Rolling
from pointbook.domain.lots import Lot
from pointbook.domain.orders import DebtPolicy, Order
from pointbook.domain.refusal import Code
from tests.support.domain import (
    END_OF_TODAY,
    IN_30_DAYS,
    MILLISECOND,
    NEVER_EXPIRES,
    NOW,
    TODAY,
    account,
    day,
    done,
    hold,
    in_debt,
    lots,
    refused,
    through,
    topics,
)

FIVE = account((5, 20))
PENDING_FIVE = done(FIVE, c.GrantPending(5)).account
SPENT_FIVE = done(account((10, 20)), c.Consume(5)).account
HELD_FIVE, HELD_RECORD = hold(account((10, 20)), 5)
RELEASING_FIVE = done(HELD_FIVE, c.BeginRelease("h1")).account


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
        (FIVE, c.GrantPending(5), "issued", "pending", "points/pending/add", 0),
        (PENDING_FIVE, c.Confirm(5, IN_30_DAYS), "pending", "approved", "points/add/order", 5),
        (PENDING_FIVE, c.CancelPending(5), "pending", "cancelled", "points/pending/cancel", 0),
        (FIVE, c.Remove(5), "approved", "removed", "points/sub/manual", -5),
        (FIVE, c.Consume(5), "approved", "spent", "points/sub/flow", -5),
        (FIVE, c.TakeHold(5, "h1", 600), "approved", "hold", "points/sub/hold", -5),
        (HELD_FIVE, c.UndoHold("h1"), "hold", "approved", "points/add/hold", 5),
        (RELEASING_FIVE, c.ReleaseHold("h1"), "hold", "approved", "points/add/hold", 5),
        (
            HELD_FIVE,
            c.CaptureHold(5, HELD_RECORD, Order("o1")),
            "hold",
            "spent",
            "points/hold/spent",
            0,
        ),
        (FIVE, c.Reverse(5), "approved", "reversed", "points/sub/refund", -5),
        (
            SPENT_FIVE,
            c.GiveBack(5, (Lot(day(20), 5),), NEVER_EXPIRES),
            "spent",
            "approved",
            "points/add/refund",
            5,
        ),
    ],
)
def test_a_movement_is_one_entry_between_two_buckets(
    before: Account, command: c.Command, source: str, target: str, topic: str, approved: int
) -> None:
    decision = done(before, command)
    (entry,) = decision.entries
    assert decision.command_entries == (entry,)
    assert dict(entry.moves) == {source: -5, target: 5}
    assert (entry.topic, entry.approved_delta, entry.points) == (topic, approved, 5)
    assert entry.figures == decision.account.figures
    assert entry.entry_id == f"1001-{before.version + 1:012d}"
    assert decision.changes(before)


def test_a_lot_that_lapses_goes_from_approved_to_expired() -> None:
    decision = done(account((5, 10)), c.Settle(), END_OF_TODAY)
    (entry,) = decision.entries
    assert dict(entry.moves) == {"approved": -5, "expired": 5}
    assert (entry.topic, entry.approved_delta) == ("points/sub/expire", -5)
    assert (decision.settled, decision.command_entries) == (1, ())


@pytest.mark.parametrize(
    ("there", "asked", "enough"), [(5, 4, True), (5, 5, True), (5, 6, False), (0, 1, False)]
)
@pytest.mark.parametrize("kind", ["consume", "remove", "hold"])
def test_no_more_is_spent_than_is_there(kind: str, there: int, asked: int, enough: bool) -> None:
    before = account((there, 20)) if there else Account("1001")
    commands: dict[str, c.Command] = {
        "consume": c.Consume(asked),
        "remove": c.Remove(asked),
        "hold": c.TakeHold(asked, "h1", 600),
    }
    if enough:
        assert done(before, commands[kind]).account.figures.approved == there - asked
    else:
        assert refused(before, commands[kind]) is Code.INSUFFICIENT_POINTS


@pytest.mark.parametrize("command", [c.Consume(1), c.Remove(1), c.TakeHold(1, "h1", 600)])
def test_who_owes_points_spends_none(command: c.Command) -> None:
    assert refused(in_debt(3), command) is Code.INSUFFICIENT_POINTS


@pytest.mark.parametrize(("asked", "enough"), [(4, True), (5, True), (6, False)])
def test_no_more_leaves_pending_than_was_promised(asked: int, enough: bool) -> None:
    for command in (c.Confirm(asked, IN_30_DAYS), c.CancelPending(asked)):
        if enough:
            assert done(PENDING_FIVE, command).account.figures.pending == 5 - asked
        else:
            assert refused(PENDING_FIVE, command) is Code.NOT_PENDING


@pytest.mark.parametrize(("asked", "enough"), [(4, True), (5, True), (6, False)])
def test_no_more_is_given_back_than_was_spent(asked: int, enough: bool) -> None:
    command = c.GiveBack(asked, (), IN_30_DAYS)
    if enough:
        assert done(SPENT_FIVE, command).account.figures.spent == 5 - asked
    else:
        assert refused(SPENT_FIVE, command) is Code.NOT_SPENT


def test_given_back_lots_are_never_more_than_the_points() -> None:
    with pytest.raises(AssertionError, match="more than the 4 points"):
        done(SPENT_FIVE, c.GiveBack(4, (Lot(day(20), 5),), IN_30_DAYS))


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


@pytest.mark.parametrize(("points", "approved"), [(4, 1), (5, 0), (6, -1)])
def test_a_refund_of_more_than_is_there_is_a_debt(points: int, approved: int) -> None:
    assert done(FIVE, c.Reverse(points)).account.figures.approved == approved


@pytest.mark.parametrize(("points", "approved"), [(4, 1), (5, 0), (6, 0)])
def test_a_clamped_refund_lets_go_what_is_missing(points: int, approved: int) -> None:
    command = c.Reverse(points, debt_policy=DebtPolicy.CLAMP)
    assert done(FIVE, command).account.figures.approved == approved


def test_a_clamped_refund_of_nothing_is_no_entry() -> None:
    command = c.Reverse(1, debt_policy=DebtPolicy.CLAMP)
    assert done(in_debt(3), command).entries == ()
    assert done(Account("1001"), command).entries == ()


def test_a_refund_takes_the_grants_own_lot_first() -> None:
    before = account((5, 20), (5, 25))
    after = done(before, c.Reverse(7, own_days=frozenset({day(25)}))).account
    assert lots(after.lots) == {20: 3}


def test_giving_back_restores_the_same_days_and_no_lot_gets_a_new_one() -> None:
    before = done(account((5, 20), (5, 25)), c.Consume(8)).account
    given = c.GiveBack(8, (Lot(day(20), 5), Lot(day(25), 1)), through(30))
    assert lots(done(before, given).account.lots) == {20: 5, 25: 3, 30: 2}


def test_lapsed_points_come_back_and_expire_at_once_with_both_entries_visible() -> None:
    before = done(account((5, 10)), c.Consume(5)).account
    later = NOW + timedelta(days=2)
    decision = done(before, c.GiveBack(5, (Lot(TODAY, 5),), IN_30_DAYS), later)
    assert topics(decision.entries) == ["points/add/refund", "points/sub/expire"]
    assert decision.account.figures.approved == 0


@pytest.mark.parametrize(
    ("late", "last_day"), [(-MILLISECOND, 10), (timedelta(), 14), (MILLISECOND, 14)]
)
def test_lapsed_points_come_back_on_a_new_day_where_a_rule_says_so(
    late: timedelta, last_day: int
) -> None:
    before = done(account((5, 10)), c.Consume(5)).account
    command = c.GiveBack(5, (Lot(TODAY, 5),), IN_30_DAYS, lapsed_expiry=Days(3))
    after = done(before, command, END_OF_TODAY + late).account
    assert lots(after.lots) == {last_day: 5}


@pytest.mark.parametrize(
    "command",
    [c.Grant(1, Rolling(Days(8))), c.Consume(1, renew=Rolling(Days(8)))],
)
def test_activity_renews_every_lot_where_expiry_rolls(command: c.Command) -> None:
    after = done(account((5, 12), (5, 25)), command).account
    assert set(lots(after.lots)) == {18, 25}


def test_confirming_is_an_activity() -> None:
    after = done(PENDING_FIVE, c.Confirm(5, Rolling(Days(15)))).account
    assert lots(after.lots) == {25: 10}


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
        lambda: c.TakeHold(points, "h1", 600),
    ):
        with pytest.raises(ValueError, match="whole number"):
            make()


@pytest.mark.parametrize("points", [1, c.POINTS_MAX - 1, c.POINTS_MAX])
def test_as_many_points_as_allowed_are_granted(points: int) -> None:
    granted = done(Account("1001"), c.Grant(points, IN_30_DAYS)).account
    assert granted.figures.lifetime == points


@pytest.mark.parametrize("seconds", [-1, 0, c.HOLD_SECONDS_MAX + 1])
def test_a_hold_lasts_within_bounds(seconds: int) -> None:
    for fine in (1, c.HOLD_SECONDS_MAX):
        c.TakeHold(1, "h1", fine)
    with pytest.raises(ValueError, match=str(seconds)):
        c.TakeHold(1, "h1", seconds)


@pytest.mark.parametrize("topic", sorted(set(Topic) - c.GRANT_TOPICS))
def test_a_grant_has_the_topic_of_a_grant(topic: Topic) -> None:
    with pytest.raises(ValueError, match=topic):
        c.Grant(1, IN_30_DAYS, topic)
