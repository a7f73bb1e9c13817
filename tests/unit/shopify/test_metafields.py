"""Metafields are set and deleted in one call each, and a refusal says whose fault it is."""

from collections.abc import Callable
from typing import Any

import pytest

from pointbook.errors import ShopifyRefused
from pointbook.shopify.admin import AdminApi, Cost
from pointbook.shopify.metafield_values import MetafieldsRefused, Name, NewValue
from pointbook.shopify.metafields import CustomerMetafields
from tests.fakes.admin_api import (
    BASE_URL,
    Scripted,
    ScriptedCalls,
    StandingClock,
    Tokens,
    answer,
    data,
    errors,
)

VALUE = NewValue("1", "$app", "points_approved", "950")
NAME = Name("1", "loyalty", "points_rank")
COSTS = {
    "requestedQueryCost": 10,
    "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 1990, "restoreRate": 100},
}


def adapter(*script: Scripted) -> tuple[CustomerMetafields, ScriptedCalls]:
    calls = ScriptedCalls(*script)
    return CustomerMetafields(AdminApi(BASE_URL, Tokens(), calls, StandingClock())), calls


def ignored(_: Cost) -> None:
    """Nobody asks what it costs."""


def user_errors(root: str, *codes: str | None) -> Any:
    return data(root, {"userErrors": [{"message": "No.", "code": code} for code in codes]})


def test_values_are_set_with_their_types() -> None:
    metafields, calls = adapter(user_errors("metafieldsSet"))
    metafields.set([VALUE], 4.0, ignored)
    (body,) = calls.bodies()
    assert body["variables"] == {
        "metafields": [
            {
                "ownerId": "gid://shopify/Customer/1",
                "namespace": "$app",
                "key": "points_approved",
                "type": "number_integer",
                "value": "950",
            }
        ]
    }


def test_metafields_are_deleted_by_their_names() -> None:
    metafields, calls = adapter(user_errors("metafieldsDelete"))
    metafields.delete([NAME], 4.0, ignored)
    (body,) = calls.bodies()
    assert body["variables"] == {
        "metafields": [
            {"ownerId": "gid://shopify/Customer/1", "namespace": "loyalty", "key": "points_rank"}
        ]
    }


def test_what_a_call_cost_is_told() -> None:
    found: list[Cost] = []
    payload = {"data": {"metafieldsSet": {"userErrors": []}}, "extensions": {"cost": COSTS}}
    metafields, _ = adapter(answer(payload))
    metafields.set([VALUE], 4.0, found.append)
    assert found == [Cost(10.0, 1990.0, 2000.0, 100.0)]


def set_one(metafields: CustomerMetafields) -> None:
    metafields.set([VALUE], 4.0, ignored)


def delete_one(metafields: CustomerMetafields) -> None:
    metafields.delete([NAME], 4.0, ignored)


@pytest.mark.parametrize(
    ("act", "root", "code"),
    [
        (set_one, "metafieldsSet", "INVALID"),
        (set_one, "metafieldsSet", "INVALID_VALUE"),
        (set_one, "metafieldsSet", None),
        (delete_one, "metafieldsDelete", None),
    ],
)
def test_a_refusal_that_may_be_about_one_customer_is_told_from_one_of_the_shop(
    act: Callable[[CustomerMetafields], None], root: str, code: str | None
) -> None:
    metafields, _ = adapter(user_errors(root, code))
    with pytest.raises(MetafieldsRefused, match="refuses"):
        act(metafields)


@pytest.mark.parametrize(
    "refusal",
    [
        user_errors("metafieldsSet", "APP_NOT_AUTHORIZED"),
        user_errors("metafieldsSet", "INVALID", "INVALID_TYPE"),
        errors("ACCESS_DENIED"),
        answer({"errors": [{"message": "Field 'x' doesn't exist"}]}),
        answer({"errors": "no"}, 403),
    ],
)
def test_a_refusal_of_the_shop_is_raised_as_such(refusal: Any) -> None:
    metafields, _ = adapter(refusal)
    with pytest.raises(ShopifyRefused):
        set_one(metafields)
