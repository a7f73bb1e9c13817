"""The roles of functions that call Shopify allow what they do, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.deadline import Deadline
from pointbook.http.calls import Answer, Call
from pointbook.services.metafields import requests as metafield_requests
from pointbook.services.metafields import writer
from pointbook.services.publishing import outbox
from tests.artifacts.cloud import TABLE
from tests.artifacts.roles import Right, allowed
from tests.artifacts.shop import CUSTOMER, OTHER_CUSTOMER, EveryCode, Shop, Shopify, flow_event
from tests.fakes.admin_graphql import GraphqlShop
from tests.support.harness import event
from tools import shopify_payloads
from tools.make_events_stream import records
from tools.make_events_webhooks import messages


@pytest.mark.parametrize("function", ["create_hold", "staff_create_hold"])
def test_create_hold_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """Held, repeated, held already; with a stored token; not taken by Shopify; rotated; merged."""
    request_hold = partial(shop.request_hold, function=function)

    def hold() -> None:
        assert request_hold("too many", 5000).status == 422
        shop.every_sample(function)
        assert request_hold("another", 100).status == 409

    def be_refused() -> None:
        shop.start_anew()
        assert request_hold("refused", 100).status == 503

    shop.grant()
    shop.lose_token()
    found = shop.needed(hold)
    shop.move(600)
    shop.shopify.closed = True
    found |= shop.needed(be_refused)
    shop.rotate(my_page_secret=demo.CLIENT_SECRET)
    found |= shop.needed(lambda: request_hold("refused", 100))
    shop.merge()
    shop.shopify.closed = False
    shop.start_anew()
    found |= shop.needed(lambda: request_hold("merged", 100))
    assert found == allowed(resources, function)


@pytest.mark.parametrize("function", ["release_hold", "staff_release_hold"])
def test_release_hold_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """With a token that is fetched or stored; refused; again; when the account was merged."""

    def give_back(key: str, *, token_is_stored: bool, closed: bool = False) -> set[Right]:
        shop.shopify.closed = False
        hold_id = shop.request_hold(key, 100).body["hold_id"]
        forget = shop.start_anew if token_is_stored else shop.lose_token
        forget()
        shop.shopify.closed = closed

        def release() -> None:
            assert shop.release(hold_id, function).status == (503 if closed else 200)

        return shop.needed(release)

    shop.grant()
    found = shop.needed(lambda: shop.every_sample(function))
    found |= give_back("first", token_is_stored=True) | give_back("second", token_is_stored=False)
    found |= give_back("third", token_is_stored=False, closed=True)
    shop.merge()
    shop.start_anew()
    found |= shop.needed(lambda: shop.every_sample(function))
    assert found == allowed(resources, function)


def test_check_customer_is_allowed_to_ask_shopify(shop: Shop, resources: dict[str, Any]) -> None:
    """With a token that is fetched, and with one that is stored."""
    shop.lose_token()
    found = shop.needed(lambda: shop.every_sample("check_customer"))
    shop.start_anew()
    found |= shop.needed(lambda: shop.every_sample("check_customer"))
    assert found == allowed(resources, "check_customer")


def test_switch_off_codes_is_allowed_what_it_does(shop: Shop, resources: dict[str, Any]) -> None:
    """A code that Shopify does not deactivate, one that is not there yet, and one that is."""

    def sweep(*, closed: bool) -> set[Right]:
        shop.start_anew()
        shop.shopify.closed = closed

        def run() -> None:
            result = shop.functions.invoke("switch_off_codes", {})
            assert (result["due"], result["failed"]) == (1, int(closed))

        return shop.needed(run)

    shop.grant()
    shop.shopify.closed = True
    assert shop.request_hold("in doubt", 100).status == 503
    shop.aws.let_indexes_lag()
    found = sweep(closed=True) | sweep(closed=False)
    shop.shopify.codes = EveryCode()
    found |= sweep(closed=False)
    assert found == allowed(resources, "switch_off_codes")


def test_publish_changes_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the stream, of accounts that are there or not; from the outbox, after a failure."""

    def wake() -> dict[str, Any]:
        account = shop.functions.table.items(TABLE)[
            f"SHOP#{demo.SHOP_DOMAIN}#CUSTOMER#{CUSTOMER}", "ACCOUNT"
        ]
        return shop.functions.invoke("publish_changes", records(account))

    def be_refused() -> None:
        shop.shopify.closed = True
        assert wake() == {"batchItemFailures": []}

    def sweep() -> None:
        shop.shopify.closed = False
        assert shop.functions.invoke("publish_changes", {})["due"] == 1

    monkeypatch.setattr(outbox, "BACKOFF_INITIAL_SECONDS", 0)  # so that all is due at once
    found = shop.needed(lambda: shop.work_on_samples("publish_changes"))
    shop.grant()
    found |= shop.needed(be_refused)
    shop.start_anew()
    found |= shop.needed(sweep)
    assert shop.functions.sample("flow_action_consume", "run").status == 200
    shop.start_anew()
    found |= shop.needed(wake)
    assert found == allowed(resources, "publish_changes")


