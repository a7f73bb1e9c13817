"""On the running stack: an order that spent many lots is cancelled long after all have lapsed."""

import time
import uuid

import pytest

from local import webhooks
from local.stack import Stack
from tests.e2e.checkout import NO_POINTS, Checkout
from tests.e2e.queues import Queues, wait_until
from tests.e2e.test_holds import new_order, pass_time
from tests.support.hold_orders import order_payload
from tools.make_events_webhooks import body_of

LOTS = 25
DAY = 86_400
SECONDS_MAX = 2.0


@pytest.fixture
def queues(stack: Stack) -> Queues:
    return Queues(stack, "order_events")


def test_points_of_many_lapsed_lots_come_back_at_once_and_delay_nobody(
    stack: Stack, queues: Queues
) -> None:
    buyer, other = Checkout(stack), Checkout(stack)
    for days in range(1, LOTS + 1):
        buyer.grant(10, days)
    hold, order_id = buyer.held(10 * LOTS), new_order()
    buyer.order(hold, 10 * LOTS, order_id)
    wait_until(lambda: buyer.some("spent", "hold") == (10 * LOTS, 0), 60)

    pass_time(stack, 30 * DAY)
    queues.enable(on=False)
    try:
        later_ms = int(time.time() * 1000) + 30 * DAY * 1000
        order = order_payload(
            order_id, hold["discount_code"], 10 * LOTS, buyer.customer, later_ms, NO_POINTS
        )
        cancelled = order | {"cancelled_at": order["updated_at"], "cancel_reason": "customer"}
        assert webhooks.post(stack, "orders/cancelled", body_of(cancelled)).status == 200
        innocent = order_payload(
            new_order(), f"X-{uuid.uuid4()}", 0, other.customer, later_ms, 5_000
        )
        assert webhooks.post(stack, "orders/paid", body_of(innocent)).status == 200
    finally:
        queues.enable(on=True)

    def done() -> tuple[bool, bool]:
        return buyer.some("spent", "approved") == (0, 0), other.some("approved") != (0,)

    wait_until(lambda: any(done()), 60)
    began = time.monotonic()
    wait_until(lambda: all(done()), 60)
    assert time.monotonic() - began < SECONDS_MAX
    assert buyer.topics()[:2] == ["points/sub/expire", "points/add/refund"]
