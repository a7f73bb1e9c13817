"""Every topic that changes approved points, made in a real way and seen by Shopify Flow."""

from collections.abc import Callable
from typing import Any

import pytest

from local import demo, webhooks
from local.stack import Stack
from pointbook.domain.entry import Topic
from tests.e2e.asking import adjust, invoke, operate
from tests.e2e.checkout import Checkout
from tests.e2e.test_flow_loops import act
from tests.e2e.test_holds import new_order, pass_time
from tests.e2e.test_triggers import (
    APPROVED,
    CHANGED,
    Flow,
    a_customer,
    must_have_declared_fields,
    wait_until,
)
from tests.support.hold_orders import order_payload
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

DAY = 86_400
ORDERED_AT_MS = 1_795_000_000_000

NOT_TOLD = {Topic.PENDING_ADD, Topic.PENDING_CANCEL, Topic.HOLD_SPENT, Topic.EXPIRED_SPENT}
"""These leave approved as it is."""


class Shop:
    """What happens in the shop, and what its Flow is told about it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.flow = Flow(stack)
        self.seen: set[str] = set()

    def tell(self, topic: str, body: dict[str, Any]) -> None:
        """A webhook."""
        assert webhooks.post(self.stack, topic, body_of(body)).status == 200

    def must_be_told(self, customer: str, *topics: Topic) -> None:
        """Flow is told of these and no other topics since the customer's first."""
        wait_until(lambda: len(self.told(customer)) >= len(topics), 60)
        assert self.told(customer) == [topic.value for topic in topics]
        self.must_be_whole(customer)
        self.seen |= set(topics)

    def must_be_whole(self, customer: str) -> None:
        """Each entry by both triggers, or only by the second, in order, with declared fields."""
        wait_until(lambda: self.flow.told(customer)[-1]["handle"] == CHANGED, 60)
        found = self.flow.told(customer)
        for one in found:
            must_have_declared_fields(one)
        seen = [(one["payload"]["Entry Id"], one["handle"]) for one in found]
        assert seen == sorted(set(seen)), "once, in order, and approved before all figures"
        changed = [entry for entry, handle in seen if handle == CHANGED]
        assert {entry for entry, _ in seen} == set(changed)
        assert [int(entry[-12:]) for entry in changed] == list(range(1, len(changed) + 1))

    def told(self, customer: str) -> list[str]:
        return [
            one["payload"]["Topic"] for one in self.flow.told(customer) if one["handle"] == APPROVED
        ]


def order_of(customer: str, order_id: str, **changes: Any) -> dict[str, Any]:
    """An order of 6,000 yen."""
    lines = [shopify_payloads.line(1, "3000", 2, taxes=["545"])]
    body = shopify_payloads.order(lines, "6000", total_tax="545", id=int(order_id), **changes)
    return body | {"customer": shopify_payloads.customer(int(customer))}


def order_and_refund(shop: Shop) -> None:
    customer, order_id = a_customer(), new_order()
    shop.tell("customers/create", shopify_payloads.customer(int(customer)))
    shop.must_be_told(customer, Topic.ADD_SIGN_UP)
    shop.tell("orders/paid", order_of(customer, order_id))
    shop.must_be_told(customer, Topic.ADD_SIGN_UP, Topic.ADD_ORDER)
    (line,) = order_of(customer, order_id)["line_items"]
    back = shopify_payloads.refund_line(line, 1, 3000, 272)
    refund = shopify_payloads.refund([back], [shopify_payloads.transaction("3000")])
    shop.tell("refunds/create", refund | {"id": int(new_order()), "order_id": int(order_id)})
    shop.must_be_told(customer, Topic.ADD_SIGN_UP, Topic.ADD_ORDER, Topic.SUB_REFUND)


def counter(shop: Shop) -> None:
    """Points that an order says were used at a till. The order earns nothing."""
    customer = a_customer()
    act(shop.stack, "grant", customer, points=1000)
    used = [shopify_payloads.metafield("omni_hub", "point_used", "500")]
    cheap = [shopify_payloads.line(1, "50")]
    body = order_of(customer, new_order(), metafields=used, line_items=cheap)
    shop.tell("orders/paid", body)
    shop.must_be_told(customer, Topic.ADD_FLOW, Topic.SUB_ORDER)


