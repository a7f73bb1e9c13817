"""Shopify Flow consumes points: never more than there are, never twice."""

import pytest

from pointbook.domain.expiry import day_of
from tests.functions.flow_cases import CARRIED_OUT
from tests.support.harness import CUSTOMER, Answer, Functions

CONSUME = "flow_action_consume"


def consume(functions: Functions, run: str, **changed: object) -> Answer:
    """Run the action with some properties changed."""
    properties = {"customer_id": CUSTOMER, "points": 300, "reason": "Reward"} | changed
    return functions.flow("consume", run, **properties)


@pytest.fixture(autouse=True)
def granted(functions: Functions) -> None:
    """The customer has 1,250 points."""
    assert functions.sample("flow_action_grant", "run").status == 200


@pytest.mark.parametrize("case", CARRIED_OUT)
def test_every_form_of_a_consume_is_carried_out(functions: Functions, case: str) -> None:
    answer = functions.sample(CONSUME, case)
    assert answer.status == 200, answer.body
    value = answer.body["return_value"]
    assert (value["approved"], value["spent"], value["lifetime"]) == (950, 300, 1250)


def test_more_than_there_is_is_refused_in_words_and_nothing_moves(functions: Functions) -> None:
    answer = consume(functions, "too-much", points=1251)
    assert (answer.status, answer.body["code"]) == (422, "insufficient_points")
    assert answer.body["message"] == (
        "The customer has 1,250 points to spend, but 1,251 are needed."
    )
    assert consume(functions, "all", points=1250).status == 200


def test_a_reason_that_a_template_renders_anew_is_still_the_same_run(functions: Functions) -> None:
    first = consume(functions, "run-1", reason="For order 1").body["return_value"]
    again = consume(functions, "run-1", reason="For order 1 (again)").body["return_value"]
    assert again == first | {"duplicate": True}


def test_consuming_renews_every_lot_where_expiry_rolls() -> None:
    functions = Functions(PROGRAMME_EXPIRY="rolling:days:90")
    assert functions.sample("flow_action_grant", "days_1").status == 200
    assert consume(functions, "run-1", points=1).status == 200
    view = functions.ledger.read("demo.myshopify.com", CUSTOMER)
    today = day_of(view.as_of, "Asia/Tokyo")
    assert [(lot.points, (lot.valid_through - today).days) for lot in view.lots] == [(99, 90)]
