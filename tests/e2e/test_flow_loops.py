"""Shopify Flow beside its plain actions: loops, reports, reminders."""

import json
import uuid
from typing import Any

import pytest
from requests import Response

from local import signing
from local.stack import Stack
from tests.e2e.asking import ask, flow, invoke, points
from tests.e2e.conftest import SECOND_SHOP
from tests.e2e.test_holds import pass_time
from tests.e2e.test_triggers import CHANGED, Flow, a_customer, must_have_declared_fields, wait_until
from tests.e2e.test_triggers import run as run_in_shop
from tools.make_events_flow import LIFECYCLE, lifecycle_body

HOUR, DAY = 3600, 86_400
BALANCE, EXPIRING = "points-balance", "points-expiring"


@pytest.fixture
def shopify(stack: Stack) -> Flow:
    return Flow(stack)


def act(stack: Stack, action: str, customer: str, run: str = "", **properties: object) -> Response:
    """One run of an action, by default one that Flow never repeats."""
    given = {"customer_id": customer} | properties
    if action != "report":
        given = {"points": 1, "reason": "Loop"} | given
    return flow(stack, action, given, run or f"run-{uuid.uuid4()}")


def told(shopify: Flow, customer: str, handle: str) -> list[dict[str, Any]]:
    """The payloads of one trigger about a customer."""
    return [one["payload"] for one in shopify.told(customer) if one["handle"] == handle]


def approved(stack: Stack, customer: str) -> int:
    figures: Any = points(stack, customer)["figures"]
    return int(figures["approved"])


def test_workflows_that_answer_each_other_are_stopped_after_five(
    stack: Stack, shopify: Flow
) -> None:
    """Whenever Flow is told of a change, a workflow grants a point and names what caused it."""
    customer = a_customer()
    answer = act(stack, "grant", customer)
    answered: list[str] = []
    while answer.status_code == 200:
        assert len(answered) <= 6, "it does not end"
        news = len(answered) + 1
        wait_until(lambda news=news: len(told(shopify, customer, CHANGED)) == news)  # type: ignore[misc]
        answered.append(told(shopify, customer, CHANGED)[-1]["Entry Id"])
        answer = act(stack, "grant", customer, cause_entry_id=answered[-1])
    assert (answer.status_code, answer.json()["code"]) == (422, "loop_refused")
    assert answer.json()["message"].startswith("More than 5 workflows have started each other")
    assert len(answered) == 6
    assert approved(stack, customer) == 6


def test_a_hundred_consumes_in_a_row_are_no_loop(stack: Stack) -> None:
    customer = a_customer()
    assert act(stack, "grant", customer, points=1000).status_code == 200
    answers = [act(stack, "consume", customer) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert approved(stack, customer) == 900


def test_a_report_tells_the_six_figures_once(stack: Stack, shopify: Flow) -> None:
    customer = a_customer()
    act(stack, "grant", customer, points=1250)
    act(stack, "consume", customer, points=300)
    run = f"run-{uuid.uuid4()}"
    answers = [act(stack, "report", customer, run) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    values = [answer.json()["return_value"] for answer in answers]
    assert [value["duplicate"] for value in values] == [False, True, True]
    assert {name: values[0][name] for name in ("entry_id", "approved", "lifetime", "spent")} == {
        "entry_id": f"{customer}-000000000002",
        "approved": 950,
        "lifetime": 1250,
        "spent": 300,
    }
    wait_until(lambda: len(told(shopify, customer, BALANCE)) == 1)
    (trigger,) = [one for one in shopify.told(customer) if one["handle"] == BALANCE]
    must_have_declared_fields(trigger)
    assert trigger["payload"] == {
        "customer_id": int(customer),
        "Points Approved": 950,
        "Points Pending": 0,
        "Points Total": 950,
        "Points Lifetime": 1250,
        "Points Spent": 300,
        "Points Hold": 0,
        "Entry Id": f"{customer}-000000000002",
        "Source": "flow",
    }


def test_points_that_will_expire_are_told_once_for_each_lead(stack: Stack, shopify: Flow) -> None:
    customer = a_customer()
    answer = act(stack, "grant", customer, points=40, days_to_expire=31)
    assert answer.status_code == 200
    invoke(stack, "reminders")
    assert told(shopify, customer, EXPIRING) == []
    pass_time(stack, DAY)
    for _ in range(2):
        assert invoke(stack, "reminders")["failed"] == 0
    (payload,) = told(shopify, customer, EXPIRING)
    assert payload["Points Expiring"] == 40
    assert (payload["Source"], payload["Entry Id"]) == ("schedule", f"{customer}-000000000001")
    pass_time(stack, 23 * DAY)
    for _ in range(2):
        invoke(stack, "reminders")
    assert len(told(shopify, customer, EXPIRING)) == 2


def test_what_nobody_listens_to_is_not_sent_until_somebody_does(
    stack: Stack, shopify: Flow
) -> None:
    def say(at: str, *, listened: bool) -> Response:
        body = lifecycle_body(shopify_domain=SECOND_SHOP, timestamp=at, has_enabled_flow=listened)
        headers = {"X-Shopify-Hmac-Sha256": signing.flow_signature(body)}
        return ask(stack.api_url + LIFECYCLE, body, headers)

    def handles() -> list[str]:
        return [one["handle"] for one in shopify.told(customer, SECOND_SHOP)]

    customer = a_customer()
    assert say("2026-11-22T03:00:00Z", listened=False).json() == {"status": "noted"}
    try:
        run_in_shop(stack, "grant", customer, 1, SECOND_SHOP)
        wait_until(lambda: handles() == ["points-approved-changed"])
    finally:
        assert say("2026-11-22T03:00:01Z", listened=True).status_code == 200
    assert say("2026-11-22T03:00:00Z", listened=False).json() == {"status": "outdated"}
    run_in_shop(stack, "grant", customer, 1, SECOND_SHOP)
    wait_until(lambda: handles().count(CHANGED) == 1)
    forged = lifecycle_body()
    answer = ask(
        stack.api_url + LIFECYCLE,
        forged,
        {"X-Shopify-Hmac-Sha256": signing.flow_signature(forged, "somebody-elses-secret")},
    )
    assert (answer.status_code, json.loads(answer.text)) == (401, {"code": "signature_wrong"})