def test_write_metafields_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a customer who is refused, written, or erased; in a shop that is closed."""
    monkeypatch.setattr(metafield_requests, "INTERVAL", timedelta())
    monkeypatch.setattr(writer, "INTERVAL", timedelta())
    monkeypatch.setattr(writer, "REFUSED_PAUSE", timedelta())

    def write() -> None:
        shop.start_anew()
        shop.functions.invoke("write_metafields", event("write_metafields", "schedule"), 58)

    def request() -> None:
        items = shop.functions.table.items(TABLE).items()
        accounts = [item for (_, sk), item in items if sk == "ACCOUNT"]
        shop.functions.invoke("publish_changes", records(*accounts))

    found = shop.needed(write)
    shop.grant()
    request()
    shop.shopify.closed = True
    found |= shop.needed(write)
    shop.shopify.closed = False
    shop.lose_token()
    shop.shopify.refuses_metafields = True
    found |= shop.needed(write)
    shop.shopify.refuses_metafields = False
    found |= shop.needed(write)
    shop.shopify.closed = True
    shop.functions.erase()
    shop.shopify.closed = False
    found |= shop.needed(write)
    assert found == allowed(resources, "write_metafields")
    assert "METAFIELDS_DELETION" not in {sk for _, sk in shop.functions.table.items(TABLE)}


def test_flow_action_report_is_allowed_what_it_does(shop: Shop, resources: dict[str, Any]) -> None:
    """Of nobody, of a customer, repeated; with a stored token; of a merged account."""

    def report() -> None:
        shop.start_anew()
        shop.every_sample("flow_action_report")

    def report_again() -> None:
        shop.start_anew()
        anew = flow_event("flow_action_report", {"reason": "another run"})
        assert shop.functions.request("flow_action_report", anew).status == 200

    found = shop.needed(report)
    shop.grant()
    shop.merge()
    found |= shop.needed(report_again)
    assert found == allowed(resources, "flow_action_report")


QUERIES_CUSTOMERS = {
    "order_events": {"PROGRAMME_RANK_MULTIPLIERS": "gold=150"},
    "customer_events": {"SHOP_DOMAIN": f"{demo.SHOP_DOMAIN},second.myshopify.com"},
}
"""The workers that query customers at Shopify, and the kind of stack in which they do."""


@pytest.mark.parametrize("function", QUERIES_CUSTOMERS)
def test_a_worker_that_queries_customers_is_allowed_what_it_does(
    resources: dict[str, Any], function: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a token that is fetched or stored; of a customer who was merged."""
    shop = Shop(monkeypatch, tmp_path / "clock.json", **QUERIES_CUSTOMERS[function])

    def work() -> None:
        shop.start_anew()
        shop.work_on_samples(function)

    found = shop.needed(work)
    shop.merge()
    found |= shop.needed(work)
    shop.start_anew()
    found |= shop.needed(lambda: shop.functions.work(function, *anew(function)))
    assert found == allowed(resources, function)


