"""What operators are shown: by query and path; the till's word; whether an id is a customer's."""

from typing import Any

import pytest

from local import demo
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from pointbook.store.till_members import CachedMember, Said, TillMembers
from tests.fakes.customers import MemoryCustomers
from tests.support.examples import NOON
from tests.support.harness import CUSTOMER, Answer, Functions, event, message, problem
from tools.shopify_payloads import ORDER


def shown(functions: Functions, function: str = "show_account", query: str = "") -> Answer:
    return functions.request(function, event(function, "get") | {"rawQueryString": query})


def test_an_account_is_shown_as_of_an_instant_of_any_offset(functions: Functions) -> None:
    functions.execute(Grant(100, Never()))
    assert shown(functions).body["figures"]["approved"] == 100
    for at in ("2026-01-31T09:00:00%2B09:00", "2026-01-31T09:00:00+09:00", "2026-01-31T00:00:00Z"):
        past = shown(functions, query=f"at={at}").body
        assert (past["figures"]["approved"], past["as_of"]) == (0, "2026-01-31T00:00:00.000+00:00")


@pytest.mark.parametrize(
    "at", ["2026-01-31", "yesterday", "2026-01-31T09:00:00", "2026-02-31T00:00:00Z"]
)
def test_an_instant_that_is_none_is_refused(functions: Functions, at: str) -> None:
    answer = shown(functions, query=f"at={at}")
    assert (problem(answer), answer.body["field"]) == ((422, "invalid_request"), "at")


def test_a_shop_is_needed_where_the_stack_has_several() -> None:
    functions = Functions(SHOP_DOMAIN=f"{demo.SHOP_DOMAIN},other.myshopify.com")
    assert problem(shown(functions)) == (422, "invalid_request")
    assert shown(functions, query="shop=other.myshopify.com").body["shop"] == "other.myshopify.com"


def test_the_till_is_not_called_and_its_last_word_is_shown(functions: Functions) -> None:
    assert shown(functions).body["till"] is None, "there is no till"
    with_till = Functions(TILL_PROVIDER="smaregi")
    assert shown(with_till).body["till"]["status"] == "pending"
    members = TillMembers(with_till.container._table)
    cached = CachedMember(Said.MEMBER, CUSTOMER, NOON, balance_points=70, rank="gold")
    members.save(demo.SHOP_DOMAIN, CUSTOMER, cached)
    assert shown(with_till).body["till"] == {
        "status": "ok",
        "member_number": CUSTOMER,
        "balance": 70,
        "expires_on": None,
        "rank": "gold",
        "as_of": "2026-11-21T03:00:00.000+00:00",
        "stale": True,
    }


def test_history_is_paged_by_the_query(functions: Functions) -> None:
    for _ in range(3):
        functions.execute(Grant(1, Never()))
    page = shown(functions, "account_history", "limit=2").body
    assert ([one["version"] for one in page["entries"]], page["next_cursor"]) == ([3, 2], "2")
    rest = shown(functions, "account_history", "limit=2&cursor=2").body
    assert ([one["version"] for one in rest["entries"]], rest["next_cursor"]) == ([1], None)


def test_an_order_is_explained_in_the_shops_currency(functions: Functions) -> None:
    assert functions.work("order_events", message("orders_paid")) == []
    found = shown(functions, "explain_order").body
    assert (found["order_id"], found["customer_id"]) == (str(ORDER), CUSTOMER)
    assert found["granted"] == found["remaining"] == found["base"] // 100 > 0
    assert found["why"][0].startswith(f"Base: {found['base']} JPY")


def checked(customers: MemoryCustomers, **more: Any) -> dict[str, Any]:
    functions = Functions({"customers": lambda _: customers})
    if more.get("granted"):
        functions.execute(Grant(1, Never()))
    return shown(functions, "check_customer").body


def test_an_id_is_looked_up_at_shopify_and_in_the_ledger() -> None:
    customers = MemoryCustomers()
    known = checked(customers, granted=True)
    assert (known["has_entries"], known["at_shopify"], known["why"]) == (True, True, None)
    customers.gone.add(CUSTOMER)
    gone = checked(customers)
    assert (gone["has_entries"], gone["at_shopify"], gone["why"]) == (False, False, None)


def test_what_shopify_cannot_say_is_left_open_with_the_reason() -> None:
    customers = MemoryCustomers()
    customers.unreachable = True
    found = checked(customers)
    assert found["at_shopify"] is None
    assert found["why"].startswith("Shopify could not be asked: ")
