"""The shop's staff add and remove points: who may, so many at once and a day; and previews."""

import json
from pathlib import Path
from typing import Any

import pytest

from local import demo
from tests.functions.moved import ClockFile
from tests.support.harness import CUSTOMER, TABLE, Answer, Functions, event, problem

ADJUST = "staff_adjust_points"
MANAGER, COUNTER, NEWCOMER = demo.STAFF
FIGURES = {"approved": 200, "pending": 0, "total": 200, "lifetime": 200, "spent": 0, "hold": 0}


def adjustment(points: object, key: str = "a", **more: object) -> dict[str, Any]:
    """The event of the manager's request."""
    request = event(ADJUST, "add")
    body = {"points": points, "reason": "By hand", "idempotency_key": key} | more
    return request | {"body": json.dumps(body)}


def test_who_pressed_is_named_beside_who_is_logged_in(functions: Functions) -> None:
    assert functions.sample(ADJUST, "pressed_by_another").status == 201
    (booked,) = functions.entries()
    assert booked.cause.actor == f"staff:{MANAGER} for staff:{COUNTER}"


def test_the_right_is_that_of_who_is_logged_in_whoever_pressed(functions: Functions) -> None:
    request = event(ADJUST, "by_newcomer")
    request["body"] = json.dumps(json.loads(request["body"]) | {"by": MANAGER})
    assert problem(functions.request(ADJUST, request)) == (403, "not_permitted")
    assert functions.entries() == []


def test_a_staff_member_cannot_say_that_the_till_has_it_already(functions: Functions) -> None:
    functions.request(ADJUST, adjustment(200, origin="till"))
    assert not functions.entries()[0].cause.is_at_till


# --- preview --------------------------------------------------------------------------------------


def test_a_preview_says_what_would_be_and_writes_nothing(functions: Functions) -> None:
    functions.request(ADJUST, adjustment(300))
    before = functions.table.items(TABLE)
    answer = functions.request(ADJUST, adjustment(-100, "b", preview=True))
    figures = FIGURES | {"approved": 200, "total": 200, "lifetime": 300}
    expected = {"customer_id": CUSTOMER, "points": -100, "figures": figures, "preview": True}
    assert (answer.status, answer.body) == (200, expected)
    assert functions.table.items(TABLE) == before
    booked = functions.request(ADJUST, adjustment(-100, "b"))
    assert booked.body["figures"] == figures
    assert "Idempotent-Replay" not in booked.headers


def test_a_preview_is_refused_for_what_the_adjustment_would_be() -> None:
    functions = Functions(PROGRAMME_STAFF_POINTS_PER_DAY="300")
    functions.request(ADJUST, adjustment(200))
    for points, more, refusal in (
        (301, {}, (422, "action_limit_exceeded")),
        (101, {}, (429, "daily_limit_reached")),
        (-201, {}, (422, "insufficient_points")),
        (1, {"expires_on": "2020-01-01"}, (422, "day_past")),
    ):
        request = adjustment(points, "b", preview=True, **more)
        if points == -201:
            request = adjustment(-250, "b", preview=True)
        previewed = functions.request(ADJUST, request)
        assert problem(previewed) == refusal
        booked = functions.request(ADJUST, json_without_preview(request))
        assert (problem(booked), booked.body) == (refusal, previewed.body)


