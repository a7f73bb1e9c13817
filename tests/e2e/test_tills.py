"""Each make of till on a stack of its own: `make run TILL_PROVIDER=...` shows its members."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.stack import Stack
from tests.e2e.calls import new_customer, points
from tests.e2e.conftest import OwnStack

MEMBER = "8840734670934"
SHOWN = {"balance": "1,250", "expiry": "December 31, 2025"}
READS = {"smaregi": "customers", "square": "accounts", "recore": "members"}


def put(stack: Stack, number: str, balance: int) -> None:
    """Set a member at the counter."""
    member = {"member_number": number, "balance": balance, "expires_on": "2031-03-31"}
    answer = requests.post(f"{stack.till_stand_in_url}/_member", json=member, timeout=5)
    assert answer.status_code == 200


def till_of(stack: Stack, customer: str) -> dict[str, Any]:
    """The till's part of what my page is answered."""
    till: dict[str, Any] = points(stack, customer)["till"]
    return till


@pytest.mark.parametrize("provider", ["smaregi", "square", "recore"])
def test_my_page_shows_the_members_of_the_chosen_till(own: OwnStack, provider: str) -> None:
    stack = own.start(TILL_PROVIDER=provider)
    found = points(stack, MEMBER, **{"Accept-Language": "en"})
    assert found["till"]["status"] == "ok"
    rank = None if provider == "square" else "Gold Member"
    assert SHOWN.items() <= found["display"].items()
    assert found["display"]["rank"] == rank

    customers = [new_customer() for _ in range(20)]
    for number, customer in enumerate(customers):
        put(stack, customer, 100 + number)
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda customer: till_of(stack, customer), customers))
    seen = [one["balance"] for one in found if one["status"] == "ok"]
    assert seen == [100 + number for number, one in enumerate(found) if one["status"] == "ok"], (
        "everybody sees their own"
    )
    assert len(seen) >= 10

    assert till_of(stack, new_customer())["status"] == "not_registered"
    log = requests.get(f"{stack.till_stand_in_url}/_log", timeout=5).json()
    operations = [one["operation"] for one in log]
    assert operations.count(READS[provider]) >= 20
    assert operations.count("token") == int(provider == "smaregi"), "one token for all processes"
    assert {one["status"] for one in log} == {200}


def test_without_a_till_the_page_shows_the_ledger(own: OwnStack) -> None:
    stack = own.start(TILL_PROVIDER="none")
    assert stack.till_stand_in_url is None
    found = points(stack, MEMBER)
    assert found["till"]["status"] == "disabled"
    assert found["display"]["balance"] == f"{found['figures']['approved']:,}"
