"""Whatever fails and whoever is first: what the staff moves is counted, once, and never beyond.

`make prove` runs more seeds.
"""

from collections import Counter

from pointbook.domain.refusal import Code
from tests.simulation.kernel.processes import WORKERS, in_processes
from tests.simulation.staff.simulation import run_staff

SEEDS = 150


def test_what_is_booked_is_counted_once_and_never_beyond_the_limit() -> None:
    reports = list(in_processes(run_staff, range(SEEDS), WORKERS))
    assert [f"{one.seed}: {one.violation}" for one in reports if one.violation] == []
    answers = sum((one.answers for one in reports), Counter[str]())
    expected = {"booked", "repeated", Code.DAILY_LIMIT_REACHED, Code.INSUFFICIENT_POINTS}
    assert min(answers[name] for name in expected) > SEEDS // 4


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run_staff(7) == run_staff(7) != run_staff(8)
