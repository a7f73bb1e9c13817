"""Operators are told how an order's points come about."""

from tests.support.harness import CUSTOMER, Answer, Functions, event, message
from tools.shopify_payloads import ORDER

FUNCTION = "explain_order"


def shown(functions: Functions, query: str = "") -> Answer:
    return functions.request(FUNCTION, event(FUNCTION, "get") | {"rawQueryString": query})


def test_an_order_is_explained_in_the_shops_currency(functions: Functions) -> None:
    assert functions.work("order_events", message("orders_paid")) == []
    found = shown(functions).body
    assert (found["order_id"], found["customer_id"]) == (str(ORDER), CUSTOMER)
    assert found["granted"] == found["remaining"] == found["base"] // 100 > 0
    assert found["why"][0].startswith(f"Base: {found['base']} JPY")
