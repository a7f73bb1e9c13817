"""Order messages on a ledger in memory: which account they change, and what happens only once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command, Grant, PlaceHold
from pointbook.domain.erase import moved_account, pseudonym_of, renamed_order, tombstone
from pointbook.domain.expiry import Days, ExpiryRule, Never
from pointbook.domain.orders import Order
from pointbook.domain.ports import (
    AccountWrite,
    Committed,
    ReadRequest,
    StoreUnavailable,
    TransientCause,
    VersionConflict,
    Write,
)
from pointbook.domain.programme import Programme, default_programme
from pointbook.domain.refusal import Refusal
from pointbook.errors import InvalidRequest, LedgerUnavailable, MessageDeclined, TagsUnknown
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.alarms import raise_alarm
from pointbook.services.message import Message
from pointbook.services.orders import OrderService
from pointbook.shopify.discount_code import derive_code, hold_id_of
from tests.fakes.customers import MemoryCustomers
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import MEMORY, SHOP, all_entries, opened
from tests.support.ledgers import SetClock
from tests.support.logs import dimensions, logged

CUSTOMER, OTHER, THIRD = "7001", "7002", "7003"
CODE = derive_code(b"secret", SHOP, CUSTOMER, "k1")
OTHER_CODE = derive_code(b"secret", SHOP, OTHER, "k1")
NOON = datetime(2027, 1, 30, 3, tzinfo=UTC)
PSEUDONYM = pseudonym_of(77)

type Payload = dict[str, Any]


class Shop:
    """A shop's order service on an empty table, and its customers at Shopify."""

    def __init__(self, **texts: str) -> None:
        self.store = opened(MEMORY, MemoryDynamoDB()).store()
        self.clock = SetClock(NOON)
        self.ledger = self._ledger_on(self.store)
        self.programme = default_programme(**{"expiry": "never", **texts})
        self.customers = MemoryCustomers()

    def _ledger_on(self, store: Any) -> Ledger:
        return Ledger(store, self.clock, random=lambda: 0.5, alarm=raise_alarm)

    def driver(
        self,
        store: Any = None,
        programme: Programme | None = None,
        customers: MemoryCustomers | None = None,
    ) -> OrderService:
        rules = programme or self.programme
        ledger = self._ledger_on(store) if store else self.ledger
        customer_tags = customers or self.customers
        return OrderService(SHOP, ledger, self.clock, rules, customer_tags)

    def send(self, topic: str, payload: Payload, **more: Any) -> None:
        """Have the service carry out a message."""
        message = Message(topic, SHOP, self.clock.now(), "event-1", payload)
        self.driver(**more).carry_out(message)

    def grant(
        self,
        points: int,
        customer: str = CUSTOMER,
        expiry: ExpiryRule = Never(),  # noqa: B008
    ) -> None:
        booked = self._execute(customer, Grant(points, expiry))
        assert isinstance(booked, Booked)

    def hold(self, points: int, customer: str = CUSTOMER, code: str = CODE) -> None:
        hold_id = hold_id_of(code)
        command = PlaceHold(points, hold_id, 600, code=code, worth_minor=10)
        assert isinstance(self._execute(customer, command), Booked)

    def hold_50_of(self, points: int) -> None:
        """The customer gets points, and holds 50 of them."""
        self.grant(points)
        self.hold(50)

    def merge(self, gone: str, survivor: str) -> None:
        assert isinstance(self.ledger.merge(SHOP, gone, survivor, Cause("shopify")), Booked)

    def _execute(self, customer: str, command: Command) -> Booked | Refusal:
        return self.ledger.execute(Instruction(SHOP, customer, command, Cause("test")))

    def claim_pending(self, points: int) -> None:
        """Have the order claim more pending points than its customer has."""
        order = self.order()
        claim = replace(
            order, pending_points=order.pending_points + points, revision=order.revision + 1
        )
        assert self.store.commit(Write(SHOP, (), order=claim)) == Committed()

    def figures(self, customer: str = CUSTOMER) -> dict[str, int]:
        """The figures that are not zero, without `total`."""
        found = self.ledger.read(SHOP, customer).figures._asdict()
        return {name: points for name, points in found.items() if points and name != "total"}

    def topics(self, customer: str = CUSTOMER) -> list[str]:
        return [
            booked.entry.topic.removeprefix("points/")
            for booked in all_entries(self.store, customer)
        ]

    def order(self) -> Order:
        found = self.store.load(ReadRequest(SHOP, None, order_id="901"), fresh=True).order
        assert found is not None
        return found

    def erase(self, customer: str = CUSTOMER) -> None:
        """The first half of an erasure: the account is renamed, the order items are not."""
        account = self.store.account(SHOP, customer)
        assert account is not None
        names = {customer: PSEUDONYM}
        moved = replace(moved_account(account, names), version=0, head="")
        parts = (AccountWrite(tombstone(customer, account), ()), AccountWrite(moved, ()))
        assert self.store.commit(Write(SHOP, parts)) == Committed()

    def rename_order(self) -> None:
        """The second half."""
        renamed = renamed_order(self.order(), {CUSTOMER: PSEUDONYM})
        write = Write(SHOP, (), order=replace(renamed, revision=renamed.revision + 1))
        assert self.store.commit(write) == Committed()


