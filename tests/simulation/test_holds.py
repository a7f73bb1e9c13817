"""Whatever Shopify, the table and the processes do: no points lost, no code without points.

`make prove` runs more seeds and plants every bug of `hold_bugs`; here some of them.
"""

import os
from collections import Counter

import pytest

from tests.fakes.faulty_shopify import Trouble
from tests.simulation.holds.crash_matrix import CASES, HoldCase, count_tries, wrong_of
from tests.simulation.holds.world import run_holds
from tests.simulation.kernel.processes import in_processes

SEEDS = 24
WORKERS = os.cpu_count() or 1

ORPHANED_SECONDS_MAX = 450
"""For how long a code was usable without held points while the sweeps too were failing, with the
seeds of this test; its hold's own end is what bounds it."""


def test_no_promise_is_broken_under_any_seed() -> None:
    reports = list(in_processes(run_holds, range(SEEDS), WORKERS))
    assert [f"{one.seed}: {one.violation}" for one in reports if one.violation] == []
    faults, answers, alarms = Counter[str](), Counter[str](), Counter[str]()
    for report in reports:
        faults.update(report.faults)
        answers.update(report.answers)
        alarms.update(report.alarms)
    assert not [trouble for trouble in Trouble if not faults[trouble]]
    happened = {"wish: held", "wish: hold_failed", "wish: hold_ended", "wish: hold_open"}
    happened |= {"release: released", "release: HoldReleasing", "checkout: code taken"}
    happened |= {"wish: rate_limited", "wish: rate_limited by the shop's pace"}
    happened |= {"release: RateLimited"}
    assert happened <= answers.keys()
    assert alarms["late_order"]
    assert max(report.orphaned_ms for report in reports) <= ORPHANED_SECONDS_MAX * 1000


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run_holds(7) == run_holds(7) != run_holds(8)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_breaks_a_step_off_it_comes_right(case: HoldCase) -> None:
    wrong = list(wrong_of(case))
    assert not wrong, "\n".join(wrong)


def test_the_matrix_is_large_enough() -> None:
    assert len(CASES) >= 12
    assert count_tries(CASES[0]) >= 100
