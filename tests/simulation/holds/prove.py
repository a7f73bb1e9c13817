"""The proof of holds as a part of `prove`: shops with a Shopify that fails, and bugs planted."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.simulation.holds.crash_matrix import CASES, count_tries, wrong_of
from tests.simulation.holds.world import run_holds
from tests.simulation.kernel.processes import in_processes


def prove(seeds: Sequence[int], workers: int) -> Iterator[tuple[str, bool]]:
    """Run the seeds and the matrix; lines, and whether they are about what is wrong."""
    begun, reports = time.monotonic(), list(in_processes(run_holds, seeds, workers))
    answers, faults, alarms = Counter[str](), Counter[str](), Counter[str]()
    for report in reports:
        answers.update(report.answers)
        faults.update(report.faults)
        alarms.update(report.alarms)
    wrong = [f"seed {one.seed}: {one.violation}" for one in reports if one.violation]
    orphaned_seconds = max((one.orphaned_ms for one in reports), default=0) / 1000
    yield (
        f"holds        {len(seeds):,} seeds, {sum(one.wishes for one in reports):,} requested",
        False,
    )
    yield f"  requests   {sum(one.requests for one in reports):,}", False
    yield f"  discounts  {sum(one.discounts for one in reports):,}", False
    yield f"  orders     {sum(one.orders for one in reports):,} with their codes", False
    for name, counted in (("faults", faults), ("answers", answers), ("alarms", alarms)):
        yield f"  {name:10} {counted.total():,}", False
        for what, count in counted.most_common():
            yield f"    {what:30} {count:>8,}", False
    yield f"  orphaned   codes at most {orphaned_seconds:.0f} s, then off or listed no more", False
    yield f"  violations {len(wrong)}, in {time.monotonic() - begun:.0f} s", False
    wrong += [line for case in CASES for line in wrong_of(case)]
    tries = sum(map(count_tries, CASES))
    yield f"holds matrix {len(CASES)} steps, {tries:,} faults", False
    yield from ((f"  {one}", True) for one in wrong)