@pytest.fixture
def shop() -> Shop:
    return Shop()


def order(customer: str | None = CUSTOMER, second: int = 0, **more: Any) -> Payload:
    """An order of 1,000 yen as of so many seconds after noon."""
    return {
        "id": 901,
        "currency": "JPY",
        "customer": {"id": int(customer)} if customer else None,
        "updated_at": (NOON + timedelta(seconds=second)).isoformat(),
        "financial_status": "paid",
        "line_items": [{"id": 11, "quantity": 1, "price": "1000"}],
        "refunds": [],
        **more,
    }


def refund(amount: str = "300", refund_id: int = 31) -> Payload:
    lines = [{"line_item_id": 11, "quantity": 1, "subtotal": amount}]
    return {"id": refund_id, "order_id": 901, "refund_line_items": lines}


def with_codes(used: Mapping[str, str], **more: Any) -> Payload:
    codes = [{"code": code, "amount": amount} for code, amount in used.items()]
    return order(discount_codes=codes, **more)


def at_till(points: str, **more: Any) -> Payload:
    metafield = {"namespace": "omni_hub", "key": "point_used", "value": points}
    return order(metafields=[metafield], **more)


# --- whose order it is ---------------------------------------------------------------------------


def test_a_paid_order_earns_at_once_and_an_unpaid_one_later(shop: Shop) -> None:
    shop.send("orders/create", order(financial_status="pending"))
    assert shop.figures() == {"pending": 10}
    shop.send("orders/paid", order(second=5))
    assert shop.figures() == {"approved": 10, "lifetime": 10}
    assert shop.topics() == ["pending/add", "add/order"]


def test_the_body_alone_says_that_an_order_is_paid_or_cancelled(shop: Shop) -> None:
    """The topic is an unsigned header."""
    for topic in ("orders/paid", "orders/cancelled"):
        shop.send(topic, order(financial_status="pending"))
        assert shop.figures() == {"pending": 10}
    shop.send("orders/create", order(second=1))
    assert shop.figures() == {"approved": 10, "lifetime": 10}
    shop.send("orders/create", order(second=2, cancelled_at=NOON.isoformat()))
    assert shop.figures() == {"lifetime": 10}


def test_an_order_is_approved_when_it_is_created_where_the_programme_says_so() -> None:
    shop = Shop(approve_on="created")
    created_at = (NOON - timedelta(hours=1)).isoformat()
    shop.send("orders/create", order(financial_status="pending", created_at=created_at))
    assert shop.figures() == {"approved": 10, "lifetime": 10}
    assert shop.order().confirmed_at == NOON - timedelta(hours=1)


def test_what_shopify_says_has_happened_has_happened_by_now(shop: Shop) -> None:
    shop.send("orders/paid", order(second=30))
    assert shop.figures() == {"approved": 10, "lifetime": 10}
    assert shop.order().confirmed_at == NOON


