"""The shop's staff name an order in any form, and read of it only with the right to look."""

from local import demo
from tests.support.harness import Functions, event, message, problem
from tools.shopify_payloads import ORDER

FUNCTION = "staff_explain_order"
MANAGER, COUNTER, NEWCOMER = demo.STAFF


def test_an_order_is_named_by_a_gid_too(functions: Functions) -> None:
    assert functions.work("order_events", message("orders_paid")) == []
    for order_id in (f"gid://shopify/Order/{ORDER}", f"gid%3A%2F%2Fshopify%2FOrder%2F{ORDER}"):
        request = event(FUNCTION, "get") | {"pathParameters": {"order_id": order_id}}
        assert functions.request(FUNCTION, request).body["order_id"] == str(ORDER)


def test_nobody_looks_who_may_not_not_even_whether_there_is_an_order() -> None:
    functions = Functions(PROGRAMME_STAFF_LOOK=NEWCOMER)
    assert functions.work("order_events", message("orders_paid")) == []
    assert problem(functions.sample(FUNCTION, "get")) == (403, "not_permitted")
    assert problem(functions.sample(FUNCTION, "unknown_order")) == (403, "not_permitted")
    assert functions.sample(FUNCTION, "by_newcomer").status == 200
