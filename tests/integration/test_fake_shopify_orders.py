"""Orders of the fake Shopify, as the real Admin schema has them."""

from typing import Any

import pytest
import requests

from local.fakes.server import FakeServer
from tests.integration.test_fakes import OTHER_SHOP, Admin
from tools import shopify_payloads as payloads

LIST = """
query Orders($search: String, $first: Int, $after: String, $key: OrderSortKeys) {
  orders(query: $search, first: $first, after: $after, sortKey: $key) {
    pageInfo { hasNextPage endCursor }
    nodes { id updatedAt customer { id tags } }
  }
}
"""
FIND = """
query Order($id: ID!) {
  order(id: $id) {
    id name displayFinancialStatus discountCodes
    totalTipReceivedSet { shopMoney { amount } }
    metafield(namespace: "omni_hub", key: "point_used") { value }
    discountApplications(first: 5) { nodes { index ... on DiscountCodeApplication { code } } }
    lineItems(first: 2) { pageInfo { hasNextPage } nodes { quantity isGiftCard } }
    refunds(first: 1) { id }
  }
}
"""
REFUND = """
query Refund($id: ID!) {
  refund(id: $id) {
    refundLineItems(first: 5) { nodes { quantity lineItem { id } } }
    orderAdjustments(first: 5) { nodes { reason amountSet { shopMoney { amount } } } }
    refundShippingLines(first: 5) { nodes { id } }
  }
}
"""
EXPENSIVE = """
query Orders { orders(first: 100) { nodes { lineItems(first: 50) { nodes { product { id } } } } } }
"""
TEA = payloads.line(1, "3000", 2)
GID = f"gid://shopify/Order/{payloads.ORDER}"


def put(shopify: Admin, order: object) -> requests.Response:
    return requests.post(f"{shopify.url}/_order", json=order, timeout=5)


def put_at(shopify: Admin, number: int, hour: int) -> None:
    at = f"2026-11-20T{hour:02d}:00:00+09:00"
    assert put(shopify, payloads.order([TEA], "6000", id=number, updated_at=at)).status_code == 200


def listed(shopify: Admin, **arguments: Any) -> list[str]:
    found = shopify.payload(LIST, **{"first": 10, "key": "UPDATED_AT"} | arguments)
    return [one["id"].rpartition("/")[2] for one in found["nodes"]]


def test_an_order_is_answered_in_the_admin_api_s_form(shopify: Admin) -> None:
    used = [payloads.metafield("omni_hub", "point_used", "5")]
    codes = [payloads.code("SUMMER", "500")]
    lines = [payloads.line(n, "100", discounts={0: "1"}) for n in (1, 2, 3)]
    put(shopify, payloads.order(lines, "1", codes=codes, metafields=used))
    assert shopify.payload(FIND, id=GID) == {
        "id": GID,
        "name": "#1001",
        "displayFinancialStatus": "PAID",
        "discountCodes": ["SUMMER"],
        "totalTipReceivedSet": {"shopMoney": {"amount": "0"}},
        "metafield": {"value": "5"},
        "discountApplications": {"nodes": [{"index": 0, "code": "SUMMER"}]},
        "lineItems": {
            "pageInfo": {"hasNextPage": True},
            "nodes": [{"quantity": 1, "isGiftCard": False}] * 2,
        },
        "refunds": [],
    }


def test_shipping_of_a_refund_is_no_adjustment(shopify: Admin) -> None:
    beside = [payloads.adjustment("-550", is_shipping=True), payloads.adjustment("-1000")]
    refund = payloads.refund([payloads.refund_line(TEA, 1, 3000, 0)], [], beside)
    put(shopify, payloads.order([TEA], "6000", refunds=[refund]))
    found = shopify.payload(REFUND, id=f"gid://shopify/Refund/{payloads.REFUND}")
    assert found["orderAdjustments"]["nodes"] == [
        {"reason": "REFUND_DISCREPANCY", "amountSet": {"shopMoney": {"amount": "-1000"}}}
    ]
    assert len(found["refundShippingLines"]["nodes"]) == 1
    assert found["refundLineItems"]["nodes"][0]["quantity"] == 1


def test_orders_are_found_by_their_update_sorted_and_in_pages(shopify: Admin) -> None:
    for number, hour in ((1, 12), (2, 10), (3, 11), (4, 9)):
        put_at(shopify, number, hour)
    since = "updated_at:>='2026-11-20T01:00:00Z'"
    assert listed(shopify, search=since) == ["2", "3", "1"]
    assert listed(shopify, search=f"{since} AND updated_at:<'2026-11-20T03:00:00Z'") == ["2", "3"]
    later = "updated_at:>2026-11-20T01:00:00Z updated_at:<=2026-11-20T03:00:00Z"
    assert listed(shopify, search=later) == ["3", "1"]
    first = shopify.payload(LIST, search=since, first=2, key="UPDATED_AT")
    assert first["pageInfo"]["hasNextPage"]
    assert listed(shopify, search=since, after=first["pageInfo"]["endCursor"]) == ["1"]


