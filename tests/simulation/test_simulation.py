"""Whatever fails, and however requests meet: every promise holds, under every seed.

`make prove SEEDS=n` runs as many as one likes, and keeps the seeds that fail.
"""

from tests.simulation.kernel.processes import WORKERS, in_processes
from tests.simulation.kernel.simulation import run
from tests.simulation.prove import failed_seeds, how_to_replay

SEEDS = 200


def test_no_promise_is_broken_under_any_seed() -> None:
    reports = list(in_processes(run, [*failed_seeds(), *range(SEEDS)], WORKERS, chunk=5))
    failed = [f"{one.violation}\n  {how_to_replay(one.seed)}" for one in reports if one.violation]
    assert not failed
    for fault in {*reports[0].faults, "late commit", "index lag", "fewer reasons", "torn read"}:
        assert sum(report.faults[fault] for report in reports), f"no {fault} in all these seeds"
    assert sum(report.attempts for report in reports) > 100 * SEEDS
    assert sum(report.entries for report in reports) > 30 * SEEDS


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run(7, trace=True).trace == run(7, trace=True).trace
