"""On the running stack: orders that spent many lots are cancelled long after all have lapsed."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.stack import Stack
from tests.e2e.calls import DAY, new_order, pass_time, post, wait_until
from tests.e2e.customers import NO_POINTS, Customer
from tests.e2e.queues import Queues
from tests.support.hold_orders import order_payload

LOTS = (1, 19, 20, 21, 60, 100, 120)
SECONDS_MAX = 2.0


@pytest.fixture
def queues(stack: Stack) -> Queues:
    return Queues(stack, "order_events")


def spend(stack: Stack, lots: int) -> tuple[Customer, str, str]:
    """A customer who used all points of so many lots, the order and its code."""
    buyer = Customer(stack)
    for days in range(1, lots + 1):
        buyer.grant(10, days)
    hold, order_id = buyer.held(10 * lots), new_order()
    buyer.order(hold, 10 * lots, order_id)
    wait_until(lambda: buyer.some("spent", "hold") == (10 * lots, 0))
    return buyer, order_id, hold["discount_code"]


def test_points_of_any_number_of_lapsed_lots_come_back_at_once_and_delay_nobody(
    stack: Stack, queues: Queues
) -> None:
    with ThreadPoolExecutor(4) as pool:
        spent = list(pool.map(lambda lots: spend(stack, lots), LOTS))
    pass_time(stack, (max(LOTS) + 5) * DAY)
    later_ms = int(time.time() * 1000) + (max(LOTS) + 5) * DAY * 1000
    for lots, (buyer, order_id, code) in zip(LOTS, spent, strict=True):
        other = Customer(stack)
        order = order_payload(order_id, code, 10 * lots, buyer.id, later_ms, NO_POINTS)
        cancelled = order | {"cancelled_at": order["updated_at"], "cancel_reason": "customer"}
        unrelated = order_payload(new_order(), "", 0, other.id, later_ms, 5_000)
        queues.enable(on=False)
        try:
            post(stack, "orders/cancelled", cancelled)
            post(stack, "orders/paid", unrelated)
        finally:
            queues.enable(on=True)

        def done(buyer: Customer = buyer, other: Customer = other) -> tuple[bool, bool]:
            return buyer.some("spent", "approved") == (0, 0), other.some("approved") != (0,)

        wait_until(lambda done=done: any(done()))  # type: ignore[misc]
        began = time.monotonic()
        wait_until(lambda done=done: all(done()))  # type: ignore[misc]
        assert time.monotonic() - began < SECONDS_MAX, f"{lots} lots"
        assert buyer.topics()[:2] == ["points/sub/expire", "points/add/refund"]
