"""Look for anything wrong with the erasures of the package on the path, as `detect` does.

`python -m tests.simulation.mutations.detect_erasures FOLDER SEEDS`, with FOLDER first on the path.
"""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout

from tests.simulation.erasures.moments import wrong_erasures
from tests.simulation.erasures.races import wrong_races
from tests.simulation.erasures.world import run_erasures
from tests.simulation.mutations.detect import main


def findings(seeds: int) -> Iterator[tuple[str, str]]:
    """Everything that is wrong, the cheapest detector first: its name, and its words."""
    with redirect_stdout(io.StringIO()):
        raced = list(wrong_races())
    yield from raced
    for wrong in wrong_erasures():
        yield "erasures, moments", wrong
    for seed in range(seeds):
        violation = run_erasures(seed).violation
        if violation:
            yield f"erasures, seed {seed}", violation


if __name__ == "__main__":
    main(findings)
