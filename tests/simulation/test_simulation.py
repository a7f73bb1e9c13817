"""Whatever fails, and whoever runs into whom: every promise holds, under every seed.

`make prove SEEDS=n` runs as many as one likes.
"""

import os

from tests.simulation.kernel.world import Report, run
from tests.simulation.prove import how_to_replay, keep, kept_seeds, runs

SEEDS = 200
WORKERS = os.cpu_count() or 1


def test_no_promise_is_broken_under_any_seed() -> None:
    reports = list(runs([*kept_seeds(), *range(SEEDS)], WORKERS))
    assert not _failed(reports)
    for fault in {*reports[0].faults, "late commit", "index lag", "fewer reasons", "torn read"}:
        assert sum(report.faults[fault] for report in reports), f"no {fault} in all these seeds"
    assert sum(report.attempts for report in reports) > 100 * SEEDS
    assert sum(report.entries for report in reports) > 30 * SEEDS


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run(7, trace=True).trace == run(7, trace=True).trace


def _failed(reports: list[Report]) -> list[str]:
    """What was violated, with the way to see it again; each seed is kept."""
    failed = [report for report in reports if report.violation]
    for report in failed:
        keep(report)
    return [f"{report.violation}\n  {how_to_replay(report.seed)}" for report in failed]
