"""Lots and buckets: taking, joining, renewing, and that a movement moves something."""

from datetime import timedelta

import pytest

from pointbook.domain import lots as lots_module
from pointbook.domain.buckets import Balances, Bucket, transfer
from pointbook.domain.lots import LOTS_MAX, Lot, Lots, added, bounded, negated, renewed, take, total
from tests.support.domain import day, lots

THREE: Lots = (Lot(day(1), 5), Lot(day(2), 5), Lot(day(3), 5))


@pytest.mark.parametrize(
    ("points", "taken"),
    [
        (0, {}),
        (1, {1: 1}),
        (4, {1: 4}),
        (5, {1: 5}),
        (6, {1: 5, 2: 1}),
        (14, {1: 5, 2: 5, 3: 4}),
        (15, {1: 5, 2: 5, 3: 5}),
        (16, {1: 5, 2: 5, 3: 5}),
    ],
)
def test_the_soonest_expiring_lot_is_taken_first(points: int, taken: dict[int, int]) -> None:
    was_taken, left = take(THREE, points)
    assert lots(was_taken) == taken
    assert added(was_taken, left) == THREE


def test_named_days_are_taken_before_all_others() -> None:
    taken, left = take(THREE, 7, first={day(3)})
    assert lots(taken) == {1: 2, 3: 5}
    assert lots(left) == {1: 3, 2: 5}


def test_less_than_nothing_cannot_be_taken() -> None:
    with pytest.raises(AssertionError, match="-1"):
        take(THREE, -1)


def test_grants_of_one_day_share_a_lot_and_empty_lots_vanish() -> None:
    assert lots(added(THREE, THREE[:1])) == {1: 10, 2: 5, 3: 5}
    assert added(THREE, negated(THREE)) == ()
    assert total(THREE) == 15


@pytest.mark.parametrize("count", [LOTS_MAX - 1, LOTS_MAX])
def test_up_to_the_most_lots_nothing_is_joined(count: int) -> None:
    many = tuple(Lot(day(1) + timedelta(days=3 * at), 1) for at in range(count))
    assert bounded(many) == many


@pytest.mark.parametrize("more", [1, 2])
def test_beyond_the_most_lots_the_nearest_are_joined_on_the_later_day(more: int) -> None:
    many = tuple(Lot(day(1) + timedelta(days=3 * at), 1) for at in range(LOTS_MAX + more))
    remaining = bounded(many)
    assert len(remaining) == LOTS_MAX
    assert total(remaining) == total(many)
    assert remaining[0] == Lot(many[more].valid_through, more + 1)


@pytest.mark.parametrize(
    ("days", "remaining"),
    [((1, 5, 7), {1: 1, 7: 12}), ((1, 3, 7), {3: 4, 7: 7}), ((1, 3, 5), {3: 4, 5: 5})],
)
def test_of_equally_near_lots_those_that_lapse_first_are_joined(
    monkeypatch: pytest.MonkeyPatch, days: tuple[int, ...], remaining: dict[int, int]
) -> None:
    monkeypatch.setattr(lots_module, "LOTS_MAX", 2)
    assert lots(bounded(tuple(Lot(day(number), number) for number in days))) == remaining


def test_renewing_lengthens_and_never_shortens() -> None:
    assert lots(renewed(THREE, day(2))) == {2: 10, 3: 5}


@pytest.mark.parametrize("points", [-1, 0])
def test_a_movement_moves_at_least_one_point(points: int) -> None:
    with pytest.raises(AssertionError, match="at least one"):
        transfer(Bucket.ISSUED, Bucket.APPROVED, points)


def test_a_movement_goes_from_one_bucket_to_another() -> None:
    with pytest.raises(AssertionError, match="no movement"):
        transfer(Bucket.HOLD, Bucket.HOLD, 1)


def test_the_six_figures_are_read_off_the_buckets() -> None:
    balances = Balances(
        issued=-100, pending=20, cancelled=5, approved=30, hold=10, spent=15, expired=9, reversed=11
    )
    assert sum(balances) == 0
    assert balances.figures() == (30, 20, 50, 75, 15, 10)
