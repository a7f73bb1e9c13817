"""Shopify Flow is told of every change of points: what, in which order, and through outages.

"Late" is a trigger of the second shop that Shopify gets more than `LATE_SECONDS` after the change
was answered, while the first shop's Shopify fails or hangs. What it took is printed (`pytest -s`).
"""

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from cli.app import main as cli_main
from local import demo, signing
from local.fakes.flow_triggers import declared_triggers
from local.stack import Stack
from tests.e2e.asking import ask, flow, invoke
from tests.e2e.conftest import SECOND_SHOP

LATE_SECONDS = 15.0
"""Three times what a shop may take of a run that the stream started."""

APPROVED, CHANGED = "points-approved-changed", "points-changed"
SHOP = demo.SHOP_DOMAIN
TELLING = "flowTriggerReceive"


def a_customer() -> str:
    """Somebody whom no other test knows."""
    return str(9_100_000_000_000 + uuid.uuid4().int % 1_000_000_000)


def run(stack: Stack, name: str, customer: str, points: int, shop: str = SHOP) -> None:
    """Run the action `grant` or `consume` of a shop."""
    properties = {"customer_id": customer, "points": points, "reason": f"{name} {points}"}
    body = signing.flow_request(f"{name}-points", properties, f"{name}-{uuid.uuid4()}")
    body = body.replace(SHOP.encode(), shop.encode())
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Hmac-Sha256": signing.flow_signature(body),
    }
    answer = ask(stack.function_urls[f"flow_action_{name}"], body, headers)
    assert answer.status_code == 200, answer.text


class Flow:
    """What reached the Flow of each shop, and how its Shopify behaves."""

    def __init__(self, stack: Stack) -> None:
        assert stack.shopify_stand_in_url is not None
        self._url = stack.shopify_stand_in_url

    def told(self, customer: str, shop: str = SHOP) -> list[dict[str, Any]]:
        """The triggers about a customer, in the order of arrival."""
        return [
            one
            for one in requests.get(f"{self._url}/_triggers", timeout=30).json()
            if one["shop"] == shop and one["payload"]["customer_id"] == int(customer)
        ]

    def tried(self, shop: str = SHOP) -> int:
        """How often a shop's Shopify was called with a trigger."""
        log = requests.get(f"{self._url}/_log", timeout=30).json()
        return sum(one["operation"] == TELLING and shop in one["path"] for one in log)

    def behave(self, shop: str = SHOP, **behaviour: Any) -> None:
        """Let the Admin API of a shop misbehave; nothing given: all behave again."""
        order = {"match": f"/{shop}/admin/api"} | behaviour if behaviour else {"times": 0}
        requests.post(f"{self._url}/_behave", json=order, timeout=5).raise_for_status()


