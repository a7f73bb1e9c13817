"""Webhooks on the running stack: accepted, worked on, kept while workers stand still, redriven."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from cli import redrive
from cli.output import Output
from local import webhooks
from local.stack import Stack
from tests.e2e.asking import ask, points
from tests.e2e.conftest import OwnStack
from tests.e2e.queues import Queues, wait_until
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

SIGN_UP = "customers/create"


def a_customer() -> int:
    """Somebody whom no other test knows."""
    return 9_000_000_000_000 + uuid.uuid4().int % 1_000_000_000


def sign_up(stack: Stack, customer_id: int) -> None:
    body = body_of(shopify_payloads.customer(customer_id))
    assert webhooks.post(stack, SIGN_UP, body).status == 200


def approved(stack: Stack, customer_id: int) -> int:
    figures: Any = points(stack, str(customer_id))["figures"]
    return int(figures["approved"])


@pytest.fixture
def queues(stack: Stack) -> Queues:
    return Queues(stack, "customer_events")


@pytest.mark.parametrize("case", shopify_payloads.bodies())
def test_every_topic_is_accepted(stack: Stack, case: str) -> None:
    topic, body = shopify_payloads.bodies()[case]
    if "customer" in body and topic in ("customers/redact", "customers/data_request"):
        body = body | {"customer": body["customer"] | {"id": a_customer()}}  # nobody else's
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


def tell_samples(stack: Stack, customer: int, cases: tuple[str, ...]) -> None:
    """An order of the customer's own, as the samples have it; then one that is told last."""
    order, last = uuid.uuid4().int % 10**15, a_customer()
    for case in cases:
        topic, sample = shopify_payloads.bodies()[case]
        named = "order_id" if topic == "refunds/create" else "id"
        body = sample | {named: order, "refunds": _own(sample.get("refunds", []))}
        if sample.get("customer"):
            body["customer"] = shopify_payloads.customer(customer)
        if topic == "refunds/create":
            body["id"] = uuid.uuid4().int % 10**15
        assert webhooks.post(stack, topic, body_of(body)).status == 200
    topic, sample = shopify_payloads.bodies()["orders_create"]
    mark = {"id": order + 1, "customer": shopify_payloads.customer(last)}
    assert webhooks.post(stack, topic, body_of(sample | mark)).status == 200
    wait_until(lambda: figures(stack, last)["approved"] > 0)


def _own(refunds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [refund | {"id": uuid.uuid4().int % 10**15} for refund in refunds]


def figures(stack: Stack, customer: int) -> dict[str, int]:
    found: Any = points(stack, str(customer))["figures"]
    return dict(found)


def has(stack: Stack, customer: int, expected: tuple[int, int]) -> bool:
    found = figures(stack, customer)
    return (found["approved"], found["pending"]) == expected


@pytest.mark.parametrize("cases", SHAPES, ids=" ".join)
def test_an_order_of_every_shape_earns_what_it_should(stack: Stack, cases: tuple[str, ...]) -> None:
    customer = a_customer()
    tell_samples(stack, customer, cases)
    wait_until(lambda: has(stack, customer, SHAPES[cases]))


def test_a_shop_with_two_decimals_earns_by_its_cents(tmp_path: Path) -> None:
    own = OwnStack(tmp_path)
    try:
        stack = own.start(CURRENCY="USD")
        customer = a_customer()
        topic, sample = shopify_payloads.bodies()["orders_create_usd"]
        body = sample | {"customer": shopify_payloads.customer(customer)}
        assert webhooks.post(stack, topic, body_of(body)).status == 200
        wait_until(lambda: has(stack, customer, (60, 0)))  # 54.97 and 5.17 of tax
    finally:
        own.stop()


def test_what_is_forged_is_refused_and_has_no_effect(stack: Stack) -> None:
    customer = a_customer()
    body = body_of(shopify_payloads.customer(customer))
    forged = webhooks.headers_of(SIGN_UP, body, stack.shop_domain, "somebody-elses-secret")
    unsigned = {name: value for name, value in forged.items() if "Hmac" not in name}
    for headers in (forged, unsigned):
        assert ask(stack.api_url + webhooks.PATH, body, headers).status_code == 401
    sign_up(stack, other := a_customer())
    wait_until(lambda: approved(stack, other) > 0)
    assert approved(stack, customer) == 0


def test_signing_up_shows_on_my_page_once_however_often_it_is_told(stack: Stack) -> None:
    customer, later = a_customer(), a_customer()
    for _ in range(5):
        sign_up(stack, customer)
    wait_until(lambda: approved(stack, customer) > 0)
    sign_up(stack, later)
    wait_until(lambda: approved(stack, later) > 0)
    assert approved(stack, customer) == approved(stack, later)


def test_customers_who_were_merged_share_their_points(stack: Stack) -> None:
    gone, kept = a_customer(), a_customer()
    for customer in (gone, kept):
        sign_up(stack, customer)
        wait_until(lambda customer=customer: approved(stack, customer) > 0)  # type: ignore[misc]
    both = approved(stack, gone) + approved(stack, kept)
    body = shopify_payloads.merge("completed") | {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}",
    }
    assert webhooks.post(stack, "customers/merge", body_of(body)).status == 200
    wait_until(lambda: approved(stack, kept) == both)
    assert approved(stack, gone) == both


def test_while_a_worker_stands_still_webhooks_are_accepted_and_wait(
    stack: Stack, queues: Queues
) -> None:
    customers = [a_customer() for _ in range(15)]
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
    stack: Stack, queues: Queues
) -> None:
    customer = a_customer()
    before = queues.waiting(queues.letters)
    with queues.patience(seconds=0), queues.worker_without_table():
        sign_up(stack, customer)
        wait_until(lambda: queues.waiting(queues.letters) == before + 1, seconds=60)
    assert approved(stack, customer) == 0

    assert len(redrive.show(queues.sqs, queues.letters, Output())) == before + 1
    moved = redrive.redrive(queues.sqs, queues.letters, queues.url, Output())
    assert len(moved) == before + 1
    wait_until(lambda: approved(stack, customer) > 0)
    assert queues.waiting(queues.letters) == 0