def test_the_newest_put_counts_and_sends_nothing(shopify: Admin) -> None:
    put_at(shopify, 1, 9)
    put_at(shopify, 1, 10)
    assert listed(shopify, search="updated_at:>='2026-11-20T00:30:00Z'") == ["1"]
    assert listed(shopify) == ["1"]
    assert shopify.log()[-1]["operation"] == "orders"


def test_an_order_s_customer_is_as_the_shop_has_them(shopify: Admin) -> None:
    put(shopify, payloads.order([TEA], "6000"))
    tagged = {"id": str(payloads.CUSTOMER), "tags": ["gold"]}
    requests.post(f"{shopify.url}/_customer", json=tagged, timeout=5)
    (found,) = shopify.payload(LIST, first=1, key="UPDATED_AT")["nodes"]
    gid = f"gid://shopify/Customer/{payloads.CUSTOMER}"
    assert found["customer"] == {"id": gid, "tags": ["gold"]}
    put(shopify, payloads.order([TEA], "6000", customer=None))
    (found,) = shopify.payload(LIST, first=1, key="UPDATED_AT")["nodes"]
    assert found["customer"] is None


def test_an_order_belongs_to_its_shop(shopify: Admin, server: FakeServer) -> None:
    put(shopify, payloads.order([TEA], "6000", shop=OTHER_SHOP))
    assert listed(shopify) == []
    assert listed(Admin(server.url, OTHER_SHOP)) == [str(payloads.ORDER)]
    assert put(shopify, payloads.order([TEA], "6000", shop="x.myshopify.com")).status_code == 404


def test_what_is_not_there_is_null(shopify: Admin) -> None:
    assert shopify.payload(FIND, id="gid://shopify/Order/1") is None
    assert shopify.payload(REFUND, id="gid://shopify/Refund/1") is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"first": None}, "first or last"),
        ({"first": 0}, "first is 0"),
        ({"first": 251}, "first is 251"),
        ({"after": "x"}, "Invalid cursor"),
        ({"key": "CUSTOMER_NAME"}, "does not sort by CUSTOMER_NAME"),
        ({"search": "tag:gold"}, "does not search by tag"),
        ({"search": "updated_at:'2026-11-20T01:00:00Z'"}, "does not search by updated_at"),
        ({"search": "updated_at:>=yesterday"}, "not a time"),
        ({"search": "gold"}, "does not understand"),
    ],
)
def test_a_wrong_request_is_refused(shopify: Admin, arguments: dict[str, Any], said: str) -> None:
    answer = shopify.run(LIST, **{"first": 10, "key": "UPDATED_AT"} | arguments)
    assert said in answer["errors"][0]["message"]
    assert not answer.get("data")


def test_a_query_that_costs_too_much_is_refused(shopify: Admin) -> None:
    (error,) = shopify.run(EXPENSIVE)["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert "exceeds the single query max cost limit (1000)" in error["message"]


def test_the_cost_of_a_page_is_in_its_answer(shopify: Admin) -> None:
    answer = shopify.run(LIST, first=100, key="UPDATED_AT")
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 2 + 100 * 2


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([], "JSON object"),
        ({"id": "first"}, "id is 'first'"),
        (payloads.order([TEA], "6000", updated_at="yesterday"), "updated_at"),
        (payloads.order([TEA], "6000", updated_at=None), "updated_at"),
        (payloads.order([TEA], "6000", currency=""), "currency"),
        (payloads.order([TEA], "6000", financial_status="rich"), "financial_status"),
        (payloads.order([TEA], "6000", customer={"id": "x"}), "customer.id"),
        (payloads.order([TEA], "6000", refunds="none"), "refunds"),
        (payloads.order([TEA | {"price": "free", "price_set": None}], "6000"), "price"),
        (payloads.order([TEA | {"price_set": {"shop_money": 1}}], "6000"), "money set"),
        (payloads.order([TEA | {"quantity": -1}], "6000"), "quantity"),
        (payloads.order([payloads.line(1, "1", discounts={3: "1"})], "1"), "no such discount"),
        (payloads.order([], "1", refunds=[payloads.bodies()["refunds_create"][1]]), "gives back"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_order_is_refused(shopify: Admin, order: object, said: str) -> None:
    answer = put(shopify, order)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert listed(shopify) == []
