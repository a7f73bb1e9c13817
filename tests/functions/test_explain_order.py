"""Operators and the shop's staff are told how an order's points come about."""

from tests.support.harness import CUSTOMER, Functions, message
from tools.shopify_payloads import ORDER


def test_an_order_is_explained_in_the_shops_currency_to_both_alike(functions: Functions) -> None:
    assert functions.work("order_events", message("orders_paid")) == []
    found = functions.sample("explain_order", "get").body
    assert (found["order_id"], found["customer_id"]) == (str(ORDER), CUSTOMER)
    assert found["granted"] == found["remaining"] == found["base"] // 100 > 0
    assert found["why"][0].startswith(f"Base: {found['base']} JPY")
    assert found == functions.sample("staff_explain_order", "get").body
