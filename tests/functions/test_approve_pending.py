"""Pending points of orders are approved when their days are over; no order stops another."""

from dataclasses import replace
from typing import Any

import pytest

from local import demo
from pointbook.domain.ports import Committed, ReadRequest, Write
from tests.functions.moved import ClockFile
from tests.support.harness import CUSTOMER, Functions, event, message

OTHER = "8840734670935"


@pytest.fixture
def shop(clock: ClockFile) -> Functions:
    """A stack whose points are pending for three days; two customers have 60 pending each."""
    functions = Functions(LOCAL_CLOCK_FILE=str(clock), PROGRAMME_PENDING_DAYS="3")
    now = functions.container.clock.now().isoformat()
    for number, customer in enumerate((CUSTOMER, OTHER), start=901):
        text = message("orders_create", id=number, customer={"id": customer}, updated_at=now)
        assert functions.work("order_events", text) == []
    return functions


def figures(functions: Functions, customer: str) -> tuple[int, int]:
    """Approved and pending points."""
    found = functions.ledger.read(demo.SHOP_DOMAIN, customer).figures
    return found.approved, found.pending


def claim_pending_points_that_are_not_there(functions: Functions) -> None:
    """Have the first order claim one pending point more than its customer has."""
    store = functions.container.store
    order = store.load(ReadRequest(demo.SHOP_DOMAIN, None, order_id="901"), fresh=True).order
    assert order is not None
    claim = replace(order, pending_points=61, revision=order.revision + 1)
    assert store.commit(Write(demo.SHOP_DOMAIN, (), order=claim)) == Committed()


def run(functions: Functions, seconds: float = 30) -> dict[str, Any]:
    return functions.invoke("approve_pending", event("approve_pending", "schedule"), seconds)


def test_pending_points_are_approved_after_their_days(shop: Functions, clock: ClockFile) -> None:
    assert run(shop)["due"] == 0
    clock.move(days=3, minutes=-1)
    assert run(shop)["due"] == 0
    assert figures(shop, CUSTOMER) == (0, 60)
    clock.move(days=3)
    assert run(shop) == {"due": 2, "entries": 2, "failed": 0, "complete": True}
    assert figures(shop, CUSTOMER) == figures(shop, OTHER) == (60, 0)
    assert run(shop)["due"] == 0


def test_an_order_that_cannot_be_approved_stops_no_other(shop: Functions, clock: ClockFile) -> None:
    claim_pending_points_that_are_not_there(shop)
    clock.move(days=3)
    assert run(shop) == {"due": 2, "entries": 1, "failed": 1, "complete": True}
    assert (figures(shop, CUSTOMER), figures(shop, OTHER)) == ((0, 60), (60, 0))


def test_a_run_without_time_leaves_the_rest_for_the_next(shop: Functions, clock: ClockFile) -> None:
    clock.move(days=3)
    assert run(shop, seconds=0)["complete"] is False
    assert run(shop)["entries"] == 2