def holds(shop: Shop) -> None:
    """One is given back, one is used; then its order is cancelled."""
    buyer = Checkout(shop.stack)
    buyer.grant(1000)
    assert act(shop.stack, "consume", buyer.customer, points=100).status_code == 200
    assert buyer.release(buyer.held(500)).status_code == 200
    hold, order_id = buyer.held(500), new_order()
    told = (Topic.ADD_FLOW, Topic.SUB_FLOW, Topic.SUB_HOLD, Topic.ADD_HOLD, Topic.SUB_HOLD)
    shop.must_be_told(buyer.customer, *told)

    def order(at_ms: int) -> dict[str, Any]:
        return order_payload(order_id, hold["discount_code"], 500, buyer.customer, at_ms, 50)

    shop.tell("orders/paid", order(ORDERED_AT_MS))
    wait_until(lambda: buyer.some("spent", "hold") == (600, 0), 60)
    news = order(ORDERED_AT_MS + 1000)
    cancelled = {"cancelled_at": news["updated_at"], "cancel_reason": "customer"}
    shop.tell("orders/cancelled", news | cancelled)
    shop.must_be_told(buyer.customer, *told, Topic.ADD_REFUND)


def merge(shop: Shop) -> None:
    kept, gone = a_customer(), a_customer()
    for customer in (kept, gone):
        act(shop.stack, "grant", customer)
        shop.must_be_told(customer, Topic.ADD_FLOW)
    body = shopify_payloads.merge("completed") | {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}",
    }
    shop.tell("customers/merge", body)
    shop.must_be_told(gone, Topic.ADD_FLOW, Topic.SUB_MERGE)
    shop.must_be_told(kept, Topic.ADD_FLOW, Topic.ADD_MERGE)


def expiry(shop: Shop) -> None:
    customer = a_customer()
    act(shop.stack, "grant", customer, days_to_expire=1)
    pass_time(shop.stack, 2 * DAY)
    invoke(shop.stack, "expiry")
    shop.must_be_told(customer, Topic.ADD_FLOW, Topic.SUB_EXPIRE)


def operators(shop: Shop) -> None:
    """A balance is taken over, then staff add points and take some away."""
    customer = a_customer()
    row = {"row": 1, "customer_id": customer, "title": "Balance", "point": 500}
    content = {"shop": demo.SHOP_DOMAIN, "rows": [row]}
    assert operate(shop.stack, f"imports/move-{customer}", content).status_code == 200
    assert adjust(shop.stack, customer, 200, "more").status_code == 201
    assert adjust(shop.stack, customer, -50, "less").status_code == 201
    shop.must_be_told(customer, Topic.ADD_IMPORT, Topic.ADD_MANUAL, Topic.SUB_MANUAL)


SCENES: dict[Callable[[Shop], None], set[Topic]] = {
    order_and_refund: {Topic.ADD_SIGN_UP, Topic.ADD_ORDER, Topic.SUB_REFUND},
    counter: {Topic.ADD_FLOW, Topic.SUB_ORDER},
    holds: {Topic.SUB_FLOW, Topic.SUB_HOLD, Topic.ADD_HOLD, Topic.ADD_REFUND},
    merge: {Topic.SUB_MERGE, Topic.ADD_MERGE},
    operators: {Topic.ADD_IMPORT, Topic.ADD_MANUAL, Topic.SUB_MANUAL},
    expiry: {Topic.SUB_EXPIRE},
}
"""What happens, and which topics are seen in it."""


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_what_happens_reaches_flow_under_its_topic(
    stack: Stack, scene: Callable[[Shop], None]
) -> None:
    shop = Shop(stack)
    scene(shop)
    assert SCENES[scene] <= shop.seen


def test_every_topic_is_seen_somewhere() -> None:
    assert set().union(*SCENES.values()) == set(Topic) - NOT_TOLD
