"""Look for anything wrong with the holds of the package on the path, as `detect` does.

`python -m tests.simulation.mutations.detect_holds FOLDER SEEDS`, with FOLDER first on the path.
"""

from collections.abc import Iterator

from tests.simulation.holds.crash_matrix import CASES, wrong_of
from tests.simulation.holds.world import run_holds
from tests.simulation.mutations.detect import main


def findings(seeds: int) -> Iterator[tuple[str, str]]:
    """Everything that is wrong, and what found it."""
    for seed in range(seeds):
        violation = run_holds(seed).violation
        if violation:
            yield f"holds, seed {seed}", violation
    for case in CASES:
        for line in wrong_of(case):
            yield "holds, crash matrix", line


if __name__ == "__main__":
    main(findings)
