"""Customers of the fake Shopify, as the real Admin schema has them."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.fakes.server import FakeServer
from local.fakes.shopify import App, ShopifyService
from local.fakes.shopify_schema import SCHEMA_FILE
from tests.integration.test_fakes import CUSTOMER, NUMBER, OTHER_SHOP, SHOP, Admin, Serving

ASK = """
query Customer($id: ID!) {
  customer(id: $id) {
    id tags state displayName email defaultEmailAddress { emailAddress }
  }
}
"""
SOMEBODY = "gid://shopify/Customer/7001"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with Serving(ShopifyService(App((SHOP, OTHER_SHOP)), SCHEMA_FILE)) as server:
        yield server


@pytest.fixture
def shopify(server: FakeServer) -> Admin:
    return Admin(server.url, SHOP)


def tell(shopify: Admin, told: object) -> requests.Response:
    return requests.post(f"{shopify.url}/_customer", json=told, timeout=5)


def ask(shopify: Admin, gid: str = SOMEBODY) -> Any:
    return shopify.payload(ASK, id=gid)


def test_a_customer_is_answered_as_they_were_set(shopify: Admin) -> None:
    told = {
        "id": "7001",
        "tags": ["gold", "news"],
        "state": "INVITED",
        "email": "hanako@example.com",
        "display_name": "Hanako",
    }
    assert tell(shopify, told).status_code == 200
    assert ask(shopify) == {
        "id": SOMEBODY,
        "tags": ["gold", "news"],
        "state": "INVITED",
        "displayName": "Hanako",
        "email": "hanako@example.com",
        "defaultEmailAddress": {"emailAddress": "hanako@example.com"},
    }


def test_a_partial_update_keeps_the_other_members(shopify: Admin) -> None:
    tell(shopify, {"id": SOMEBODY, "tags": ["gold"], "email": "hanako@example.com"})
    tell(shopify, {"id": 7001, "tags": []})
    found = ask(shopify)
    assert (found["tags"], found["email"]) == ([], "hanako@example.com")


def test_a_customer_nobody_set_exists_without_tags(shopify: Admin) -> None:
    found = ask(shopify, CUSTOMER)
    assert (found["tags"], found["displayName"]) == ([], "Hanako Yamada")
    assert found["defaultEmailAddress"] is None
    assert ask(shopify)["displayName"] == "Customer 7001"


def test_a_forgotten_customer_does_not_exist(shopify: Admin) -> None:
    tell(shopify, {"id": NUMBER, "tags": ["gold"]})
    shopify.behave(forget=NUMBER)
    assert ask(shopify, CUSTOMER) is None
    assert ask(shopify) is not None
    shopify.reset()
    assert ask(shopify, CUSTOMER)["tags"] == ["gold"], "a reset forgets no customer"


def test_a_customer_who_was_set_belongs_to_one_shop(shopify: Admin, server: FakeServer) -> None:
    other = Admin(server.url, OTHER_SHOP)
    tell(shopify, {"id": "7001", "shop": OTHER_SHOP})
    assert ask(shopify) is None
    assert ask(other) is not None


def test_a_query_is_one_operation_in_the_log(shopify: Admin) -> None:
    shopify.reset()
    ask(shopify)
    (entry,) = shopify.log()
    assert (entry["operation"], entry["variables"]) == ("customer", {"id": SOMEBODY})


def test_an_id_of_another_type_is_an_error(shopify: Admin) -> None:
    assert (
        "Invalid global id" in shopify.run(ASK, id="gid://shopify/Order/1")["errors"][0]["message"]
    )


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"id": "gold"},
        {"id": True},
        {"id": "7001", "tags": "gold"},
        {"id": "7001", "tags": [1]},
        {"id": "7001", "state": "AWAY"},
        {"id": "7001", "email": 1},
        {"id": "7001", "points": 1},
    ],
)
def test_an_invalid_customer_is_refused(shopify: Admin, told: object) -> None:
    answer = tell(shopify, told)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_customer_of_an_unknown_shop_is_refused(shopify: Admin) -> None:
    assert tell(shopify, {"id": "7001", "shop": "nobody.myshopify.com"}).status_code == 404
