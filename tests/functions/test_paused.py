"""What is paused is refused or waits, at every entrance; nothing of an order or a sign-up is lost.

Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.container import Parts
from pointbook.shopify.admin import AdminApi
from tests.fakes.admin_graphql import GraphqlShop
from tests.functions.hold_shop import HoldShop, hold_request
from tests.functions.moved import ClockFile
from tests.functions.push_shop import PushShop
from tests.support.harness import CUSTOMER, Functions, message, problem
from tools import shopify_payloads as payloads

pytestmark = pytest.mark.shopify_schema

SHOP = payloads.SHOP
TEA = payloads.line(1, "3000", 2, taxes=["545"])
HOUR = timedelta(hours=1)
NEWCOMER = 4711
SIGN_UP = int(demo.PARAMETERS["SignUpPoints"])
FLOW: dict[str, Any] = {"customer_id": CUSTOMER, "points": 300, "reason": "Reward"}


class Stack:
    """A shop at Shopify, and its functions under a programme that a test changes."""

    def __init__(self, clock: ClockFile) -> None:
        self._clock = clock
        self._parts: Parts = {}
        self.shopify = GraphqlShop()
        self.functions = Functions({"admin_api": self.admin}, LOCAL_CLOCK_FILE=str(clock))
        self._parts = {"admin_api": self.admin, "dynamodb": self.functions.table}

    def admin(self, _shop: str) -> AdminApi:
        return self.shopify.admin()

    def set(self, **rules: str) -> None:
        """Put rules into force, as a deployment on a laptop does."""
        variables = {f"PROGRAMME_{name.upper()}": text for name, text in rules.items()}
        clock = str(self._clock)
        self.functions = Functions(self._parts, LOCAL_CLOCK_FILE=clock, **variables)

    @property
    def now(self) -> datetime:
        return self.functions.container.clock.now()

    def move(self, ahead: timedelta) -> None:
        self._clock.move(seconds=ahead.total_seconds())

    def order(self, number: int, at: datetime | None = None, **changes: Any) -> None:
        """A customer orders for 6,000 yen; Shopify has it, and sends its webhook."""
        text = (at or self.now).replace(microsecond=0).isoformat()
        order = payloads.order([TEA], "6000", id=number, created_at=text, updated_at=text) | changes
        self.shopify.put(order)
        sent = json.loads(message("orders_paid"))
        self.work("order_events", json.dumps({**sent, "payload": order}))

    def sign_up(self, customer_id: int = NEWCOMER) -> None:
        received = self.now.astimezone(UTC).isoformat(timespec="milliseconds")
        sent = json.loads(message("customers_create", id=customer_id))
        self.work("customer_events", json.dumps(sent | {"received_at": received}))

    def work(self, queue: str, text: str) -> None:
        assert self.functions.work(queue, text) == [], "no message waits on the queue"

    def deliver(self) -> None:
        sent, self.functions.queues.sent = list(self.functions.queues.sent), []
        for queue, text in sent:
            self.work(queue, text)

    def reconcile(self) -> dict[str, Any]:
        """The daily run, and what it fed."""
        result = self.functions.invoke("reconcile_orders", {}, 60)
        self.deliver()
        return result

    def page(self, **event: Any) -> dict[str, Any]:
        """`pointbook orders` for the last three days."""
        period = {
            "since": (self.now - 72 * HOUR).isoformat(),
            "until": (self.now + HOUR).isoformat(),
        }
        answer = self.functions.invoke("reconcile_orders", period | event)
        self.deliver()
        return answer

    def figures(self, customer: str = CUSTOMER) -> dict[str, int]:
        view = self.functions.ledger.read(SHOP, customer)
        return {name: points for name, points in view.figures._asdict().items() if points}


@pytest.fixture
def stack(clock: ClockFile) -> Stack:
    return Stack(clock)


# --- orders and sign-ups wait ---------------------------------------------------------------------


def test_an_order_that_came_while_earning_was_paused_is_taken_up_by_the_daily_run(
    stack: Stack,
) -> None:
    stack.reconcile()
    stack.set(earning="paused")
    stack.order(1)
    stack.move(30 * HOUR)
    assert stack.reconcile()["compared"] == 0, "it waits"
    assert stack.figures() == {}
    stack.set(earning="on")
    stack.move(60 * HOUR)
    assert stack.reconcile()["fed"] == 1
    assert stack.figures() == {"approved": 60, "total": 60, "lifetime": 60}


def test_the_first_run_of_a_shop_that_begins_paused_loses_no_order_either(stack: Stack) -> None:
    stack.set(earning="paused")
    stack.reconcile()
    stack.order(1)
    stack.move(100 * HOUR)
    stack.reconcile()
    stack.set(earning="on")
    assert stack.reconcile()["fed"] == 1
    assert stack.figures()["approved"] == 60


def test_the_command_takes_up_orders_at_once_and_once(stack: Stack) -> None:
    stack.set(earning="paused")
    stack.order(1)
    stack.set(earning="on")
    assert [one["why"] for one in stack.page()["orders"]] == ["unknown"]
    assert (stack.page()["orders"], stack.figures()["approved"]) == ([], 60)


def test_while_earning_is_paused_the_command_feeds_nothing_but_says_what_waits(
    stack: Stack,
) -> None:
    stack.set(earning="paused")
    stack.order(1)
    assert stack.page()["code"] == "earning_paused"
    assert [one["order_id"] for one in stack.page(dry_run=True)["orders"]] == ["1"]
    assert stack.figures() == {}


def test_a_refund_during_the_pause_is_taken_back_afterwards(stack: Stack) -> None:
    stack.order(1, stack.now - HOUR)
    refund = payloads.refund(
        [payloads.refund_line(TEA, 1, 3000, 272)], [payloads.transaction("3000")]
    )
    stack.set(earning="paused")
    stack.order(1, refunds=[refund], financial_status="partially_refunded")
    stack.work("order_events", message("refunds_create", order_id=1))
    assert stack.figures()["approved"] == 60
    stack.set(earning="on")
    assert [one["why"] for one in stack.page()["orders"]] == ["older"]
    assert stack.figures()["approved"] == 30


def test_pending_points_are_approved_when_they_are_due_also_while_earning_is_paused(
    stack: Stack,
) -> None:
    stack.set(pending_days="1")
    stack.order(1)
    assert stack.figures()["pending"] == 60
    stack.set(pending_days="1", earning="paused")
    stack.move(30 * HOUR)
    stack.functions.invoke("approve_pending", {}, 60)
    assert stack.figures()["approved"] == 60


def test_a_sign_up_waits_and_is_taken_up_once(stack: Stack) -> None:
    stack.set(earning="paused")
    for _ in range(2):
        stack.sign_up()
    assert stack.reconcile()["sign_ups"] == 0
    assert stack.page()["code"] == "earning_paused"
    stack.set(earning="on")
    assert [stack.page(dry_run=True)["sign_ups"], stack.page()["sign_ups"]] == [0, 1]
    assert stack.figures(str(NEWCOMER))["approved"] == SIGN_UP
    stack.sign_up()
    assert stack.reconcile()["sign_ups"] == 0
    assert stack.figures(str(NEWCOMER))["approved"] == SIGN_UP


def test_the_daily_run_takes_up_sign_ups_too(stack: Stack) -> None:
    stack.set(earning="paused")
    stack.sign_up()
    stack.set(earning="on")
    assert stack.reconcile()["sign_ups"] == 1
    assert stack.figures(str(NEWCOMER))["approved"] == SIGN_UP


def test_of_a_customer_who_is_erased_meanwhile_no_sign_up_is_left(stack: Stack) -> None:
    stack.set(earning="paused")
    stack.sign_up(int(CUSTOMER))
    stack.functions.erase()
    stack.set(earning="on")
    assert stack.reconcile()["sign_ups"] == 0
    stack.set(earning="paused")
    stack.sign_up(int(CUSTOMER))
    stack.set(earning="on")
    assert stack.reconcile()["sign_ups"] == 0


# --- what another app has counted -----------------------------------------------------------------


def test_an_order_from_before_the_start_earns_nothing_whenever_it_changes(stack: Stack) -> None:
    start = stack.now
    stack.set(earn_from=start.isoformat(timespec="seconds"))
    stack.order(1, start - HOUR)
    stack.order(2, start + HOUR)
    stack.order(1, start - HOUR, updated_at=(start + 2 * HOUR).isoformat())
    assert stack.figures() == {"approved": 60, "total": 60, "lifetime": 60}


def test_orders_and_sign_ups_of_the_pause_earn_nothing_if_they_are_from_before_the_start(
    stack: Stack,
) -> None:
    stack.set(earning="paused")
    stack.order(1)
    stack.sign_up()
    stack.move(HOUR)
    start = stack.now
    stack.order(2, start + HOUR)
    stack.set(earning="on", earn_from=start.isoformat(timespec="seconds"))
    assert stack.page()["sign_ups"] == 1
    assert stack.figures() == {"approved": 60, "total": 60, "lifetime": 60}
    assert stack.figures(str(NEWCOMER)) == {}


# --- holds and Flow -------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["holds", "spending"])
def test_no_points_are_held_while_it_is_paused_and_my_page_says_so(
    tmp_path: Path, rule: str
) -> None:
    shop = HoldShop(tmp_path, **{f"PROGRAMME_{rule.upper()}": "paused"})
    page = shop.page()
    assert (page["holds_offered"], page["paused"]) == (False, ["holds"])
    assert problem(shop.hold("a")) == (409, "holds_paused")
    assert problem(shop.hold("b", 9_999)) == (409, "holds_paused")
    assert (shop.figures(), shop.codes.made) == ((1250, 0), {})


def test_an_open_hold_is_good_until_it_ends_and_can_be_released(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path)
    held = shop.hold("a").body
    parts: Parts = {"dynamodb": shop.functions.table, "discounts": lambda _: shop.codes}
    paused = Functions(parts, PROGRAMME_HOLDS="paused", PROGRAMME_SPENDING="paused")
    again = paused.request("create_hold", hold_request("a"))
    assert (again.status, again.body) == (201, held)
    shop.functions = paused
    assert shop.release(held["hold_id"]).status == 200
    assert shop.figures() == (1250, 0)


def test_an_order_that_uses_a_hold_is_booked_although_everything_is_paused(
    tmp_path: Path,
) -> None:
    shop = HoldShop(tmp_path)
    held = shop.hold("a").body
    parts: Parts = {"dynamodb": shop.functions.table, "discounts": lambda _: shop.codes}
    paused = Functions(
        parts, PROGRAMME_HOLDS="paused", PROGRAMME_SPENDING="paused", PROGRAMME_EARNING="paused"
    )
    code = {"code": held["discount_code"], "amount": "500", "type": "fixed_amount"}
    paid = message("orders_paid", customer={"id": int(CUSTOMER)}, discount_codes=[code])
    assert paused.work("order_events", paid) == []
    figures = paused.ledger.read(SHOP, CUSTOMER).figures
    assert (figures.approved, figures.spent, figures.hold, figures.pending) == (750, 500, 0, 0)


@pytest.mark.parametrize(
    ("action", "rule", "code"),
    [
        ("grant", "EARNING", "earning_paused"),
        ("consume", "SPENDING", "spending_paused"),
    ],
)
def test_flow_is_refused_but_for_what_it_did_before(action: str, rule: str, code: str) -> None:
    before = Functions()
    assert before.sample("flow_action_grant", "run").status == 200
    first = before.flow(action, "before", **FLOW).body["return_value"]
    paused = Functions({"dynamodb": before.table}, **{f"PROGRAMME_{rule}": "paused"})
    refused = paused.flow(action, "new", **FLOW)
    assert (refused.status, refused.body["code"]) == (422, code)
    again = paused.flow(action, "before", **FLOW)
    assert (again.status, again.body["return_value"]) == (200, first | {"duplicate": True})
    other = "consume" if action == "grant" else "grant"
    assert paused.flow(other, "other", **FLOW).status == 200
    on = Functions({"dynamodb": before.table})
    assert on.flow(action, "new", **FLOW).status == 200


@pytest.mark.parametrize("action", ["grant", "consume"])
def test_what_has_happened_at_the_till_is_booked_all_the_same(action: str) -> None:
    shop = PushShop()
    assert shop.flow("grant", "first", 1250).status == 200
    paused = {"PROGRAMME_EARNING": "paused", "PROGRAMME_SPENDING": "paused"}
    shop.functions = Functions({"dynamodb": shop.functions.table}, **paused)
    given = {**FLOW, "origin": "till"}
    assert shop.functions.flow(action, "at the till", **given).status == 200


def test_holds_alone_leave_flow_alone_and_my_page_names_both_that_customers_notice() -> None:
    holds = Functions(PROGRAMME_HOLDS="paused")
    assert holds.sample("flow_action_grant", "run").status == 200
    assert holds.flow("consume", "run", **FLOW).status == 200
    everything = Functions(PROGRAMME_EARNING="paused", PROGRAMME_SPENDING="paused")
    assert everything.sample("get_points", "by_header").body["paused"] == ["earning", "holds"]


def test_operators_add_remove_and_import_although_everything_is_paused() -> None:
    rules = ("EARNING", "SPENDING", "HOLDS")
    functions = Functions(None, **{f"PROGRAMME_{rule}": "paused" for rule in rules})
    assert functions.sample("adjust_points", "add").status == 201
    assert functions.sample("adjust_points", "remove").status == 201
    assert functions.sample("import_points", "run").status == 200
