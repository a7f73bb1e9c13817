"""Plant one bug in this process and look for anything wrong, with one detector.

Run by `planted`: `python -m tests.simulation.mutations.detect DETECTOR BUG [SEEDS]`. The last line
that it prints is JSON: what caught the bug, and the violation's words.
"""

import json
import sys

from tests.simulation.mutations.detectors import DETECTORS
from tests.simulation.mutations.planted import first_finding


def main(name: str, bug: str, seeds: str = "") -> None:
    """Say what the detector found first."""
    detector = DETECTORS[name]
    caught_by, detail = first_finding(detector, detector.named(bug), int(seeds or detector.seeds))
    sys.stdout.write(json.dumps({"caught_by": caught_by, "detail": detail[:300]}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
