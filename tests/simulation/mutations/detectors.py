"""What looks for anything wrong with the package, and the bugs that each has to find."""

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Final

from tests.simulation.erasures.moments import wrong_erasures
from tests.simulation.erasures.races import wrong_races
from tests.simulation.erasures.simulation import run_erasures
from tests.simulation.holds import crash_matrix as hold_matrix
from tests.simulation.holds.simulation import run_holds
from tests.simulation.kernel import boundaries, races
from tests.simulation.kernel.condition_checks import wrong_condition_checks
from tests.simulation.kernel.crash_matrix import CASES, try_case
from tests.simulation.kernel.reports import Report
from tests.simulation.kernel.simulation import run
from tests.simulation.kernel.violation import Violation
from tests.simulation.mutations.domain_bugs import DOMAIN_BUGS
from tests.simulation.mutations.domain_order_bugs import BUGS_OF_EVERY_ORDER, DOMAIN_ORDER_BUGS
from tests.simulation.mutations.erasure_bugs import ERASURE_BUGS
from tests.simulation.mutations.hold_bugs import HARMLESS_TO_HOLDS, HOLD_BUGS
from tests.simulation.mutations.order_bugs import ORDER_BUGS
from tests.simulation.mutations.planted import Detector
from tests.simulation.mutations.staff_bugs import STAFF_BUGS
from tests.simulation.mutations.store_bugs import HARMLESS, STORE_BUGS
from tests.simulation.orders.deliveries import deliver
from tests.simulation.orders.lifecycles import draw_history, with_other_rules
from tests.simulation.orders.single_orders import wrong_single_orders
from tests.simulation.staff.simulation import run_staff


def _simulated(
    name: str, simulate: Callable[[int], Report], seeds: int
) -> Iterator[tuple[str, str]]:
    for seed in range(seeds):
        violation = simulate(seed).violation
        if violation:
            yield f"{name}, seed {seed}", violation


def _ledger(seeds: int) -> Iterator[tuple[str, str]]:
    for wrong in wrong_condition_checks():
        yield "condition checks", wrong
    yield from _simulated("simulation", run, seeds)
    for find in (
        races.wrong_late_arrivals,
        races.wrong_rivals,
        races.wrong_states,
        races.wrong_old_orders,
    ):
        yield from (("races", wrong) for wrong in find())
    for find in (
        boundaries.wrong_boundaries,
        boundaries.wrong_orders,
        boundaries.wrong_second_spending,
        boundaries.wrong_merges,
    ):
        yield from (("boundaries", wrong) for wrong in find())
    for case in CASES:
        yield from (("crash matrix", wrong) for wrong in try_case(case))


def _orders(shops: int) -> Iterator[tuple[str, str]]:
    for wrong in wrong_single_orders():
        yield "single orders", wrong
    for seed in range(shops):
        for merges in (False, True):
            history = draw_history(seed, merges=merges)
            for later in (None, with_other_rules(history)):
                try:
                    deliver(history, seed, later)
                except Violation as violation:
                    changed = ", programme changed" if later else ""
                    yield f"lifecycles, shop {seed}{changed}", str(violation)


def _holds(seeds: int) -> Iterator[tuple[str, str]]:
    yield from _simulated("holds", run_holds, seeds)
    for case in hold_matrix.CASES:
        yield from (("holds, crash matrix", wrong) for wrong in hold_matrix.wrong_of(case))


def _erasures(seeds: int) -> Iterator[tuple[str, str]]:
    with redirect_stdout(io.StringIO()):
        raced = list(wrong_races())
    yield from raced
    for wrong in wrong_erasures():
        yield "erasures, moments", wrong
    yield from _simulated("erasures", run_erasures, seeds)


def _staff(seeds: int) -> Iterator[tuple[str, str]]:
    yield from _simulated("staff", run_staff, seeds)


LEDGER_BUGS: Final = (*STORE_BUGS, *DOMAIN_BUGS, *DOMAIN_ORDER_BUGS, *BUGS_OF_EVERY_ORDER)

DETECTORS: Final = {
    detector.name: detector
    for detector in (
        Detector("ledger", _ledger, 60, LEDGER_BUGS, HARMLESS),
        Detector("orders", _orders, 3, (*ORDER_BUGS, *BUGS_OF_EVERY_ORDER)),
        Detector("holds", _holds, 80, HOLD_BUGS, HARMLESS_TO_HOLDS),
        Detector("erasures", _erasures, 60, ERASURE_BUGS),
        Detector("staff", _staff, 60, STAFF_BUGS),
    )
}
