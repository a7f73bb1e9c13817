"""What happens in a shop, and the command line of whoever runs its stack."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import flow, new_order, post
from tests.e2e.fake_shopify import FakeShopify
from tools import shopify_payloads as payloads

ORDER_POINTS = 60


def ran(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the laptop that runs this stack."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--json"],
        cwd=ROOT,
        env={
            **os.environ,
            "LOCAL_DIRECTORY": str(directory),
            "PYTHONPATH": os.pathsep.join((".", "layers/common/python")),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def pointbook(directory: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    """The JSON document that a command prints."""
    done = ran(directory, *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def acted(stack: Stack, name: str, customer: str, amount: int, run: str = "") -> dict[str, Any]:
    """The answer to an action of Shopify Flow."""
    answer = flow(stack, name, customer, run, points=amount)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["return_value"]
    return found


def ordered(stack: Stack, customer: str) -> dict[str, Any]:
    """An order of 6,000 yen that Shopify has and whose webhook has been delivered."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    tea = payloads.line(1, "3000", 2, taxes=["545"])
    own: dict[str, Any] = {"id": int(new_order()), "created_at": at, "updated_at": at}
    order = payloads.order([tea], "6000", customer=payloads.customer(int(customer)), **own)
    assert FakeShopify(stack).post("_order", order) == 200
    post(stack, "orders/paid", order)
    return order