def test_a_guest_s_order_waits_for_its_customer(shop: Shop) -> None:
    shop.send("orders/create", order(None))
    shop.send("orders/paid", order(None, second=1))
    assert (shop.order().customer_id, shop.order().target_points) == (None, 0)
    shop.send("orders/updated", order(second=9))
    assert shop.figures() == {"approved": 10, "lifetime": 10}
    assert shop.order().confirmed_at == NOON


def test_a_guest_s_order_earns_by_the_rank_of_who_it_turns_out_to_be() -> None:
    for messages in permutations([order(None), order(second=9)]):
        shop = Shop(rank_multipliers="gold=150")
        shop.customers.tags[CUSTOMER] = ("gold",)
        for message in messages:
            shop.send("orders/updated", message)
        assert shop.figures()["approved"] == 15
        assert shop.customers.requested == [CUSTOMER]


# --- by which tags it earns -----------------------------------------------------------------------

RANKS = {"rank_multipliers": "gold=150,silver=120", "excluded_tag": "staff"}
DEAR: Payload = {"line_items": [{"id": 11, "quantity": 1, "price": "10000"}]}
"""10,000 yen."""


@pytest.fixture
def ranked() -> Shop:
    """A shop whose programme names tags."""
    return Shop(**RANKS)


def test_tags_are_read_once_for_an_order_and_count_as_they_were(ranked: Shop) -> None:
    ranked.customers.tags[CUSTOMER] = ("gold",)
    ranked.send("orders/create", order(**DEAR, financial_status="pending"))
    ranked.customers.tags[CUSTOMER] = ("staff",)
    ranked.send("orders/create", order(**DEAR, financial_status="pending"))
    ranked.send("orders/paid", order(**DEAR, second=5))
    ranked.send("refunds/create", refund("5000"))
    ranked.send("orders/updated", order(**DEAR, second=9, refunds=[refund("5000")]))
    assert ranked.driver().approve("901") == 0
    assert ranked.figures()["approved"] == 75
    assert ranked.customers.requested == [CUSTOMER]


@pytest.mark.parametrize("texts", [{}, {**RANKS, "points_per_unit": "0"}])
def test_no_tags_are_read_where_none_changes_anything(texts: dict[str, str]) -> None:
    shop = Shop(**texts)
    shop.send("orders/create", order())
    shop.send("orders/paid", order(second=5))
    assert shop.customers.requested == []


@pytest.mark.parametrize("payload", [order(None), order(test=True)], ids=["guest", "test"])
def test_no_tags_are_read_for_an_order_that_earns_nothing(ranked: Shop, payload: Payload) -> None:
    ranked.send("orders/create", payload)
    assert ranked.customers.requested == []


def test_points_of_a_hold_are_spent_at_once_though_the_tags_cannot_be_read(ranked: Shop) -> None:
    """Else the hold would end while the order waits, and its points be spent elsewhere."""
    ranked.customers.unreachable = True
    ranked.grant(100)
    ranked.hold(30)
    paid = with_codes({CODE: "300"}, **DEAR)
    for _ in range(2):
        with pytest.raises(TagsUnknown, match="redrive"):
            ranked.send("orders/create", paid)
    assert ranked.figures() == {"approved": 70, "lifetime": 100, "spent": 30}
    ranked.customers.unreachable = False
    ranked.send("orders/create", paid)
    assert ranked.figures() == {"approved": 170, "lifetime": 200, "spent": 30}


def test_a_customer_whom_shopify_does_not_know_is_never_taken_for_one_without_tags(
    ranked: Shop,
) -> None:
    """The merge is on its way: afterwards the survivor's tags are read."""
    ranked.customers.gone.add(CUSTOMER)
    ranked.customers.tags[OTHER] = ("gold",)
    with pytest.raises(TagsUnknown, match=r"has no customer 7001.*customers/merge"):
        ranked.send("orders/create", order(**DEAR))
    assert ranked.figures() == {}
    ranked.merge(CUSTOMER, OTHER)
    ranked.send("orders/create", order(**DEAR))
    assert ranked.figures(OTHER)["approved"] == 150
    assert ranked.customers.requested == [CUSTOMER, OTHER]


