"""Of every drawn order the Admin API says the same as its webhook, at each of its times.

Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

import json
from collections.abc import Iterator

import pytest

from tests.fakes.admin_graphql import GraphqlShop
from tests.simulation.orders.lifecycles import Webhook, draw_history
from tests.support.admin_orders import by_admin_api, by_webhook

pytestmark = pytest.mark.shopify_schema


def drawn_orders() -> Iterator[tuple[str, bytes]]:
    """Currency and body of every message about an order in three shops."""
    for seed in range(3):
        history = draw_history(seed, orders=40)
        for one in history.events:
            if isinstance(one, Webhook) and one.topic.startswith("orders/"):
                yield history.programme.currency, one.body


def test_every_drawn_order_is_read_alike_at_each_of_its_times() -> None:
    shop = GraphqlShop()
    compared = refunds = codes = 0
    for currency, body in drawn_orders():
        order = json.loads(body)
        shop.put(order)
        found = by_admin_api(shop, str(order["id"]), currency)
        assert found == by_webhook(body, currency)
        compared += 1
        refunds += len(found.refunds)
        codes += len(found.code_uses)
    assert compared > 300
    assert min(refunds, codes) > 30
