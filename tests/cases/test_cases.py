"""Webhooks that shops really send and that are easy to get wrong: one table of what must come out.

Each file of `inputs/` has the deliveries of one case. They go through the front: the webhook's
function checks them, keeps what it needs and queues it, and the queue's worker books it. Ids and
amounts are invented; the shapes are those of Shopify's webhooks. One point for 100 yen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.domain.commands import Grant, PlaceHold
from pointbook.domain.expiry import Days
from pointbook.shopify.discount_code import hold_id_of
from tests.fakes.customers import MemoryCustomers
from tests.support.harness import Functions, event
from tools.make_events_webhooks import body_of, headers
from tools.shopify_payloads import CUSTOMER, OUR_CODE

INPUTS = Path(__file__).parent / "inputs"
RANKS = {"PROGRAMME_RANK_MULTIPLIERS": "gold=150,silver=120", "PROGRAMME_EXCLUDED_TAG": "staff"}

type Delivery = dict[str, Any]


def deliveries(file: str) -> list[Any]:
    """What stands in a file of inputs."""
    found: list[Any] = json.loads((INPUTS / f"{file}.json").read_text(encoding="utf-8"))
    return found


class Shop:
    """A stack, and its customer's tags at Shopify."""

    def __init__(self, programme: Mapping[str, str]) -> None:
        self.customers = MemoryCustomers()
        self.functions = Functions({"customers": lambda _: self.customers}, **programme)

    def deliver(self, one: Delivery) -> str:
        """Take a delivery in and work on it: `done`, `comes again`, or the code of the refusal."""
        body = body_of(one["body"])
        sent = headers(one["topic"], body)
        if "triggered_at" in one:
            sent["x-shopify-triggered-at"] = one["triggered_at"]
        for name in one.get("headers_missing", ()):
            del sent[name.lower()]
        payload = event("shopify_webhook", "orders_create")
        answer = self.functions.request(
            "shopify_webhook", payload | {"body": body.decode(), "headers": sent}
        )
        if answer.status != 200:
            return str(answer.body["code"])
        queue, text = self.functions.queues.sent.pop()
        return "comes again" if self.functions.work(queue, text) else "done"

    def figures(self) -> dict[str, int]:
        """The figures that are not zero, without `total`."""
        view = self.functions.ledger.read(demo.SHOP_DOMAIN, str(CUSTOMER))
        return {
            name: points
            for name, points in view.figures._asdict().items()
            if points and name != "total"
        }


def points(approved: int, **more: int) -> dict[str, int]:
    """The figures of who has so many, and never had more unless it is said."""
    return {"approved": approved, "lifetime": approved} | more


@dataclass(frozen=True, slots=True)
class Case:
    """What a file's deliveries come to; `at` picks one of them, None is all in their order.

    The customer begins with `points`, of which `held` are held under our code, and has `tags`, and
    after the first delivery `tags_then`.
    """

    promise: str
    file: str
    figures: dict[str, int]
    at: int | None = None
    backwards: bool = False
    programme: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    tags_then: tuple[str, ...] | None = None
    points: int = 0
    held: int = 0
    unreadable: str = ""

    def deliveries(self) -> list[Delivery]:
        """Those of the file that are meant, in the order in which they come."""
        found = deliveries(self.file)
        chosen = found if self.at is None else [found[self.at]]
        return chosen[::-1] if self.backwards else chosen

    def prepared(self) -> Shop:
        """The shop before the first delivery."""
        shop = Shop(self.programme)
        shop.customers.tags[str(CUSTOMER)] = self.tags
        if self.points:
            shop.functions.execute(Grant(self.points, Days(30)))
        if self.held:
            shop.functions.execute(PlaceHold(self.held, hold_id_of(OUR_CODE), 600, code=OUR_CODE))
        return shop


