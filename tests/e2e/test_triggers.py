"""Every change of points is published to Shopify Flow, in order, and through outages.

"Late" is a trigger of the second shop that Shopify gets more than `LATE_SECONDS` after the change
was answered, while the first shop's Shopify fails or hangs. The times are printed (`pytest -s`).
"""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from cli.app import main as cli_main
from local import demo
from local.fakes.flow_triggers import declared_triggers
from local.stack import Stack
from tests.e2e.calls import DAY, invoke, must_flow, new_customer, pass_time, wait_until
from tests.e2e.conftest import SECOND_SHOP
from tests.e2e.fake_shopify import FakeShopify

LATE_SECONDS = 15.0
"""Three times what a shop may take of a run that the stream started."""

APPROVED, CHANGED = "points-approved-changed", "points-changed"
SHOP = demo.SHOP_DOMAIN


@pytest.fixture
def shopify(stack: Stack) -> Iterator[FakeShopify]:
    found = FakeShopify(stack)
    yield found
    found.behave()


def sweep_until(stack: Stack, holds: Callable[[], bool], seconds: float = 400) -> None:
    """Let the schedule run once a minute, on the stack's clock, until something holds.

    After an outage the pause before the next try has grown to minutes: by chance, and by how many
    tries fell into the outage.
    """
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it did not come to that in time"
        pass_time(stack, 60)
        invoke(stack, "publish_changes")


def figures(payload: dict[str, Any]) -> tuple[int, ...]:
    names = ("Approved", "Pending", "Total", "Lifetime", "Spent", "Hold")
    return tuple(payload[f"Points {name}"] for name in names)


def must_have_declared_fields(trigger: dict[str, Any]) -> None:
    declared = declared_triggers()[trigger["handle"]]
    assert set(trigger["payload"]) == set(declared)
    for key, kind in declared.items():
        value = trigger["payload"][key]
        assert type(value) is (str if kind == "single_line_text_field" else int), (key, value)


def entries(triggers: list[dict[str, Any]]) -> list[str]:
    return [one["payload"]["Entry Id"] for one in triggers]


def must_be_in_order(triggers: list[dict[str, Any]], count: int) -> int:
    """Each of `count` entries, by both triggers, none before another; how many were repeats."""
    found = [(one["payload"]["Entry Id"], one["handle"]) for one in triggers]
    names = [entry for entry, _ in found]
    assert names == sorted(names), "no entry comes after one that follows it"
    assert len(set(found)) == 2 * count
    return len(found) - len(set(found))


def test_every_change_is_published_with_all_declared_fields_in_their_types(
    stack: Stack, shopify: FakeShopify
) -> None:
    customer = new_customer()
    must_flow(stack, "grant", customer, points=1250, reason="grant 1250")
    must_flow(stack, "consume", customer, points=300, reason="consume 300")
    wait_until(lambda: len(shopify.triggers(customer)) == 4)
    pass_time(stack, 500 * DAY)
    invoke(stack, "expiry")
    wait_until(lambda: len(shopify.triggers(customer)) == 6)
    found = shopify.triggers(customer)
    for one in found:
        must_have_declared_fields(one)
    after = {1: (1250, 0, 1250, 1250, 0, 0), 2: (950, 0, 950, 1250, 300, 0)}
    after[3] = (0, 0, 0, 1250, 300, 0)
    assert [(one["handle"], figures(one["payload"])) for one in found] == [
        (handle, after[version]) for version in (1, 2, 3) for handle in (APPROVED, CHANGED)
    ]
    payloads = [one["payload"] for one in found if one["handle"] == APPROVED]
    assert [
        (p["Topic"], p["Points Delta"], p["Points Delta Absolute"], p["Reason"], p["Source"])
        for p in payloads
    ] == [
        ("points/add/flow", 1250, 1250, "grant 1250", "flow"),
        ("points/sub/flow", -300, 300, "consume 300", "flow"),
        ("points/sub/expire", -950, 950, "", "time"),
    ]
    assert entries(found)[::2] == [f"{customer}-{version:012d}" for version in (1, 2, 3)]
    assert {p["customer_id"] for p in payloads} == {int(customer)}


