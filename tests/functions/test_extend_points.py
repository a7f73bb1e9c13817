"""Operators give points a later last day: once for each key, and nothing else changes."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import ExtendExpiry, Grant, PlaceHold
from pointbook.domain.expiry import FixedDate
from pointbook.domain.lots import Lot
from pointbook.shopify.triggers import triggers_for
from tests.support.harness import CUSTOMER, Answer, Functions, event, problem
from tools.make_events import OTHER_CUSTOMER

OLD, NEW = date(2099, 12, 31), date(2100, 3, 31)


@pytest.fixture
def functions() -> Functions:
    """A customer has 200 points that last to the end of 2099."""
    found = Functions()
    found.execute(Grant(200, FixedDate(OLD)))
    return found


def extended(functions: Functions, key: str = "a", **changes: object) -> Answer:
    request = event("extend_points", "extend")
    request["headers"]["idempotency-key"] = key
    request["body"] = json.dumps(json.loads(request["body"]) | changes)
    return functions.request("extend_points", request)


def test_points_get_a_later_day_and_the_entry_has_both_days(functions: Functions) -> None:
    before = functions.ledger.read(demo.SHOP_DOMAIN, CUSTOMER).figures
    answer = extended(functions)
    assert (answer.status, answer.body) == (
        201,
        {
            "customer_id": CUSTOMER,
            "entry_id": f"{CUSTOMER}-000000000002",
            "points": 200,
            "expires_on": "2099-12-31",
            "new_expires_on": "2100-03-31",
            "figures": before._asdict(),
        },
    )
    assert functions.lots() == (Lot(NEW, 200),)
    booked = functions.entries()[0]
    assert (booked.entry.topic, booked.entry.moves) == ("points/expiry/extend", ())
    assert booked.entry.lots == (Lot(OLD, -200), Lot(NEW, 200))
    assert booked.cause == Cause("manual", "assumed-role/PointbookOperator/hanako")
    assert booked.text is not None
    assert booked.text.reason == "The shop was closed"


def test_a_repetition_gets_the_first_answer_though_the_points_are_spent(
    functions: Functions,
) -> None:
    first = extended(functions)
    functions.sample("flow_action_consume", "run")
    again = extended(functions, reason="In other words")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers


def test_points_that_join_a_lot_of_the_new_day_are_one_lot(functions: Functions) -> None:
    functions.execute(Grant(50, FixedDate(NEW)))
    assert extended(functions).body["points"] == 200
    assert functions.lots() == (Lot(NEW, 250),)


def test_a_day_on_which_nothing_expires_is_refused_with_the_days_there_are(
    functions: Functions,
) -> None:
    answer = extended(functions, expires_on="2099-12-30")
    assert problem(answer) == (422, "lot_not_found")
    assert "points to spend expire on 2099-12-31" in answer.body["detail"]


def test_held_points_stay_as_they_are(functions: Functions) -> None:
    functions.execute(PlaceHold(150, "h1", 600))
    assert extended(functions).body["points"] == 50
    hold = functions.ledger.read(demo.SHOP_DOMAIN, CUSTOMER).hold
    assert hold is not None
    assert hold.lots == (Lot(OLD, 150),)


def test_never_is_a_day_too(functions: Functions) -> None:
    assert extended(functions, new_expires_on="9999-12-31").status == 201
    assert functions.lots() == (Lot(date.max, 200),)


def test_a_merged_customers_points_are_extended_on_the_survivors_account(
    functions: Functions,
) -> None:
    functions.ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("order"))
    answer = extended(functions)
    assert (answer.body["customer_id"], answer.body["points"]) == (CUSTOMER, 200)
    assert answer.body["entry_id"].startswith(f"{OTHER_CUSTOMER}-")


def test_flow_gets_no_trigger_as_no_figure_changes(functions: Functions) -> None:
    extended(functions)
    assert triggers_for(functions.entries()[0]) == ()


def test_the_customer_reads_how_many_points_last_longer(functions: Functions) -> None:
    extended(functions)
    newest = functions.sample("points_history", "by_header").body["entries"][0]
    assert newest["reason"] == "The shop was closed"
    row = {"kind": "extended", "points": 200, "change": 0, "order_id": None, "comes_on": None}
    assert newest["row"] == row


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"new_expires_on": "2099-12-31"}, "new_expires_on"),
        ({"new_expires_on": None}, "new_expires_on"),
        ({"expires_on": "2099-02-30"}, "expires_on"),
        ({"by": "H" * 65}, "by"),
        ({"origin": "shop"}, "origin"),
    ],
)
def test_what_is_wrong_is_named(functions: Functions, changes: dict[str, Any], field: str) -> None:
    answer = extended(functions, **changes)
    assert (problem(answer), answer.body["field"]) == ((422, "invalid_request"), field)
    assert functions.lots() == (Lot(OLD, 200),)


def test_the_command_takes_no_day_that_is_not_later() -> None:
    for new_day in (OLD, OLD - timedelta(days=1)):
        with pytest.raises(ValueError, match="must be after"):
            ExtendExpiry(OLD, new_day)
