"""Customers' metafields at Shopify end equal to the ledger, at the pace that Shopify allows."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from cli.app import main
from local.stack import Stack
from pointbook.domain.metafields import TYPES
from tests.e2e.calls import (
    aws,
    figures,
    invoke,
    merge,
    must_flow,
    new_customer,
    pass_time,
    post,
    wait_until,
)
from tests.e2e.conftest import own_stack
from tests.e2e.fake_shopify import FakeShopify
from tests.support.payloads import redact_payload

SET = "metafieldsSet"
CALLS_PER_SECOND = 5
"""Half of 100 points a second, at 10 points a call."""


class Metafields:
    """The stack's fake Shopify, and the ledger that its metafields are to be equal to."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.shopify = FakeShopify(stack)

    def of(self, customer: str) -> dict[str, str]:
        found: dict[str, str] = self.shopify.get(f"_metafields?customer={customer}")
        return found

    def is_equal(self, customer: str) -> bool:
        ledger, found = figures(self.stack, customer), self.of(customer)
        points = (found.get("points_approved"), found.get("points_pending"))
        return points == (str(ledger["approved"]), str(ledger["pending"]))

    def write_until_equal(self, *customers: str, seconds: float = 90) -> None:
        """Run the function, as the schedule does once a minute, until all are equal."""
        ends_at = time.monotonic() + seconds
        left = list(customers)
        while left := [one for one in left if not self.is_equal(one)]:
            assert time.monotonic() < ends_at, f"{len(left)} are not equal, such as {left[0]}"
            invoke(self.stack, "write_metafields")
            time.sleep(2)

    def calls(self, *customers: str) -> list[tuple[datetime, list[str], int]]:
        """Time, customers and status of the calls that set metafields of some of these, or any."""
        gids = {f"gid://shopify/Customer/{one}" for one in customers}
        found = []
        for entry in self.shopify.get("_log"):
            if entry["operation"] == SET:
                owners = {one["ownerId"] for one in entry["variables"]["metafields"]}
                if not gids or owners & gids:
                    about = [gid.rpartition("/")[2] for gid in owners]
                    found.append((datetime.fromisoformat(entry["at"]), about, entry["status"]))
        return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, so that nobody else's changes are waited for."""
    with own_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture
def metafields(stack: Stack) -> Iterator[Metafields]:
    found = Metafields(stack)
    yield found
    found.shopify.behave()


def many(count: int) -> list[str]:
    return [new_customer() for _ in range(count)]


