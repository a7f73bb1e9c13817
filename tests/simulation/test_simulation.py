"""Whatever fails, and whoever runs into whom: every promise holds, under every seed.

`make prove SEEDS=n` runs as many as one likes.
"""

import os

import pytest

from tests.simulation.kernel.world import Report, run
from tests.simulation.mutations.bugs import BUGS, HARMLESS, Bug
from tests.simulation.mutations.planted import broken, search
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


def test_every_planted_bug_still_finds_its_place() -> None:
    assert len(BUGS) >= 28
    assert len({bug.name for bug in (*BUGS, *HARMLESS)}) == len(BUGS) + len(HARMLESS)
    for bug in (*BUGS, *HARMLESS):
        assert broken(bug)


# One of each kind; `make prove` plants them all.
PLANTED = (
    "entry written over another",
    "refused on an old read",
    "a reader sees what has fallen due",
    "a clock that runs back",
    "lots unsorted",
    "a debt not repaid",
    "a hash without the one before",
)


def test_planted_bugs_are_caught() -> None:
    chosen = [bug for bug in BUGS if bug.name in PLANTED]
    assert len(chosen) == len(PLANTED)
    for finding in search(chosen, seeds=20, workers=WORKERS):
        assert finding.caught_by, f"{finding.bug.name} is not caught"


def test_a_text_that_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="not 1"):
        broken(Bug("gone", "ledger/ledger.py", "no such text", ""))


def _failed(reports: list[Report]) -> list[str]:
    """What was violated, with the way to see it again; each seed is kept."""
    failed = [report for report in reports if report.violation]
    for report in failed:
        keep(report)
    return [f"{report.violation}\n  {how_to_replay(report.seed)}" for report in failed]