@pytest.fixture
def shopify(stack: Stack) -> Iterator[Flow]:
    found = Flow(stack)
    yield found
    found.behave()


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> float:
    """How long it took until something held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it did not come to that in time"
        time.sleep(0.1)
    return time.monotonic() - began


def sweep_until(stack: Stack, holds: Callable[[], bool], seconds: float = 400) -> None:
    """Let the schedule run until something holds; on AWS it does so every minute.

    After an outage the pause before the next try has grown to minutes: by chance, and by how many
    tries fell into the outage.
    """
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it did not come to that in time"
        invoke(stack, "publish_changes")
        time.sleep(0.5)


def figures(payload: dict[str, Any]) -> tuple[int, ...]:
    names = ("Approved", "Pending", "Total", "Lifetime", "Spent", "Hold")
    return tuple(payload[f"Points {name}"] for name in names)


def must_have_declared_fields(trigger: dict[str, Any]) -> None:
    declared = declared_triggers()[trigger["handle"]]
    assert set(trigger["payload"]) == set(declared)
    for key, kind in declared.items():
        value = trigger["payload"][key]
        assert type(value) is (str if kind == "single_line_text_field" else int), (key, value)


def entries(told: list[dict[str, Any]]) -> list[str]:
    return [one["payload"]["Entry Id"] for one in told]


def must_be_in_order(told: list[dict[str, Any]], count: int) -> int:
    """Each of `count` entries, by both triggers, none before another; how many were repeats."""
    found = [(one["payload"]["Entry Id"], one["handle"]) for one in told]
    names = [entry for entry, _ in found]
    assert names == sorted(names), "no entry comes after one that follows it"
    assert len(set(found)) == 2 * count
    return len(found) - len(set(found))


def test_every_change_is_told_with_all_declared_fields_in_their_types(
    stack: Stack, shopify: Flow
) -> None:
    customer = a_customer()
    run(stack, "grant", customer, 1250)
    run(stack, "consume", customer, 300)
    wait_until(lambda: len(shopify.told(customer)) == 4)
    clock = f"{stack.front_url}/_clock"
    ahead = ask(clock).json()["offset_seconds"] + 500 * 86_400
    assert ask(clock, json.dumps({"offset_seconds": ahead}).encode()).status_code == 200
    invoke(stack, "expiry")
    wait_until(lambda: len(shopify.told(customer)) == 6)
    told = shopify.told(customer)
    for one in told:
        must_have_declared_fields(one)
    after = {1: (1250, 0, 1250, 1250, 0, 0), 2: (950, 0, 950, 1250, 300, 0)}
    after[3] = (0, 0, 0, 1250, 300, 0)
    assert [(one["handle"], figures(one["payload"])) for one in told] == [
        (handle, after[version]) for version in (1, 2, 3) for handle in (APPROVED, CHANGED)
    ]
    payloads = [one["payload"] for one in told if one["handle"] == APPROVED]
    assert [
        (p["Topic"], p["Points Delta"], p["Points Delta Absolute"], p["Reason"], p["Source"])
        for p in payloads
    ] == [
        ("points/add/flow", 1250, 1250, "grant 1250", "flow"),
        ("points/sub/flow", -300, 300, "consume 300", "flow"),
        ("points/sub/expire", -950, 950, "", "time"),
    ]
    assert entries(told)[::2] == [f"{customer}-{version:012d}" for version in (1, 2, 3)]
    assert {p["customer_id"] for p in payloads} == {int(customer)}


def test_a_burst_on_one_customer_is_told_once_and_in_order(stack: Stack, shopify: Flow) -> None:
    customer = a_customer()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda points: run(stack, "grant", customer, points), range(1, 31)))
    wait_until(lambda: len(shopify.told(customer)) >= 60, 60)
    assert must_be_in_order(shopify.told(customer), 30) == 0


def test_a_customer_who_is_gone_blocks_neither_others_nor_what_follows(
    stack: Stack, shopify: Flow
) -> None:
    dead, living = a_customer(), a_customer()
    shopify.behave(forget=dead)
    run(stack, "grant", dead, 10)
    run(stack, "grant", living, 10)
    wait_until(lambda: len(shopify.told(living)) == 2)
    assert shopify.told(dead) == []
    shopify.behave()
    run(stack, "grant", dead, 20)
    wait_until(lambda: len(shopify.told(dead)) == 2)
    assert entries(shopify.told(dead)) == [f"{dead}-000000000002"] * 2


def test_an_outage_of_one_shop_loses_nothing_and_never_delays_the_other(
    stack: Stack, shopify: Flow
) -> None:
    """Fifty failures, then silence, then answers that get lost; the second shop works on."""
    customers = [a_customer() for _ in range(5)]
    delays: list[float] = []

    def change_all() -> None:
        """One change of each customer of the first shop, then one in the second."""
        for customer in customers:
            run(stack, "grant", customer, 10)
        other = a_customer()
        run(stack, "grant", other, 10, SECOND_SHOP)
        delays.append(wait_until(lambda: len(shopify.told(other, SECOND_SHOP)) == 2, 60))

    before = shopify.tried()
    shopify.behave(fail_with=503, times=50)
    for _ in range(3):
        change_all()
    sweep_until(stack, lambda: shopify.tried() - before >= 50, 240)
    shopify.behave()
    shopify.behave(hang=True)
    for _ in range(3):
        change_all()
        invoke(stack, "publish_changes")
    shopify.behave()
    before_drops = {customer: len(shopify.told(customer)) for customer in customers}
    drops = 6
    shopify.behave(drop_reply=True, times=drops)
    for _ in range(2):
        change_all()
    sweep_until(stack, lambda: all(len(set(entries(shopify.told(one)))) == 8 for one in customers))
    shopify.behave()
    sweep_until(stack, lambda: all(len(shopify.told(one)) >= 16 for one in customers))
    repeats = sum(must_be_in_order(shopify.told(customer), 8) for customer in customers)
    assert repeats <= drops, "a repeat only where an answer was dropped"
    for customer in customers:
        until_then = shopify.told(customer)[: before_drops[customer]]
        seen = [(one["payload"]["Entry Id"], one["handle"]) for one in until_then]
        assert len(seen) == len(set(seen)), "failures and silence alone make no repeats"
    sys.stdout.write(f"second shop told after {sorted(delays)} s, {repeats} repeats\n")
    assert max(delays) < LATE_SECONDS


def test_what_was_told_is_told_again_on_demand_only(
    stack: Stack, shopify: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stack.write(tmp_path / "stack.json")
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))
    customer = a_customer()
    for points in (10, 20, 30):
        run(stack, "grant", customer, points)
    wait_until(lambda: len(shopify.told(customer)) == 6)
    assert cli_main(["publish"]) == 0
    assert cli_main(["publish", "--customer", customer]) == 0
    invoke(stack, "publish_changes")
    assert len(shopify.told(customer)) == 6
    assert cli_main(["publish", "--customer", customer, "--from", "2", "--yes"]) == 0
    sweep_until(stack, lambda: len(shopify.told(customer)) == 10)
    versions = [entry[-1] for entry in entries(shopify.told(customer))]
    assert "".join(versions) == "1122332233"


def test_the_stream_alone_tells_within_seconds(stack: Stack, shopify: Flow) -> None:
    customer = a_customer()
    properties = {"customer_id": customer, "points": 5, "reason": "quick"}
    assert flow(stack, "grant", properties, f"g-{uuid.uuid4()}").status_code == 200
    took = wait_until(lambda: len(shopify.told(customer)) == 2)
    assert took < 10
    assert datetime.fromisoformat(shopify.told(customer)[0]["at"]).tzinfo is not None
