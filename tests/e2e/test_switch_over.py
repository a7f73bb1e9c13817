"""A shop moves in on the running stack: paused from the start, imported, caught up, switched on."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from local.stack import Stack
from tests.e2e.calls import approved, call, flow, new_order, pass_time, points, post, wait_until
from tests.e2e.conftest import FOR_MANY_TESTS, own_stack
from tests.e2e.customers import Customer
from tests.e2e.fake_shopify import FakeShopify
from tools import shopify_payloads as payloads

MOVE = "2026-12-move"
OTHERS = int(os.environ.get("SWITCH_OVER_CUSTOMERS", "20"))
"""Customers who are only moved; more of them show how long it takes."""

CACHED_SECONDS = 90
"""A function uses a new version of the programme within a minute."""

TEA = payloads.line(1, "3000", 2, taxes=["545"])


@pytest.fixture
def paused(tmp_path: Path) -> Iterator[Stack]:
    """A stack whose shop begins with everything paused."""
    parameters = {**FOR_MANY_TESTS, "EARNING": "paused", "SPENDING": "paused"}
    with own_stack(tmp_path / "stack", **parameters) as started:
        yield started


@pytest.fixture
def command(paused: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Any) -> Any:
    """`pointbook` on this stack: its exit status and its document."""
    paused.write(tmp_path / "stack.json")
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))

    def run(*arguments: str) -> tuple[int, Any]:
        began = time.monotonic()
        status = main([*arguments, "--json"])
        printed = capfd.readouterr()
        assert printed.out, printed.err
        document = json.loads(printed.out[printed.out.index("{") :])
        timings.append((arguments[:1] + arguments[2:], time.monotonic() - began))
        return status, document

    return run


timings: list[tuple[tuple[str, ...], float]] = []


def order_of(customer: Customer, at: datetime) -> dict[str, Any]:
    """An order of 6,000 yen, at Shopify and as its webhook."""
    text = at.replace(microsecond=0).isoformat()
    order = payloads.order(
        [TEA],
        "6000",
        id=int(new_order()),
        customer=payloads.customer(int(customer.id)),
        created_at=text,
        updated_at=text,
    )
    assert FakeShopify(customer.stack).post("_order", order) == 200
    post(customer.stack, "orders/paid", order)
    return order


def test_a_shop_moves_in_beside_its_old_app_and_is_switched_on(
    paused: Stack, command: Any, tmp_path: Path
) -> None:
    buyer, spender = Customer(paused), Customer(paused)
    others = [Customer(paused).id for _ in range(OTHERS)]
    file = tmp_path / "balances.csv"

    def export(**balances: int) -> str:
        every = dict.fromkeys(others, 100) | {"buyer": 1_000, "spender": 1_000} | balances
        ids = {"buyer": buyer.id, "spender": spender.id}
        rows = [f"{ids.get(one, one)},移行分,{number},2099-12-31," for one, number in every.items()]
        file.write_text(
            "\n".join(["customer_id,title,point,expired_at,created_at", *rows, ""]),
            encoding="utf-8",
        )
        return str(file)

    settle = ("--id", MOVE, "--catch-up")
    status, imported = command("import", export(), "--id", MOVE)
    assert (status, imported["totals"]["booked"]["rows"]) == (0, OTHERS + 2)

    # Nothing is earned or used here, and customers are told.
    order_of(buyer, datetime.now(UTC) - timedelta(minutes=1))
    assert points(paused, buyer.id)["paused"] == ["earning", "holds"]
    assert (spender.hold().status_code, spender.hold().json()["code"]) == (409, "holds_paused")
    for action, code in (("grant", "earning_paused"), ("consume", "spending_paused")):
        refused = flow(paused, action, spender.id, points=5, reason="Hi")
        assert (refused.status_code, refused.json()["code"]) == (422, code)

    # The old app goes on, and the difference is settled.
    later = export(buyer=1_060, spender=700, **dict.fromkeys(others[: OTHERS // 2], 90))
    status, found = command("import", later, *settle, "--dry-run")
    assert (status, found["differences"]) == (1, OTHERS // 2 + 2)
    assert command("import", later, *settle)[0] == 0
    assert command("import", later, *settle)[1]["differences"] == 0
    assert (approved(paused, buyer.id), approved(paused, spender.id)) == (1_060, 700)

    # The switch: what comes from now on is this ledger's.
    pass_time(paused, 60)
    switch = ("earning=on", "spending=on", "earn_from=now", "--yes")
    assert command("programme", "set", *switch)[0] == 0
    pass_time(paused, 60)
    ahead = call(f"{paused.front_url}/_clock").json()["offset_seconds"]
    order_of(buyer, datetime.now(UTC) + timedelta(seconds=ahead))
    wait_until(lambda: spender.hold(100).status_code == 201, CACHED_SECONDS)
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    def taken_up() -> bool:
        """Feed what is missing: a worker that still has the paused programme leaves it out."""
        status, _ = command("orders", "--since", since, "--until", until)
        return status == 0 and approved(paused, buyer.id) == 1_120

    wait_until(taken_up, CACHED_SECONDS)
    assert command("import", later, *settle)[1]["differences"] == 0
    if OTHERS > 20:
        print(*timings, sep="\n")  # noqa: T201 - for docs/moving-in.md
