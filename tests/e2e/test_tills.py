"""Each provider's till on a stack of its own: `make run TILL_PROVIDER=...` shows its members."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local import demo
from local.stack import Stack
from tests.e2e.calls import new_customer, points
from tests.e2e.conftest import OwnStack

PATIENCE_SECONDS = 20.0
MEMBER = "8840734670934"
SHOWN = {"balance": "1,250", "expiry": f"December 31, {demo.last_day(12, 31)[:4]}"}
READS = {"smaregi": "customers", "square": "accounts", "recore": "members"}


def put(stack: Stack, number: str, balance: int) -> None:
    """Set a member at the counter."""
    member = {"member_number": number, "balance": balance, "expires_on": "2031-03-31"}
    answer = requests.post(f"{stack.till_stand_in_url}/_member", json=member, timeout=5)
    assert answer.status_code == 200


def seen(stack: Stack, customer: str) -> dict[str, Any]:
    """What my page is answered once the till has answered: a first view may be too early."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = points(stack, customer, **{"Accept-Language": "en"})
        if found["till"]["status"] != "timeout" or time.monotonic() > give_up:
            return found
        time.sleep(0.2)


@pytest.mark.parametrize("provider", ["smaregi", "square", "recore"])
def test_my_page_shows_the_members_of_the_chosen_till(own: OwnStack, provider: str) -> None:
    stack = own.start(TILL_PROVIDER=provider)
    shown = seen(stack, MEMBER)
    assert shown["till"]["status"] == "ok"
    rank = None if provider == "square" else "Gold Member"
    assert {**SHOWN, "rank": rank}.items() <= shown["display"].items()

    customers = [new_customer() for _ in range(8)]
    for number, customer in enumerate(customers):
        put(stack, customer, 100 + number)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda customer: seen(stack, customer)["till"], customers))
    assert [one["balance"] for one in found] == [100 + number for number in range(8)]
    assert seen(stack, new_customer())["till"]["status"] == "not_registered"

    log = requests.get(f"{stack.till_stand_in_url}/_log", timeout=5).json()
    operations = [one["operation"] for one in log]
    assert operations.count(READS[provider]) >= 10
    assert operations.count("token") == int(provider == "smaregi"), "one token for all processes"


def test_without_a_till_the_page_shows_the_ledger(own: OwnStack) -> None:
    stack = own.start(TILL_PROVIDER="none")
    assert stack.till_stand_in_url is None
    found = points(stack, MEMBER)
    assert found["till"]["status"] == "disabled"
    assert found["display"]["balance"] == f"{found['figures']['approved']:,}"
