"""Operators add points and take some away: once for each key, and nobody else does."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.ledger.instruction import Booked
from tests.fakes.locked import LockedClient
from tests.functions.test_privacy_events import redact
from tests.support.harness import CUSTOMER, Functions, event, memory_table, problem

ADJUST = "adjust_points"
OTHER = "8840734670935"
FIGURES = {"approved": 200, "pending": 0, "total": 200, "lifetime": 200, "spent": 0, "hold": 0}


def adjustment(points: object, key: str = "a", **more: object) -> dict[str, Any]:
    """The event of an operator's request."""
    request = event(ADJUST, "add")
    request["headers"]["idempotency-key"] = key
    request["body"] = json.dumps({"points": points, "reason": "By hand"} | more)
    return request


def test_points_are_added_and_the_entry_says_who_and_why(functions: Functions) -> None:
    answer = functions.sample(ADJUST, "add")
    assert (answer.status, answer.body) == (
        201,
        {
            "customer_id": CUSTOMER,
            "entry_id": f"{CUSTOMER}-000000000001",
            "points": 200,
            "figures": FIGURES,
        },
    )
    (booked,) = functions.entries()
    assert booked.entry.topic == "points/add/manual"
    assert booked.cause == Cause("manual", "assumed-role/PointbookOperator/hanako")
    assert booked.text is not None
    assert booked.text.reason == "Sorry for the delay"


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


def test_points_are_valid_as_the_programme_says_or_through_the_day_that_is_given(
    functions: Functions,
) -> None:
    functions.request("adjust_points", adjustment(200, "rule"))
    functions.request("adjust_points", adjustment(100, "day", expires_on="2099-12-31"))
    lots = functions.lots()
    assert [lot.points for lot in lots] == [200, 100]
    assert lots[0].valid_through.day in (28, 29, 30, 31), "the end of a month"
    assert lots[1].valid_through.isoformat() == "2099-12-31"


def test_points_are_taken_away_and_lifetime_stays(functions: Functions) -> None:
    functions.sample(ADJUST, "add")
    answer = functions.request("adjust_points", adjustment(-150, "b"))
    assert answer.status == 201
    assert answer.body["figures"] == FIGURES | {"approved": 50, "total": 50}
    assert functions.entries()[0].entry.topic == "points/sub/manual"


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


def test_more_than_there_is_cannot_be_taken_away_and_the_figures_say_why(
    functions: Functions,
) -> None:
    functions.sample(ADJUST, "add")
    answer = functions.request("adjust_points", adjustment(-201, "b"))
    assert problem(answer) == (422, "insufficient_points")
    assert "200 points to spend, but 201" in answer.body["detail"]
    assert answer.body["figures"] == FIGURES
    assert functions.request("adjust_points", adjustment(-200, "b")).status == 201, (
        "a refusal is not remembered"
    )


def test_a_repetition_gets_the_first_answer_whatever_has_happened_since(
    functions: Functions,
) -> None:
    first = functions.request("adjust_points", adjustment(200))
    functions.request("adjust_points", adjustment(-50, "b"))
    again = functions.request("adjust_points", adjustment(200, reason="In other words"))
    assert (again.status, again.body) == (201, first.body)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(functions.entries()) == 2


@pytest.mark.parametrize(
    "other", [adjustment(201), adjustment(-200), adjustment(200, expires_on="2099-12-31")]
)
def test_a_key_stands_for_one_adjustment(functions: Functions, other: dict[str, Any]) -> None:
    functions.request("adjust_points", adjustment(200))
    assert problem(functions.request("adjust_points", other)) == (422, "idempotency_mismatch")
    assert len(functions.entries()) == 1


def test_a_key_counts_for_one_customer_and_for_this_door_alone(functions: Functions) -> None:
    functions.request("adjust_points", adjustment(200, "summer-campaign"))
    elsewhere = adjustment(300, "summer-campaign")
    elsewhere["pathParameters"]["customer"] = OTHER
    assert functions.request("adjust_points", elsewhere).body["figures"]["approved"] == 300
    granted = functions.sample("flow_action_grant", "with_key").body["return_value"]
    assert (granted["duplicate"], granted["approved"]) == (False, 1450)


def test_one_key_ten_times_at_once_is_one_entry() -> None:
    functions = Functions({"dynamodb": LockedClient(memory_table())})
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: functions.invoke(ADJUST, adjustment(200)), range(10)))
    assert {one["body"] for one in answers} == {answers[0]["body"]}
    assert [one["statusCode"] for one in answers] == [201] * 10
    assert sum("Idempotent-Replay" not in one["headers"] for one in answers) == 1
    assert len(functions.entries()) == 1


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


def test_a_merged_customers_survivor_is_adjusted_and_repetitions_are_recognized(
    functions: Functions,
) -> None:
    first = functions.request("adjust_points", adjustment(200))
    ledger = functions.ledger
    assert isinstance(ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER, Cause("test")), Booked)
    again = functions.request("adjust_points", adjustment(200))
    assert (again.body, again.headers["Idempotent-Replay"]) == (first.body, "true")
    assert (
        functions.request("adjust_points", adjustment(-50, "b")).body["figures"]["approved"] == 150
    )
    assert functions.entries(OTHER)[0].entry.topic == "points/sub/manual"


def test_an_erased_customer_is_refused(functions: Functions) -> None:
    functions.request("adjust_points", adjustment(200))
    functions.erase()
    for key in ("a", "b"):
        assert problem(functions.request("adjust_points", adjustment(200, key))) == (
            422,
            "customer_erased",
        )


def test_a_customers_data_does_not_name_the_staff(functions: Functions) -> None:
    functions.sample(ADJUST, "add")
    request = {"customer": {"id": int(CUSTOMER)}, "data_request": {"id": 77}}
    message = json.loads(redact())
    message |= {"topic": "customers/data_request", "payload": request}
    assert functions.work("privacy_events", json.dumps(message)) == []
    (file,) = functions.bucket.objects.values()
    assert "Sorry for the delay" in str(file)
    assert "hanako" not in str(file)


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


def test_an_id_that_no_import_can_have_is_refused(functions: Functions) -> None:
    request = adjustment(5, import_id="a#b")
    assert problem(functions.request("adjust_points", request)) == (422, "invalid_request")
