"""Customers of the fake Shopify, as the real Admin schema has them."""

from typing import Any

import pytest
import requests

from local.fakes.server import FakeServer
from tests.integration.test_fakes import CUSTOMER, NUMBER, OTHER_SHOP, Admin

QUERY = """
query Customer($id: ID!) {
  customer(id: $id) {
    id tags state displayName email defaultEmailAddress { emailAddress }
  }
}
"""
SOMEBODY = "gid://shopify/Customer/7001"


def set_customer(shopify: Admin, customer: object) -> requests.Response:
    return requests.post(f"{shopify.url}/_customer", json=customer, timeout=5)


def read(shopify: Admin, gid: str = SOMEBODY) -> Any:
    return shopify.payload(QUERY, id=gid)


def test_a_customer_is_answered_as_they_were_set(shopify: Admin) -> None:
    customer = {
        "id": "7001",
        "tags": ["gold", "news"],
        "state": "INVITED",
        "email": "hanako@example.com",
        "display_name": "Hanako",
    }
    assert set_customer(shopify, customer).status_code == 200
    assert read(shopify) == {
        "id": SOMEBODY,
        "tags": ["gold", "news"],
        "state": "INVITED",
        "displayName": "Hanako",
        "email": "hanako@example.com",
        "defaultEmailAddress": {"emailAddress": "hanako@example.com"},
    }


METAFIELD = """
query Metafield($id: ID!, $key: String!) {
  customer(id: $id) { metafield(namespace: "custom", key: $key) { value } }
}
"""


def test_a_customers_metafields_are_answered_by_namespace_and_key(shopify: Admin) -> None:
    given = {"namespace": "custom", "key": "number", "value": "M-1"}
    assert set_customer(shopify, {"id": "7001", "metafields": [given]}).status_code == 200
    set_customer(shopify, {"id": "7001", "tags": ["gold"]})
    found = shopify.payload(METAFIELD, id=SOMEBODY, key="number")
    assert found == {"metafield": {"value": "M-1"}}
    assert shopify.payload(METAFIELD, id=SOMEBODY, key="other") == {"metafield": None}
    assert shopify.payload(METAFIELD, id=CUSTOMER, key="number") == {"metafield": None}


def test_a_partial_update_keeps_the_other_members(shopify: Admin) -> None:
    set_customer(shopify, {"id": SOMEBODY, "tags": ["gold"], "email": "hanako@example.com"})
    set_customer(shopify, {"id": 7001, "tags": []})
    found = read(shopify)
    assert (found["tags"], found["email"]) == ([], "hanako@example.com")


def test_a_customer_nobody_set_exists_without_tags(shopify: Admin) -> None:
    found = read(shopify, CUSTOMER)
    assert (found["tags"], found["displayName"]) == ([], "Hanako Yamada")
    assert found["defaultEmailAddress"] is None
    assert read(shopify)["displayName"] == "Customer 7001"


def test_a_forgotten_customer_does_not_exist(shopify: Admin) -> None:
    set_customer(shopify, {"id": NUMBER, "tags": ["gold"]})
    shopify.behave(forget=NUMBER)
    assert read(shopify, CUSTOMER) is None
    assert read(shopify) is not None
    shopify.reset()
    assert read(shopify, CUSTOMER)["tags"] == ["gold"], "a reset forgets no customer"


def test_a_customer_who_was_set_belongs_to_one_shop(shopify: Admin, server: FakeServer) -> None:
    other = Admin(server.url, OTHER_SHOP)
    set_customer(shopify, {"id": "7001", "shop": OTHER_SHOP})
    assert read(shopify) is None
    assert read(other) is not None


def test_a_query_is_one_operation_in_the_log(shopify: Admin) -> None:
    shopify.reset()
    read(shopify)
    (entry,) = shopify.log()
    assert (entry["operation"], entry["variables"]) == ("customer", {"id": SOMEBODY})


def test_an_id_of_another_type_is_an_error(shopify: Admin) -> None:
    assert (
        "Invalid global id"
        in shopify.run(QUERY, id="gid://shopify/Order/1")["errors"][0]["message"]
    )


@pytest.mark.parametrize(
    "customer",
    [
        *([], {}, {"id": "gold"}, {"id": True}, {"id": "7001", "tags": "gold"}),
        *({"id": "7001", "tags": [1]}, {"id": "7001", "state": "AWAY"}),
        *(
            {"id": "7001", "metafields": {"custom.number": "M-1"}},
            {"id": "7001", "metafields": [{}]},
        ),
        *({"id": "7001", "email": 1}, {"id": "7001", "points": 1}),
    ],
)
def test_an_invalid_customer_is_refused(shopify: Admin, customer: object) -> None:
    answer = set_customer(shopify, customer)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_customer_of_an_unknown_shop_is_refused(shopify: Admin) -> None:
    assert set_customer(shopify, {"id": "7001", "shop": "nobody.myshopify.com"}).status_code == 404