def test_no_tags_are_read_for_an_erased_customer(ranked: Shop) -> None:
    ranked.grant(5)
    ranked.erase()
    ranked.send("orders/create", order(**DEAR))
    assert ranked.customers.requested == []


def test_goods_that_arrive_only_after_their_customer_was_erased_earn_nothing(
    ranked: Shop,
) -> None:
    """Whose tags they were, nobody can say any more."""
    ranked.send("orders/create", order(line_items=[], metafields=at_till("3")["metafields"]))
    ranked.erase()
    ranked.rename_order()
    ranked.send("orders/updated", order(second=9, **DEAR))
    assert ranked.customers.requested == []
    assert ranked.order().rule is None
    assert ranked.figures(PSEUDONYM)["approved"] == -3


def test_of_two_messages_that_read_tags_at_once_the_first_written_wins(ranked: Shop) -> None:
    ranked.customers.tags[CUSTOMER] = ("gold",)

    class Overtaken(MemoryCustomers):
        """While the first message waits for its answer, the second is carried out."""

        def tag_digests(self, customer_id: str) -> frozenset[str] | None:
            ranked.send("orders/paid", order(second=5, **DEAR))
            self.tags[customer_id] = ("silver",)
            return super().tag_digests(customer_id)

    driver = ranked.driver(customers=Overtaken())
    driver.carry_out(Message("orders/create", SHOP, NOON, "event-2", order(**DEAR)))
    assert ranked.figures()["approved"] == 150


class Intercepted:
    """A store on which something happens once, after a read for which `when` holds."""

    def __init__(
        self, store: Any, when: Callable[[ReadRequest], bool], act: Callable[[Any], None]
    ) -> None:
        self._store, self._when, self._acts = store, when, [act]

    def load(self, request: ReadRequest, *, fresh: bool) -> Any:
        found = self._store.load(request, fresh=fresh)
        if self._acts and self._when(request):
            self._acts.pop()(found)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_an_order_whose_goods_another_message_brings_meanwhile_is_not_left_without_a_rule(
    ranked: Shop,
) -> None:
    """The one names the customer, the other the goods: neither alone has to read the tags."""
    ranked.customers.tags[CUSTOMER] = ("gold",)
    goods, customer = order(None, **DEAR), order(line_items=[], second=5)
    store = Intercepted(ranked.store, lambda _: True, lambda _: ranked.send("orders/create", goods))
    ranked.send("orders/updated", customer, store=store)
    assert ranked.figures()["approved"] == 150
    assert ranked.customers.requested == [CUSTOMER]


# --- more of whose order it is -------------------------------------------------------------------


def test_a_refund_before_its_order_is_stored_without_an_account(shop: Shop) -> None:
    shop.send("refunds/create", refund())
    assert shop.order().refunds[0].refund_id == "31"
    shop.send("orders/create", order())
    assert shop.figures() == {"approved": 7, "lifetime": 7}


def test_an_order_stays_with_the_customer_it_was_first_seen_with(shop: Shop) -> None:
    shop.send("orders/create", order())
    shop.send("orders/updated", order(OTHER, second=1))
    shop.send("refunds/create", refund())
    assert shop.figures() == {"approved": 7, "lifetime": 10}
    assert shop.figures(OTHER) == {}


def test_an_update_of_a_merged_customers_order_goes_to_the_survivor(shop: Shop) -> None:
    shop.send("orders/create", order())
    shop.merge(CUSTOMER, OTHER)
    shop.merge(OTHER, THIRD)
    shop.send("refunds/create", refund())
    shop.send("orders/updated", order(THIRD, second=1, refunds=[refund(), refund("200", 32)]))
    assert shop.figures(THIRD) == {"approved": 5, "lifetime": 10}
    assert shop.order().customer_id == CUSTOMER


def test_an_order_first_seen_after_the_merge_belongs_to_the_survivor(shop: Shop) -> None:
    shop.grant(5)
    shop.merge(CUSTOMER, OTHER)
    shop.send("orders/create", order())
    assert shop.figures(OTHER) == {"approved": 15, "lifetime": 15}


