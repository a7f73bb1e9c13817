"""Metafields of the fake Shopify, as the real Admin schema has them."""

from typing import Any

import pytest
import requests

from pointbook.shopify.documents import METAFIELDS_DELETE, METAFIELDS_SET
from tests.integration.test_fakes import OTHER_SHOP, Admin

QUERY = """
query Read($id: ID!, $namespace: String, $key: String!) {
  customer(id: $id) { metafield(namespace: $namespace, key: $key) { namespace key type value } }
}
"""
SOMEBODY, SOMEBODY_ELSE = "gid://shopify/Customer/7001", "gid://shopify/Customer/7002"


def value(
    key: str = "points_approved",
    text: str = "950",
    kind: str = "number_integer",
    owner: str = SOMEBODY,
    namespace: str = "$app",
) -> dict[str, str]:
    return {"ownerId": owner, "namespace": namespace, "key": key, "type": kind, "value": text}


def put(shopify: Admin, *values: dict[str, str]) -> list[Any]:
    """The user errors."""
    found: list[Any] = shopify.payload(METAFIELDS_SET.text, metafields=values)["userErrors"]
    return found


def listed(shopify: Admin, customer: str = "7001", **more: str) -> Any:
    query = {"customer": customer, **more}
    return requests.get(f"{shopify.url}/_metafields", params=query, timeout=5).json()


def test_what_was_set_is_read_by_the_admin_api_and_listed(shopify: Admin) -> None:
    assert put(shopify, value(), value("points_rank", "Gold", "single_line_text_field")) == []
    assert listed(shopify) == {"points_approved": "950", "points_rank": "Gold"}
    read = shopify.payload(QUERY, id=SOMEBODY, namespace="$app", key="points_approved")
    expected = {"namespace": "$app", "key": "points_approved", "type": "number_integer"}
    assert read["metafield"] == expected | {"value": "950"}
    assert shopify.payload(QUERY, id=SOMEBODY, key="points_approved") == read, "the app's own"
    assert shopify.payload(QUERY, id=SOMEBODY, key="nothing")["metafield"] is None


def test_a_namespace_of_the_shop_is_apart_from_the_apps(shopify: Admin) -> None:
    put(shopify, value(), value(text="1", namespace="loyalty"))
    assert listed(shopify) == {"points_approved": "950", "loyalty.points_approved": "1"}


def test_customers_and_shops_are_apart(shopify: Admin) -> None:
    put(shopify, value())
    assert listed(shopify, "7002") == {}
    assert listed(shopify, shop=OTHER_SHOP) == {}
    assert "no shop" in listed(shopify, shop="nobody.myshopify.com")["message"]
    assert "number" in listed(shopify, "Taro")["message"]


def test_what_was_deleted_is_gone_and_what_never_was_does_no_harm(shopify: Admin) -> None:
    put(shopify, value())
    name = {"ownerId": SOMEBODY, "namespace": "$app", "key": "points_approved"}
    document = METAFIELDS_DELETE.text.replace("userErrors", "deletedMetafields { key } userErrors")
    other = name | {"key": "points_rank"}
    found = shopify.payload(document, metafields=[name, other])
    assert found == {"deletedMetafields": [{"key": "points_approved"}, None], "userErrors": []}
    assert listed(shopify) == {}


@pytest.mark.parametrize(
    ("wrong", "argument", "code"),
    [
        (value(text="9.5"), "value", "INVALID_VALUE"),
        (value(text=""), "value", "BLANK"),
        (value("day", "31.12.2026", "date"), "value", "INVALID_VALUE"),
        (value("at", "2026-12-31", "date_time"), "value", "INVALID_VALUE"),
        (value(kind="number"), "type", "INVALID_TYPE"),
        (value(key="x"), "key", "INVALID"),
        (value(namespace="a.b"), "namespace", "INVALID"),
        (value(owner="gid://shopify/Order/1"), "ownerId", "INVALID"),
    ],
)
def test_a_wrong_metafield_has_the_whole_call_refused(
    shopify: Admin, wrong: dict[str, str], argument: str, code: str
) -> None:
    (error,) = put(shopify, value("points_pending", "1"), wrong)
    assert (error["field"], error["code"]) == (["metafields", "1", argument], code)
    assert listed(shopify) == {}


def test_more_than_25_metafields_in_a_call_are_refused(shopify: Admin) -> None:
    assert put(shopify, *(value(f"key_{number}") for number in range(25))) == []
    (error,) = put(shopify, *(value(f"key_{number}") for number in range(26)))
    assert error["code"] == "LESS_THAN_OR_EQUAL_TO"


def test_a_customer_who_is_forgotten_has_the_call_refused(shopify: Admin) -> None:
    shopify.behave(forget="7002", times=1)
    (error,) = put(shopify, value(), value(owner=SOMEBODY_ELSE))
    assert error["message"] == "Owner does not exist."
    assert put(shopify, value(), value(owner=SOMEBODY_ELSE)) == []
