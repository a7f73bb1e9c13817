"""A customer sees every movement of their own points, newest first, page by page."""

import pytest

from tests.support.harness import Answer, Functions, event

HISTORY = "points_history"


def page(functions: Functions, **query: str) -> Answer:
    """One page of the history."""
    payload = event(HISTORY, "by_header")
    query_string = "&".join(f"{name}={value}" for name, value in query.items())
    return functions.request(HISTORY, payload | {"rawQueryString": query_string})


@pytest.fixture
def moved(functions: Functions) -> Functions:
    """A stack on which the customer got 1,250 points and used 300."""
    functions.sample("flow_action_grant", "run")
    functions.sample("flow_action_consume", "run")
    return functions


def test_each_movement_says_what_when_and_why(moved: Functions) -> None:
    newest, oldest = moved.sample(HISTORY, "by_header").body["entries"]
    assert (newest["topic"], newest["approved_delta"]) == ("points/sub/flow", -300)
    assert (newest["entry_id"], newest["version"]) == ("8840734670934-000000000002", 2)
    assert newest["reason"] == "Welcome"
    assert newest["figures"]["approved"] == 950
    assert (oldest["topic"], oldest["approved_delta"]) == ("points/add/flow", 1250)
    assert oldest["at"] <= newest["at"]
    assert set(newest) == {
        "entry_id",
        "version",
        "at",
        "topic",
        "reason",
        "approved_delta",
        "figures",
    }


def test_pages_follow_each_other_without_gap_or_repetition(moved: Functions) -> None:
    first = page(moved, limit="1").body
    assert [entry["version"] for entry in first["entries"]] == [2]
    second = page(moved, limit="1", cursor=first["next_cursor"]).body
    assert [entry["version"] for entry in second["entries"]] == [1]
    assert second["next_cursor"] is None


def test_a_customer_without_history_gets_an_empty_page(functions: Functions) -> None:
    assert page(functions).body == {"entries": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"limit": "-1"},
        {"cursor": "0"},
        {"cursor": "x"},
        {"cursor": "1000000000000"},
    ],
)
def test_a_page_that_cannot_be_is_refused(moved: Functions, query: dict[str, str]) -> None:
    answer = page(moved, **query)
    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