def test_an_unseen_order_of_an_erased_customer_is_left_alone(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.grant(5)
    shop.erase()
    shop.send("orders/create", at_till("3"))
    assert "OrdersOfErasedCustomers" in capsys.readouterr().out
    assert shop.topics(PSEUDONYM) == []


def test_a_message_is_retried_while_an_erased_customers_account_is_moved(shop: Shop) -> None:
    shop.send("orders/create", order())
    shop.erase()
    with pytest.raises(LedgerUnavailable):
        shop.send("refunds/create", refund())
    shop.rename_order()
    shop.send("refunds/create", refund())
    assert shop.figures(PSEUDONYM)["approved"] == 7


def test_a_code_whose_holder_is_erased_meanwhile_is_captured_under_the_pseudonym(
    shop: Shop,
) -> None:
    shop.hold_50_of(80)

    def erase_holder(found: Any) -> None:
        shop.erase()
        shop.rename_order()
        record = replace(found.hold_record, customer_id=PSEUDONYM, revision=2)
        assert shop.store.commit(Write(SHOP, (), hold_record=record)) == Committed()

    store = Intercepted(
        shop.store, lambda one: bool(one.hold_id) and one.customer_id is None, erase_holder
    )
    with pytest.raises(LedgerUnavailable):
        shop.send("orders/create", with_codes({CODE: "300"}), store=store)
    shop.send("orders/create", with_codes({CODE: "300"}))
    assert shop.figures(PSEUDONYM)["spent"] == 30


def test_an_order_without_points_forgets_its_erased_customer_with_the_next_update(
    shop: Shop,
) -> None:
    shop.send("orders/create", order(test=True))
    assert shop.order().customer_id == CUSTOMER
    shop.erase()
    shop.send("refunds/create", refund())
    assert shop.order().customer_id is None
    shop.send("orders/updated", order(second=1))
    assert (shop.order().customer_id, shop.topics(PSEUDONYM)) == (None, [])


def test_a_refused_message_is_declined(shop: Shop) -> None:
    shop.send("orders/create", order(financial_status="pending"))
    shop.claim_pending(1)
    with pytest.raises(MessageDeclined) as declined:
        shop.send("orders/paid", order(second=1))
    assert str(declined.value).startswith("not_pending: ")


def test_a_payload_that_cannot_be_read_changes_nothing(shop: Shop) -> None:
    for topic, payload in (("orders/create", order(currency="USD")), ("refunds/create", {})):
        with pytest.raises(InvalidRequest):
            shop.send(topic, payload)
    assert shop.figures() == {}


# --- points of holds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "spent"), [("500", 50), ("501", 50), ("491", 50), ("490", 49), ("11", 2), ("1", 1)]
)
def test_an_order_spends_what_it_used_of_a_hold(shop: Shop, used: str, spent: int) -> None:
    """A point is worth 10 yen; part of a point's worth takes the whole point."""
    shop.hold_50_of(80)
    shop.send("orders/create", with_codes({CODE.lower(): used}, financial_status="pending"))
    left = {"approved": 80 - spent, "pending": 10, "lifetime": 80, "spent": spent}
    assert shop.figures() == left


def test_a_code_that_took_nothing_off_leaves_its_hold(shop: Shop) -> None:
    shop.hold_50_of(80)
    shop.send("orders/create", with_codes({CODE: "0"}, financial_status="pending"))
    assert shop.figures()["hold"] == 50


def test_each_of_several_codes_spends_its_own_hold(shop: Shop) -> None:
    for customer, code in ((CUSTOMER, CODE), (OTHER, OTHER_CODE)):
        shop.grant(80, customer)
        shop.hold(50, customer, code)
    shop.send("orders/create", with_codes({CODE: "500", OTHER_CODE: "200"}, customer=None))
    assert shop.figures() == {"approved": 30, "lifetime": 80, "spent": 50}
    assert shop.figures(OTHER) == {"approved": 60, "lifetime": 80, "spent": 20}


