"""Orders whose webhooks were lost are found at Shopify and fed to the orders' queue.

Shopify's real Admin schema has to be there: `make shopify-schema`.
"""

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days
from pointbook.entrypoints.schedule import MARGIN_SECONDS
from pointbook.errors import Unavailable
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.services import reconciliation_runs
from pointbook.services.reconciliation import ACTOR, FAILURES_MAX
from pointbook.shopify.admin import AdminApi
from tests.fakes.admin_api import answer, errors
from tests.fakes.admin_graphql import GraphqlShop
from tests.functions.moved import ClockFile
from tests.support.harness import TABLE, Functions, message
from tests.support.instants import milliseconds
from tests.support.logs import logged, metric_sums
from tests.support.payloads import redact_payload
from tools import shopify_payloads as payloads

pytestmark = pytest.mark.shopify_schema

SHOP, OTHER_SHOP = payloads.SHOP, "second.myshopify.com"
CUSTOMER, OTHER = str(payloads.CUSTOMER), str(payloads.OTHER_CUSTOMER)
TEA = payloads.line(1, "3000", 2, taxes=["545"])
PROGRESS = {"pk": {"S": f"SHOP#{SHOP}"}, "sk": {"S": "RECONCILIATION"}}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Crash(BaseException):
    """The process ends."""


class Scenario:
    """The functions, and the orders that Shopify has; nothing is delivered by itself."""

    def __init__(self, clock: ClockFile) -> None:
        self._clock = clock
        self.shopify = GraphqlShop()
        self.closed: dict[str, GraphqlShop] = {}
        self.functions = Functions({"admin_api": self.admin}, LOCAL_CLOCK_FILE=str(clock))
        self.queues = self.functions.queues

    def admin(self, shop: str) -> AdminApi:
        return self.closed.get(shop, self.shopify).admin()

    @property
    def now(self) -> datetime:
        return self.functions.container.clock.now()

    def move(self, ahead: timedelta) -> None:
        """Move the ledger's clock so far ahead of real time."""
        self._clock.move(seconds=ahead.total_seconds())

    def put(self, number: int, ago: timedelta, **changes: Any) -> dict[str, Any]:
        """Let Shopify have an order of 6,000 yen, which was updated a while ago."""
        at = (self.now - ago).replace(microsecond=0).isoformat()
        order = payloads.order([TEA], "6000", id=number, created_at=at, updated_at=at, **changes)
        self.shopify.put(order)
        return order

    def run(self, seconds: float = 60) -> dict[str, Any]:
        return self.functions.invoke("reconcile_orders", {}, seconds)

    def page(self, **event: Any) -> dict[str, Any]:
        """A page, as `pointbook orders` asks for it."""
        period = {"since": (self.now - 3 * DAY).isoformat(), "until": self.now.isoformat()}
        return self.functions.invoke("reconcile_orders", period | event)

    def fed(self) -> list[str]:
        """The orders on the queue, in order."""
        return [str(json.loads(text)["payload"].get("id")) for _, text in self.queues.sent]

    def deliver(self) -> None:
        """Let the workers process what is on the queues."""
        sent, self.queues.sent = list(self.queues.sent), []
        for queue, text in sent:
            assert self.functions.work(queue, text) == []

    def figures(self, customer: str = CUSTOMER) -> dict[str, int]:
        view = self.functions.ledger.read(SHOP, customer)
        return {name: points for name, points in view.figures._asdict().items() if points}

    def items(self) -> dict[tuple[str, str], Any]:
        return dict(self.functions.table.items(TABLE))


@pytest.fixture
def scenario(clock: ClockFile) -> Scenario:
    return Scenario(clock)


# --- what is found --------------------------------------------------------------------------------


def test_lost_orders_are_booked_as_their_webhooks_would_have_been(scenario: Scenario) -> None:
    refund = payloads.refund(
        [payloads.refund_line(TEA, 1, 3000, 272)], [payloads.transaction("3000")]
    )
    scenario.put(1, 20 * HOUR)
    scenario.put(2, 19 * HOUR, financial_status="pending")
    scenario.put(3, 18 * HOUR, refunds=[refund], financial_status="partially_refunded")
    scenario.put(4, 17 * HOUR, cancelled_at=payloads.LATER)
    scenario.put(5, 16 * HOUR, customer=None)
    result = scenario.run()
    assert result == {
        "compared": 5,
        "found": 5,
        "fed": 5,
        "merges": 0,
        "failed": 0,
        "sign_ups": 0,
        "complete": True,
    }
    scenario.deliver()
    assert scenario.figures() == {"approved": 90, "pending": 60, "total": 150, "lifetime": 90}


