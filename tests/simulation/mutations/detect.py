"""Look for anything wrong with the package on the path, with one detector after another.

Run by `planted` on copies of the package, with FOLDER first on the path:
`python -m tests.simulation.mutations.detect FOLDER SEEDS`. The last line that it prints is JSON:
what caught the bug, and the violation's words.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pointbook
from tests.simulation.kernel.boundaries import (
    wrong_boundaries,
    wrong_merges,
    wrong_orders,
    wrong_second_spending,
)
from tests.simulation.kernel.condition_checks import wrong_condition_checks
from tests.simulation.kernel.crash_matrix import CASES, try_case
from tests.simulation.kernel.races import (
    wrong_late_arrivals,
    wrong_moments,
    wrong_old_orders,
    wrong_rivals,
)
from tests.simulation.kernel.world import run


def findings(seeds: int) -> Iterator[tuple[str, str]]:
    """Everything that is wrong, the cheapest detector first: its name, and its words."""
    for wrong in wrong_condition_checks():
        yield "guards", wrong
    for seed in range(seeds):
        violation = run(seed).violation
        if violation:
            yield f"simulation, seed {seed}", violation
    for wrong in (*wrong_late_arrivals(), *wrong_rivals(), *wrong_moments(), *wrong_old_orders()):
        yield "races", wrong
    for wrong in (
        *wrong_boundaries(),
        *wrong_orders(),
        *wrong_second_spending(),
        *wrong_merges(),
    ):
        yield "boundaries", wrong
    for case in CASES:
        for wrong in try_case(case):
            yield "crash matrix", wrong


type Detector = Callable[[int], Iterator[tuple[str, str]]]


def first_finding(detector: Detector, seeds: int) -> tuple[str, str]:
    """The first thing that is wrong; empty where nothing is. Whatever is raised is one too."""
    try:
        return next(detector(seeds), ("", ""))
    except Exception as error:  # noqa: BLE001 - a bug may break anything in any way
        return f"it breaks: {type(error).__name__}", str(error)


def main(detector: Detector = findings) -> None:
    """Say what the detector found first."""
    folder, seeds = Path(sys.argv[1]), int(sys.argv[2])
    at = Path(pointbook.__file__ or "").resolve()
    if not at.is_relative_to(folder.resolve()):
        raise SystemExit(f"the package at {at} is looked at, not the one in {folder}")
    caught_by, detail = first_finding(detector, seeds)
    sys.stdout.write(json.dumps({"caught_by": caught_by, "detail": detail[:300]}) + "\n")


if __name__ == "__main__":
    main()
