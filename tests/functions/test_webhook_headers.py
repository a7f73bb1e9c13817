"""Topic and shop of a webhook are not signed: whatever they say, a body does what it says itself.

The table: every sample's body, signed as it was once sent, under every topic and for both shops of
a stack. Either it is refused, or the workers make of it what they make of the honest delivery.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from local import demo
from pointbook.container import Parts
from pointbook.shopify.webhook import QUEUES
from tests.fakes.customers import MemoryCustomers
from tests.support.harness import Functions, event
from tools import shopify_payloads
from tools.make_events_webhooks import body_of, headers

SECOND = "second.myshopify.com"
SHOPS = (demo.SHOP_DOMAIN, SECOND)
BODIES = shopify_payloads.bodies()

ORDERS = frozenset(topic for topic in QUEUES if topic.startswith("orders/"))
NEW_CUSTOMERS = frozenset({"customers/create", "customers/enable"})
NAMES_NO_SHOP = NEW_CUSTOMERS | {"refunds/create", "customers/merge"}

QUEUED, MISMATCH, UNKNOWN = (200, "queued"), (400, "topic_mismatch"), (403, "unknown_shop")

type Entry = tuple[Any, ...]


def expected(true_topic: str, topic: str, shop: str) -> tuple[int, str]:
    """What a body of the first shop is answered under these headers."""
    alike = next((one for one in (ORDERS, NEW_CUSTOMERS) if true_topic in one), {true_topic})
    if topic not in alike:
        return MISMATCH
    return QUEUED if shop == demo.SHOP_DOMAIN or topic in NAMES_NO_SHOP else UNKNOWN


class Stack(Functions):
    """The functions of two shops; the customers of the samples are those of the first."""

    def __init__(self) -> None:
        strangers = MemoryCustomers()
        strangers.gone.update(str(body["id"]) for _, body in BODIES.values() if "id" in body)
        at_shopify = {demo.SHOP_DOMAIN: MemoryCustomers(), SECOND: strangers}
        parts: Parts = {"customers": lambda shop: at_shopify[shop]}
        super().__init__(parts, SHOP_DOMAIN=",".join(SHOPS))

    def post(self, topic: str, content: dict[str, Any], shop: str) -> tuple[int, str]:
        """Status, and what the answer says."""
        body = body_of(content)
        given = {"body": body.decode(), "headers": headers(topic, body, shop=shop)}
        answer = self.request("shopify_webhook", event("shopify_webhook", "orders_create") | given)
        return answer.status, answer.body.get("status") or answer.body["code"]

    def deliver(self, topic: str, content: dict[str, Any], shop: str = demo.SHOP_DOMAIN) -> None:
        """A delivery that is taken, and worked on; what cannot be done waits for its next try."""
        self.queues.sent.clear()
        assert self.post(topic, content, shop) == QUEUED
        ((queue, text),) = self.queues.sent
        self.work(queue, text)

    def all_entries(self) -> list[Entry]:
        """Every entry of every customer of every shop, but for its times and hashes."""
        return sorted(
            (item["pk"]["S"], item["topic"]["S"], repr(item["moves"]), repr(item.get("about")))
            for item in self.items()
            if "moves" in item
        )

    def items(self) -> list[dict[str, Any]]:
        """All that is in the table."""
        found: list[dict[str, Any]] = self.table.scan(TableName="points", ConsistentRead=True)[
            "Items"
        ]
        return found


def before(stack: Stack, case: str = "") -> None:
    """A customer who signed up and, unless the case is an order itself, bought something."""
    stack.deliver(*BODIES["customers_create"])
    if not case or BODIES[case][0] not in ORDERS:
        stack.deliver(*BODIES["orders_create"])


@pytest.fixture
def stack() -> Stack:
    """Both shops, with nothing in them."""
    return Stack()


def table() -> Iterator[tuple[str, str, str]]:
    """Case, topic and shop of all deliveries that there can be of a sample's body."""
    yield from ((case, topic, shop) for case in BODIES for topic in QUEUES for shop in SHOPS)


@pytest.mark.parametrize("case", BODIES)
def test_a_body_is_taken_for_what_it_is_and_nothing_else(stack: Stack, case: str) -> None:
    true_topic, content = BODIES[case]
    for topic in QUEUES:
        for shop in SHOPS:
            answer = stack.post(topic, content, shop)
            assert answer == expected(true_topic, topic, shop), (topic, shop)


LIES = [
    (case, topic, shop)
    for case, topic, shop in table()
    if (topic, shop) != (BODIES[case][0], demo.SHOP_DOMAIN)
    and expected(BODIES[case][0], topic, shop) == QUEUED
]
"""Headers that lie and are not found out by the body."""


def test_the_table_has_lies_of_each_kind_that_is_taken() -> None:
    taken = {(topic in ORDERS, shop == SECOND) for _, topic, shop in LIES}
    assert taken == {(True, False), (False, True), (False, False)}


@pytest.mark.parametrize(("case", "topic", "shop"), LIES)
def test_a_lie_that_is_taken_changes_no_more_than_the_truth(
    case: str, topic: str, shop: str
) -> None:
    true_topic, content = BODIES[case]
    honest = Stack()
    before(honest, case)
    if shop == demo.SHOP_DOMAIN:
        honest.deliver(true_topic, content)
    lied_to = Stack()
    before(lied_to, case)
    lied_to.deliver(topic, content, shop)
    assert lied_to.all_entries() == honest.all_entries()


LIFE = (
    "customers_create",
    "orders_create_pending",
    "orders_paid",
    "refunds_create",
    "orders_updated_refunded",
    "orders_cancelled_refunded",
)


def test_an_old_delivery_changes_nothing_under_any_header(stack: Stack) -> None:
    for case in LIFE:
        stack.deliver(*BODIES[case])
    entries = stack.all_entries()
    assert len(entries) > len(LIFE) - 2
    for case in LIFE:
        true_topic, content = BODIES[case]
        for topic in QUEUES:
            if expected(true_topic, topic, demo.SHOP_DOMAIN) == QUEUED:
                stack.deliver(topic, content)
                assert stack.all_entries() == entries, (case, topic)


def test_an_old_delivery_does_not_bring_back_who_was_erased(stack: Stack) -> None:
    for case in (*LIFE, "customers_redact"):
        stack.deliver(*BODIES[case])
    entries = stack.all_entries()
    assert all(str(shopify_payloads.CUSTOMER) not in pk for pk, *_ in entries)
    for case in (*LIFE, "customers_redact"):
        true_topic, content = BODIES[case]
        for topic in QUEUES:
            if expected(true_topic, topic, demo.SHOP_DOMAIN) == QUEUED:
                stack.deliver(topic, content)
    assert stack.all_entries() == entries


def test_no_lie_erases_anybody_or_takes_a_token_away(stack: Stack) -> None:
    before(stack)
    items = stack.items()
    for case, topic, shop in table():
        true_topic, content = BODIES[case]
        if QUEUES[topic] == "privacy_events" and true_topic != topic:
            assert stack.post(topic, content, shop) == MISMATCH
    assert stack.items() == items