def anew(function: str) -> list[str]:
    """Messages of a worker as of things that it has not seen yet."""
    found = []
    for queue, text in messages().values():
        if queue == function:
            members = json.loads(text)
            members["payload"]["id"] = 777
            found.append(json.dumps(members))
    return found


@pytest.mark.parametrize("function", QUERIES_CUSTOMERS)
def test_a_worker_that_queries_nothing_needs_no_token_and_no_secret(
    shop: Shop, function: str
) -> None:
    found = shop.needed(lambda: shop.work_on_samples(function))
    assert {resource for _, resource in found} == {"LedgerTable"}
    assert shop.shopify.calls == []


def test_flow_lifecycle_is_allowed_what_it_does(shop: Shop, resources: dict[str, Any]) -> None:
    found = shop.needed(lambda: shop.every_sample("flow_lifecycle"))
    assert found == allowed(resources, "flow_lifecycle")


def test_reminders_is_allowed_what_it_does(shop: Shop, resources: dict[str, Any]) -> None:
    """Sent, sent already, and sent with a stored token."""
    day = 86_400
    assert shop.functions.sample("flow_action_grant", "days_30").status == 200

    def remind(seconds: int, sent: int) -> set[Right]:
        shop.start_anew()
        shop.move(seconds)

        def run() -> None:
            result = shop.functions.invoke("reminders", {})
            assert (result["due"], result["sent"], result["failed"]) == (1, sent, 0)

        return shop.needed(run)

    found = remind(day, sent=1) | remind(2 * day, sent=0) | remind(25 * day, sent=1)
    assert found == allowed(resources, "reminders")


class ShopifyWithOrders(Shopify):
    """A Shopify that has orders as well."""

    def __init__(self, shop: GraphqlShop) -> None:
        super().__init__()
        self._shop = shop

    def send(self, call: Call) -> Answer:
        """The answer to one call."""
        if call.url.endswith("/access_token"):
            return super().send(call)
        return self._shop.send(call, Deadline.after(5))


def test_reconcile_orders_is_allowed_what_it_does(shop: Shop, resources: dict[str, Any]) -> None:
    """A waiting sign-up, lost orders, a lost merge; the token has to be fetched, or is kept."""
    shopify = GraphqlShop()
    shop.shopify = ShopifyWithOrders(shopify)

    def put(customer: int, hours: int) -> None:
        at = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
        line = shopify_payloads.line(1, "3000")
        whose: dict[str, Any] = {"customer": shopify_payloads.customer(customer), "updated_at": at}
        shopify.put(shopify_payloads.order([line], "3000", **whose))

    def run() -> None:
        assert shop.functions.invoke("reconcile_orders", {})["fed"] == 1

    def merge() -> None:
        now = datetime.now(UTC)
        period = {"since": (now - timedelta(days=2)).isoformat(), "until": now.isoformat()}
        page = shop.functions.invoke("reconcile_orders", {**period, "merges": True})
        assert page["merges"][0]["fed"]

    put(int(CUSTOMER), hours=10)
    waiting = shop.functions.container.waiting_sign_ups()
    waiting.add(shopify_payloads.SHOP, str(OTHER_CUSTOMER), datetime.now(UTC))
    shop.start_anew()
    found = shop.needed(run)
    paid = event("order_events", "orders_paid")
    text = paid["Records"][0]["body"].replace("2026-", "2020-")
    paid["Records"][0]["body"] = text
    shop.functions.invoke("order_events", paid, seconds=60)
    put(int(OTHER_CUSTOMER), hours=9)
    shopify.forgotten = CUSTOMER
    shop.start_anew()
    found |= shop.needed(merge)
    assert found == allowed(resources, "reconcile_orders")
