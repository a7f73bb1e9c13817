"""Customers' tags on the running stack: queried once an order, and waited for."""

import json
from collections.abc import Iterator

import pytest
import requests

from local import webhooks
from local.stack import Stack
from tests.e2e.calls import flow, new_order, post, wait_until
from tests.e2e.conftest import SECOND_SHOP, own_stack
from tests.e2e.customers import Customer
from tests.e2e.queues import Queues
from tools import shopify_payloads
from tools.make_events_webhooks import body_of

SIGN_UP = 100


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose programme names tags."""
    tags = {"RANK_MULTIPLIERS": "gold=150,silver=120", "EXCLUDED_TAG": "staff"}
    with own_stack(tmp_path_factory.mktemp("stack"), **tags) as started:
        yield started


class Buyer(Customer):
    """A customer with tags and one order."""

    def __init__(self, stack: Stack, *tags: str) -> None:
        super().__init__(stack)
        self.order_id = int(new_order())
        self.shopify.set_tags(self.id, *tags)

    def send(self, case: str) -> None:
        """A sample message about an order of the customer's own, of 6,000 yen."""
        topic, sample = shopify_payloads.bodies()[case]
        customer = shopify_payloads.customer(int(self.id))
        post(self.stack, topic, sample | {"id": self.order_id, "customer": customer})

    def queries(self) -> int:
        """How often Shopify was queried about this customer."""
        return self.shopify.tag_queries(self.id)


@pytest.mark.parametrize(
    ("tags", "earned"), [((), 60), (("Gold",), 90), (("silver", "news"), 72), (("staff",), 0)]
)
def test_an_order_earns_by_the_customers_tags_when_it_is_first_seen(
    ranked: Stack, tags: tuple[str, ...], earned: int
) -> None:
    buyer = Buyer(ranked, *tags)
    buyer.send("orders_create_pending")
    wait_until(lambda: buyer.queries() == 1)
    wait_until(lambda: buyer.figures()["pending"] == earned)
    buyer.shopify.set_tags(buyer.id, "silver", "gold")
    buyer.send("orders_paid")
    buyer.send("orders_create")
    other = Buyer(ranked, "gold")
    other.send("orders_paid")
    wait_until(lambda: other.figures()["approved"] == 90)
    wait_until(lambda: buyer.figures()["approved"] == earned)
    assert buyer.queries() == 1


def test_orders_wait_while_shopify_cannot_be_reached_and_are_right_afterwards(
    ranked: Stack,
) -> None:
    buyer = Buyer(ranked, "gold")
    buyer.shopify.behave(fail_with=503)
    queues = Queues(ranked, "order_events")
    with queues.visibility_timeout(seconds=6):
        buyer.send("orders_create")
        buyer.send("orders_paid")
        wait_until(lambda: buyer.queries() > 8)  # two messages, each tried again
        assert set(buyer.figures().values()) == {0}
        buyer.shopify.behave()
        wait_until(lambda: buyer.figures()["approved"] == 90)
    assert queues.waiting(queues.dead_letters) == 0


def test_without_tags_in_the_programme_shopify_is_not_queried(stack: Stack) -> None:
    buyer = Buyer(stack, "gold")
    buyer.send("orders_paid")
    wait_until(lambda: buyer.figures()["approved"] == 60)
    assert buyer.queries() == 0


def test_a_sign_up_gives_points_in_the_shop_that_has_the_customer(stack: Stack) -> None:
    """The shop of `customers/create` is in a header, which is not signed."""
    somebody, later = Buyer(stack), Buyer(stack)
    body = body_of(shopify_payloads.customer(int(somebody.id)))
    forged = webhooks.headers_of("customers/create", body, SECOND_SHOP, stack.shopify_client_secret)
    answer = requests.post(stack.api_url + webhooks.PATH, body, headers=forged, timeout=30)
    assert (answer.status_code, json.loads(answer.text)) == (200, {"status": "queued"})
    wait_until(lambda: somebody.queries() == 1)
    for buyer in (somebody, later):
        post(stack, "customers/create", shopify_payloads.customer(int(buyer.id)))
    wait_until(lambda: later.figures()["approved"] == SIGN_UP)
    wait_until(lambda: somebody.figures()["approved"] == SIGN_UP)
    answer = flow(stack, "consume", somebody.id, shop=SECOND_SHOP)
    assert (answer.status_code, "has 0 points" in answer.text) == (422, True), answer.text
