"""The shop's staff see what operators see of a customer of their own shop, if they may look."""

import pytest

from local import demo
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from pointbook.domain.staff import Right
from tests.support.harness import CUSTOMER, Answer, Functions, event, message, problem
from tools.shopify_payloads import ORDER

FUNCTION = "staff_show_account"
OTHER_SHOP = "second.myshopify.com"
MANAGER, COUNTER, NEWCOMER = demo.STAFF


def shown(functions: Functions, query: str = "", customer: str = CUSTOMER) -> Answer:
    request = event(FUNCTION, "get") | {"rawQueryString": query}
    return functions.request(FUNCTION, request | {"pathParameters": {"customer": customer}})


def test_the_staff_see_what_operators_see(functions: Functions) -> None:
    functions.execute(Grant(300, Never()))
    functions.sample("staff_create_hold", "sale")
    found = shown(functions).body
    operators = functions.sample("show_account", "get").body
    assert found | {"as_of": ""} == operators | {"as_of": ""}
    assert found["figures"]["total"] == 300


def test_a_customer_is_named_by_digits_or_by_a_gid_encoded_twice(functions: Functions) -> None:
    functions.execute(Grant(100, Never()))
    gid = f"gid%3A%2F%2Fshopify%2FCustomer%2F{CUSTOMER}"
    assert shown(functions, customer=gid).body["customer_id"] == CUSTOMER


def test_nobody_looks_who_may_not_whatever_else_they_may() -> None:
    for rule in ("none", NEWCOMER):
        functions = Functions(PROGRAMME_STAFF_LOOK=rule, PROGRAMME_STAFF_ADJUST="all")
        answer = shown(functions)
        assert problem(answer) == (403, "not_permitted")
        assert f"staff_{Right.LOOK}" in answer.body["detail"]


def test_one_who_may_look_and_nothing_else_may_look() -> None:
    functions = Functions(PROGRAMME_STAFF_LOOK=NEWCOMER, PROGRAMME_STAFF_ADJUST="")
    assert functions.sample(FUNCTION, "by_newcomer").status == 200


@pytest.mark.parametrize(
    "function", ["staff_show_account", "staff_account_history", "staff_explain_order"]
)
def test_the_shop_is_that_of_the_token_and_not_one_that_is_asked_for(function: str) -> None:
    functions = Functions(SHOP_DOMAIN=f"{demo.SHOP_DOMAIN},{OTHER_SHOP}")
    functions.execute(Grant(700, Never()), shop=OTHER_SHOP)
    if function == "staff_explain_order":
        assert functions.work("order_events", message("orders_paid")) == []
    request = event(function, "get") | {"rawQueryString": f"shop={OTHER_SHOP}"}
    answer = functions.request(function, request)
    if function == "staff_explain_order":
        assert answer.body["order_id"] == str(ORDER)
    elif function == "staff_account_history":
        assert answer.body["entries"] == []
    else:
        assert (answer.body["shop"], answer.body["version"]) == (demo.SHOP_DOMAIN, 0)