def test_what_was_fed_is_found_no_second_time(scenario: Scenario) -> None:
    for number in range(1, 8):
        scenario.put(number, number * HOUR)
    assert scenario.run()["fed"] == 3, "not those of the last five hours"
    scenario.deliver()
    before = scenario.figures()
    result = scenario.run()
    assert (result["compared"], result["fed"], scenario.queues.sent) == (2, 0, []), (
        "the last hour's"
    )
    scenario.move(DAY)
    assert scenario.run()["fed"] == 4
    scenario.deliver()
    assert scenario.figures()["approved"] == before["approved"] * 7 // 3


def test_an_order_whose_state_is_older_or_newer_is_told_apart(scenario: Scenario) -> None:
    """Known as Shopify has it, in an older state, in a newer one, and by a refund alone."""
    for number, ago in ((1, 10 * HOUR), (2, 20 * HOUR), (3, 8 * HOUR)):
        scenario.put(number, ago)
    scenario.page()
    scenario.deliver()
    assert scenario.functions.work("order_events", message("refunds_create", order_id=4)) == []
    for number, ago in ((2, 9 * HOUR), (3, 11 * HOUR), (4, 9 * HOUR)):
        scenario.put(number, ago)
    found = {one["order_id"]: one["why"] for one in scenario.page()["orders"]}
    assert found == {"2": "older", "4": "older"}
    assert sorted(scenario.fed()) == ["2", "4"]


def test_entries_say_that_they_come_from_the_comparison(scenario: Scenario) -> None:
    scenario.put(1, 10 * HOUR)
    scenario.run()
    (text,) = [text for _, text in scenario.queues.sent]
    assert json.loads(text)["event_id"] == ACTOR
    assert json.loads(text)["topic"] == "orders/updated"
    assert "Hanako" not in text


