"""What only operators may say of an adjustment, and that nobody else adjusts."""

import json
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from tests.support.harness import CUSTOMER, Functions, event, problem

ADJUST = "adjust_points"


def adjustment(points: object, key: str = "a", **more: object) -> dict[str, Any]:
    """The event of an operator's request."""
    request = event(ADJUST, "add")
    request["headers"]["idempotency-key"] = key
    request["body"] = json.dumps({"points": points, "reason": "By hand"} | more)
    return request


def test_an_entry_that_follows_the_till_says_so_and_for_whom_it_was_booked(
    functions: Functions,
) -> None:
    assert functions.sample(ADJUST, "as_at_the_till").status == 201
    (booked,) = functions.entries()
    assert booked.cause == Cause("till", "assumed-role/PointbookOperator/hanako for Hanako")
    assert booked.cause.is_at_till
    for case, field in (("origin_unknown", "origin"), ("by_too_long", "by")):
        refused = functions.sample(ADJUST, case)
        assert (problem(refused), refused.body["field"]) == ((422, "invalid_request"), field)
    assert len(functions.entries()) == 1


@pytest.mark.parametrize("points", [200, -50])
def test_staffs_work_is_no_activity_of_the_customers_and_renews_nothing(points: int) -> None:
    functions = Functions(PROGRAMME_EXPIRY="rolling:days:30")
    functions.sample("flow_action_grant", "days_1")
    before = functions.lots()
    assert functions.request("adjust_points", adjustment(points)).status == 201
    after = functions.lots()
    assert after[0].valid_through == before[0].valid_through
    if points > 0:
        assert (after[1].valid_through - before[0].valid_through).days == 29


@pytest.mark.parametrize("iam", [None, {}, {"userArn": None}, {"userArn": ""}, {"userArn": 1}])
def test_whoever_iam_has_not_proved_is_nobody(functions: Functions, iam: object) -> None:
    request = adjustment(200)
    request["requestContext"]["authorizer"] = {"iam": iam}
    assert problem(functions.request("adjust_points", request)) == (403, "operator_missing")
    request["requestContext"]["authorizer"] = None
    request["headers"]["authorization"] = "AWS4-HMAC-SHA256 Credential=AKIA/20261122"
    assert problem(functions.request("adjust_points", request)) == (403, "operator_missing")
    assert functions.table.items("points") == {}


@pytest.mark.parametrize("customer", [CUSTOMER, f"gid://shopify/Customer/{CUSTOMER}"])
def test_a_customer_is_named_in_any_form(functions: Functions, customer: str) -> None:
    request = adjustment(200)
    request["pathParameters"]["customer"] = customer
    assert functions.request("adjust_points", request).body["customer_id"] == CUSTOMER


def test_where_there_are_several_shops_one_has_to_be_named() -> None:
    functions = Functions(SHOP_DOMAIN=f"{demo.SHOP_DOMAIN},second.myshopify.com")
    assert problem(functions.request("adjust_points", adjustment(200))) == (422, "invalid_request")
    assert (
        functions.request("adjust_points", adjustment(200, shop="second.myshopify.com")).status
        == 201
    )
    assert functions.entries() == []


def test_an_adjustment_of_an_import_is_named_after_it_and_counts_as_transferred(
    functions: Functions,
) -> None:
    import_id = "2026-12-move.1.rule"
    for points in (200, -50):
        request = adjustment(points, key=str(points), import_id=import_id)
        assert functions.request("adjust_points", request).status == 201
    found = [(one.entry.topic, one.entry.about) for one in reversed(functions.entries())]
    assert found == [
        ("points/add/import", f"{import_id}#"),
        ("points/sub/manual", f"{import_id}#"),
    ]
    refused = functions.request("adjust_points", adjustment(5, import_id="a#b"))
    assert problem(refused) == (422, "invalid_request"), "no import can have this id"
