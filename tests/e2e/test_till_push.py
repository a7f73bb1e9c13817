"""Changes of points reach the till once each, through lost answers and an outage; nothing loops.

The schedule is invoked by the test; on AWS it runs every minute.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest
import requests

from local import demo
from local.stack import Stack
from tests.e2e.calls import approved, flow, invoke, must_flow, new_customer, points, wait_until
from tests.e2e.conftest import own_stack

MEMBERS, CHANGES = 20, 200
OUTAGE_SECONDS = 60
OPENING = 77
"""What the till has of each member before the first contact."""

CREDENTIALS = demo.TILL_CREDENTIALS
OPERATIONS = ("add_points", "customers", "add_points", "transactions")
"""What fails and is dropped, in turn: changes, the search for a member, what has happened."""


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Till"]:
    """The till of a stack that pushes changes to it."""
    with own_stack(tmp_path_factory.mktemp("push"), TILL_PROBE_SECONDS="1") as started:
        yield Till(started)


class Till:
    """The fake Smaregi, and its counter: another client of its API."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._url = stack.till_stand_in_url
        self._pos = f"{self._url}/{CREDENTIALS['contract_id']}/pos/customers"
        scope = "pos.customers:read pos.customers:write pos.transactions:read"
        answer = requests.post(
            f"{self._url}/app/{CREDENTIALS['contract_id']}/token",
            data={"grant_type": "client_credentials", "scope": scope},
            auth=(CREDENTIALS["client_id"], CREDENTIALS["client_secret"]),
            timeout=5,
        )
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        self._ids: dict[str, str] = {}

    def register(self, balance: int = OPENING) -> str:
        """A new customer who is a member."""
        number = new_customer()
        member = {"member_number": number, "balance": balance, "expires_on": "2030-12-31"}
        answer = requests.post(f"{self._url}/_member", json=member, timeout=5)
        self._ids[number] = answer.json()["customer_id"]
        return number

    def behave(self, **behaviour: Any) -> None:
        """Misbehave; without anything, be well again."""
        given = behaviour or {"times": 0}
        requests.post(f"{self._url}/_behave", json=given, timeout=5).raise_for_status()

    def calls(self) -> list[dict[str, Any]]:
        """What has reached it."""
        found: list[dict[str, Any]] = requests.get(f"{self._url}/_log", timeout=5).json()
        return found

    def balance(self, number: str) -> int:
        """A member's points."""
        query = {"customer_id": self._ids[number]}
        answer = requests.get(f"{self._pos}/point", params=query, headers=self._headers, timeout=5)
        return int(answer.json()[0]["point"])

    def use(self, number: str, used: int) -> None:
        """Use points at the counter."""
        url = f"{self._pos}/{self._ids[number]}/point/add"
        change = {"point": str(-used)}
        with suppress(requests.ConnectionError):  # the answer was lost; it has happened
            requests.post(url, json=change, headers=self._headers, timeout=5)

    def pushes(self, number: str) -> list[int]:
        """The points of each change that reached it for a member."""
        return [
            int(call["variables"]["point"])
            for call in self.calls()
            if call["operation"] == "add_points"
            and call["variables"]["customer_id"] == self._ids[number]
        ]

    def sweep_until(self, holds: Callable[[], bool], seconds: float = 300) -> None:
        """Let the schedule run until something holds."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < seconds, "it did not come to that in time"
            invoke(self.stack, "push_till")
            time.sleep(0.5)


class Trouble(threading.Thread):
    """Drops one reply in five; lets the counter use points; fails for a while.

    What the test itself reads, members' points by their id, is answered all the while.
    """

    def __init__(self, till: Till, meanwhile: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._till = till
        self._meanwhile = meanwhile
        self._over = threading.Event()
        self._seen = len(self._calls())
        self._next = cycle(OPERATIONS)

    @property
    def dropped(self) -> list[str]:
        """The operations whose replies were dropped."""
        return [str(call["operation"]) for call in self._calls() if call["status"] is None]

    def run(self) -> None:
        self._drop_until(time.monotonic() + 4)
        self._meanwhile()
        self._drop_until(time.monotonic() + 4)
        for operation in OPERATIONS:
            self._till.behave(fail_with=503, match=operation)
        time.sleep(OUTAGE_SECONDS)
        self._till.behave()
        self._drop_until(float("inf"))
        self._till.behave()

    def end(self) -> None:
        self._over.set()
        self.join()

    def _calls(self) -> list[dict[str, Any]]:
        return [call for call in self._till.calls() if call["operation"] in OPERATIONS]

    def _drop_until(self, end: float) -> None:
        while time.monotonic() < end and not self._over.wait(0.05):
            if len(self._calls()) - self._seen >= 5:
                self._seen += 5
                self._till.behave(drop_reply=True, times=1, match=next(self._next))


def test_every_change_reaches_the_till_once_through_lost_answers_and_an_outage(till: Till) -> None:
    """What the counter does meanwhile is neither overwritten nor taken twice."""
    stack = till.stack
    members = [till.register() for _ in range(MEMBERS)]
    unreported, reported = members[0], members[1]
    for member in members:
        must_flow(stack, "grant", member, points=10_000)
    till.sweep_until(lambda: all(till.balance(one) == 10_000 for one in members))

    def counter() -> None:
        till.use(unreported, 90)  # less than any consume, which it could be taken for otherwise
        till.use(reported, 80)
        must_flow(stack, "consume", reported, points=80, origin="till")

    def change(number: int) -> None:
        member, step = members[number % MEMBERS], number // MEMBERS
        action = "grant" if step % 3 == 0 else "consume"
        must_flow(stack, action, member, points=100 + number)
        time.sleep(0.5)

    trouble = Trouble(till, counter)
    trouble.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(CHANGES)))
    expected = {one: approved(stack, one) for one in members}
    expected[unreported] -= 90

    try:
        till.sweep_until(lambda: {one: till.balance(one) for one in members} == expected)
    finally:
        trouble.end()
    assert trouble.dropped.count("add_points") >= 5
    assert any(call["status"] == 503 for call in till.calls())
    for _ in range(3):
        invoke(stack, "push_till")
    assert {one: till.balance(one) for one in members} == expected


@pytest.fixture
def member(till: Till) -> str:
    """A member with 1,000 points here and there."""
    till.behave()
    found = till.register()
    must_flow(till.stack, "grant", found, points=1000)
    till.sweep_until(lambda: till.balance(found) == 1000)
    return found


def settle(till: Till, member: str) -> None:
    """Push one more change, so that all before it has been decided on."""
    must_flow(till.stack, "grant", member, points=1)
    pushed = len(till.pushes(member))
    till.sweep_until(lambda: len(till.pushes(member)) > pushed)


def test_a_push_that_the_till_reports_back_moves_nothing_and_is_not_pushed_again(
    till: Till, member: str
) -> None:
    stack = till.stack
    online = flow(stack, "consume", member, points=300).json()["return_value"]
    till.sweep_until(lambda: till.balance(member) == 700)
    pushed = till.pushes(member)
    for _ in range(2):  # Flow repeats it
        answer = flow(
            stack,
            "consume",
            member,
            run=f"pos-{member}",
            points=300,
            origin="till",
            till_balance=700,
        )
        assert answer.json()["return_value"] == online | {"duplicate": True}
    assert approved(stack, member) == 700
    settle(till, member)
    assert (till.balance(member), approved(stack, member)) == (701, 701)
    assert till.pushes(member) == [*pushed, 1]


def test_points_used_at_the_counter_are_taken_here_and_not_pushed_back(
    till: Till, member: str
) -> None:
    till.use(member, 250)
    must_flow(till.stack, "consume", member, points=250, origin="till")
    settle(till, member)
    assert (till.balance(member), approved(till.stack, member)) == (751, 751)


def test_a_report_that_does_not_say_so_is_not_pushed_back_either(till: Till, member: str) -> None:
    till.use(member, 250)
    must_flow(till.stack, "consume", member, points=250)
    settle(till, member)
    assert (till.balance(member), approved(till.stack, member)) == (751, 751)


def test_my_page_shows_what_was_pushed_without_asking_the_till(till: Till, member: str) -> None:
    must_flow(till.stack, "consume", member, points=400)
    till.sweep_until(lambda: till.balance(member) == 600)
    wait_until(lambda: points(till.stack, member)["till"]["balance"] == 600, 5)


def test_an_origin_that_is_none_is_refused(till: Till, member: str) -> None:
    answer = flow(till.stack, "consume", member, points=1, origin="counter")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