UNREADABLE = "fields-that-cannot-be-read"
CASES = (
    Case(
        "an order without tags earns by the tags that Shopify tells",
        "customer-without-tags",
        points(150),
        programme=RANKS,
        tags=("gold",),
    ),
    Case(
        "a customer with the excluded tag earns nothing",
        "customer-of-the-excluded-tag",
        {},
        programme=RANKS,
        tags=("staff",),
    ),
    Case(
        "a tag that is set later changes nothing",
        "tag-set-later",
        points(100),
        programme=RANKS,
        tags_then=("gold",),
    ),
    Case(
        "points used at a till are read with a blank behind them",
        "till-points-with-a-blank",
        points(390, lifetime=510, spent=120),
        points=500,
    ),
    Case(
        "points used at a till are read in full-width digits",
        "till-points-in-full-width",
        points(390, lifetime=510, spent=120),
        points=500,
    ),
    Case("a time with a blank before its zone is read", UNREADABLE, {}, at=0),
    Case("a test order in words is refused", UNREADABLE, {}, at=1, unreadable="test"),
    Case("tax in words is refused", UNREADABLE, {}, at=2, unreadable="taxes_included"),
    Case("tax that is null is refused", UNREADABLE, {}, at=3, unreadable="taxes_included"),
    Case(
        "points used at a till are read in an order without a metafield's id",
        UNREADABLE,
        points(391, lifetime=511, spent=120),
        at=4,
        points=500,
    ),
    Case(
        "a binary fraction is the decimal that was meant",
        "refund-of-a-binary-fraction",
        {"lifetime": 59},
        programme={"PROGRAMME_CURRENCY": "CAD"},
    ),
    Case(
        "dollars in small letters are not taken for yen",
        "refund-in-lower-case-currency",
        points(100),
    ),
    Case("of two edits in one second the later counts", "edits-in-one-second", points(50)),
    Case(
        "of two edits in one second the later counts if it comes first",
        "edits-in-one-second",
        points(50),
        backwards=True,
    ),
    Case("a quantity in text is a number", "quantity-as-text", {"approved": 10, "lifetime": 20}),
    Case(
        "what was spent comes back when all is refunded without a cancellation",
        "refund-of-all-without-cancelling",
        {"approved": 500, "lifetime": 521},
        points=500,
        held=50,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.promise)
def test_what_must_come_out(capsys: pytest.CaptureFixture[str], case: Case) -> None:
    shop = case.prepared()
    outcomes = []
    for one in case.deliveries():
        outcomes.append(shop.deliver(one))
        if case.tags_then is not None:
            shop.customers.tags[str(CUSTOMER)] = case.tags_then
    last = "comes again" if case.unreadable else "done"
    assert outcomes == ["done"] * (len(outcomes) - 1) + [last]
    assert shop.figures() == case.figures
    refused = [line for line in capsys.readouterr().out.splitlines() if "webhook_failed" in line]
    assert len(refused) == bool(case.unreadable)
    assert all(case.unreadable in line for line in refused)


type Outcome = tuple[str, dict[str, int]]
GUEST: Outcome = ("done", {})
REFUSED: Outcome = ("comes again", {})
OWN: Outcome = ("done", points(100))
CUSTOMERS = (GUEST, GUEST, GUEST, REFUSED, REFUSED, OWN, OWN, REFUSED, REFUSED)
"""By the place in the file: a guest's order, one that nobody can read, or the customer's."""


@pytest.mark.parametrize("at", range(len(CUSTOMERS)))
def test_an_order_is_its_customers_or_a_guests_or_is_not_booked(at: int) -> None:
    shop = Shop({})
    (order,) = deliveries("customer-without-tags")
    body = order["body"] | {"customer": deliveries("customer-shapes")[at]}
    outcome = shop.deliver(order | {"body": body})
    assert (outcome, shop.figures()) == CUSTOMERS[at]
    assert len(CUSTOMERS) == len(deliveries("customer-shapes"))


@pytest.mark.parametrize(
    ("topic", "more"),
    [
        ("customers/redact", {"customer": None, "orders_to_redact": None}),
        (
            "customers/data_request",
            {"customer": None, "orders_requested": [], "data_request": {"id": 9}},
        ),
        ("shop/redact", {}),
    ],
)
def test_a_privacy_webhook_without_the_shops_header_is_taken_in(
    topic: str, more: dict[str, Any]
) -> None:
    shop = Shop({})
    (given,) = deliveries("redact-without-shop-header")
    subject = {name: given["body"][name] for name in ("shop_id", "shop_domain")}
    body = subject | {name: given["body"].get(name, value) for name, value in more.items()}
    assert shop.deliver(given | {"topic": topic, "body": body}) == "done"
    written = {sk.rpartition("#")[0] for _, sk in shop.functions.table.items("points")}
    assert any(topic in sk for sk in written)


def test_every_input_is_a_case() -> None:
    used = {case.file for case in CASES} | {"customer-shapes", "redact-without-shop-header"}
    assert {path.stem for path in INPUTS.glob("*.json")} == used
