"""Look for anything wrong with what the package on the path makes of orders, as `detect` does.

`python -m tests.simulation.mutations.detect_orders FOLDER SHOPS`, with FOLDER first on the path.
"""

from collections.abc import Iterator

from tests.simulation.kernel.violation import Violation
from tests.simulation.mutations.detect import main
from tests.simulation.orders.deliveries import deliver
from tests.simulation.orders.lifecycles import story, with_other_rules
from tests.simulation.orders.single_orders import wrong_single_orders


def findings(shops: int) -> Iterator[tuple[str, str]]:
    """Everything that is wrong: in which shop, and its words."""
    for wrong in wrong_single_orders():
        yield "single orders", wrong
    for seed in range(shops):
        for merges in (False, True):
            told = story(seed, merges=merges)
            for later in (None, with_other_rules(told)):
                try:
                    deliver(told, seed, later)
                except Violation as violation:
                    changed = ", programme changed" if later else ""
                    yield f"lifecycles, shop {seed}{changed}", str(violation)


if __name__ == "__main__":
    main(findings)