def test_found_orders_are_counted_and_named(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.put(1, 10 * HOUR)
    scenario.run()
    lines = logged(capsys)
    (named,) = [line for line in lines if line.get("message") == "order_reconciled"]
    assert (named["order_id"], named["reason"], named["shop"]) == ("1", "unknown", SHOP)
    assert [line["LostWebhooks"] for line in lines if "LostWebhooks" in line] == [[1]]
    scenario.deliver()
    scenario.run()
    assert "LostWebhooks" not in metric_sums(capsys)


def test_points_at_a_till_are_taken_unless_the_shop_has_chosen_flow_for_them(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    used = [payloads.metafield("omni_hub", "point_used", "20")]
    scenario.put(1, 12 * HOUR, metafields=used)
    scenario.run()
    scenario.deliver()
    assert scenario.figures()["spent"] == 20
    capsys.readouterr()
    scenario.shopify.shop.webhook_metafields.clear()
    scenario.put(2, 11 * HOUR, metafields=used)
    (found,) = scenario.page()["orders"]
    assert (found["fed"], found["till_points_unread"], found["code"]) == (True, True, "")
    assert "till_points_unread" in capsys.readouterr().out
    scenario.deliver()
    assert scenario.figures()["spent"] == 20


# --- runs that end early --------------------------------------------------------------------------


@pytest.fixture
def many(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Fifteen lost orders, which are compared in pages of four."""
    monkeypatch.setattr(reconciliation_runs, "PAGE_ORDERS_MAX", 4)
    for number in range(1, 16):
        scenario.put(number, 24 * HOUR - number * HOUR)
    return scenario


@pytest.mark.parametrize("sends", [0, 1, 4, 6, 11, 14])
def test_a_run_that_crashed_is_continued_and_comes_to_the_same(many: Scenario, sends: int) -> None:
    left = iter(range(sends))

    def send(**sent: Any) -> None:
        if next(left, None) is None:
            raise Crash
        many.queues.sent.append((sent["QueueUrl"], sent["MessageBody"]))

    many.queues.send_message = send  # type: ignore[method-assign]
    with pytest.raises(Crash):
        many.run()
    del many.queues.send_message
    pages_before = many.shopify.operations.count("orders")
    assert many.run()["complete"]
    pages = many.shopify.operations.count("orders") - pages_before
    assert pages <= 5 - sends // 4, "what was compared is not compared again"
    assert set(many.fed()) == {str(number) for number in range(1, 16)}
    many.deliver()
    assert many.figures() == {"approved": 900, "total": 900, "lifetime": 900}
    assert many.run()["fed"] == 0


def test_a_run_without_time_does_nothing_and_the_next_one_all(many: Scenario) -> None:
    assert not many.run(seconds=4)["complete"]
    assert many.fed() == []
    assert many.run()["fed"] == 15


def test_a_run_whose_time_is_up_within_a_page_passes_none_of_it_over(many: Scenario) -> None:
    real = many.shopify.send

    def slow(call: Any, deadline: Any) -> Any:
        time.sleep(0.15)
        return real(call, deadline)

    many.shopify.send = slow  # type: ignore[method-assign]
    assert not many.run(seconds=MARGIN_SECONDS + 0.4)["complete"]
    assert 0 < len(many.fed()) < 4
    many.shopify.send = real  # type: ignore[method-assign]
    assert many.run()["complete"]
    assert set(many.fed()) == {str(number) for number in range(1, 16)}


def test_orders_that_cannot_be_fed_are_noted_up_to_a_limit(
    many: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second one fails."""
    monkeypatch.setattr(reconciliation_runs, "LEFT_MAX", 5)
    append = many.queues.sent.append

    def send(**sent: Any) -> None:
        if json.loads(sent["MessageBody"])["payload"]["id"] % 2:
            raise Unavailable(10, code="queue_unavailable", message="down")
        append((sent["QueueUrl"], sent["MessageBody"]))

    many.queues.send_message = send  # type: ignore[method-assign]
    assert not many.run()["complete"]
    item = many.functions.table.get_item(TableName=TABLE, Key=PROGRESS, ConsistentRead=True)
    assert len(item["Item"]["left_orders"]["L"]) <= 5
    del many.queues.send_message
    assert many.run()["complete"]
    assert set(many.fed()) == {str(number) for number in range(1, 16)}


def test_an_unfinished_period_is_finished_a_day_later_and_then_the_next(many: Scenario) -> None:
    real, pages = many.shopify.send, iter((1, 1))

    def two_pages(call: Any, deadline: Any) -> Any:
        if b"FindUpdatedOrders" in call.content and next(pages, None) is None:
            return errors("ACCESS_DENIED")
        return real(call, deadline)

    many.shopify.send = two_pages  # type: ignore[method-assign]
    result = many.run()
    assert (result["fed"], result["failed"], result["complete"]) == (8, 1, False)
    many.shopify.send = real  # type: ignore[method-assign]
    many.move(DAY)
    many.put(99, 10 * HOUR)
    assert many.run()["fed"] == 8
    assert set(many.fed()) == {*(str(number) for number in range(1, 16)), "99"}


def test_two_runs_at_once_do_no_harm(many: Scenario) -> None:
    """Both have begun before one of them has written how far it is."""
    many.run()
    many.functions.table.delete_item(TableName=TABLE, Key=PROGRESS)
    many.run()
    assert len(many.fed()) == 30
    many.deliver()
    assert many.figures()["approved"] == 900


def test_a_cursor_that_shopify_does_not_take_any_more_begins_the_period_anew(
    many: Scenario,
) -> None:
    many.run()
    many.queues.sent.clear()
    since, until = ({"N": str(milliseconds(many.now - ago))} for ago in (DAY, 5 * HOUR))
    item = {**PROGRESS, "schema": {"N": "1"}, "since": since, "until": until}
    many.functions.table.put_item(TableName=TABLE, Item={**item, "cursor": {"S": "gone"}})
    result = many.run()
    assert (result["fed"], result["failed"], result["complete"]) == (15, 0, True)


# --- what fails -----------------------------------------------------------------------------------


def test_one_order_that_cannot_be_read_stops_no_other_and_is_named(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    fee = {"product_id": None, "taxable": False, "requires_shipping": False}
    unclear = [payloads.line(n, "300") | fee | {"tip_payment_method": "x"} for n in (2, 3)]
    unclear[0]["tip_payment_method"] = None
    scenario.put(1, 12 * HOUR)
    scenario.put(2, 11 * HOUR, line_items=unclear)
    scenario.put(3, 10 * HOUR)
    result = scenario.run()
    assert (result["found"], result["fed"], result["failed"]) == (3, 2, 1)
    lines = logged(capsys)
    (named,) = [line for line in lines if line.get("message") == "order_not_reconciled"]
    assert (named["order_id"], named["code"]) == ("2", "invalid_request")
    assert scenario.fed() == ["1", "3"]
    assert scenario.run()["complete"], "nothing that can be done is left"


def test_an_order_that_could_not_be_fed_is_fed_by_the_next_run(scenario: Scenario) -> None:
    for number in (1, 2, 3):
        scenario.put(number, (12 - number) * HOUR)
    append = scenario.queues.sent.append

    def send(**sent: Any) -> None:
        if '"id":2,' in sent["MessageBody"] and failing:
            raise Unavailable(10, code="queue_unavailable", message="down")
        append((sent["QueueUrl"], sent["MessageBody"]))

    failing = True
    scenario.queues.send_message = send  # type: ignore[method-assign]
    result = scenario.run()
    assert (result["fed"], result["complete"]) == (2, False)
    failing = False
    scenario.move(3 * HOUR)
    result = scenario.run()
    assert (scenario.fed(), result["complete"]) == (["1", "3", "2"], True)
    assert scenario.run()["found"] == 0


def test_a_queue_that_takes_nothing_ends_the_run_and_nothing_is_passed_over(many: Scenario) -> None:
    many.queues.error = Unavailable(10, code="queue_unavailable", message="down")
    result = many.run()
    assert (result["fed"], result["complete"]) == (0, False)
    assert many.shopify.operations.count("order") == FAILURES_MAX
    many.queues.error = None
    many.move(DAY)
    assert many.run()["fed"] == 15


@pytest.mark.parametrize("said", [errors("ACCESS_DENIED"), answer({}, 503), answer({"data": 1})])
def test_a_shop_that_cannot_be_asked_is_counted_and_compared_later(
    scenario: Scenario, capsys: pytest.CaptureFixture[str], said: Any
) -> None:
    scenario.put(1, 10 * HOUR)
    scenario.shopify.failures = [said] * 5
    result = scenario.run()
    assert (result["failed"], result["complete"], scenario.fed()) == (1, False, [])
    assert metric_sums(capsys)["ReconciliationFailures"] == 1
    scenario.shopify.failures = []
    scenario.move(10 * DAY)
    assert scenario.run()["fed"] == 1


def test_a_shop_that_was_compared_before_is_compared_from_there_however_long_it_was_away(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.run()
    scenario.put(1, -20 * DAY)
    scenario.put(2, -DAY)
    scenario.move(50 * DAY)
    assert scenario.run()["fed"] == 2
    capsys.readouterr()
    scenario.move(120 * DAY)
    scenario.put(3, 9 * HOUR)
    assert scenario.run()["fed"] == 1
    gaps = [line for line in capsys.readouterr().out.splitlines() if "reconciliation_gap" in line]
    assert len(gaps) == 1


def test_one_shop_that_fails_stops_no_other(scenario: Scenario) -> None:
    shops = f"{OTHER_SHOP},{SHOP}"
    scenario.functions = Functions({"admin_api": scenario.admin}, SHOP_DOMAIN=shops)
    scenario.queues = scenario.functions.queues
    closed = GraphqlShop()
    closed.failures = [errors("ACCESS_DENIED")]
    scenario.closed[OTHER_SHOP] = closed
    scenario.put(1, 10 * HOUR)
    result = scenario.run()
    assert (result["fed"], result["failed"]) == (1, 1)


# --- single pages ---------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_fed_and_writes_nothing(scenario: Scenario) -> None:
    scenario.put(1, 10 * HOUR)
    scenario.put(2, HOUR)
    before = scenario.items()
    found = scenario.page(dry_run=True)
    assert [(one["order_id"], one["why"], one["fed"]) for one in found["orders"]] == [
        ("1", "unknown", False),
        ("2", "unknown", False),
    ]
    assert (scenario.items(), scenario.queues.sent) == (before, [])


def test_pages_follow_each_other_by_their_cursor_up_to_the_end_of_the_period(
    scenario: Scenario,
) -> None:
    for number in range(1, 9):
        scenario.put(number, 9.5 * HOUR - number * HOUR)
    until, found, cursor, pages = scenario.now - 5 * HOUR, list[str](), None, 0
    while pages == 0 or cursor:
        page = scenario.page(limit=2, cursor=cursor, until=until.isoformat())
        found += [one["order_id"] for one in page["orders"]]
        cursor, pages = page["cursor"], pages + 1
    assert (found, pages) == (["1", "2", "3", "4"], 3)
    assert not [key for key in scenario.items() if key[1] == "RECONCILIATION"]


def test_a_page_for_which_there_is_no_time_has_to_be_compared_again(scenario: Scenario) -> None:
    scenario.put(1, 10 * HOUR)
    period = {"since": (scenario.now - DAY).isoformat(), "until": scenario.now.isoformat()}
    page = scenario.functions.invoke("reconcile_orders", period, seconds=4)
    assert (page["cut"], page["cursor"], page["orders"]) == (True, None, [])


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("shop", "nobody.myshopify.com", "unknown_shop"),
        ("shop", ["demo.myshopify.com"], "unknown_shop"),
        ("since", "2026-11-29", "invalid_request"),
        ("since", None, "invalid_request"),
        ("since", 7, "invalid_request"),
        ("since", "2026-01-01T00:00:00Z", "invalid_request"),
        ("until", "2020-01-01T00:00:00Z", "invalid_request"),
        ("until", "tomorrow", "invalid_request"),
        ("cursor", 7, "invalid_request"),
        ("limit", 0, "invalid_request"),
        ("limit", 101, "invalid_request"),
        ("limit", "5", "invalid_request"),
        ("dry_run", "yes", "invalid_request"),
        ("merges", 1, "invalid_request"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_by_its_member(
    scenario: Scenario, member: str, value: object, code: str
) -> None:
    scenario.put(1, 10 * HOUR)
    refused = scenario.page(**{member: value})
    assert (refused["code"], refused["retry"]) == (code, False)
    assert str(member if code == "invalid_request" else "serve") in refused["message"]
    assert scenario.fed() == []


def test_a_page_that_shopify_does_not_give_is_to_be_asked_for_again(scenario: Scenario) -> None:
    scenario.shopify.failures = [answer({}, 503)] * 5
    refused = scenario.page()
    assert (refused["code"], refused["retry"]) == ("shopify_unavailable", True)


# --- merges ---------------------------------------------------------------------------------------


@pytest.fixture
def moved(scenario: Scenario) -> Scenario:
    """An order of a customer, which Shopify now has with another one; the first is gone there."""
    scenario.put(1, 12 * HOUR)
    scenario.page()
    scenario.deliver()
    scenario.put(1, 11 * HOUR, customer=payloads.customer(payloads.OTHER_CUSTOMER))
    scenario.shopify.forgotten = CUSTOMER
    return scenario


def test_a_lost_merge_is_counted_and_named_but_not_carried_out(
    moved: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    result = moved.run()
    assert (result["merges"], result["fed"]) == (1, 1)
    lines = logged(capsys)
    (named,) = [line for line in lines if line.get("message") == "merge_suspected"]
    assert (named["gone"], named["kept"], named["fed"]) == (CUSTOMER, OTHER, False)
    assert [line["LostWebhooks"] for line in lines if "LostWebhooks" in line] == [[2]]
    moved.deliver()
    assert (moved.figures()["approved"], moved.figures(OTHER)) == (60, {})


def test_a_lost_merge_is_carried_out_if_a_person_says_so(moved: Scenario) -> None:
    (dry,) = moved.page(merges=True, dry_run=True)["merges"]
    (fed,) = moved.page(merges=True)["merges"]
    assert (dry["fed"], fed["fed"]) == (False, True)
    moved.deliver()
    assert moved.figures(OTHER)["approved"] == 60
    moved.shopify.operations.clear()
    assert moved.page()["merges"] == [], "it is known now"
    assert moved.shopify.operations == ["orders"]


def test_an_order_that_was_handed_to_somebody_else_shows_no_merge(moved: Scenario) -> None:
    moved.shopify.forgotten = None
    assert moved.page(merges=True)["merges"] == []


def test_a_customer_who_seems_to_be_in_two_others_is_not_merged(moved: Scenario) -> None:
    moved.put(2, 12 * HOUR)
    moved.page()
    moved.deliver()
    moved.put(2, 10 * HOUR, customer=payloads.customer(8888))
    merges = moved.page(merges=True)["merges"]
    assert [(one["kept"], one["fed"]) for one in merges] == [(OTHER, False), ("8888", False)]


def test_the_order_of_an_erased_customer_shows_no_merge(moved: Scenario) -> None:
    redacted = message("customers_redact", **redact_payload(CUSTOMER, ["1"]))
    assert moved.functions.work("privacy_events", redacted) == []
    assert moved.page(merges=True)["merges"] == []


def test_a_merge_that_cannot_be_looked_at_is_counted_and_stops_nothing(moved: Scenario) -> None:
    moved.put(2, 10 * HOUR)
    real = moved.shopify.send

    def send(call: Any, deadline: Any) -> Any:
        return errors("ACCESS_DENIED") if b"FindCustomer" in call.content else real(call, deadline)

    moved.shopify.send = send  # type: ignore[method-assign]
    page = moved.page()
    assert (page["failed"], page["merges"], len(page["orders"])) == (1, [], 2)


def test_points_of_a_customer_who_has_no_order_here_are_no_business_of_it(
    scenario: Scenario,
) -> None:
    command = Grant(5, Days(10))
    instruction = Instruction(SHOP, CUSTOMER, command, Cause("test"))
    assert isinstance(scenario.functions.ledger.execute(instruction), Booked)
    assert scenario.page()["merges"] == []
