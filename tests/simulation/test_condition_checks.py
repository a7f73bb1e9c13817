"""Each condition of a write holds by itself, races are lost safely, and instants are exact."""

from collections.abc import Callable, Iterator

import pytest

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

PROMISES = {
    "each condition alone stops a write": wrong_condition_checks,
    "before, at and after each instant the model agrees": wrong_boundaries,
    "before, at and after the instant of an order as well": wrong_orders,
    "returned points are the first to be spent again": wrong_second_spending,
    "a survivor names all who were merged into it, and their tombstones lead there": wrong_merges,
    "a refused request has no effect when an earlier attempt arrives late": wrong_late_arrivals,
    "the loser of a race between equal requests gets the winner's answer": wrong_rivals,
    "an answer is of one state": wrong_states,
    "nothing is recorded as done on a stale read of an order": wrong_old_orders,
}


@pytest.mark.parametrize("breaches", PROMISES.values(), ids=PROMISES)
def test_a_promise_is_kept_wherever_it_might_break(breaches: Callable[[], Iterator[str]]) -> None:
    assert list(breaches()) == []
