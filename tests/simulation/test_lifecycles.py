"""Whatever Shopify sends of a shop's orders, in any order and however often: the same points."""

import pytest

from tests.simulation.kernel.processes import WORKERS, in_processes
from tests.simulation.orders.deliveries import (
    ORDERS,
    SHUFFLES,
    Delivered,
    deliver,
    deliver_and_let_expire,
    deliver_shop,
)
from tests.simulation.orders.lifecycles import LAST_DAYS, draw_history, with_other_rules
from tests.simulation.orders.single_orders import wrong_single_orders

SHOPS = 10


def test_a_thousand_orders_come_to_the_same_points_in_whatever_way_they_are_delivered() -> None:
    total = Delivered()
    for report in in_processes(deliver_shop, range(SHOPS), WORKERS):
        assert not report.violation, f"shop {report.seed}: {report.violation}"
        total.add(report)
    assert total.orders == SHOPS * ORDERS * SHUFFLES
    assert total.deliveries > 1.5 * total.messages
    many = SHOPS * SHUFFLES
    assert min(total.lies["taken"], total.lies["refused"]) > many
    assert min(total.failures["Crash"], total.failures["TagsUnknown"], total.garbled) > many
    for topic in ("sub/refund", "pending/cancel", "sub/order", "add/refund", "hold/spent"):
        assert f"points/{topic}" in total.entries
    assert "points/add/merge" in total.entries


def test_a_change_of_the_programme_changes_nothing_of_orders_that_were_seen_before() -> None:
    """Edits, refunds and cancellations that come later follow the rule of the order."""
    for seed in range(3):
        happened = draw_history(seed, orders=40)
        deliver(happened, seed, later=with_other_rules(happened))


@pytest.mark.parametrize("merges", [False, True])
def test_in_the_end_every_point_was_spent_or_expired_or_is_owed(merges: bool) -> None:
    for seed in range(2):
        history = draw_history(seed, orders=40, merges=merges, expiry=f"days:{LAST_DAYS}")
        deliver_and_let_expire(history, seed)


def delivered(seed: int) -> Delivered:
    return deliver(draw_history(3, orders=20, merges=True), seed)


def test_a_delivery_runs_the_same_way_each_time_and_in_each_process() -> None:
    (elsewhere,) = in_processes(delivered, [1], workers=2)
    assert delivered(1) == elsewhere != delivered(2)


def test_points_spent_on_an_order_are_those_of_its_hold_and_come_back_with_its_refund() -> None:
    assert list(wrong_single_orders()) == []
