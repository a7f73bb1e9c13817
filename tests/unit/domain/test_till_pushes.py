"""What is pushed to the till, in numbers."""

from datetime import timedelta

import pytest

from pointbook.domain.programme_rules import TillPush
from pointbook.domain.till_pushes import Batch, MemberState, Planned, plan
from tests.support.domain import NOW

SEEN = MemberState(NOW, 1000, 1000)


def planned(
    batch: Batch,
    member_state: MemberState = SEEN,
    till: int = 1000,
    mode: TillPush = TillPush.CHANGES,
    *,
    set_balance: bool = False,
    late: timedelta = timedelta(),
) -> Planned:
    return plan(batch, member_state, till, mode, NOW + late, set_balance=set_balance)


@pytest.mark.parametrize(
    ("pushed", "till", "points", "owed"),
    [
        (50, 1000, 50, 0),
        (-50, 1000, -50, 0),
        (-50, 30, -30, -20),
        (-50, 0, 0, -50),
        (-50, -5, 0, -50),
        (50, -5, 50, 0),
    ],
)
def test_no_more_is_taken_than_the_till_has(pushed: int, till: int, points: int, owed: int) -> None:
    found = planned(Batch(1, 0, pushed), MemberState(NOW, till, till), till)
    assert (found.points, found.remainder_points) == (points, owed)


def test_what_is_owed_is_taken_off_a_credit() -> None:
    member_state = MemberState(NOW, 0, 0, remainder_points=-30)
    assert planned(Batch(1, 0, 50), member_state, 0).points == 20
    found = planned(Batch(1, 0, 10), member_state, 0)
    assert (found.points, found.remainder_points) == (0, -20)


@pytest.mark.parametrize(
    ("mode", "set_balance", "first", "points"),
    [
        (TillPush.CHANGES, False, True, 50),
        (TillPush.BALANCE, False, True, -300),
        (TillPush.BALANCE, False, False, 50),
        (TillPush.CHANGES, True, False, -300),
    ],
)
def test_a_balance_is_overwritten_only_where_told_to(
    mode: TillPush, set_balance: bool, first: bool, points: int
) -> None:
    member_state = MemberState() if first else SEEN
    found = planned(
        Batch(1, 700, 50, changes_approved=True), member_state, mode=mode, set_balance=set_balance
    )
    assert found.points == points


@pytest.mark.parametrize(
    ("consumes", "till", "points"),
    [
        ((300,), 700, 0),
        ((300,), 701, -300),
        ((300, 300), 700, -300),
        ((300, 300), 400, 0),
        ((500, 200), 800, -500),
    ],
)
def test_consumes_whose_points_the_till_lacks_are_its_reports(
    consumes: tuple[int, ...], till: int, points: int
) -> None:
    assert planned(Batch(1, 0, -sum(consumes), consumes=consumes), till=till).points == points


def test_points_that_a_report_names_explain_nothing_else() -> None:
    batch = Batch(1, 0, -300, reported_points=300, consumes=(300,))
    assert planned(batch, till=700).points == -300


def test_after_a_day_missing_points_explain_nothing_any_more() -> None:
    member_state, batch = MemberState(NOW, 700, 1000), Batch(1, 0, -300, consumes=(300,))
    assert planned(batch, member_state, 700, late=timedelta(days=1)).points == 0
    assert planned(batch, member_state, 700, late=timedelta(days=1, seconds=1)).points == -300


def test_what_the_counter_gave_is_no_reason_to_carry_less() -> None:
    found = planned(Batch(1, 0, -300, consumes=(300,)), till=1500)
    assert (found.points, found.expected_points) == (-300, 1500)
