"""Run the simulations under many seeds, plant bugs in the package, and report.

    python -m tests.simulation.prove --seeds 2000        kept seeds, 2000 others, all planted bugs
    python -m tests.simulation.prove --seed 1765         one seed, with all that happened in it
    python -m tests.simulation.prove --seeds 0 --planted planted bugs only

Exits with 1 if a promise was broken or a planted bug was not caught. A seed that failed is added to
`seeds.txt` and replayed first from then on.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.simulation.erasures.simulation import ErasureReport, run_erasures
from tests.simulation.holds import crash_matrix as holds_matrix
from tests.simulation.holds.checker import HoldsReport
from tests.simulation.holds.simulation import run_holds
from tests.simulation.kernel.crash_matrix import CASES, count_cases, try_case
from tests.simulation.kernel.processes import in_processes
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.simulation import LedgerReport, run
from tests.simulation.mutations.detectors import DETECTORS
from tests.simulation.mutations.planted import report as report_planted
from tests.simulation.orders.deliveries import ORDERS, SHUFFLES, Delivered, deliver_shop
from tests.simulation.staff.simulation import run_staff

SEEDS_FILE: Final = Path(__file__).with_name("seeds.txt")
SEEDS_PER_SHOP: Final = 50
"""For so many seeds the orders of one shop are delivered, of every other shop with merges."""

SEEDS_PER_CHECKOUT: Final = 5
"""For so many seeds one shop whose customers use points, with a Shopify that fails, and one whose
customers are merged and erased."""

_PROGRESS_EVERY_SECONDS: Final = 2.0


def failed_seeds() -> list[int]:
    """The seeds that failed once: one a line, with a few words after it."""
    lines = SEEDS_FILE.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def how_to_replay(seed: int) -> str:
    """The command that runs one seed again."""
    return f"python -m tests.simulation.prove --seed {seed}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.prove")
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds, from 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="show one seed, step by step")
    parser.add_argument("--planted", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _show(options.seed)
    first, count, workers = options.first, options.seeds, options.workers
    failed = False
    if count:
        failed |= _prove_ledger([*failed_seeds(), *range(first, first + count)], workers)
        failed |= _prove_crash_matrix()
    if shops := range(count // SEEDS_PER_SHOP):
        failed |= _prove_orders(shops, workers)
    if seeds := range(first, first + count // SEEDS_PER_CHECKOUT):
        failed |= _prove_holds(seeds, workers)
        failed |= _prove_erasures(seeds, workers)
        failed |= _prove_staff(seeds, workers)
    if options.planted:
        failed |= _plant(workers)
    return int(failed)


def _show(seed: int) -> int:
    report = run(seed, trace=True)
    for line in report.trace:
        print(line)
    print(f"seed {seed}: {report.violation or 'no violation'}")
    return int(bool(report.violation))


def _prove_ledger(seeds: Sequence[int], workers: int) -> bool:
    """Run the seeds and keep those that fail; whether one did."""
    total, begun, shown, runs, failed = LedgerReport(), time.monotonic(), 0.0, 0, 0
    for report in in_processes(run, seeds, workers, chunk=5):
        runs += 1
        total.add(report)
        if report.violation:
            failed += 1
            _keep(report)
            print(f"\nseed {report.seed}: {report.violation}")
            print(f"  replay it: {how_to_replay(report.seed)}")
        took = time.monotonic() - begun
        if took - shown > _PROGRESS_EVERY_SECONDS:
            shown = took
            _show_progress(f"{runs:,} of {len(seeds):,} seeds, {total.attempts:,} requests")
    took = time.monotonic() - begun
    _show_progress("")
    print(f"seeds        {runs:,}")
    print(f"requests     {total.attempts:,} ({total.requests:,} different ones)")
    print(f"calls        {total.calls:,} to DynamoDB, {total.commits:,} writes")
    print(f"entries      {total.entries:,}")
    _print_counts({"faults": total.faults, "answers": total.answers, "movements": total.topics})
    print(f"violations   {failed}")
    print(f"time         {took:.0f} s, {total.attempts / max(took, 0.001):,.0f} requests a second")
    return bool(failed)


def _keep(report: Report) -> None:
    """Add a seed that failed to those that are replayed first."""
    if report.seed not in failed_seeds():
        with SEEDS_FILE.open("a") as file:
            file.write(f"{report.seed} {report.violation.splitlines()[0][:100]}\n")


def _prove_crash_matrix() -> bool:
    wrong = [line for case in CASES for line in try_case(case)]
    cases = sum(count_cases(case) for case in CASES)
    print(f"crash matrix {len(CASES)} operations, {cases:,} faults, {len(wrong)} not put right")
    return _print_wrong(wrong)


def _prove_orders(shops: Sequence[int], workers: int) -> bool:
    total, ending = _summed(Delivered(), deliver_shop, shops, workers)
    print(f"orders       {len(shops) * ORDERS:,} orders, each delivered in {SHUFFLES} ways")
    print(f"  webhooks   {total.deliveries:,} times delivered")
    print(f"  workers    {total.failures.total():,} times failed or ended half-way")
    print(f"  entries    {total.entries.total():,}")
    return ending()


def _prove_holds(seeds: Sequence[int], workers: int) -> bool:
    total, ending = _summed(HoldsReport(), run_holds, seeds, workers)
    print(f"holds        {len(seeds):,} seeds, {total.holds:,} requested")
    print(f"  requests   {total.requests:,}")
    print(f"  discounts  {total.discounts:,}")
    print(f"  orders     {total.orders:,} with their codes")
    _print_counts({"faults": total.faults, "answers": total.answers, "alarms": total.alarms}, "  ")
    seconds = total.orphaned_ms / 1000
    print(f"  orphaned   codes at most {seconds:.0f} s, then off or listed no more")
    failed = ending()
    tries = sum(map(holds_matrix.count_tries, holds_matrix.CASES))
    print(f"holds matrix {len(holds_matrix.CASES)} steps, {tries:,} faults")
    wrong = [line for case in holds_matrix.CASES for line in holds_matrix.wrong_of(case)]
    return _print_wrong(wrong) or failed


def _prove_erasures(seeds: Sequence[int], workers: int) -> bool:
    total, ending = _summed(ErasureReport(), run_erasures, seeds, workers)
    print(f"erasures     {len(seeds):,} seeds, {total.erased:,} erased")
    print(f"  merges     {total.done['merges']:,} times delivered")
    print(f"  writes     {total.done['writes']:,}")
    print(f"  faults     {total.faults.total():,}")
    return ending()


def _prove_staff(seeds: Sequence[int], workers: int) -> bool:
    total, ending = _summed(Report(), run_staff, seeds, workers)
    print(f"staff        {len(seeds):,} days")
    _print_counts({"answers": total.answers}, "  ")
    return ending()


def _summed[R: Report](
    total: R, run: Callable[[int], R], seeds: Sequence[int], workers: int
) -> tuple[R, Callable[[], bool]]:
    """Run the seeds: their sum, and what prints the violations and says whether there are any."""
    begun, wrong = time.monotonic(), list[str]()
    for report in in_processes(run, seeds, workers):
        total.add(report)
        if report.violation:
            wrong.append(f"seed {report.seed}: {report.violation}")
    took = time.monotonic() - begun

    def ending() -> bool:
        print(f"  violations {len(wrong)}, in {took:.0f} s")
        return _print_wrong(wrong)

    return total, ending


def _plant(workers: int) -> bool:
    """Plant every bug; whether one was not caught, or something harmless was taken for one."""
    begun, wrong = time.monotonic(), list[str]()
    print("planted bugs")
    for detector in DETECTORS.values():
        for line, is_wrong in report_planted(detector, workers):
            print(line, flush=True)
            wrong += [f"wrong: {line.strip()}"] * is_wrong
    print(f"planted bugs {len(wrong)} wrong, in {time.monotonic() - begun:.0f} s")
    return _print_wrong(wrong)


def _print_wrong(wrong: Iterable[str]) -> bool:
    """Print what is wrong; whether anything is."""
    lines = list(wrong)
    for line in lines:
        print(f"  {line}", flush=True)
    return bool(lines)


def _print_counts(counts: dict[str, Counter[str]], indent: str = "") -> None:
    for name, counter in counts.items():
        print(f"{indent}{name:{12 - len(indent)}} {counter.total():,}")
        for what, count in counter.most_common():
            print(f"{indent}  {what:30} {count:>{10 - len(indent)},}")


def _show_progress(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r{text:78}", end="" if text else "\r", flush=True)


if __name__ == "__main__":
    sys.exit(main())
