"""Each condition of a write holds by itself, races are lost safely, and instants are exact."""

from tests.simulation.kernel.boundaries import (
    wrong_boundaries,
    wrong_merges,
    wrong_orders,
    wrong_second_spending,
)
from tests.simulation.kernel.condition_checks import wrong_condition_checks
from tests.simulation.kernel.races import (
    wrong_late_arrivals,
    wrong_old_orders,
    wrong_rivals,
    wrong_states,
)


def test_each_condition_alone_stops_a_write() -> None:
    assert not list(wrong_condition_checks())


def test_before_at_and_after_each_instant_the_model_agrees() -> None:
    assert not list(wrong_boundaries())
    assert not list(wrong_orders())


def test_returned_points_are_the_first_to_be_spent_again() -> None:
    assert not list(wrong_second_spending())


def test_a_survivor_names_all_who_were_merged_into_it_and_their_tombstones_point_to_it() -> None:
    assert not list(wrong_merges())


def test_a_refused_request_has_no_effect_when_an_earlier_attempt_arrives_late() -> None:
    assert not list(wrong_late_arrivals())


def test_the_loser_of_a_race_between_equal_requests_gets_the_winners_answer() -> None:
    assert not list(wrong_rivals())


def test_an_answer_is_of_one_state() -> None:
    assert not list(wrong_states())


def test_nothing_is_recorded_as_done_on_a_stale_read_of_an_order() -> None:
    assert not list(wrong_old_orders())
