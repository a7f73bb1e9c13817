"""Nothing is left of erased customers, in whatever order they are merged, whatever is under way.

`make prove` runs more seeds.
"""

from tests.simulation.erasures.moments import wrong_erasures
from tests.simulation.erasures.races import (
    wrong_late_files,
    wrong_later_orders,
    wrong_order_races,
)
from tests.simulation.erasures.simulation import run_erasures
from tests.simulation.kernel.processes import WORKERS, in_processes

SEEDS = 16


def test_nothing_of_an_erased_customer_is_left_and_no_sum_changes_under_any_seed() -> None:
    reports = list(in_processes(run_erasures, range(SEEDS), WORKERS))
    assert [f"{one.seed}: {one.violation}" for one in reports if one.violation] == []
    assert sum(one.erased for one in reports) > 2 * SEEDS
    assert sum(one.faults.total() for one in reports) > 10 * SEEDS


def test_an_update_of_a_merged_customers_order_during_their_erasure_leaves_no_trace_of_them() -> (
    None
):
    assert list(wrong_order_races()) == []


def test_another_redaction_adds_its_orders_while_the_first_is_open_and_after_it() -> None:
    assert list(wrong_later_orders()) == []


def test_a_file_that_arrives_after_its_customer_was_erased_is_deleted_by_the_schedule() -> None:
    assert list(wrong_late_files()) == []


def test_no_moment_of_an_erasure_leaves_a_request_or_a_pseudonym_behind() -> None:
    assert list(wrong_erasures()) == []


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run_erasures(7) == run_erasures(7) != run_erasures(8)
