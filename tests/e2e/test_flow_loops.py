"""Shopify Flow beside its plain actions: loops, reports, reminders."""

import json
import uuid
from typing import Any

import pytest
from requests import Response

from local import signing
from local.stack import Stack
from tests.e2e.calls import (
    DAY,
    approved,
    call,
    flow,
    invoke,
    must_flow,
    new_customer,
    pass_time,
    wait_until,
)
from tests.e2e.conftest import SECOND_SHOP
from tests.e2e.fake_shopify import FakeShopify
from tests.e2e.test_triggers import CHANGED, must_have_declared_fields
from tools.make_events_flow import LIFECYCLE, lifecycle_body

BALANCE, EXPIRING = "points-balance", "points-expiring"


@pytest.fixture
def shopify(stack: Stack) -> FakeShopify:
    return FakeShopify(stack)


def payloads(shopify: FakeShopify, customer: str, handle: str) -> list[dict[str, Any]]:
    """The payloads of one trigger about a customer."""
    return [one["payload"] for one in shopify.triggers(customer, handle=handle)]


def test_workflows_that_start_each_other_are_stopped_after_five(
    stack: Stack, shopify: FakeShopify
) -> None:
    """A workflow grants a point for each change that is published, and names its cause."""
    customer = new_customer()
    answer = flow(stack, "grant", customer)
    answered: list[str] = []
    while answer.status_code == 200:
        assert len(answered) <= 6, "it does not end"
        wait_until(lambda: len(payloads(shopify, customer, CHANGED)) > len(answered))
        answered.append(payloads(shopify, customer, CHANGED)[-1]["Entry Id"])
        answer = flow(stack, "grant", customer, cause_entry_id=answered[-1])
    assert (answer.status_code, answer.json()["code"]) == (422, "loop_refused")
    assert answer.json()["message"].startswith("More than 5 workflows have started each other")
    assert len(answered) == 6
    assert approved(stack, customer) == 6


def test_a_hundred_consumes_in_a_row_are_no_loop(stack: Stack) -> None:
    customer = new_customer()
    assert flow(stack, "grant", customer, points=1000).status_code == 200
    answers = [flow(stack, "consume", customer) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert approved(stack, customer) == 900


def test_a_report_sends_the_six_figures_once(stack: Stack, shopify: FakeShopify) -> None:
    customer = new_customer()
    flow(stack, "grant", customer, points=1250)
    flow(stack, "consume", customer, points=300)
    run = f"run-{uuid.uuid4()}"
    answers = [flow(stack, "report", customer, run) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    values = [answer.json()["return_value"] for answer in answers]
    assert [value["duplicate"] for value in values] == [False, True, True]
    assert {name: values[0][name] for name in ("entry_id", "approved", "lifetime", "spent")} == {
        "entry_id": f"{customer}-000000000002",
        "approved": 950,
        "lifetime": 1250,
        "spent": 300,
    }
    wait_until(lambda: len(payloads(shopify, customer, BALANCE)) == 1)
    (trigger,) = shopify.triggers(customer, handle=BALANCE)
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


def test_a_reminder_is_sent_once_for_each_lead_time(stack: Stack, shopify: FakeShopify) -> None:
    customer = new_customer()
    answer = flow(stack, "grant", customer, points=40, days_to_expire=31)
    assert answer.status_code == 200
    invoke(stack, "reminders")
    assert payloads(shopify, customer, EXPIRING) == []
    pass_time(stack, DAY)
    for _ in range(2):
        assert invoke(stack, "reminders")["failed"] == 0
    (payload,) = payloads(shopify, customer, EXPIRING)
    assert payload["Points Expiring"] == 40
    assert (payload["Source"], payload["Entry Id"]) == ("schedule", f"{customer}-000000000001")
    pass_time(stack, 23 * DAY)
    for _ in range(2):
        invoke(stack, "reminders")
    assert len(payloads(shopify, customer, EXPIRING)) == 2


def test_a_disabled_trigger_is_not_sent_until_it_is_enabled(
    stack: Stack, shopify: FakeShopify
) -> None:
    def set_lifecycle(at: str, *, enabled: bool) -> Response:
        body = lifecycle_body(shopify_domain=SECOND_SHOP, timestamp=at, has_enabled_flow=enabled)
        headers = {"X-Shopify-Hmac-Sha256": signing.flow_signature(body)}
        return call(stack.api_url + LIFECYCLE, body, headers)

    def handles() -> list[str]:
        return [one["handle"] for one in shopify.triggers(customer, SECOND_SHOP)]

    customer = new_customer()
    assert set_lifecycle("2026-11-22T03:00:00Z", enabled=False).json() == {"status": "noted"}
    try:
        must_flow(stack, "grant", customer, shop=SECOND_SHOP)
        wait_until(lambda: handles() == ["points-approved-changed"])
    finally:
        assert set_lifecycle("2026-11-22T03:00:01Z", enabled=True).status_code == 200
    assert set_lifecycle("2026-11-22T03:00:00Z", enabled=False).json() == {"status": "outdated"}
    must_flow(stack, "grant", customer, shop=SECOND_SHOP)
    wait_until(lambda: handles().count(CHANGED) == 1)
    forged = lifecycle_body()
    signed = {"X-Shopify-Hmac-Sha256": signing.flow_signature(forged, "somebody-elses-secret")}
    answer = call(stack.api_url + LIFECYCLE, forged, signed)
    assert (answer.status_code, json.loads(answer.text)) == (401, {"code": "signature_wrong"})
