"""A flood at one function URL while Shopify sends webhooks: none of them is lost."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import pytest

from local import demo, signing, webhooks
from local.stack import Stack
from tests.e2e.calls import approved, new_customer, wait_until
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

FLOOD_SECONDS = 10.0
FLOODERS = 8
"""Connections that send one request after the other: as many as keep two cores busy."""

SENDERS = 2
SHOPIFY_TRIES = 8
AGAIN_AFTER_SECONDS = 2.0
SENT_AGAIN = frozenset({429, 503})
"""Answers after which Shopify sends the same again."""


class Flood:
    """Requests of a stranger at a function URL; `answers` counts their statuses."""

    def __init__(self, url: str) -> None:
        self.answers = Counter[int | str]()
        self._parts = urlsplit(url)
        assert self._parts.hostname in ("127.0.0.1", "localhost"), "this machine only"
        self._until = time.monotonic() + FLOOD_SECONDS
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send within the block, and for `FLOOD_SECONDS` at most."""
        threads = [threading.Thread(target=self._send) for _ in range(FLOODERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() >= self._until

    def _send(self) -> None:
        body = signing.flow_request("consume-points", {"customer_id": "1", "points": 1}, "flood")
        headers = {"Content-Type": "application/json", "X-Shopify-Hmac-Sha256": "stranger"}
        connection = http.client.HTTPConnection(self._parts.netloc, timeout=30)
        while not self.is_over:
            try:
                connection.request("POST", self._parts.path or "/", body, headers)
                answer = connection.getresponse()
                answer.read()
                status: int | str = answer.status
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                status = type(error).__name__
            with self._lock:
                self.answers[status] += 1
        connection.close()


class Sender:
    """Shopify: new customers one after the other, each sent again until it is accepted."""

    def __init__(self, stack: Stack, flood: Flood) -> None:
        self._stack = stack
        self._flood = flood
        self.accepted: list[str] = []
        self.answers = Counter[int]()

    def run(self) -> None:
        """Send for as long as the flood lasts."""
        while not self._flood.is_over:
            self._deliver(new_customer())

    def _deliver(self, customer: str) -> None:
        body = body_of(shopify_payloads.customer(int(customer)))
        for _ in range(SHOPIFY_TRIES):
            status = webhooks.post(self._stack, "customers/create", body).status
            self.answers[status] += 1
            if status == 200:
                self.accepted.append(customer)
                return
            assert status in SENT_AGAIN, status
            time.sleep(AGAIN_AFTER_SECONDS)
        pytest.fail(f"not accepted in {SHOPIFY_TRIES} tries: {self.answers}")


def has_points(stack: Stack, customer: str) -> bool:
    """Whether the customer's webhook was carried out."""
    return approved(stack, customer) > 0


def test_webhooks_get_through_a_flood_at_a_function_url_and_each_is_carried_out(
    stack: Stack,
) -> None:
    flood = Flood(stack.function_urls["flow_action_consume"])
    senders = [Sender(stack, flood) for _ in range(SENDERS)]
    with flood.running(), ThreadPoolExecutor(SENDERS) as pool:
        for running in [pool.submit(sender.run) for sender in senders]:
            running.result()
    accepted = [customer for sender in senders for customer in sender.accepted]
    refused = {401, *SENT_AGAIN}
    assert {*flood.answers} <= refused, flood.answers
    assert flood.answers[401] > len(accepted) > SENDERS, (flood.answers, len(accepted))
    for customer in accepted:
        wait_until(partial(has_points, stack, customer), seconds=120)
    points = int(demo.PARAMETERS["SignUpPoints"])
    assert {approved(stack, customer) for customer in accepted} == {points}, "each once"
