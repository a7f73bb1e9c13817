"""An order as it is read of its webhook, and as it is read of the Admin API."""

from pointbook.shopify.admin_orders import AdminOrders
from pointbook.shopify.orders import OrderFacts, read_order
from pointbook.shopify.projection import SHAPES, projected
from pointbook.validation import json_object
from tests.fakes.admin_graphql import GraphqlShop


def by_webhook(body: bytes, currency: str) -> OrderFacts:
    """What is read of a webhook's body, reduced as the entrance reduces it."""
    payload = projected(json_object(body, parse_float=str), SHAPES["orders/updated"])
    return read_order(payload, currency)


def by_admin_api(shop: GraphqlShop, order_id: str, currency: str) -> OrderFacts:
    """What is read of the order that a shop answers."""
    found = AdminOrders(shop.admin()).find(order_id)
    assert found is not None
    assert not found.till_points_unread
    return read_order(found.payload, currency)
