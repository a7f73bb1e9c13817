"""The proof of erasures as a part of `prove`: shops whose customers are merged and erased."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.simulation.erasures.world import run_erasures
from tests.simulation.kernel.processes import in_processes


def prove(seeds: Sequence[int], workers: int) -> Iterator[tuple[str, bool]]:
    """Run the seeds; lines, and whether they are about what is wrong."""
    begun, reports = time.monotonic(), list(in_processes(run_erasures, seeds, workers))
    faults = Counter[str]()
    for report in reports:
        faults.update(report.faults)
    wrong = [f"seed {one.seed}: {one.violation}" for one in reports if one.violation]
    yield f"erasures     {len(seeds):,} seeds, {sum(one.erased for one in reports):,} erased", False
    yield f"  merges     {sum(one.done['merges'] for one in reports):,} times delivered", False
    yield f"  writes     {sum(one.done['writes'] for one in reports):,}", False
    yield f"  faults     {faults.total():,}", False
    yield f"  violations {len(wrong)}, in {time.monotonic() - begun:.0f} s", False
    yield from ((f"  {one}", True) for one in wrong)
