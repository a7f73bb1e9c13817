"""Customers' tags on the running stack: asked of Shopify, once an order, and waited for."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local import signing, webhooks
from local.stack import Stack
from tests.e2e.asking import ask, points
from tests.e2e.conftest import SECOND_SHOP, OwnStack
from tests.e2e.queues import Queues, wait_until
from tests.e2e.test_webhooks import a_customer
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

SIGN_UP = 100


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose programme names tags."""
    own = OwnStack(tmp_path_factory.mktemp("stack"))
    try:
        yield own.start(RANK_MULTIPLIERS="gold=150,silver=120", EXCLUDED_TAG="staff")
    finally:
        own.stop()


class Buyer:
    """A customer nobody else knows, at the stack and at the fake Shopify."""

    def __init__(self, stack: Stack, *tags: str) -> None:
        self.stack = stack
        self.id = a_customer()
        self.order_id = uuid.uuid4().int % 10**15
        self.tag(*tags)

    def tag(self, *tags: str) -> None:
        """Let the customer have these tags."""
        self._post("_customer", {"id": str(self.id), "tags": list(tags)})

    def behave(self, **order: object) -> None:
        """Tell the fake how to treat what it is asked."""
        self._post("_behave", order)

    def send(self, case: str) -> None:
        """A sample message about an order of the customer's own, of 6,000 yen."""
        topic, sample = shopify_payloads.bodies()[case]
        body = sample | {"id": self.order_id, "customer": shopify_payloads.customer(self.id)}
        assert webhooks.post(self.stack, topic, body_of(body)).status == 200

    def figures(self) -> dict[str, int]:
        """The customer's figures."""
        found: Any = points(self.stack, str(self.id))["figures"]
        return dict(found)

    def questions(self) -> int:
        """How often Shopify was asked about this customer."""
        log = requests.get(f"{self._shopify}/_log", timeout=30).json()
        gid = f"gid://shopify/Customer/{self.id}"
        return [entry["variables"] for entry in log if entry["operation"] == "customer"].count(
            {"id": gid}
        )

    def _post(self, path: str, body: dict[str, object]) -> None:
        answer = requests.post(f"{self._shopify}/{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text

    @property
    def _shopify(self) -> str:
        assert self.stack.shopify_stand_in_url is not None
        return self.stack.shopify_stand_in_url


@pytest.mark.parametrize(
    ("tags", "earned"), [((), 60), (("Gold",), 90), (("silver", "news"), 72), (("staff",), 0)]
)
def test_an_order_earns_by_the_tags_that_shopify_tells_when_it_is_first_seen(
    ranked: Stack, tags: tuple[str, ...], earned: int
) -> None:
    buyer = Buyer(ranked, *tags)
    buyer.send("orders_create_pending")
    wait_until(lambda: buyer.questions() == 1)
    wait_until(lambda: buyer.figures()["pending"] == earned)
    buyer.tag("silver", "gold")
    buyer.send("orders_paid")
    buyer.send("orders_create")
    other = Buyer(ranked, "gold")
    other.send("orders_paid")
    wait_until(lambda: other.figures()["approved"] == 90)
    wait_until(lambda: buyer.figures()["approved"] == earned)
    assert buyer.questions() == 1


def test_orders_wait_while_shopify_cannot_be_asked_and_are_right_afterwards(ranked: Stack) -> None:
    buyer = Buyer(ranked, "gold")
    buyer.behave(fail_with=503)
    queues = Queues(ranked, "order_events")
    with queues.patience(seconds=6):
        buyer.send("orders_create")
        buyer.send("orders_paid")
        wait_until(lambda: buyer.questions() > 8)  # two messages, each tried again
        assert set(buyer.figures().values()) == {0}
        buyer.behave(times=0)
        wait_until(lambda: buyer.figures()["approved"] == 90)
    assert queues.waiting(queues.letters) == 0


def test_without_tags_in_the_programme_nobody_is_asked(stack: Stack) -> None:
    buyer = Buyer(stack, "gold")
    buyer.send("orders_paid")
    wait_until(lambda: buyer.figures()["approved"] == 60)
    assert buyer.questions() == 0


def test_a_sign_up_gives_points_in_the_shop_that_has_the_customer(stack: Stack) -> None:
    """The shop of `customers/create` stands in a header, which anybody can write anew."""
    somebody, later = Buyer(stack), Buyer(stack)
    body = body_of(shopify_payloads.customer(somebody.id))
    lying = webhooks.headers_of("customers/create", body, SECOND_SHOP, stack.shopify_client_secret)
    answer = requests.post(stack.api_url + webhooks.PATH, body, headers=lying, timeout=30)
    assert (answer.status_code, json.loads(answer.text)) == (200, {"status": "queued"})
    wait_until(lambda: somebody.questions() == 1)
    for buyer in (somebody, later):
        told = body_of(shopify_payloads.customer(buyer.id))
        assert webhooks.post(stack, "customers/create", told).status == 200
    wait_until(lambda: later.figures()["approved"] == SIGN_UP)
    wait_until(lambda: somebody.figures()["approved"] == SIGN_UP)
    assert "has 0 points" in consumed_in(SECOND_SHOP, somebody)


def consumed_in(shop: str, buyer: Buyer) -> str:
    """What a shop's Flow is answered that takes a point of a customer."""
    taken = {"customer_id": str(buyer.id), "points": 1, "reason": "Test"}
    body = signing.flow_request("consume-points", taken, str(uuid.uuid4()))
    body = body.replace(buyer.stack.shop_domain.encode(), shop.encode())
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Hmac-Sha256": signing.flow_signature(body),
    }
    answer = ask(buyer.stack.function_urls["flow_action_consume"], body, headers)
    assert answer.status_code == 422, answer.text
    return answer.text
