"""Run the ledger under as many seeds as one likes, plant bugs in it, and report.

python -m tests.simulation.prove --seeds 2000           kept seeds, 2000 others, all planted bugs
python -m tests.simulation.prove --seed 1765            one seed, with all that happened in it
python -m tests.simulation.prove --seeds 0 --planted    planted bugs only

Ends with 1 if anything was violated or a planted bug was not caught. A failing seed is kept in
`seeds.txt`, and from then on replayed first.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.simulation.erasures import prove as prove_erasures
from tests.simulation.holds import prove as prove_holds
from tests.simulation.kernel.crash_matrix import CASES, count_cases, try_case
from tests.simulation.kernel.processes import in_processes
from tests.simulation.kernel.world import Report, run
from tests.simulation.mutations.detectors import DETECTORS
from tests.simulation.mutations.planted import report as report_planted
from tests.simulation.orders import prove as prove_lifecycles

SEEDS_FILE: Final = Path(__file__).with_name("seeds.txt")
SEEDS_FOR_A_SHOP: Final = 50
"""For every so many seeds one shop of a hundred orders is told, every other one with merges."""

SEEDS_FOR_A_CHECKOUT: Final = 5
"""For every so many seeds one shop whose customers use their points, with a Shopify that fails, and
one whose customers are merged and erased."""

_PROGRESS_EVERY_SECONDS: Final = 2.0


def kept_seeds() -> list[int]:
    """The seeds that failed once: one a line, with a few words after it."""
    lines = SEEDS_FILE.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def keep(report: Report) -> None:
    """Keep a seed that failed."""
    if report.seed not in kept_seeds():
        with SEEDS_FILE.open("a") as file:
            file.write(f"{report.seed} {report.violation.splitlines()[0][:100]}\n")


def runs(seeds: Sequence[int], workers: int) -> Iterator[Report]:
    """The reports of these seeds, in order."""
    return in_processes(run, seeds, workers, chunk=5)


def how_to_replay(seed: int) -> str:
    """The command that shows one seed again."""
    return f"python -m tests.simulation.prove --seed {seed}"


@dataclass(slots=True)
class Sum:
    """What all runs came to."""

    runs: int = 0
    asks: int = 0
    requests: int = 0
    calls: int = 0
    commits: int = 0
    entries: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    failed: list[Report] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """Count one run in."""
        self.runs += 1
        self.asks += report.asks
        self.requests += report.attempts
        self.calls += report.calls
        self.commits += report.commits
        self.entries += report.entries
        self.faults.update(report.faults)
        self.answers.update(report.answers)
        self.topics.update(report.topics)
        if report.violation:
            self.failed.append(report)

    def lines(self) -> Iterator[str]:
        """The report."""
        yield f"seeds        {self.runs:,}"
        yield f"requests     {self.requests:,} ({self.asks:,} different ones)"
        yield f"calls        {self.calls:,} to DynamoDB, {self.commits:,} writes"
        yield f"entries      {self.entries:,}"
        yield from _counted("faults", self.faults)
        yield from _counted("answers", self.answers)
        yield from _counted("movements", self.topics)
        yield f"violations   {len(self.failed)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 0: all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.prove")
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds, from 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="show one seed, step by step")
    parser.add_argument("--planted", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        return _show(asked.seed)
    kept = kept_seeds()
    seeds = [*kept, *range(asked.first, asked.first + asked.seeds)]
    failed = _prove(seeds, asked.workers) if asked.seeds else False
    failed = (_try_matrix() if asked.seeds else False) or failed
    shops = range(asked.seeds // SEEDS_FOR_A_SHOP)
    failed = _print(prove_lifecycles.tell(shops, asked.workers) if shops else ()) or failed
    checkouts = range(asked.first, asked.first + asked.seeds // SEEDS_FOR_A_CHECKOUT)
    failed = _print(prove_holds.prove(checkouts, asked.workers) if checkouts else ()) or failed
    failed = _print(prove_erasures.prove(checkouts, asked.workers) if checkouts else ()) or failed
    if asked.planted:
        failed = _plant(asked.workers) or failed
    return 1 if failed else 0


def _show(seed: int) -> int:
    report = run(seed, trace=True)
    for line in report.trace:
        print(line)
    print(f"seed {seed}: {report.violation or 'no violation'}")
    return 1 if report.violation else 0


def _prove(seeds: list[int], workers: int) -> bool:
    """Run the seeds; whether anything was violated."""
    total, begun, said = Sum(), time.monotonic(), 0.0
    for report in runs(seeds, workers):
        total.add(report)
        if report.violation:
            keep(report)
            print(f"\nseed {report.seed}: {report.violation}")
            print(f"  replay it: {how_to_replay(report.seed)}")
        took = time.monotonic() - begun
        if took - said > _PROGRESS_EVERY_SECONDS:
            said = took
            _say(f"{total.runs:,} of {len(seeds):,} seeds, {total.requests:,} requests")
    took = time.monotonic() - begun
    _say("")
    for line in total.lines():
        print(line)
    print(f"time         {took:.0f} s, {total.requests / max(took, 0.001):,.0f} requests a second")
    return bool(total.failed)


def _try_matrix() -> bool:
    """The crash matrix; whether anything did not come right."""
    wrong = [line for case in CASES for line in try_case(case)]
    cases = sum(count_cases(case) for case in CASES)
    print(f"crash matrix {len(CASES)} operations, {cases:,} faults, {len(wrong)} not put right")
    for line in wrong:
        print(f"  {line}")
    return bool(wrong)


def _plant(workers: int) -> bool:
    """Plant every bug; whether one was not caught, or something harmless was taken for one."""
    begun, wrong = time.monotonic(), list[str]()
    print("planted bugs")
    for detector in DETECTORS.values():
        for line, is_wrong in report_planted(detector, workers):
            print(line, flush=True)
            wrong += [line] * is_wrong
    print(f"planted bugs {len(wrong)} wrong, in {time.monotonic() - begun:.0f} s")
    for line in wrong:
        print(f"  wrong: {line.strip()}")
    return bool(wrong)


def _print(lines: Iterable[tuple[str, bool]]) -> bool:
    """Print lines; whether one of them tells of something wrong."""
    failed = False
    for line, is_wrong in lines:
        print(line, flush=True)
        failed = failed or is_wrong
    return failed


def _say(words: str) -> None:
    if sys.stdout.isatty():
        print(f"\r{words:78}", end="" if words else "\r", flush=True)


def _counted(name: str, counted: Counter[str]) -> Iterator[str]:
    yield f"{name:12} {counted.total():,}"
    for what, count in counted.most_common():
        yield f"  {what:30} {count:>10,}"


if __name__ == "__main__":
    sys.exit(main())