def json_without_preview(request: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(request["body"])
    del body["preview"]
    return request | {"body": json.dumps(body)}


def test_a_preview_of_what_is_booked_already_says_so(functions: Functions) -> None:
    first = functions.request(ADJUST, adjustment(200))
    answer = functions.request(ADJUST, adjustment(200, preview=True))
    assert answer.headers["Idempotent-Replay"] == "true"
    assert answer.body["figures"] == first.body["figures"]


def test_the_key_may_be_in_the_header_as_well(functions: Functions) -> None:
    first = functions.request(ADJUST, adjustment(200, "k"))
    request = adjustment(200)
    request["body"] = json.dumps({"points": 200, "reason": "Hi"})
    request["headers"]["idempotency-key"] = "k"
    assert functions.request(ADJUST, request).body == first.body


# --- rights and limits ----------------------------------------------------------------------------


def refused(functions: Functions, request: dict[str, Any]) -> Answer:
    """The answer to a request that must change nothing."""
    before = functions.table.items(TABLE)
    answer = functions.request(ADJUST, request)
    assert answer.status >= 400
    assert functions.table.items(TABLE) == before
    return answer


@pytest.mark.parametrize(
    ("rule", "case", "allowed"),
    [
        ("all", "add", True),
        ("all", "by_newcomer", True),
        (NEWCOMER, "by_newcomer", True),
        (f"{MANAGER},{NEWCOMER}", "by_newcomer", True),
        (MANAGER, "by_newcomer", False),
        (MANAGER, "at_the_counter", False),
        ("none", "add", False),
        (f"{MANAGER}0", "add", False),
        (MANAGER[:-1], "add", False),
    ],
)
def test_who_may_is_a_rule_of_the_programme(rule: str, case: str, allowed: bool) -> None:
    functions = Functions(PROGRAMME_STAFF_ADJUST=rule)
    functions.sample("adjust_points", "add")  # there is a programme now
    if allowed:
        assert functions.sample(ADJUST, case).status == 201
        return
    answer = refused(functions, event(ADJUST, case))
    assert problem(answer) == (403, "not_permitted")
    assert "staff_adjust" in answer.body["detail"]


@pytest.mark.parametrize("points", [1001, -1001])
def test_more_than_the_programme_allows_at_once_is_refused(
    functions: Functions, points: int
) -> None:
    functions.sample("flow_action_grant", "run")
    answer = refused(functions, adjustment(points))
    assert problem(answer) == (422, "action_limit_exceeded")
    assert "1,000 points at once, but these are 1,001" in answer.body["detail"]
    assert functions.request(ADJUST, adjustment(1000 if points > 0 else -1000)).status == 201


def test_more_than_the_programme_allows_in_a_day_is_refused_until_the_shops_midnight(
    tmp_path: Path,
) -> None:
    clock = ClockFile(tmp_path)
    functions = Functions(LOCAL_CLOCK_FILE=str(clock), PROGRAMME_STAFF_POINTS_PER_DAY="1500")
    assert functions.request(ADJUST, adjustment(1000, "a")).status == 201
    assert functions.request(ADJUST, adjustment(-400, "b")).status == 201
    answer = refused(functions, adjustment(101, "c"))
    assert problem(answer) == (429, "daily_limit_reached")
    assert "100 more points today" in answer.body["detail"]
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 86_400
    assert functions.request(ADJUST, adjustment(100, "d")).status == 201
    clock.move(seconds=seconds)
    assert functions.request(ADJUST, adjustment(1000, "c")).status == 201


def test_a_limit_for_a_day_below_that_for_an_action_is_one_for_an_action_too() -> None:
    functions = Functions(PROGRAMME_STAFF_POINTS_PER_DAY="300")
    answer = functions.request(ADJUST, adjustment(301))
    assert problem(answer) == (422, "action_limit_exceeded")
    assert "Retry-After" not in answer.headers


def test_each_member_of_the_staff_has_a_limit_of_their_own() -> None:
    functions = Functions(
        PROGRAMME_STAFF_POINTS_PER_DAY="200", PROGRAMME_STAFF_ADJUST=f"{MANAGER},{COUNTER}"
    )
    assert functions.sample(ADJUST, "add").status == 201
    assert problem(functions.request(ADJUST, adjustment(1, "b"))) == (429, "daily_limit_reached")
    request = event(ADJUST, "at_the_counter")
    request["body"] = adjustment(200, "c")["body"]
    assert functions.request(ADJUST, request).status == 201
