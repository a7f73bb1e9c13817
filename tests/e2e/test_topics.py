"""Every topic that changes approved points reaches Shopify Flow, however it comes about."""

from collections.abc import Callable
from typing import Any

import pytest

from local import demo
from local.stack import Stack
from pointbook.domain.entry import Topic
from tests.e2e.calls import (
    DAY,
    adjust,
    invoke,
    merge,
    must_flow,
    new_customer,
    new_order,
    operate,
    pass_time,
    post,
    wait_until,
)
from tests.e2e.customers import Customer
from tests.e2e.fake_shopify import FakeShopify
from tests.e2e.test_triggers import APPROVED, CHANGED, must_have_declared_fields
from tests.support.hold_orders import order_payload
from tools import shopify_payloads

ORDERED_AT_MS = 1_795_000_000_000

NOT_PUBLISHED = {
    *(Topic.PENDING_ADD, Topic.PENDING_CANCEL, Topic.HOLD_SPENT, Topic.EXPIRED_SPENT),
    Topic.EXPIRY_EXTEND,
}
"""These do not change approved points."""


class Shop:
    """What happens in the shop, and what is published of it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.shopify = FakeShopify(stack)
        self.seen: set[str] = set()

    def send(self, topic: str, body: dict[str, Any]) -> None:
        """A webhook."""
        post(self.stack, topic, body)

    def must_publish(self, customer: str, *topics: Topic) -> None:
        """These topics and no others are published since the customer's first."""
        wait_until(lambda: len(self.published(customer)) >= len(topics), 60)
        assert self.published(customer) == [topic.value for topic in topics]
        self.must_be_whole(customer)
        self.seen |= set(topics)

    def must_be_whole(self, customer: str) -> None:
        """Each entry by both triggers, or only by the second, in order, with declared fields."""
        wait_until(lambda: self.shopify.triggers(customer)[-1]["handle"] == CHANGED, 60)
        found = self.shopify.triggers(customer)
        for one in found:
            must_have_declared_fields(one)
        seen = [(one["payload"]["Entry Id"], one["handle"]) for one in found]
        assert seen == sorted(set(seen)), "once, in order, and approved before all figures"
        changed = [entry for entry, handle in seen if handle == CHANGED]
        assert {entry for entry, _ in seen} == set(changed)
        assert [int(entry[-12:]) for entry in changed] == list(range(1, len(changed) + 1))

    def published(self, customer: str) -> list[str]:
        found = self.shopify.triggers(customer, handle=APPROVED)
        return [one["payload"]["Topic"] for one in found]


def order_of(customer: str, order_id: str, **changes: Any) -> dict[str, Any]:
    """An order of 6,000 yen."""
    lines = [shopify_payloads.line(1, "3000", 2, taxes=["545"])]
    body = shopify_payloads.order(lines, "6000", total_tax="545", id=int(order_id), **changes)
    return body | {"customer": shopify_payloads.customer(int(customer))}


def order_and_refund(shop: Shop) -> None:
    customer, order_id = new_customer(), new_order()
    shop.send("customers/create", shopify_payloads.customer(int(customer)))
    shop.must_publish(customer, Topic.ADD_SIGN_UP)
    shop.send("orders/paid", order_of(customer, order_id))
    shop.must_publish(customer, Topic.ADD_SIGN_UP, Topic.ADD_ORDER)
    (line,) = order_of(customer, order_id)["line_items"]
    back = shopify_payloads.refund_line(line, 1, 3000, 272)
    refund = shopify_payloads.refund([back], [shopify_payloads.transaction("3000")])
    shop.send("refunds/create", refund | {"id": int(new_order()), "order_id": int(order_id)})
    shop.must_publish(customer, Topic.ADD_SIGN_UP, Topic.ADD_ORDER, Topic.SUB_REFUND)


def counter(shop: Shop) -> None:
    """Points that an order says were used at a till. The order earns nothing."""
    customer = new_customer()
    must_flow(shop.stack, "grant", customer, points=1000)
    used = [shopify_payloads.metafield("omni_hub", "point_used", "500")]
    cheap = [shopify_payloads.line(1, "50")]
    body = order_of(customer, new_order(), metafields=used, line_items=cheap)
    shop.send("orders/paid", body)
    shop.must_publish(customer, Topic.ADD_FLOW, Topic.SUB_ORDER)


def holds(shop: Shop) -> None:
    """One is given back, one is used; then its order is cancelled."""
    buyer = Customer(shop.stack)
    buyer.grant(1000)
    must_flow(shop.stack, "consume", buyer.id, points=100)
    assert buyer.release(buyer.held(500)).status_code == 200
    hold, order_id = buyer.held(500), new_order()
    topics = (Topic.ADD_FLOW, Topic.SUB_FLOW, Topic.SUB_HOLD, Topic.ADD_HOLD, Topic.SUB_HOLD)
    shop.must_publish(buyer.id, *topics)

    def order(at_ms: int) -> dict[str, Any]:
        return order_payload(order_id, hold["discount_code"], 500, buyer.id, at_ms, 50)

    shop.send("orders/paid", order(ORDERED_AT_MS))
    wait_until(lambda: buyer.some("spent", "hold") == (600, 0), 60)
    later = order(ORDERED_AT_MS + 1000)
    cancelled = {"cancelled_at": later["updated_at"], "cancel_reason": "customer"}
    shop.send("orders/cancelled", later | cancelled)
    shop.must_publish(buyer.id, *topics, Topic.ADD_REFUND)


def merged(shop: Shop) -> None:
    source, target = new_customer(), new_customer()
    for customer in (source, target):
        must_flow(shop.stack, "grant", customer)
        shop.must_publish(customer, Topic.ADD_FLOW)
    merge(shop.stack, source, target)
    shop.must_publish(source, Topic.ADD_FLOW, Topic.SUB_MERGE)
    shop.must_publish(target, Topic.ADD_FLOW, Topic.ADD_MERGE)


def expiry(shop: Shop) -> None:
    customer = new_customer()
    must_flow(shop.stack, "grant", customer, days_to_expire=1)
    pass_time(shop.stack, 2 * DAY)
    invoke(shop.stack, "expiry")
    shop.must_publish(customer, Topic.ADD_FLOW, Topic.SUB_EXPIRE)


def by_operators(shop: Shop) -> None:
    """A balance is taken over, then staff add points and take some away."""
    customer = new_customer()
    row = {"row": 1, "customer_id": customer, "title": "Balance", "point": 500}
    content = {"shop": demo.SHOP_DOMAIN, "rows": [row]}
    assert operate(shop.stack, f"imports/move-{customer}", content).status_code == 200
    assert adjust(shop.stack, customer, 200, "more").status_code == 201
    assert adjust(shop.stack, customer, -50, "less").status_code == 201
    shop.must_publish(customer, Topic.ADD_IMPORT, Topic.ADD_MANUAL, Topic.SUB_MANUAL)


SCENES: dict[Callable[[Shop], None], set[Topic]] = {
    order_and_refund: {Topic.ADD_SIGN_UP, Topic.ADD_ORDER, Topic.SUB_REFUND},
    counter: {Topic.ADD_FLOW, Topic.SUB_ORDER},
    holds: {Topic.SUB_FLOW, Topic.SUB_HOLD, Topic.ADD_HOLD, Topic.ADD_REFUND},
    merged: {Topic.SUB_MERGE, Topic.ADD_MERGE},
    by_operators: {Topic.ADD_IMPORT, Topic.ADD_MANUAL, Topic.SUB_MANUAL},
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
    assert set().union(*SCENES.values()) == set(Topic) - NOT_PUBLISHED
