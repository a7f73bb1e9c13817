"""The stand-in for Shopify answers about customers as the Admin API of the real schema does."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stand_ins.server import StandIn
from local.stand_ins.shopify import App, ShopifyService
from local.stand_ins.shopify_schema import SCHEMA_FILE
from tests.integration.test_stand_ins import CUSTOMER, NUMBER, OTHER_SHOP, SHOP, Admin, Serving

ASK = """
query Customer($id: ID!) {
  customer(id: $id) {
    id tags state displayName email defaultEmailAddress { emailAddress }
  }
}
"""
SOMEBODY = "gid://shopify/Customer/7001"


@pytest.fixture
def server() -> Iterator[StandIn]:
    with Serving(ShopifyService(App((SHOP, OTHER_SHOP)), SCHEMA_FILE)) as server:
        yield server


@pytest.fixture
def shopify(server: StandIn) -> Admin:
    return Admin(server.url, SHOP)


def tell(shopify: Admin, told: object) -> requests.Response:
    return requests.post(f"{shopify.url}/_customer", json=told, timeout=5)


def ask(shopify: Admin, gid: str = SOMEBODY) -> Any:
    return shopify.payload(ASK, id=gid)


def test_a_customer_is_as_they_were_told(shopify: Admin) -> None:
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


def test_what_is_told_later_changes_nothing_else(shopify: Admin) -> None:
    tell(shopify, {"id": SOMEBODY, "tags": ["gold"], "email": "hanako@example.com"})
    tell(shopify, {"id": 7001, "tags": []})
    found = ask(shopify)
    assert (found["tags"], found["email"]) == ([], "hanako@example.com")


def test_whom_nobody_told_of_is_there_without_tags(shopify: Admin) -> None:
    found = ask(shopify, CUSTOMER)
    assert (found["tags"], found["displayName"]) == ([], "Hanako Yamada")
    assert found["defaultEmailAddress"] is None
    assert ask(shopify)["displayName"] == "Customer 7001"


def test_a_forgotten_customer_is_not_there(shopify: Admin) -> None:
    tell(shopify, {"id": NUMBER, "tags": ["gold"]})
    shopify.behave(forget=NUMBER)
    assert ask(shopify, CUSTOMER) is None
    assert ask(shopify) is not None
    shopify.reset()
    assert ask(shopify, CUSTOMER)["tags"] == ["gold"], "a reset forgets no customer"


def test_whoever_was_told_of_belongs_to_one_shop(shopify: Admin, server: StandIn) -> None:
    other = Admin(server.url, OTHER_SHOP)
    tell(shopify, {"id": "7001", "shop": OTHER_SHOP})
    assert ask(shopify) is None
    assert ask(other) is not None


def test_a_question_is_one_operation_in_the_log(shopify: Admin) -> None:
    shopify.reset()
    ask(shopify)
    (entry,) = shopify.log()
    assert (entry["operation"], entry["variables"]) == ("customer", {"id": SOMEBODY})


def test_an_id_that_is_no_customer_s_is_an_error(shopify: Admin) -> None:
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
def test_a_customer_that_makes_no_sense_is_refused(shopify: Admin, told: object) -> None:
    answer = tell(shopify, told)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_customer_of_a_shop_that_is_not_here_is_refused(shopify: Admin) -> None:
    assert tell(shopify, {"id": "7001", "shop": "nobody.myshopify.com"}).status_code == 404
