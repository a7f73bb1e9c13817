"""Each guard of a write holds by itself, and each instant is the instant."""

from tests.simulation.kernel.boundaries import (
    wrong_boundaries,
    wrong_merges,
    wrong_orders,
    wrong_second_spending,
)
from tests.simulation.kernel.condition_checks import wrong_condition_checks
from tests.simulation.kernel.races import (
    wrong_late_arrivals,
    wrong_moments,
    wrong_old_orders,
    wrong_rivals,
)


def test_each_condition_alone_stops_a_write() -> None:
    assert not list(wrong_condition_checks())


def test_before_at_and_after_each_instant_the_model_agrees() -> None:
    assert not list(wrong_boundaries())
    assert not list(wrong_orders())


def test_points_that_are_spent_again_are_those_that_came_back() -> None:
    assert not list(wrong_second_spending())


def test_a_survivor_names_all_whom_it_was_made_of_and_their_tombstones_lead_to_it() -> None:
    assert not list(wrong_merges())


def test_what_was_refused_does_not_happen_when_an_earlier_try_arrives_late() -> None:
    assert not list(wrong_late_arrivals())


def test_whoever_loses_to_the_same_request_is_told_its_answer() -> None:
    assert not list(wrong_rivals())


def test_nobody_is_told_of_two_moments_at_once() -> None:
    assert not list(wrong_moments())


def test_nothing_is_recorded_as_done_on_an_order_that_was_read_as_it_used_to_be() -> None:
    assert not list(wrong_old_orders())