def test_a_burst_on_one_customer_is_published_once_and_in_order(
    stack: Stack, shopify: FakeShopify
) -> None:
    customer = new_customer()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: must_flow(stack, "grant", customer), range(30)))
    wait_until(lambda: len(shopify.triggers(customer)) >= 60, 60)
    assert must_be_in_order(shopify.triggers(customer), 30) == 0


def test_a_customer_who_is_gone_blocks_neither_others_nor_what_follows(
    stack: Stack, shopify: FakeShopify
) -> None:
    dead, living = new_customer(), new_customer()
    shopify.behave_in(SHOP, forget=dead)
    must_flow(stack, "grant", dead)
    must_flow(stack, "grant", living)
    wait_until(lambda: len(shopify.triggers(living)) == 2)
    assert shopify.triggers(dead) == []
    shopify.behave()
    must_flow(stack, "grant", dead)
    wait_until(lambda: len(shopify.triggers(dead)) == 2)
    assert entries(shopify.triggers(dead)) == [f"{dead}-000000000002"] * 2


def test_an_outage_of_one_shop_loses_nothing_and_never_delays_the_other(
    stack: Stack, shopify: FakeShopify
) -> None:
    """Fifty failures, then silence, then answers that get lost; the second shop works on."""
    customers = [new_customer() for _ in range(5)]
    delays: list[float] = []

    def change_all() -> None:
        """One change of each customer of the first shop, then one in the second."""
        for customer in customers:
            must_flow(stack, "grant", customer)
        other = new_customer()
        must_flow(stack, "grant", other, shop=SECOND_SHOP)
        delays.append(wait_until(lambda: len(shopify.triggers(other, SECOND_SHOP)) == 2, 60))

    before = shopify.trigger_calls()
    shopify.behave_in(SHOP, fail_with=503, times=50)
    for _ in range(3):
        change_all()
    sweep_until(stack, lambda: shopify.trigger_calls() - before >= 50, 240)
    shopify.behave()
    shopify.behave_in(SHOP, hang=True)
    for _ in range(3):
        change_all()
        invoke(stack, "publish_changes")
    shopify.behave()
    before_drops = {customer: len(shopify.triggers(customer)) for customer in customers}
    drops = 6
    shopify.behave_in(SHOP, drop_reply=True, times=drops)
    for _ in range(2):
        change_all()
    sweep_until(
        stack, lambda: all(len(set(entries(shopify.triggers(one)))) == 8 for one in customers)
    )
    shopify.behave()
    sweep_until(stack, lambda: all(len(shopify.triggers(one)) >= 16 for one in customers))
    repeats = sum(must_be_in_order(shopify.triggers(customer), 8) for customer in customers)
    assert repeats <= drops, "a repeat only where an answer was dropped"
    for customer in customers:
        until_then = shopify.triggers(customer)[: before_drops[customer]]
        seen = [(one["payload"]["Entry Id"], one["handle"]) for one in until_then]
        assert len(seen) == len(set(seen)), "failures and silence alone make no repeats"
    sys.stdout.write(f"second shop published after {sorted(delays)} s, {repeats} repeats\n")
    assert max(delays) < LATE_SECONDS


def test_what_was_published_is_published_again_on_demand_only(
    stack: Stack, shopify: FakeShopify, local_commands: None
) -> None:
    customer = new_customer()
    for _ in range(3):
        must_flow(stack, "grant", customer)
    wait_until(lambda: len(shopify.triggers(customer)) == 6)
    assert cli_main(["publish"]) == 0
    assert cli_main(["publish", "--customer", customer]) == 0
    invoke(stack, "publish_changes")
    assert len(shopify.triggers(customer)) == 6
    assert cli_main(["publish", "--customer", customer, "--from", "2", "--yes"]) == 0
    sweep_until(stack, lambda: len(shopify.triggers(customer)) == 10)
    versions = [entry[-1] for entry in entries(shopify.triggers(customer))]
    assert "".join(versions) == "1122332233"


def test_the_stream_alone_publishes_within_seconds(stack: Stack, shopify: FakeShopify) -> None:
    customer = new_customer()
    must_flow(stack, "grant", customer)
    took = wait_until(lambda: len(shopify.triggers(customer)) == 2)
    assert took < 10
    assert datetime.fromisoformat(shopify.triggers(customer)[0]["at"]).tzinfo is not None