def test_a_code_of_no_hold_is_noted_and_the_order_earns(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.send("orders/create", with_codes({CODE: "500"}))
    assert "CodesOfNoHold" in capsys.readouterr().out
    assert shop.figures() == {"approved": 10, "lifetime": 10}


def test_an_order_that_comes_after_its_hold_takes_the_points_and_raises_the_stack_s_alarm(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.hold_50_of(80)
    shop.clock.pass_time(seconds=601)
    shop.send("orders/create", with_codes({CODE: "500"}, financial_status="pending"))
    assert shop.figures() == {"approved": 30, "pending": 10, "lifetime": 80, "spent": 50}
    counted = logged(capsys, "OrderAlarms")
    assert dimensions(counted) == [[["Stage"]], [["Stage", "Alarm"]]]
    assert counted[1]["Alarm"] == "late_order"


def test_a_hold_of_a_merged_customer_is_spent_by_the_survivor(shop: Shop) -> None:
    shop.hold_50_of(80)
    shop.merge(CUSTOMER, OTHER)
    shop.send("orders/create", with_codes({CODE: "500"}, customer=None))
    assert shop.figures(OTHER) == {"approved": 30, "lifetime": 80, "spent": 50}


@pytest.mark.parametrize("seen_before", [True, False])
def test_a_cancelled_order_gives_back_what_was_spent_on_it(shop: Shop, seen_before: bool) -> None:
    shop.hold_50_of(80)
    said = with_codes({CODE: "500"}, metafields=at_till("7")["metafields"])
    if seen_before:
        shop.send("orders/create", said)
        assert shop.figures() == {"approved": 33, "lifetime": 90, "spent": 57}
    cancelled = {**said, "cancelled_at": NOON.isoformat()}
    for topic, payload in [("orders/cancelled", cancelled), ("orders/create", said)] * 2:
        shop.send(topic, payload)
    assert shop.figures() == {"approved": 80, "lifetime": 90 if seen_before else 80}
    assert [spending.returned_points for spending in shop.order().spendings] == [50, 7]


def test_points_at_a_till_are_taken_once_and_may_become_a_debt(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.grant(5)
    for second in range(3):
        shop.send("orders/updated", at_till("20", second=second))
    assert shop.figures() == {"approved": -5, "lifetime": 15, "spent": 20}
    assert capsys.readouterr().out.count('"alarm": "spent_without_points"') == 1
    assert shop.order().spendings[0].points == 20


def test_points_at_a_till_of_nobody_wait_until_the_order_names_a_customer(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.send("orders/create", at_till("4", customer=None))
    assert "till_points_of_no_customer" in capsys.readouterr().out
    assert shop.order().spendings == ()
    shop.send("orders/updated", at_till("4", second=1))
    assert shop.figures() == {"approved": 6, "lifetime": 10, "spent": 4}


@pytest.mark.parametrize("value", ["120pt", "1,20", "120.5", "unreadable"])
def test_points_at_a_till_that_nobody_can_read_raise_an_alarm_and_leave_earning_alone(
    shop: Shop, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    shop.grant(500)
    shop.send("orders/create", at_till(value))
    assert shop.figures() == {"approved": 510, "lifetime": 510}
    assert shop.order().spendings == ()
    said = logged(capsys)
    (alarm,) = [line for line in said if line.get("message") == "order_alarm"]
    assert (alarm["alarm"], alarm["field"]) == (
        "till_points_unreadable",
        "metafields.omni_hub.point_used",
    )
    assert (alarm["order_id"], alarm["customer_id"]) == ("901", CUSTOMER)
    assert [line["Alarm"] for line in said if "Alarm" in line] == ["till_points_unreadable"]
    shop.send("orders/updated", at_till("120", second=1))
    assert shop.figures()["spent"] == 120, "once it can be read, it counts"


# --- expiry by the programme ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["code", "till"])
def test_points_used_on_an_order_renew_the_others_where_expiry_rolls(how: str) -> None:
    shop = Shop(expiry="rolling:days:30", points_per_unit="0")
    shop.grant(80, expiry=Days(5))
    shop.hold(50)
    shop.send("orders/create", with_codes({CODE: "300"}) if how == "code" else at_till("7"))
    lots = shop.ledger.read(SHOP, CUSTOMER).lots
    assert {lot.valid_through for lot in lots} == {NOON.date() + timedelta(days=30)}


def test_points_that_come_back_after_their_day_last_as_the_programme_says() -> None:
    shop = Shop(lapsed_expiry="days:9", points_per_unit="0")
    shop.grant(80, expiry=Days(1))
    shop.send("orders/create", at_till("80"))
    shop.clock.pass_time(days=3)
    shop.send("orders/cancelled", at_till("80", second=1, cancelled_at=NOON.isoformat()))
    (lot,) = shop.ledger.read(SHOP, CUSTOMER).lots
    assert (lot.points, lot.valid_through) == (80, NOON.date() + timedelta(days=3 + 9))


# --- points that come back without a cancellation ------------------------------------------------


def line(line_id: int, price: str, off: str) -> Payload:
    allocation = {"amount": off, "discount_application_index": 0}
    shown = {"id": line_id, "quantity": 1, "price": price}
    return {**shown, "discount_allocations": [allocation]}


def in_two_pieces(**more: Any) -> Payload:
    """Two pieces, one of them of twice the price; a hold of 50 points paid for part of them."""
    lines = [line(11, "400", "100"), line(12, "1000", "400")]
    return with_codes({CODE: "500"}, line_items=lines, **more)


def back(refund_id: int, *lines: tuple[int, str]) -> Payload:
    some = [{"line_item_id": line, "quantity": 1, "subtotal": worth} for line, worth in lines]
    return {"id": refund_id, "order_id": 901, "refund_line_items": some}


@pytest.mark.parametrize(
    ("rule", "after"),
    [("cancelled", (0, 0, 50)), ("refunded", (0, 50, 50)), ("share", (16, 50, 50))],
)
def test_points_spent_come_back_with_refunded_goods_as_the_programme_says(
    rule: str, after: tuple[int, ...]
) -> None:
    """First 300 of 900 yen come back, then the rest; then it is cancelled, which nobody needs."""
    shop = Shop(return_spent=rule)
    shop.hold_50_of(50)
    shop.send("orders/create", in_two_pieces())
    steps = [
        ("refunds/create", back(31, (11, "300"))),
        ("refunds/create", back(32, (12, "600"))),
        ("orders/cancelled", in_two_pieces(second=1, cancelled_at=NOON.isoformat())),
    ]
    for (topic, payload), returned in zip(steps, after, strict=True):
        for _ in range(2):
            shop.send(topic, payload)
        assert shop.order().spendings[0].returned_points == returned
        assert shop.figures().get("spent", 0) == 50 - returned


def test_points_come_back_where_they_paid_for_everything() -> None:
    """All of it cost nothing, so that pieces are counted."""
    for rule, returned in (("refunded", 0), ("share", 25)):
        shop = Shop(return_spent=rule)
        shop.hold_50_of(50)
        lines = [line(11, "250", "250"), line(12, "250", "250")]
        shop.send("orders/create", with_codes({CODE: "500"}, line_items=lines))
        shop.send("refunds/create", back(31, (11, "0")))
        assert shop.order().spendings[0].returned_points == returned
        shop.send("refunds/create", back(32, (12, "0")))
        assert shop.figures() == {"approved": 50, "lifetime": 50}


def test_another_rule_after_points_were_spent_changes_nothing_in_what_comes_back() -> None:
    shop = Shop(return_spent="cancelled", points_per_unit="0")
    shop.hold_50_of(50)
    shop.send("orders/create", in_two_pieces())
    later = default_programme(2, expiry="never", return_spent="share")
    shop.send("refunds/create", back(31, (11, "300"), (12, "600")), programme=later)
    assert shop.figures()["spent"] == 50


def test_points_come_back_of_an_order_whose_refund_came_before_its_hold_was_used() -> None:
    """In whatever order: the refund first, the order late, its hold long over."""
    messages = [
        ("orders/create", in_two_pieces()),
        ("refunds/create", back(31, (11, "300"), (12, "600"))),
    ]
    for each in permutations(messages):
        shop = Shop(points_per_unit="0")
        shop.hold_50_of(50)
        shop.clock.pass_time(seconds=601)
        for topic, payload in each:
            shop.send(topic, payload)
        assert shop.figures() == {"approved": 50, "lifetime": 50}


def test_points_that_came_back_are_spent_again_when_the_order_grows() -> None:
    """A piece that the customer has bought beside means that not all goods are back."""
    shop = Shop(points_per_unit="0")
    shop.hold_50_of(50)
    shop.send("orders/create", in_two_pieces())
    refunded = back(31, (11, "300"), (12, "600"))
    shop.send("refunds/create", refunded)
    assert shop.figures() == {"approved": 50, "lifetime": 50}
    grown = in_two_pieces(second=1, refunds=[refunded])
    grown["line_items"] = [*grown["line_items"], {"id": 13, "quantity": 1, "price": "10"}]
    shop.send("orders/updated", grown)
    assert shop.figures() == {"lifetime": 50, "spent": 50}
    assert shop.topics()[-1] == "sub/order"


def test_of_two_states_of_an_order_in_one_second_the_later_counts() -> None:
    small, large = order(), order(line_items=[{"id": 11, "quantity": 3, "price": "1000"}])
    for sent in permutations([(small, 100), (large, 200)]):
        shop = Shop()
        for payload, milliseconds in sent:
            at = NOON + timedelta(milliseconds=milliseconds)
            message = Message("orders/updated", SHOP, shop.clock.now(), "event-1", payload, at)
            shop.driver().carry_out(message)
        assert shop.figures()["approved"] == 30


# --- pending points ------------------------------------------------------------------------------


def test_there_is_nothing_to_approve_of_an_order_without_a_customer(shop: Shop) -> None:
    shop.send("orders/create", order(None))
    before = shop.order()
    assert shop.driver().approve("901") == 0
    assert shop.driver().approve("902") == 0
    assert shop.order() == before


# --- everything twice ----------------------------------------------------------------------------


def test_everything_twice_is_everything_once(shop: Shop) -> None:
    shop.hold_50_of(80)
    lines = [{"id": 11, "quantity": 10, "price": "100"}]
    said = with_codes({CODE: "300"}, metafields=at_till("7")["metafields"], line_items=lines)
    messages = [
        ("orders/create", {**said, "financial_status": "pending"}),
        ("orders/paid", {**said, "updated_at": (NOON + timedelta(seconds=1)).isoformat()}),
        ("refunds/create", refund()),
        ("refunds/create", refund("100", 32)),
    ]
    for topic, payload in messages:
        shop.send(topic, payload)
    once, entries = shop.order(), shop.topics()
    for topic, payload in [*messages, *reversed(messages)]:
        shop.send(topic, payload)
    assert (shop.order(), shop.topics()) == (once, entries)
    assert shop.figures() == {"approved": 49, "lifetime": 90, "spent": 37}


# --- a table that does not answer ----------------------------------------------------------------


class Failing:
    """A store that fails in one method."""

    def __init__(self, shop: Shop, method: str, outcome: Any) -> None:
        self._store = shop.store
        self._method = method
        self._outcome = outcome
        self.customer_tags = 0

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._store, name)

        def fail(*_: Any, **__: Any) -> Any:
            self.customer_tags += 1
            if isinstance(self._outcome, Exception):
                raise self._outcome
            return self._outcome

        return fail


@pytest.mark.parametrize("method", ["load", "commit"])
def test_a_message_is_retried_after_a_table_that_does_not_answer(shop: Shop, method: str) -> None:
    store = Failing(shop, method, StoreUnavailable(TransientCause.UNREACHABLE, "..."))
    with pytest.raises(LedgerUnavailable):
        shop.send("orders/create", order(None), store=store)


def test_an_order_without_an_account_that_always_conflicts_is_given_up(shop: Shop) -> None:
    store = Failing(shop, "commit", VersionConflict())
    with pytest.raises(LedgerUnavailable):
        shop.send("refunds/create", refund(), store=store)
    assert store.customer_tags == 5
