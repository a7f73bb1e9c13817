"""The stack's secret is rotated while requests run, by the command line as an engineer uses it."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from local import demo, signing
from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import new_customer
from tests.e2e.conftest import own_stack
from tests.e2e.customers import Customer

NEW_CLIENT = f"shpss_{uuid.uuid4().hex}"
NEW_PAGE = f"page_{uuid.uuid4().hex}"
NEW_TILL = {"client_id": "another-client", "client_secret": "another-secret"}
TILL_MEMBER = "8840734670934"
GOOD = {200, "ok", "the same"}
"""Answered; with the till's part; with the very hold of the first request."""


class Requests:
    """Requests in threads of their own, each again and again; every answer's status is kept."""

    def __init__(self) -> None:
        self.statuses: dict[str, list[int | str]] = {}
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, send: Callable[[], int | str]) -> None:
        """Send until the end."""

        def run() -> None:
            while not self._ending.wait(0.2):
                self.statuses[name].append(send())

        self.statuses[name] = []
        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def end(self) -> None:
        """End all; none may hang."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture
def running() -> Iterator[Requests]:
    made = Requests()
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def stack(directory: Path) -> Iterator[Stack]:
    """A stack of its own: its secret is changed."""
    with own_stack(directory, HOLD_SECONDS="3600") as started:
        yield started


def test_every_member_is_rotated_while_requests_run_and_nothing_valid_is_refused(
    stack: Stack, directory: Path, running: Requests
) -> None:
    buyer = Customer(stack)
    buyer.grant(1_000)
    hold = buyer.held(400, "before the rotation")
    start_all(running, stack, demo.CLIENT_SECRET, demo.MY_PAGE_SECRET)
    running.start("the hold again", lambda: again(buyer, hold))

    replace_accepted(
        stack.shopify_stand_in_url, "_client_secrets", [demo.CLIENT_SECRET, NEW_CLIENT]
    )
    replace_accepted(stack.till_stand_in_url, "_credentials", [demo.TILL_CREDENTIALS, NEW_TILL])
    secret(directory, "rotate", "client_secret", text=NEW_CLIENT)
    secret(directory, "rotate", "till", text=json.dumps(NEW_TILL))
    changed = secret(directory, "rotate", "my_page_secret", text=NEW_PAGE)
    used_from = datetime.fromisoformat(changed["used_from"]).timestamp()
    assert 50 < used_from - time.time() < 70
    while time.time() <= used_from + 1:
        time.sleep(0.2)

    # Every function must know the new ones by now, and still accept the ones before.
    replace_accepted(stack.shopify_stand_in_url, "_client_secrets", [NEW_CLIENT])
    replace_accepted(stack.till_stand_in_url, "_credentials", [NEW_TILL])
    start_all(running, stack, NEW_CLIENT, NEW_PAGE)
    other = Customer(stack)
    other.grant(1_000)
    assert other.held(100, "before the rotation")["discount_code"] != hold["discount_code"]
    time.sleep(5)
    running.end()
    counted = {name: {one: s.count(one) for one in {*s}} for name, s in running.statuses.items()}
    assert all(set(found) <= GOOD for found in counted.values()), counted
    assert all(sum(found.values()) >= 5 for found in counted.values()), counted
    assert buyer.release(hold).status_code == 200

    # What is removed afterwards is refused, once every function has noticed.
    secret(directory, "remove", "my_page_secret_previous")
    states = secret(directory, "show")["members"]
    assert states["my_page_secret_previous"] == "not set"
    assert states["client_secret_previous"] == states["my_page_secret"] == "set"


def start_all(running: Requests, stack: Stack, client: str, page: str) -> None:
    """One kind of request for each use of the secret."""
    customer = new_customer()
    me, act = f"{stack.api_url}/v1/customers/me/points", stack.function_urls["flow_action_grant"]
    hooks = f"{stack.api_url}/v1/webhooks/shopify"

    def header() -> int | str:
        token = signing.session_token(TILL_MEMBER, client)
        answer = requests.get(me, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        return str(answer.json()["till"]["status"]) if answer.ok else answer.status_code

    def cookie(secret: str) -> int:
        token = signing.session_token(customer, secret)
        return requests.get(me, cookies={"sessionToken": token}, timeout=30).status_code

    def grant() -> int:
        given = {"customer_id": customer, "points": 1, "reason": "Test"}
        return post(act, signing.flow_request("grant-points", given, str(uuid.uuid4())), {})

    def webhook() -> int:
        body = json.dumps({"id": 1, "myshopify_domain": demo.SHOP_DOMAIN}).encode()
        topic = {"X-Shopify-Topic": "shop/update", "X-Shopify-Shop-Domain": demo.SHOP_DOMAIN}
        return post(hooks, body, topic)

    def post(url: str, body: bytes, headers: dict[str, str]) -> int:
        signed = headers | {"X-Shopify-Hmac-Sha256": signing.flow_signature(body, client)}
        signed["Content-Type"] = "application/json"
        return requests.post(url, data=body, headers=signed, timeout=30).status_code

    old = client == demo.CLIENT_SECRET
    for name, send in {
        "header": header,
        "cookie": lambda: cookie(page),
        "cookie by the client secret": lambda: cookie(client),
        "flow": grant,
        "webhook": webhook,
    }.items():
        running.start(f"{name}, {'the one before' if old else 'the new one'}", send)


def again(buyer: Customer, hold: dict[str, Any]) -> int | str:
    """Repeat the request of a hold: it is the same hold."""
    answer = buyer.hold(400, "before the rotation")
    return "the same" if answer.ok and answer.json() == hold else answer.text


def replace_accepted(url: str | None, path: str, content: object) -> None:
    assert requests.post(f"{url}/{path}", json=content, timeout=30).status_code == 200


def secret(directory: Path, *arguments: str, text: str = "") -> dict[str, Any]:
    """What `pointbook secret` prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "secret", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | {"LOCAL_DIRECTORY": str(directory)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not text or text not in done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document
