"""Whatever Shopify, the table and the processes do: no points lost, no code without points.

`make prove` runs more seeds.
"""

import pytest

from tests.fakes.faulty_shopify import Trouble
from tests.simulation.holds.checker import HoldsReport
from tests.simulation.holds.crash_matrix import CASES, HoldCase, count_tries, wrong_of
from tests.simulation.holds.simulation import run_holds
from tests.simulation.kernel.processes import WORKERS, in_processes

SEEDS = 24

ORPHANED_SECONDS_MAX = 450
"""For how long a code was usable without held points while the sweeps too were failing, with the
seeds of this test; its hold's own end is what bounds it."""


def test_no_promise_is_broken_under_any_seed() -> None:
    reports = list(in_processes(run_holds, range(SEEDS), WORKERS))
    assert [f"{one.seed}: {one.violation}" for one in reports if one.violation] == []
    total = HoldsReport()
    for report in reports:
        total.add(report)
    assert not [trouble for trouble in Trouble if not total.faults[trouble]]
    happened = {"create: held", "create: hold_failed", "create: hold_ended", "create: hold_open"}
    happened |= {"release: released", "release: HoldReleasing", "checkout: code taken"}
    happened |= {"create: rate_limited", "create: rate_limited by the shop's pace"}
    happened |= {"release: RateLimited"}
    assert happened <= total.answers.keys()
    assert total.alarms["late_order"]
    assert total.orphaned_ms <= ORPHANED_SECONDS_MAX * 1000


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run_holds(7) == run_holds(7) != run_holds(8)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_interrupted_step_is_put_right_whether_retried_or_not(case: HoldCase) -> None:
    wrong = list(wrong_of(case))
    assert not wrong, "\n".join(wrong)


def test_the_matrix_is_large_enough() -> None:
    assert len(CASES) >= 12
    assert count_tries(CASES[0]) >= 100
