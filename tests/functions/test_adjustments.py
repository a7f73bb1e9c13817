"""Points are added and removed by operators and by the shop's staff: once for each key."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.ledger.instruction import Booked
from tests.support.harness import CUSTOMER, Answer, Functions, event, message, problem

OTHER = "8840734670935"
MANAGER, _, _ = demo.STAFF
ACTORS = {
    "adjust_points": "assumed-role/PointbookOperator/hanako",
    "staff_adjust_points": f"staff:{MANAGER}",
}
FIGURES = {"approved": 200, "pending": 0, "total": 200, "lifetime": 200, "spent": 0, "hold": 0}


class AdjustmentApi:
    """The function that adjusts points for operators, or the one for the staff."""

    def __init__(self, function: str, functions: Functions | None = None) -> None:
        self.function = function
        self.functions = functions or Functions()

    def request(self, points: object, key: str = "a", **more: object) -> dict[str, Any]:
        """The event of a request."""
        request = event(self.function, "add")
        request["headers"]["idempotency-key"] = key
        request["body"] = json.dumps({"points": points, "reason": "By hand"} | more)
        return request

    def adjust(self, points: object, key: str = "a", **more: object) -> Answer:
        return self.functions.request(self.function, self.request(points, key, **more))


@pytest.fixture(params=ACTORS)
def api(request: pytest.FixtureRequest) -> AdjustmentApi:
    return AdjustmentApi(request.param)


def test_points_are_added_and_the_entry_says_who_and_why(api: AdjustmentApi) -> None:
    answer = api.adjust(200)
    entry_id = f"{CUSTOMER}-000000000001"
    expected = {"customer_id": CUSTOMER, "entry_id": entry_id, "points": 200, "figures": FIGURES}
    assert (answer.status, answer.body) == (201, expected)
    (booked,) = api.functions.entries()
    assert booked.entry.topic == "points/add/manual"
    assert booked.cause == Cause("manual", ACTORS[api.function])
    assert booked.text is not None
    assert booked.text.reason == "By hand"


def test_points_are_valid_as_the_programme_says_or_through_the_day_that_is_given(
    api: AdjustmentApi,
) -> None:
    api.adjust(200, "rule")
    api.adjust(100, "day", expires_on="2099-12-31")
    by_rule, by_day = api.functions.lots()
    assert (by_rule.points, by_day.points) == (200, 100)
    assert by_rule.valid_through.day in (28, 29, 30, 31), "the end of a month"
    assert by_day.valid_through.isoformat() == "2099-12-31"


def test_points_are_removed_and_lifetime_stays(api: AdjustmentApi) -> None:
    api.adjust(200)
    answer = api.adjust(-150, "b")
    assert (answer.status, answer.body["figures"]) == (201, FIGURES | {"approved": 50, "total": 50})
    assert api.functions.topics()[0] == "points/sub/manual"


def test_more_than_there_is_cannot_be_removed_and_the_figures_say_why(api: AdjustmentApi) -> None:
    api.adjust(200)
    answer = api.adjust(-201, "b")
    assert problem(answer) == (422, "insufficient_points")
    assert "200 points to spend, but 201" in answer.body["detail"]
    assert answer.body["figures"] == FIGURES
    assert api.adjust(-200, "b").status == 201, "a refusal is not remembered"


def test_a_repetition_gets_the_first_answer_whatever_has_happened_since(api: AdjustmentApi) -> None:
    first = api.adjust(200)
    api.adjust(-50, "b")
    again = api.adjust(200, reason="In other words")
    assert (again.status, again.body) == (201, first.body)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(api.functions.entries()) == 2


@pytest.mark.parametrize("other", [{"points": 201}, {"points": -200}, {"expires_on": "2099-12-31"}])
def test_a_key_stands_for_one_adjustment(api: AdjustmentApi, other: dict[str, Any]) -> None:
    api.adjust(200)
    assert problem(api.adjust(**{"points": 200, **other})) == (422, "idempotency_mismatch")
    assert len(api.functions.entries()) == 1


def test_a_key_counts_for_one_customer_and_for_one_function(api: AdjustmentApi) -> None:
    api.adjust(200, "summer-campaign")
    elsewhere = api.request(300, "summer-campaign")
    elsewhere["pathParameters"]["customer"] = OTHER
    answer = api.functions.request(api.function, elsewhere)
    assert answer.body["figures"]["approved"] == 300
    granted = api.functions.sample("flow_action_grant", "with_key").body["return_value"]
    assert (granted["duplicate"], granted["approved"]) == (False, 1450)
    (other,) = ACTORS.keys() - {api.function}
    beside = AdjustmentApi(other, api.functions).adjust(1, "summer-campaign")
    assert (beside.status, "Idempotent-Replay" in beside.headers) == (201, False)


def test_one_key_ten_times_at_once_is_one_entry(api: AdjustmentApi) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: api.adjust(200), range(10)))
    assert {one.text for one in answers} == {answers[0].text}
    assert [one.status for one in answers] == [201] * 10
    assert sum("Idempotent-Replay" not in one.headers for one in answers) == 1
    assert len(api.functions.entries()) == 1


def test_a_merged_customers_survivor_is_adjusted_and_repetitions_are_recognized(
    api: AdjustmentApi,
) -> None:
    first = api.adjust(200)
    merged = api.functions.ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER, Cause("test"))
    assert isinstance(merged, Booked)
    again = api.adjust(200)
    assert (again.body, again.headers["Idempotent-Replay"]) == (first.body, "true")
    assert api.adjust(-50, "b").body["figures"]["approved"] == 150
    newest = api.functions.entries(OTHER)[0]
    assert (newest.entry.topic, newest.cause.actor) == ("points/sub/manual", ACTORS[api.function])


def test_an_erased_customer_is_refused(api: AdjustmentApi) -> None:
    api.adjust(200)
    api.functions.erase()
    for key in ("a", "b"):
        assert problem(api.adjust(200, key)) == (422, "customer_erased")


def test_a_customers_data_does_not_name_who_adjusted(api: AdjustmentApi) -> None:
    api.adjust(200)
    assert api.functions.work("privacy_events", message("customers_data_request")) == []
    (file,) = api.functions.bucket.objects.values()
    assert "By hand" in str(file)
    assert "hanako" not in str(file)
    assert MANAGER not in str(file)
