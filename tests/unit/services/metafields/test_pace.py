"""Background calls take half of what flows into a shop's bucket, and none below its half."""

import pytest

from pointbook.deadline import Deadline
from pointbook.services.metafields.pace import Pace
from pointbook.shopify.admin import Cost
from tests.fakes.admin_api import StandingClock


@pytest.mark.parametrize(
    ("cost", "pause_seconds"),
    [
        (Cost(10, 1990, 2000, 100), 0.2),
        (Cost(10, 19_990, 20_000, 1000), 0.02),
        (Cost(40, 1960, 2000, 100), 0.8),
        (Cost(10, 1000, 2000, 100), 0.2),
        (Cost(10, 800, 2000, 100), 2.0),
        (Cost(10, 0, 2000, 100), 10.0),
    ],
)
def test_the_pause_after_a_call_is_by_its_cost_and_by_what_is_left(
    cost: Cost, pause_seconds: float
) -> None:
    clock = StandingClock()
    pace = Pace(clock)
    far = Deadline.after(60, clock.monotonic)
    assert pace.wait(far)
    pace.spent(cost)
    assert pace.wait(far)
    assert clock.slept == pytest.approx([pause_seconds])


def test_time_that_has_passed_anyway_is_not_waited_for() -> None:
    clock = StandingClock()
    pace = Pace(clock)
    far = Deadline.after(60, clock.monotonic)
    pace.wait(far)
    pace.spent(Cost(10, 0, 2000, 100))
    clock.pass_by(9.5)
    pace.wait(far)
    assert clock.slept == pytest.approx([0.5])


def test_a_call_whose_cost_nobody_named_is_paced_too() -> None:
    clock = StandingClock()
    pace = Pace(clock)
    far = Deadline.after(60, clock.monotonic)
    pace.wait(far)
    pace.wait(far)
    assert clock.slept == pytest.approx([0.2])


def test_a_wait_beyond_the_deadline_is_refused_at_once() -> None:
    clock = StandingClock()
    pace = Pace(clock)
    deadline = Deadline.after(5, clock.monotonic)
    pace.wait(deadline)
    pace.spent(Cost(10, 0, 2000, 100))
    assert not pace.wait(deadline)
    assert clock.slept == []
