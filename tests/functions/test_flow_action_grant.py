"""Shopify Flow grants points: every form it may send, every refusal, once for ever."""

import pytest

from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days
from tests.functions.flow_cases import CARRIED_OUT
from tests.support.harness import CUSTOMER, Functions

GRANT = "flow_action_grant"


@pytest.mark.parametrize("case", CARRIED_OUT)
def test_every_form_of_a_grant_is_carried_out(functions: Functions, case: str) -> None:
    answer = functions.sample(GRANT, case)
    assert answer.status == 200, answer.body
    value = answer.body["return_value"]
    assert value["duplicate"] is False
    assert value["entry_id"] == "8840734670934-000000000001"
    figures = {name: value[name] for name in ("approved", "pending", "total", "lifetime", "spent")}
    assert figures == {"approved": 1250, "pending": 0, "total": 1250, "lifetime": 1250, "spent": 0}


@pytest.mark.parametrize("case", ["days_1", "days_30", "days_empty"])
def test_days_to_expire_are_optional(functions: Functions, case: str) -> None:
    assert functions.sample(GRANT, case).body["return_value"]["approved"] == 100


@pytest.mark.parametrize("case", ["run", "days_empty"])
def test_without_days_points_last_as_the_programme_says(case: str) -> None:
    functions = Functions(PROGRAMME_EXPIRY="date:2099-12-31")
    assert functions.sample(GRANT, case).status == 200
    (lot,) = functions.lots()
    assert lot.valid_through.isoformat() == "2099-12-31"


def test_a_run_that_flow_repeats_is_answered_as_the_first_time(functions: Functions) -> None:
    first = functions.sample(GRANT, "run").body["return_value"]
    again = functions.sample(GRANT, "run").body["return_value"]
    assert again == first | {"duplicate": True}


def test_the_merchants_key_counts_for_one_customer_and_one_action(functions: Functions) -> None:
    functions.sample(GRANT, "with_key")
    assert functions.sample(GRANT, "with_key").body["return_value"]["duplicate"] is True
    consumed = functions.sample("flow_action_consume", "with_key").body["return_value"]
    assert consumed["duplicate"] is False
    assert consumed["approved"] == 950


@pytest.mark.parametrize("change", [{"points": 1251}, {"days_to_expire": 30}])
def test_a_key_stands_for_these_points_and_these_days(
    functions: Functions, change: dict[str, int]
) -> None:
    given = {"customer_id": CUSTOMER, "points": 1250, "reason": "Hi", "idempotency_key": "k"}
    runs = [("run-1", given), ("run-2", given | change)]
    answers = [functions.flow("grant", run, **properties) for run, properties in runs]
    assert [answer.status for answer in answers] == [200, 422]
    assert answers[1].body["code"] == "idempotency_mismatch"


def test_a_figure_that_graphqls_int_does_not_hold_is_null_and_the_others_stand(
    functions: Functions,
) -> None:
    for points in (10**9, 10**9, 2**31 - 1 - 2 * 10**9 - 1250):
        functions.execute(Grant(points, Days(365)))
    largest = functions.sample(GRANT, "run").body["return_value"]
    assert (largest["approved"], largest["total"]) == (2**31 - 1, 2**31 - 1)
    one_more = functions.sample(GRANT, "with_key").body["return_value"]
    assert {name for name, value in one_more.items() if value is None} == {
        "approved",
        "total",
        "lifetime",
    }
    assert one_more["spent"] == 0
    page = functions.sample("get_points", "by_header").body["figures"]
    assert page["approved"] == 2**31 - 1 + 1250
