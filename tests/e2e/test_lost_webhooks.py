"""A day of lost webhooks: afterwards every figure is what delivery would have made it.

Each customer has a twin. Of the customer's orders Shopify only keeps the last state, and delivers
nothing; of the twin's, which are the same, every webhook is delivered.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from local.stack import Stack
from tests.e2e.calls import approved, call, invoke, new_order, pass_time, post, wait_until
from tests.e2e.conftest import FOR_MANY_TESTS, own_stack
from tests.e2e.customers import Customer
from tests.e2e.fake_shopify import FakeShopify
from tools import shopify_payloads as payloads

type Messages = list[tuple[str, dict[str, Any]]]

HOURS_LOST = 24
ORDERS_OF_A_KIND = 5
TEA = payloads.line(1, "3000", 2, taxes=["545"])
HELD = "points of a hold"


@dataclass
class Order:
    """One order of a customer: its number, and when it was placed."""

    number: int
    customer: int
    at: datetime

    def body(self, minutes: int = 0, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The order so many minutes later."""
        updated = (self.at + timedelta(minutes=minutes)).isoformat()
        own: dict[str, Any] = {
            "id": self.number,
            "created_at": self.at.isoformat(),
            "updated_at": updated,
        }
        given = own | {"customer": payloads.customer(self.customer)} | changes
        return payloads.order(list(lines) or [TEA], "6000", **given)

    def refund(self, pieces: int, *adjustments: dict[str, Any]) -> dict[str, Any]:
        """Pieces given back, and paid."""
        net = pieces * 3000
        lines = [payloads.refund_line(TEA, pieces, net, net // 11)] if pieces else []
        made = payloads.refund(lines, [payloads.transaction(str(net or 1000))], adjustments)
        return made | {"id": self.number * 10, "order_id": self.number}


def plain(order: Order) -> Messages:
    return [("orders/create", order.body()), ("orders/paid", order.body())]


def paid_later(order: Order) -> Messages:
    pending = order.body(financial_status="pending")
    return [("orders/create", pending), ("orders/paid", order.body(30))]


def never_paid(order: Order) -> Messages:
    return [("orders/create", order.body(financial_status="pending"))]


def edited(order: Order) -> Messages:
    fewer = TEA | {"current_quantity": 1}
    more = payloads.line(2, "1200")
    return [("orders/create", order.body()), ("orders/updated", order.body(20, fewer, more))]


def refunded(order: Order) -> Messages:
    return _refunded(order, order.refund(1), "partially_refunded", current_quantity=1)


def refunded_by_amount(order: Order) -> Messages:
    refund = order.refund(0, payloads.adjustment("-1000"))
    return _refunded(order, refund, "partially_refunded")


def refunded_all(order: Order) -> Messages:
    return _refunded(order, order.refund(2), "refunded", current_quantity=0)


def _refunded(order: Order, refund: dict[str, Any], status: str, **line: Any) -> Messages:
    last = order.body(40, TEA | line, refunds=[refund], financial_status=status)
    return [*plain(order), ("refunds/create", refund), ("orders/updated", last)]


def cancelled(order: Order) -> Messages:
    at = (order.at + timedelta(minutes=50)).isoformat()
    return [*plain(order), ("orders/cancelled", order.body(50, cancelled_at=at))]


def with_points_of_the_till(order: Order) -> Messages:
    used = [payloads.metafield("omni_hub", "point_used", "7")]
    return [("orders/create", order.body(metafields=used))]


KINDS = {
    "plain": plain,
    "paid later": paid_later,
    "never paid": never_paid,
    "edited": edited,
    "refunded": refunded,
    "refunded by amount": refunded_by_amount,
    "refunded all": refunded_all,
    "cancelled": cancelled,
    "points of the till": with_points_of_the_till,
}


class Twins:
    """A customer whose webhooks are lost, and one whose webhooks are delivered."""

    def __init__(self, stack: Stack, kind: str) -> None:
        self.stack, self.kind = stack, kind
        self.lost, self.delivered = Customer(stack), Customer(stack)
        for customer in (self.lost, self.delivered):
            customer.grant(1_000)

    def buy(self, begin: datetime) -> None:
        """Place the same orders, spread over the day."""
        for place in range(ORDERS_OF_A_KIND):
            at = begin + timedelta(hours=place * HOURS_LOST / ORDERS_OF_A_KIND)
            for customer in (self.lost, self.delivered):
                self._place(customer, at, place)

    def _place(self, customer: Customer, at: datetime, place: int) -> None:
        order = Order(int(new_order()), int(customer.id), at)
        messages = KINDS[self.kind](order) if self.kind in KINDS else self._with_hold(order, place)
        if customer is self.lost:
            put(customer.shopify, messages[-1][1])
            return
        for topic, body in messages:
            post(self.stack, topic, body)

    def _with_hold(self, order: Order, place: int) -> Messages:
        """The first order uses points of a hold; the others are plain."""
        if place > 0:
            return plain(order)
        owner = next(c for c in (self.lost, self.delivered) if int(c.id) == order.customer)
        code = owner.held(500)["discount_code"]
        line = payloads.line(1, "3000", 2, discounts={0: "500"}, taxes=["500"])
        codes = [payloads.code(code, "500")]
        return [("orders/paid", order.body(0, line, codes=codes))]

    def agree(self) -> bool:
        """Whether both have the same figures, but for points that were had for a while."""
        lost, delivered = self.lost.figures(), self.delivered.figures()
        lifetimes = (lost.pop("lifetime"), delivered.pop("lifetime"))
        return lost == delivered and lifetimes[0] <= lifetimes[1]


def put(shopify: FakeShopify, order: dict[str, Any]) -> None:
    """Let Shopify have an order, and send nothing."""
    assert shopify.post("_order", order) == 200


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, whose clock is moved; orders are compared from its first hour on."""
    with own_stack(tmp_path_factory.mktemp("stack"), **FOR_MANY_TESTS) as started:
        invoke(started, "reconcile_orders")
        yield started


@pytest.fixture
def command(
    own: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Any:
    """`pointbook orders` on this stack: its exit status and its document."""
    own.write(tmp_path / "stack.json")
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))

    def run(*arguments: str) -> tuple[int, Any]:
        status = main(["orders", "--json", *arguments])
        return status, json.loads(capsys.readouterr().out)

    return run


def test_a_day_of_lost_webhooks_is_made_good_once_however_often_it_is_cut_off(
    own: Stack, command: Any
) -> None:
    begin = datetime.now(UTC).replace(microsecond=0)
    shopify = FakeShopify(own)
    twins = [Twins(own, kind) for kind in (*KINDS, HELD)]
    for pair in twins:
        pair.buy(begin)
    for pair in twins:
        wait_until(lambda pair=pair: pair.delivered.figures() != pair.lost.figures())  # type: ignore[misc]
    pass_time(own, (HOURS_LOST + 6) * 3600)
    since = begin.isoformat()
    everything = len(twins) * ORDERS_OF_A_KIND
    before = [pair.lost.figures() for pair in twins]

    status, document = command("--since", since, "--dry-run")
    assert (status, document["found"], document["fed"]) == (1, {"unknown": everything}, 0)

    shopify.behave(fail_with=503, match="order")
    cut = invoke(own, "reconcile_orders")
    assert (cut["fed"], cut["complete"]) == (0, False)
    assert [pair.lost.figures() for pair in twins] == before
    shopify.behave()
    until = (begin + timedelta(hours=HOURS_LOST / 2)).isoformat()
    status, document = command("--since", since, "--until", until)
    assert status == 0
    assert 0 < document["fed"] < everything

    result = invoke(own, "reconcile_orders")
    assert (result["compared"], result["failed"], result["complete"]) == (everything, 0, True)
    for pair in twins:
        wait_until(pair.agree)
    again = invoke(own, "reconcile_orders")
    assert (again["fed"], again["complete"]) == (0, True)
    status, document = command("--since", since)
    assert (status, document["compared"], document["fed"]) == (0, everything, 0)
    assert all(pair.agree() for pair in twins)


def test_a_lost_merge_is_shown_and_carried_out_if_a_person_says_so(
    own: Stack, command: Any
) -> None:
    gone, survivor = Customer(own), Customer(own)
    ahead = call(f"{own.front_url}/_clock").json()["offset_seconds"]
    at = datetime.now(UTC) + timedelta(seconds=ahead - 60)
    order = Order(int(new_order()), int(gone.id), at)
    put(gone.shopify, order.body())
    since = (at - timedelta(minutes=1)).isoformat()
    assert command("--since", since)[0] == 0
    wait_until(lambda: approved(own, gone.id) == 60)
    put(gone.shopify, order.body(customer=payloads.customer(int(survivor.id))))
    gone.shopify.behave(forget=gone.id)
    status, document = command("--since", since)
    assert (status, [one["fed"] for one in document["merges"]]) == (1, [False])
    status, document = command("--since", since, "--merges")
    assert (status, [one["fed"] for one in document["merges"]]) == (0, [True])
    wait_until(lambda: approved(own, survivor.id) == 60)