@contextmanager
def schedule(stack: Stack) -> Iterator[None]:
    """The function runs every few seconds, not only every minute."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(3):
            invoke(stack, "write_metafields")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_500_changes_within_a_minute_end_equal_to_the_ledger_at_the_pace(
    metafields: Metafields,
) -> None:
    customers = many(50)
    began = time.monotonic()

    def change(number: int) -> None:
        customer = customers[number % len(customers)]
        if number < 100 or number % 2:
            must_flow(metafields.stack, "grant", customer, points=number + 1)
        else:
            must_flow(metafields.stack, "consume", customer, points=1)

    with schedule(metafields.stack), ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(500)))
    assert time.monotonic() - began < 60
    metafields.write_until_equal(*customers)

    calls = metafields.calls(*customers)
    assert {status for _, _, status in calls} == {200}
    times = [at for at, _, _ in calls]
    seconds = (times[-1] - times[0]).total_seconds()
    assert len(calls) <= seconds * CALLS_PER_SECOND + 1
    gaps = [(later - at).total_seconds() for at, later in itertools.pairwise(times)]
    assert min(gaps) > 0.15, "no two calls at once"
    for customer in customers:
        written = [at for at, about, _ in calls if customer in about]
        apart = [(later - at).total_seconds() for at, later in itertools.pairwise(written)]
        assert all(one >= 9.5 for one in apart), f"{customer}: {apart}"


def test_nothing_is_lost_while_shopify_is_down_for_an_hour(metafields: Metafields) -> None:
    before, meanwhile = many(6), many(6)
    for customer in before:
        must_flow(metafields.stack, "grant", customer, points=100)
    metafields.write_until_equal(*before)
    metafields.shopify.behave(match=SET, fail_with=503)
    for customer in [*before, *meanwhile]:
        must_flow(metafields.stack, "grant", customer, points=50)
    time.sleep(11)
    assert invoke(metafields.stack, "write_metafields")["complete"] is False
    pass_time(metafields.stack, 3600)
    must_flow(metafields.stack, "consume", before[0], points=30)
    assert invoke(metafields.stack, "write_metafields")["written"] == 0
    # The first call ends the shop's run.
    assert metafields.calls()[-1][-1] == 503, "it was tried"
    metafields.shopify.behave()
    metafields.write_until_equal(*before, *meanwhile)
    assert metafields.of(before[0])["points_approved"] == "120"


def test_the_metafields_say_what_expires_next_and_of_when_they_are(metafields: Metafields) -> None:
    (customer,) = many(1)
    must_flow(metafields.stack, "grant", customer, points=1250)
    must_flow(metafields.stack, "consume", customer, points=300)
    metafields.write_until_equal(customer)
    found = metafields.of(customer)
    assert found.keys() == TYPES.keys() - {"points_rank"}
    assert (found["points_approved"], found["points_expiring"]) == ("950", "950")
    assert datetime.fromisoformat(found["points_expiring_on"]) > datetime(2026, 1, 1)  # noqa: DTZ001 - a day
    assert datetime.fromisoformat(found["points_as_of"]).tzinfo is not None


def test_an_erased_customers_metafields_are_deleted(metafields: Metafields) -> None:
    (customer,) = many(1)
    must_flow(metafields.stack, "grant", customer, points=100)
    metafields.write_until_equal(customer)
    about = {"shop_id": 954889, "shop_domain": metafields.stack.shop_domain}
    post(metafields.stack, "customers/redact", about | redact_payload(customer))

    def is_gone() -> bool:
        invoke(metafields.stack, "write_metafields")
        return metafields.of(customer) == {}

    wait_until(is_gone)
    assert items_about(metafields.stack, customer) == {"ACCOUNT"}, "the tombstone alone"


def test_a_merged_customers_metafields_follow_the_survivor(metafields: Metafields) -> None:
    source, target = many(2)
    must_flow(metafields.stack, "grant", source, points=100)
    must_flow(metafields.stack, "grant", target, points=50)
    metafields.write_until_equal(source, target)
    merge(metafields.stack, source, target)

    def is_moved() -> bool:
        invoke(metafields.stack, "write_metafields")
        found = metafields.of(target)["points_approved"], metafields.of(source)
        return found == ("150", {})

    wait_until(is_moved)
    must_flow(metafields.stack, "grant", source, points=7)
    metafields.write_until_equal(target)
    assert metafields.of(target)["points_approved"] == "157"
    assert metafields.of(source) == {}


@pytest.mark.usefixtures("local_commands")
def test_the_fill_command_writes_all_who_were_never_written(
    metafields: Metafields, capsys: pytest.CaptureFixture[str]
) -> None:
    customers = many(12)
    for customer in customers:
        must_flow(metafields.stack, "grant", customer, points=100)
    forget(metafields.stack, customers)
    invoke(metafields.stack, "write_metafields")
    assert [metafields.of(one) for one in customers] == [{}] * 12
    with schedule(metafields.stack):
        assert main(["metafields", "fill"]) == 0
    assert "All are written." in capsys.readouterr().out
    assert all(metafields.is_equal(one) for one in customers)
    assert main(["metafields", "fill", "--no-wait"]) == 0
    assert metafields.stack.shop_domain in capsys.readouterr().out
    assert main(["metafields", "status"]) == 0


def items_about(stack: Stack, customer: str) -> set[str]:
    """The sort keys of all items whose key names a customer."""
    pages = aws(stack, "dynamodb").get_paginator("scan").paginate(TableName=stack.table_name)
    items = [item for page in pages for item in page["Items"]]
    return {item["sk"]["S"] for item in items if item["pk"]["S"].endswith(f"#{customer}")}


def forget(stack: Stack, customers: list[str]) -> None:
    """Delete the cursors of customers, as if they had changed before there were metafields."""
    table = aws(stack, "dynamodb")
    for customer in customers:
        pk = f"SHOP#{stack.shop_domain}#CUSTOMER#{customer}"
        key: dict[str, Any] = {"pk": {"S": pk}, "sk": {"S": "METAFIELDS"}}

        def is_there(key: dict[str, Any] = key) -> bool:
            return "Item" in table.get_item(TableName=stack.table_name, Key=key)

        wait_until(is_there)
        table.delete_item(TableName=stack.table_name, Key=key)
