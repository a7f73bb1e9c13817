"""How an order's points come about, in numbers and in sentences."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pointbook.domain import commands as c
from pointbook.domain.chain import Cause
from pointbook.domain.expiry import Days
from pointbook.domain.orders import (
    DebtPolicy,
    EarningRule,
    Goods,
    OrderUpdate,
    Refund,
    Rounding,
)
from pointbook.domain.refusal import Code, Refusal
from pointbook.services.account_reads import AccountReads
from pointbook.services.order_explanations import OrderExplanations
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import MEMORY, SHOP, opened
from tests.support.examples import CUSTOMER, NOON, ORDER, OTHER
from tests.support.ledgers import LedgerDriver

GOLD = EarningRule(
    unit_minor=100,
    multiplier_percent=150,
    programme_version=3,
    minimum_minor=1_000,
    pending_days=14,
    debt_policy=DebtPolicy.CLAMP,
)
AT_ONCE = EarningRule(unit_minor=100)

BASE = (
    "Base: 11050 JPY, the goods after discounts, tax included, without gift cards; points used as"
    " payment do not earn."
)


class Books(LedgerDriver):
    """A ledger in memory, and who explains its orders."""

    def __init__(self) -> None:
        super().__init__(opened(MEMORY, MemoryDynamoDB()))
        reads = AccountReads(self.ledger, self.clock)
        self.explanations = OrderExplanations(self.ledger, reads, self.clock, "JPY")

    def order(
        self, minor: int, rule: EarningRule | None = GOLD, *, paid: bool = True, **more: Any
    ) -> None:
        at = self.clock.now()
        update = OrderUpdate(
            at, Goods(minor), confirmed_at=NOON if paid else None, name="#1001", **more
        )
        self.say(c.UpdateOrder(ORDER, update, rule, Days(30)))

    def explained(self) -> dict[str, Any]:
        found = self.explanations.explain(SHOP, ORDER)
        assert not isinstance(found, Refusal)
        return found

    def why(self) -> str:
        return "\n".join(self.explained()["why"])


@pytest.fixture
def books() -> Books:
    return Books()


def test_an_order_that_earned_names_base_rule_rank_and_what_remains(books: Books) -> None:
    books.order(11_050)
    assert books.explained() == {
        "order_id": ORDER,
        "name": "#1001",
        "customer_id": CUSTOMER,
        "currency": "JPY",
        "base": 11_050,
        "refunded": 0,
        "rule": {
            "programme_version": 3,
            "points_per_unit": 1,
            "unit": 100,
            "rounding": Rounding.FLOOR,
            "minimum": 1_000,
            "tax_included": True,
            "gift_cards_earn": False,
            "pending_days": 14,
            "debt_policy": DebtPolicy.CLAMP,
        },
        "rank": {"multiplier_percent": 150},
        "canceled": False,
        "granted": 165,
        "taken_back": 0,
        "pending": 165,
        "spent": 0,
        "returned": 0,
        "remaining": 165,
        "entries": [
            {
                "entry_id": f"{CUSTOMER}-000000000001",
                "at": "2026-11-21T03:00:00.000+00:00",
                "topic": "points/pending/add",
                "points": 165,
            }
        ],
        "why": [
            BASE,
            "Rule: version 3 of the programme, 1 point for each 100 JPY, rounded down.",
            "Rank: the customer's rank at that time multiplies points by 1.5.",
            "11050 JPY earn 165 points.",
            "Entries: 165 points granted, 0 taken back; 165 remain.",
            "165 points of these are pending until 2026-12-05T03:00+00:00.",
        ],
    }


def test_a_refund_says_what_it_took_off_and_what_the_rest_earns(books: Books) -> None:
    books.order(10_000, AT_ONCE)
    books.clock.pass_time(hours=1)
    refund = Refund("r1", Goods(3_000), reported_at=books.clock.now())
    books.order(10_000, AT_ONCE, refunds=(refund,))
    found = books.explained()
    assert (found["base"], found["refunded"]) == (10_000, 3_000)
    assert (found["granted"], found["taken_back"], found["remaining"]) == (100, 30, 70)
    assert "3000 JPY of the base were refunded or taken off; the other 7000 JPY earn 70" in (
        books.why()
    )


def test_a_canceled_order_says_that_it_earns_nothing(books: Books) -> None:
    books.order(10_000, AT_ONCE)
    books.order(10_000, AT_ONCE, cancelled=True)
    found = books.explained()
    assert (found["canceled"], found["remaining"], found["taken_back"]) == (True, 0, 100)
    assert "The order was canceled, so it earns nothing." in found["why"]


def test_waived_points_are_said_to_be_kept(books: Books) -> None:
    clamped = EarningRule(unit_minor=100, debt_policy=DebtPolicy.CLAMP)
    books.order(10_000, clamped)
    books.consume(60)
    books.order(10_000, clamped, cancelled=True)
    found = books.explained()
    assert (found["granted"], found["taken_back"], found["remaining"]) == (100, 40, 60)
    assert "60 points could not be taken back" in books.why()


@pytest.mark.parametrize(
    ("minor", "rule", "sentence"),
    [
        (900, GOLD, "Orders below 1000 JPY earn nothing, so this one earns nothing."),
        (5_000, None, "No earning rule is stored with the order, so it has earned nothing yet."),
        (5_000, AT_ONCE, "Rank: none that multiplies points."),
        (5_000, EarningRule(100, multiplier_percent=0), "Rank: times 0."),
    ],
)
def test_the_rule_that_decides_is_named(
    books: Books, minor: int, rule: EarningRule | None, sentence: str
) -> None:
    books.order(minor, rule)
    assert sentence in books.why()


def test_pending_points_say_what_they_wait_for(books: Books) -> None:
    books.order(10_000, paid=False)
    assert "150 points of these are pending until the order is paid." in books.explained()["why"]
    books.order(10_000)
    books.clock.pass_time(days=20)
    assert "but due since 2026-12-05T03:00+00:00" in books.why()


def test_points_used_on_the_order_say_by_what_and_when_they_come_back(books: Books) -> None:
    books.grant(500)
    books.hold(200)
    books.order(10_000, AT_ONCE)
    books.capture(200)
    books.say(c.SpendOnOrder(50, ORDER, "till"))
    found = books.explained()
    assert (found["spent"], found["returned"]) == (250, 0)
    assert "200 points were used on the order by hold h1, 0 of these have come back" in books.why()
    assert "50 points were used on the order at a till" in books.why()


def test_an_order_whose_customer_was_merged_has_the_entries_of_both(books: Books) -> None:
    books.order(10_000)
    books.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("order"))
    books.clock.pass_time(days=15)
    update = c.UpdateOrder(ORDER, OrderUpdate(), GOLD, Days(30))
    books.say(update, customer_id=OTHER)
    found = books.explained()
    assert [one["entry_id"].split("-")[0] for one in found["entries"]] == [CUSTOMER, OTHER]
    assert (found["granted"], found["taken_back"], found["remaining"]) == (150, 0, 150)
    assert "verify" not in books.why()


def test_an_order_that_contradicts_its_entries_says_so(books: Books) -> None:
    books.order(10_000, AT_ONCE)
    order = books.ledger.order(SHOP, ORDER)
    assert order is not None
    books.ledger.save_order(SHOP, order, replace(order, approved_points=90))
    assert "says 90, not 100: run `pointbook verify`" in books.why()


def test_a_guests_order_earns_nothing(books: Books) -> None:
    books.order(10_000, None)
    order = books.ledger.order(SHOP, ORDER)
    assert order is not None
    books.ledger.save_order(SHOP, order, replace(order, customer_id=None))
    assert books.explained()["why"] == ["The order names no customer, so it earns nothing."]


def test_an_unknown_order_is_refused_with_a_code(books: Books) -> None:
    found = books.explanations.explain(SHOP, "1")
    assert isinstance(found, Refusal)
    assert found.code is Code.ORDER_NOT_FOUND


def test_another_orders_entries_are_left_out(books: Books) -> None:
    books.order(10_000)
    books.clock.pass_time(minutes=1)
    at = NOON + timedelta(minutes=1)
    other = OrderUpdate(at, Goods(7_000), confirmed_at=at)
    books.say(c.UpdateOrder("9009", other, GOLD, Days(30)))
    assert books.explained()["granted"] == 150


def test_pending_points_that_were_canceled_were_taken_back(books: Books) -> None:
    books.order(10_000)
    books.order(10_000, cancelled=True)
    found = books.explained()
    assert (found["granted"], found["taken_back"], found["remaining"]) == (150, 150, 0)
    assert "verify" not in books.why()
