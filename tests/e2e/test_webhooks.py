"""Webhooks on the running stack: accepted, carried out, waiting while workers pause, redriven."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.output import counted
from local import webhooks
from local.stack import Stack
from tests.e2e.calls import (
    approved,
    call,
    figures,
    merge,
    new_customer,
    new_order,
    post,
    wait_until,
)
from tests.e2e.conftest import own_stack
from tests.e2e.queues import Queues
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

SIGN_UP = "customers/create"


def sign_up(stack: Stack, customer: str) -> None:
    post(stack, SIGN_UP, shopify_payloads.customer(int(customer)))


@pytest.fixture
def queues(stack: Stack) -> Queues:
    return Queues(stack, "customer_events")


@pytest.mark.parametrize("case", shopify_payloads.bodies())
def test_every_topic_is_accepted(stack: Stack, case: str) -> None:
    topic, body = shopify_payloads.bodies()[case]
    if "customer" in body and topic in ("customers/redact", "customers/data_request"):
        body = body | {"customer": body["customer"] | {"id": int(new_customer())}}  # nobody else's
    answer = webhooks.post(stack, topic, body_of(body))
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "queued"})


SHAPES = {
    ("orders_create",): (60, 0),
    ("orders_create", "orders_updated"): (30, 0),  # edited
    ("orders_create", "refunds_create_amount_only"): (50, 0),
    ("orders_create", "orders_updated_refunded"): (0, 0),
    ("orders_create", "orders_cancelled"): (0, 0),
    ("orders_create_with_codes",): (52, 0),  # two codes, two taxes, a gift card
    ("orders_create_test",): (0, 0),
    ("orders_create_guest", "orders_paid"): (60, 0),
    ("orders_create_pending",): (0, 60),
}
"""Sample orders, and what is approved and pending of them in the end."""


def send_samples(stack: Stack, customer: str, cases: tuple[str, ...]) -> None:
    """An order of the customer's own, as the samples have it; then one that is sent last."""
    order, last = int(new_order()), new_customer()
    for case in cases:
        topic, sample = shopify_payloads.bodies()[case]
        named = "order_id" if topic == "refunds/create" else "id"
        body = sample | {named: order, "refunds": _own(sample.get("refunds", []))}
        if sample.get("customer"):
            body["customer"] = shopify_payloads.customer(int(customer))
        if topic == "refunds/create":
            body["id"] = int(new_order())
        post(stack, topic, body)
    topic, sample = shopify_payloads.bodies()["orders_create"]
    mark = {"id": int(new_order()), "customer": shopify_payloads.customer(int(last))}
    post(stack, topic, sample | mark)
    wait_until(lambda: figures(stack, last)["approved"] > 0)


def _own(refunds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [refund | {"id": int(new_order())} for refund in refunds]


def has(stack: Stack, customer: str, expected: tuple[int, int]) -> bool:
    found = figures(stack, customer)
    return (found["approved"], found["pending"]) == expected


@pytest.mark.parametrize("cases", SHAPES, ids=" ".join)
def test_an_order_of_every_shape_earns_what_it_should(stack: Stack, cases: tuple[str, ...]) -> None:
    customer = new_customer()
    send_samples(stack, customer, cases)
    wait_until(lambda: has(stack, customer, SHAPES[cases]))


def test_a_shop_with_two_decimals_earns_by_its_cents(tmp_path: Path) -> None:
    with own_stack(tmp_path, CURRENCY="USD") as stack:
        customer = new_customer()
        topic, sample = shopify_payloads.bodies()["orders_create_usd"]
        post(stack, topic, sample | {"customer": shopify_payloads.customer(int(customer))})
        wait_until(lambda: has(stack, customer, (60, 0)))  # 54.97 and 5.17 of tax


def test_a_forged_webhook_is_refused_and_has_no_effect(stack: Stack) -> None:
    customer = new_customer()
    body = body_of(shopify_payloads.customer(int(customer)))
    forged = webhooks.headers_of(SIGN_UP, body, stack.shop_domain, "somebody-elses-secret")
    unsigned = {name: value for name, value in forged.items() if "Hmac" not in name}
    for headers in (forged, unsigned):
        assert call(stack.api_url + webhooks.PATH, body, headers).status_code == 401
    sign_up(stack, other := new_customer())
    wait_until(lambda: approved(stack, other) > 0)
    assert approved(stack, customer) == 0


def test_signing_up_shows_on_my_page_once_however_often_its_webhook_comes(stack: Stack) -> None:
    customer, later = new_customer(), new_customer()
    for _ in range(5):
        sign_up(stack, customer)
    wait_until(lambda: approved(stack, customer) > 0)
    sign_up(stack, later)
    wait_until(lambda: approved(stack, later) > 0)
    assert approved(stack, customer) == approved(stack, later)


def test_customers_who_were_merged_share_their_points(stack: Stack) -> None:
    source, target = new_customer(), new_customer()
    for customer in (source, target):
        sign_up(stack, customer)
        wait_until(lambda customer=customer: approved(stack, customer) > 0)  # type: ignore[misc]
    both = approved(stack, source) + approved(stack, target)
    merge(stack, source, target)
    wait_until(lambda: approved(stack, target) == both)
    assert approved(stack, source) == both


def test_while_a_worker_is_paused_webhooks_are_accepted_and_wait(
    stack: Stack, queues: Queues
) -> None:
    customers = [new_customer() for _ in range(15)]
    queues.enable(on=False)
    try:
        before = queues.waiting(queues.url)
        for customer in customers:
            sign_up(stack, customer)
        assert queues.waiting(queues.url) == before + len(customers)
        assert approved(stack, customers[0]) == 0
    finally:
        queues.enable(on=True)
    for customer in customers:
        wait_until(lambda customer=customer: approved(stack, customer) > 0)  # type: ignore[misc]


def test_what_keeps_failing_becomes_a_dead_letter_and_is_carried_out_after_a_redrive(
    stack: Stack, queues: Queues, local_commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Listed first, and redriven at once: a list hides no message from the redrive."""
    customer = new_customer()
    before = queues.waiting(queues.dead_letters)
    with queues.visibility_timeout(seconds=0), queues.worker_without_table():
        sign_up(stack, customer)
        wait_until(lambda: queues.waiting(queues.dead_letters) == before + 1, seconds=60)
    assert approved(stack, customer) == 0

    assert main(["redrive", "customer_events", "--list"]) == 0
    number = counted(before + 1, "message")
    assert f"{number}." in capsys.readouterr().out
    assert main(["redrive", "customer_events"]) == 0
    assert f"{number} moved back to customer_events." in capsys.readouterr().out
    wait_until(lambda: approved(stack, customer) > 0)
    assert queues.waiting(queues.dead_letters) == 0
