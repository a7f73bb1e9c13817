"""Whatever Shopify sends of a shop's orders, in whatever order and however often: the same points.

`make prove` plants every bug of `lifecycle_bugs`; here some of them.
"""

import os
from collections import Counter

import pytest

from tests.simulation.kernel.processes import in_processes
from tests.simulation.orders.deliveries import Delivered, deliver, deliver_and_let_expire
from tests.simulation.orders.lifecycles import LAST_DAYS, story, with_other_rules
from tests.simulation.orders.prove import ORDERS, SHUFFLES, told
from tests.simulation.orders.single_orders import wrong_single_orders

SHOPS = 10
WORKERS = os.cpu_count() or 1


def test_a_thousand_orders_come_to_the_same_points_however_they_are_told() -> None:
    reports = list[Delivered]()
    for outcome in in_processes(told, range(SHOPS), WORKERS):
        assert not isinstance(outcome, str), outcome
        reports += outcome
    assert sum(report.orders for report in reports) == SHOPS * ORDERS * SHUFFLES
    assert sum(report.deliveries for report in reports) > 1.5 * sum(r.messages for r in reports)
    assert sum(report.failures["Crash"] for report in reports) > SHOPS * SHUFFLES
    lies = sum((report.lies for report in reports), Counter[str]())
    assert min(lies["taken"], lies["refused"]) > SHOPS * SHUFFLES
    assert sum(report.failures["TagsUnknown"] for report in reports) > SHOPS * SHUFFLES
    assert sum(report.garbled for report in reports) > SHOPS * SHUFFLES
    happened = {topic for report in reports for topic in report.entries}
    for topic in ("sub/refund", "pending/cancel", "sub/order", "add/refund", "hold/spent"):
        assert f"points/{topic}" in happened
    assert "points/add/merge" in happened


def test_a_change_of_the_programme_changes_nothing_of_orders_that_were_seen_before() -> None:
    """All that comes later (edits, refunds, cancellations) is reckoned by the rule of the order."""
    for seed in range(3):
        happened = story(seed, orders=40)
        deliver(happened, seed, later=with_other_rules(happened))


@pytest.mark.parametrize("merges", [False, True])
def test_in_the_end_every_point_was_spent_or_expired_or_is_owed(merges: bool) -> None:
    for seed in range(2):
        told = story(seed, orders=40, merges=merges, expiry=f"days:{LAST_DAYS}")
        deliver_and_let_expire(told, seed)


def test_a_delivery_runs_the_same_way_each_time() -> None:
    told = story(3, orders=20, merges=True)
    assert deliver(told, 1) == deliver(story(3, orders=20, merges=True), 1) != deliver(told, 2)


def test_points_spent_on_an_order_are_those_of_its_hold_and_come_back_with_its_refund() -> None:
    assert list(wrong_single_orders()) == []
