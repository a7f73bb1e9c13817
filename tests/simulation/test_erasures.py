"""Whoever is merged and erased in whatever order, and whatever is under way: nothing is left.

`make prove` runs more seeds and plants every bug of `erasure_bugs`; here some of them.
"""

import os
from collections import Counter

from tests.simulation.erasures.moments import wrong_erasures
from tests.simulation.erasures.races import (
    wrong_late_files,
    wrong_later_orders,
    wrong_order_races,
)
from tests.simulation.erasures.world import run_erasures
from tests.simulation.kernel.processes import in_processes

SEEDS = 16
WORKERS = os.cpu_count() or 1


def test_nothing_of_an_erased_customer_is_left_and_no_sum_changes_under_any_seed() -> None:
    reports = list(in_processes(run_erasures, range(SEEDS), WORKERS))
    assert [f"{one.seed}: {one.violation}" for one in reports if one.violation] == []
    assert sum(one.erased for one in reports) > 2 * SEEDS
    faults = sum((one.faults for one in reports), Counter[str]())
    assert faults.total() > 10 * SEEDS


def test_news_of_a_merged_customers_order_while_they_are_erased_leaves_no_trace_of_them() -> None:
    assert list(wrong_order_races()) == []


def test_another_redaction_adds_its_orders_while_the_first_is_open_and_after_it() -> None:
    assert list(wrong_later_orders()) == []


def test_a_file_that_arrives_after_its_customer_was_erased_is_deleted_by_the_schedule() -> None:
    assert list(wrong_late_files()) == []


def test_no_moment_of_an_erasure_leaves_a_request_or_a_pseudonym_behind() -> None:
    assert list(wrong_erasures()) == []


def test_a_seed_runs_the_same_way_each_time() -> None:
    assert run_erasures(7) == run_erasures(7) != run_erasures(8)
