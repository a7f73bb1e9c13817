"""Customers' metafields at Shopify end equal to the ledger, whatever happens on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, override

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.expiry import Days, Never
from pointbook.domain.metafields import metafields_of
from pointbook.errors import ShopifyUnavailable
from pointbook.services.metafields import writer
from pointbook.services.metafields.writer import WriteResult
from pointbook.shopify.admin import Cost
from pointbook.store.metafields import List, Metafields
from pointbook.store.table import Table
from pointbook.store.till_members import CachedMember, Membership
from tests.fakes.customers import MemoryCustomers
from tests.fakes.dynamodb import throttle
from tests.fakes.flow import FakeFlow
from tests.fakes.locked import LockedClient
from tests.fakes.metafields import MemoryMetafields
from tests.functions.moved import LateClock
from tests.support.harness import CUSTOMER, TABLE, Functions, event, memory_table
from tests.support.logs import logged, metric_sums
from tools.make_events_stream import OTHER_CUSTOMER, SECOND_SHOP, records

SHOP = demo.SHOP_DOMAIN
NOTHING: dict[str, Any] = {"written": 0, "deleted": 0, "refused": 0, "complete": True}
CURSOR = "METAFIELDS"


class WaitingClock(LateClock):
    """Waiting is noted, and takes no time but on this clock."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.late += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return super().monotonic() + self.slept


class Shops:
    """Two shops, their ledger's stream, and Shopify, which has the same metafields for both."""

    def __init__(self, **variables: str) -> None:
        self.shopify = MemoryMetafields()
        self.customers = MemoryCustomers()
        self.clock = WaitingClock()
        self.start(**variables)

    def start(self, dynamodb: Any = None, **variables: str) -> None:
        """Functions of a new deployment, on the same table if one is given."""
        self.functions = Functions(
            {
                "dynamodb": dynamodb or LockedClient(memory_table()),
                "clock": self.clock,
                "wall_clock": self.clock,
                "flow": lambda _: FakeFlow(),
                "metafields": self.shopify,
                "customers": lambda _: self.customers,
            },
            SHOP_DOMAIN=f"{SHOP},{SECOND_SHOP}",
            **variables,
        )

    def say(self, command: Command, customer_id: str = CUSTOMER, shop: str = SHOP) -> None:
        """Execute a command, and let the stream report it."""
        self.functions.execute(command, customer_id, shop)
        self.report(customer_id, shop)

    def report(self, customer_id: str = CUSTOMER, shop: str = SHOP) -> None:
        """The stream names an account."""
        account = self.item(customer_id, "ACCOUNT", shop)
        answer = self.functions.invoke("publish_changes", records(account))
        assert answer == {"batchItemFailures": []}

    def grant(self, customer_id: str = CUSTOMER, points: int = 100, shop: str = SHOP) -> None:
        self.say(Grant(points, Days(30)), customer_id, shop)

    def merge(self) -> None:
        """Shopify has merged the other customer into the customer."""
        cause = Cause("shopify", "merge")
        self.functions.ledger.merge(SHOP, OTHER_CUSTOMER, CUSTOMER, cause, "Asia/Tokyo")

    def write(self, seconds: float = 58, late: float = 60) -> dict[str, Any]:
        """The schedule's run, `late` seconds after what was before."""
        self.clock.late += timedelta(seconds=late)
        return self.functions.invoke(
            "write_metafields", event("write_metafields", "schedule"), seconds
        )

    def item(self, customer_id: str, sort_key: str = CURSOR, shop: str = SHOP) -> dict[str, Any]:
        items = self.functions.table.items(TABLE)
        found: dict[str, Any] = items.get((f"SHOP#{shop}#CUSTOMER#{customer_id}", sort_key), {})
        return found

    def sort_keys(self) -> set[str]:
        """The sort keys of all items."""
        return {sort_key for _, sort_key in self.functions.table.items(TABLE)}

    def is_equal(self, customer_id: str = CUSTOMER, shop: str = SHOP) -> bool:
        """Whether the metafields are those of the ledger's figures, whenever they were written."""
        account = self.functions.container.store.account(shop, customer_id)
        assert account is not None
        expected = metafields_of(account, self.clock.now())
        found = self.shopify.of(customer_id)
        return found | {"points_as_of": ""} == expected | {"points_as_of": ""}

    @property
    def store(self) -> Metafields:
        return Metafields(Table(self.functions.table, TABLE), self.clock)

    def set_calls(self) -> list[list[str]]:
        """The customers of each call that set some."""
        return [customers for what, customers in self.shopify.calls if what == "set"]


@pytest.fixture
def shops() -> Shops:
    return Shops()


def customers(count: int) -> Iterator[str]:
    return (str(9000 + number) for number in range(count))


# --- changes --------------------------------------------------------------------------------------


def test_a_change_is_written_with_the_figures_that_the_customer_has(shops: Shops) -> None:
    shops.grant(points=1250)
    shops.say(Consume(300))
    assert shops.write() == NOTHING | {"written": 1}
    found = shops.shopify.of(CUSTOMER)
    last_day = found.pop("points_expiring_on")
    assert found.pop("points_as_of")[:10] <= last_day
    assert found == {"points_approved": "950", "points_pending": "0", "points_expiring": "950"}
    assert shops.is_equal()
    assert "due_trigger" not in shops.item(CUSTOMER)


def test_changes_that_come_together_are_written_once_with_the_latest_figures(shops: Shops) -> None:
    for _ in range(5):
        shops.grant()
    assert shops.write()["written"] == 1
    assert len(shops.set_calls()) == 1
    assert shops.is_equal()
    assert shops.write() == NOTHING


def test_a_record_that_comes_again_is_not_written_again(shops: Shops) -> None:
    shops.grant()
    shops.write()
    shops.report()
    assert shops.write() == NOTHING


def test_a_customer_is_written_at_most_once_in_ten_seconds(shops: Shops) -> None:
    shops.grant()
    assert shops.write(late=9.5) == NOTHING, "due ten seconds after the change"
    assert shops.write(late=1)["written"] == 1
    shops.grant()
    assert shops.write(late=9) == NOTHING
    assert shops.write(late=2)["written"] == 1
    assert shops.is_equal()


def test_a_fill_right_after_a_write_waits_for_ten_seconds_too(shops: Shops) -> None:
    shops.grant()
    shops.write()
    shops.store.request(SHOP, CUSTOMER, 1, shops.clock.now(), List.FILL)
    assert shops.write(late=9) == NOTHING
    assert shops.write(late=1)["written"] == 1


class LateIndex(Metafields):
    """Its index shows a customer on every list, as they were there a moment ago."""

    @override
    def due(self, shop: str, which: List, until: datetime) -> Iterator[str]:
        yield CUSTOMER


def test_a_customer_whom_only_a_late_index_shows_is_not_written(shops: Shops) -> None:
    shops.grant()
    shops.write()
    shops.clock.late += timedelta(minutes=1)
    store = LateIndex(Table(shops.functions.table, TABLE), shops.clock)
    late = replace(shops.functions.container.metafield_writer(), store=store)
    assert late.run([SHOP], 58).written == 0
    shops.grant()
    assert late.run([SHOP], 58).written == 0, "due in ten seconds"
    assert len(shops.set_calls()) == 1


def test_a_change_during_the_call_is_written_by_a_later_run(shops: Shops) -> None:
    shops.grant()
    shops.shopify.before = lambda: shops.grant() if len(shops.shopify.calls) == 1 else None
    assert shops.write()["written"] == 1
    assert not shops.is_equal()
    assert shops.write(late=9) == NOTHING
    assert shops.write(late=2)["written"] == 1
    assert shops.is_equal()


def test_many_customers_are_written_with_few_calls_at_the_pace_of_the_shop(shops: Shops) -> None:
    many = list(customers(120))
    for one in many:
        shops.grant(one)
    assert shops.write()["written"] == 120
    assert all(shops.is_equal(one) for one in many)
    assert len(shops.shopify.calls) == 24, "5 metafields of 5 customers are the 25 of a call"
    assert shops.clock.slept == pytest.approx(23 * 0.2, abs=1.0)


def test_a_bucket_that_others_have_emptied_slows_the_run_down(shops: Shops) -> None:
    shops.shopify.cost = Cost(10, available=500, maximum=2000, restored_per_second=100)
    for one in customers(10):
        shops.grant(one)
    shops.write()
    assert shops.clock.slept == pytest.approx(5.0, abs=0.1)


def test_a_run_whose_time_is_up_leaves_the_rest_to_the_next(shops: Shops) -> None:
    many = list(customers(40))
    for one in many:
        shops.grant(one)
    shops.shopify.cost = Cost(10, available=0, maximum=2000, restored_per_second=100)
    first = shops.write()
    assert (first["complete"], 0 < first["written"] < 40) == (False, True)
    shops.shopify.cost = Cost(10, 2000, 2000, 100)
    assert shops.write()["complete"]
    assert all(shops.is_equal(one) for one in many)
    written = [customer for call in shops.set_calls() for customer in call]
    assert sorted(written) == sorted(many), "nobody is written twice"


def test_shops_are_written_apart(shops: Shops) -> None:
    shops.grant()
    shops.grant(OTHER_CUSTOMER, shop=SECOND_SHOP)
    assert shops.write()["written"] == 2
    assert shops.is_equal()
    assert shops.is_equal(OTHER_CUSTOMER, SECOND_SHOP)


def test_two_runs_at_once_do_not_write_for_one_shop(shops: Shops) -> None:
    shops.grant()
    results = []

    def other_run() -> None:
        shops.shopify.before = lambda: None
        results.append(shops.write(late=0))

    shops.shopify.before = other_run
    assert shops.write()["written"] == 1
    assert results == [NOTHING | {"complete": False}]
    assert "METAFIELDS_WRITER" not in shops.sort_keys()


def test_a_run_that_was_killed_keeps_the_next_one_out_for_its_own_time_only(shops: Shops) -> None:
    shops.grant()
    assert shops.store.acquire(SHOP, shops.clock.now() + timedelta(seconds=58))
    assert shops.write(late=50)["written"] == 0
    assert shops.write(late=10)["written"] == 1


# --- Shopify is down ------------------------------------------------------------------------------


def test_nothing_is_lost_while_shopify_is_down_for_an_hour(
    shops: Shops, capsys: pytest.CaptureFixture[str]
) -> None:
    shops.shopify.down = True
    many = list(customers(30))
    for minute in range(60):
        shops.grant(many[minute % 30], points=minute + 1)
        assert shops.write()["complete"] is (minute == -1)
    assert len(shops.shopify.calls) == 60, "one call a minute"
    assert metric_sums(capsys)["MetafieldsHeldBack"] == 60
    shops.shopify.down = False
    assert shops.write()["complete"]
    assert all(shops.is_equal(one) for one in many)


def test_a_shop_that_is_down_does_not_hold_another_back(shops: Shops) -> None:
    elsewhere = MemoryMetafields()
    elsewhere.down = True
    shops.functions.container.metafields = (  # type: ignore[method-assign]
        lambda shop: elsewhere if shop == SHOP else shops.shopify
    )
    shops.grant()
    shops.grant(OTHER_CUSTOMER, shop=SECOND_SHOP)
    assert shops.write() == NOTHING | {"written": 1, "complete": False}


# --- customers whom Shopify refuses ---------------------------------------------------------------


def test_a_customer_who_is_gone_at_shopify_is_left_out_and_forgotten(shops: Shops) -> None:
    many = list(customers(5))
    for one in many:
        shops.grant(one)
    shops.shopify.gone = shops.customers.gone = {many[2]}
    assert shops.write() == NOTHING | {"written": 4}
    assert all(shops.is_equal(one) for one in many if one != many[2])
    assert shops.item(many[2]) == {}
    assert shops.write() == NOTHING


def test_a_customer_whom_shopify_refuses_is_tried_again_and_seen(
    shops: Shops, capsys: pytest.CaptureFixture[str]
) -> None:
    many = list(customers(5))
    for one in many:
        shops.grant(one)
    shops.shopify.refused = {many[2]}
    assert shops.write() == NOTHING | {"written": 4, "refused": 1}
    lines = logged(capsys)
    (line,) = [one for one in lines if one.get("message") == "metafields_refused"]
    assert line["customer_id"] == many[2]
    assert sum(one.get("MetafieldsHeldBack", [0])[0] for one in lines) == 1
    shops.shopify.refused = set()
    assert shops.write() == NOTHING, "not at once"
    assert shops.write(late=240)["written"] == 1
    assert shops.is_equal(many[2])


def test_a_shop_that_refuses_everybody_is_not_asked_for_everybody(shops: Shops) -> None:
    many = list(customers(40))
    for one in many:
        shops.grant(one)
    shops.shopify.refused = set(many)
    result = shops.write()
    assert (result["refused"], result["complete"]) == (writer.REFUSED_MAX, False)
    assert len(shops.shopify.calls) <= 2 + writer.REFUSED_MAX
    shops.shopify.refused = set()
    shops.write(late=300)
    assert all(shops.is_equal(one) for one in many)


def test_a_damaged_account_does_not_hold_the_others_back(
    shops: Shops, capsys: pytest.CaptureFixture[str]
) -> None:
    shops.grant()
    shops.grant(OTHER_CUSTOMER)
    shops.functions.damage()
    assert shops.write()["written"] == 1
    assert shops.is_equal(OTHER_CUSTOMER)
    (line,) = [one for one in logged(capsys) if one.get("message") == "metafields_failed"]
    assert line["customer_id"] == CUSTOMER
    assert "due_trigger" in shops.item(CUSTOMER)


# --- customers who are merged or erased -----------------------------------------------------------


def test_a_merged_customers_metafields_follow_the_survivor(shops: Shops) -> None:
    shops.grant(points=100)
    shops.grant(OTHER_CUSTOMER, points=50)
    shops.write()
    shops.merge()
    shops.report()
    shops.report(OTHER_CUSTOMER)
    assert shops.write() == NOTHING | {"written": 1, "deleted": 1}
    assert shops.shopify.of(CUSTOMER)["points_approved"] == "150"
    assert shops.shopify.of(OTHER_CUSTOMER) == {}
    assert shops.item(OTHER_CUSTOMER) == {}


def test_a_merged_customer_whom_shopify_has_deleted_is_forgotten(shops: Shops) -> None:
    shops.grant(points=100)
    shops.grant(OTHER_CUSTOMER, points=50)
    shops.write()
    shops.merge()
    shops.shopify.gone = shops.customers.gone = {OTHER_CUSTOMER}
    shops.report()
    shops.report(OTHER_CUSTOMER)
    assert shops.write() == NOTHING | {"written": 1}
    assert shops.item(OTHER_CUSTOMER) == {}


def test_an_erased_customers_metafields_are_deleted_and_nothing_names_them(shops: Shops) -> None:
    shops.grant()
    shops.write()
    shops.functions.erase()
    assert shops.shopify.of(CUSTOMER) == {}
    assert shops.item(CUSTOMER) == {}
    assert "METAFIELDS_DELETION" not in shops.sort_keys()
    assert list(shops.store.due(SHOP, List.DELETIONS, shops.clock.now())) == []
    assert shops.write() == NOTHING


def test_an_erasure_does_not_wait_for_customers_whom_shopify_refuses(shops: Shops) -> None:
    shops.grant()
    shops.write()
    shops.shopify.down = True
    shops.functions.erase()
    shops.shopify.down = False
    many = list(customers(40))
    for one in many:
        shops.grant(one)
    shops.shopify.refused = set(many)
    result = shops.write()
    assert (result["refused"], result["deleted"]) == (writer.REFUSED_MAX, 1)
    assert not result["complete"]
    assert shops.shopify.of(CUSTOMER) == {}


def test_a_customer_who_was_never_written_is_erased_without_a_call(shops: Shops) -> None:
    shops.grant()
    shops.functions.erase()
    assert shops.shopify.calls == []
    assert {"METAFIELDS", "METAFIELDS_DELETION"} & shops.sort_keys() == set()


def test_an_erasure_while_shopify_is_down_is_made_good_afterwards(shops: Shops) -> None:
    shops.grant()
    shops.write()
    shops.shopify.down = True
    shops.functions.erase()
    assert "METAFIELDS_DELETION" in shops.sort_keys()
    assert not shops.write()["complete"]
    shops.shopify.down = False
    assert shops.write() == NOTHING | {"deleted": 1}
    assert shops.shopify.of(CUSTOMER) == {}
    assert "METAFIELDS_DELETION" not in shops.sort_keys()


def test_an_erasure_while_a_run_writes_is_made_good_afterwards(shops: Shops) -> None:
    """Or the figures of before could arrive after the deletion."""
    shops.grant()
    shops.write()
    shops.grant()
    calls = len(shops.shopify.calls)

    def erase() -> None:
        if len(shops.shopify.calls) == calls + 1:
            shops.functions.erase()

    shops.shopify.before = erase
    shops.write()
    assert "METAFIELDS_DELETION" not in shops.sort_keys(), "the run itself has deleted them"
    assert shops.shopify.of(CUSTOMER) == {}


def test_a_customer_who_is_erased_just_before_their_first_write_is_not_written(
    shops: Shops,
) -> None:
    shops.grant()
    shops.clock.late += timedelta(minutes=1)
    late = replace(shops.functions.container.metafield_writer(), rank=ErasedMeanwhile(shops))
    assert late.run([SHOP], 58) == WriteResult()
    assert shops.shopify.calls == []
    assert {"METAFIELDS", "METAFIELDS_DELETION"} & shops.sort_keys() == set()


class ErasedMeanwhile:
    """Erases the customer after the run has read the account, when it asks for the rank."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops

    def __call__(self, shop: str, customer_id: str) -> None:
        self._shops.functions.erase()


def test_a_change_that_the_stream_tells_after_the_erasure_writes_nothing(shops: Shops) -> None:
    shops.grant()
    late = shops.item(CUSTOMER, "ACCOUNT")
    shops.functions.erase()
    shops.write()
    calls = len(shops.shopify.calls)
    assert shops.functions.invoke("publish_changes", records(late)) == {"batchItemFailures": []}
    assert shops.write() == NOTHING
    assert len(shops.shopify.calls) == calls
    assert shops.shopify.of(CUSTOMER) == {}


def test_the_pseudonym_of_an_erased_customer_is_never_written(shops: Shops) -> None:
    shops.grant()
    shops.functions.erase()
    (pseudonym,) = {
        pk.rpartition("#")[2]
        for pk, sort_key in shops.functions.table.items(TABLE)
        if sort_key == "ACCOUNT" and not pk.endswith(CUSTOMER)
    }
    shops.report(pseudonym)
    shops.write()
    assert {customer for _, called in shops.shopify.calls for customer in called} <= {CUSTOMER}


# --- where they are kept --------------------------------------------------------------------------


def test_a_shop_may_have_them_in_a_namespace_of_its_own() -> None:
    shops = Shops(PROGRAMME_METAFIELDS="loyalty")
    shops.grant()
    shops.write()
    assert shops.shopify.of(CUSTOMER, "loyalty")["points_approved"] == "100"
    assert shops.shopify.of(CUSTOMER) == {}


def test_the_rank_that_the_till_gave_is_written_as_customers_read_it() -> None:
    shops = Shops(
        TILL_PROVIDER="smaregi",
        PROGRAMME_LOCALE="ja",
        PROGRAMME_RANK_LABELS="gold:en=Gold Member,gold:ja=ゴールド会員",
    )
    for one in (CUSTOMER, OTHER_CUSTOMER):
        shops.grant(one)
    kept = CachedMember(Membership.MEMBER, CUSTOMER, shops.clock.now(), rank="Gold")
    shops.functions.container.till_members().save(SHOP, CUSTOMER, kept)
    assert shops.write()["written"] == 2
    assert shops.shopify.of(CUSTOMER)["points_rank"] == "ゴールド会員"
    assert "points_rank" not in shops.shopify.of(OTHER_CUSTOMER)


def test_a_shop_without_metafields_has_nothing_noted_and_nothing_written() -> None:
    shops = Shops(PROGRAMME_METAFIELDS="none")
    shops.grant()
    assert shops.write() == NOTHING
    assert CURSOR not in shops.sort_keys()
    assert shops.shopify.calls == []


def test_a_value_that_a_customer_no_longer_has_is_deleted(shops: Shops) -> None:
    shops.grant()
    shops.write()
    assert "points_expiring_on" in shops.shopify.of(CUSTOMER)
    shops.say(Consume(100))
    assert shops.write()["written"] == 1
    assert shops.shopify.of(CUSTOMER)["points_expiring"] == "0"
    assert "points_expiring_on" not in shops.shopify.of(CUSTOMER)
    assert shops.is_equal()
    calls = len(shops.shopify.calls)
    shops.say(Grant(100, Never()))
    shops.write()
    assert shops.shopify.calls[calls:] == [("set", [CUSTOMER])], "it is deleted once"


def test_a_value_whose_write_was_not_answered_is_deleted_all_the_same(shops: Shops) -> None:
    """Shopify took the first write, but we never knew."""
    shops.grant()
    taken = shops.shopify.set

    def lose_the_answer(*given: Any) -> None:
        taken(*given)
        raise ShopifyUnavailable(1)

    shops.shopify.set = lose_the_answer  # type: ignore[assignment, method-assign]
    assert not shops.write()["complete"]
    shops.shopify.set = taken  # type: ignore[method-assign]
    shops.say(Consume(100))
    assert shops.write()["written"] == 1
    assert "points_expiring_on" not in shops.shopify.of(CUSTOMER)
    assert shops.is_equal()


def test_a_fill_deletes_what_no_record_knows_of(shops: Shops) -> None:
    shops.say(Grant(100, Never()))
    shops.write()
    shops.shopify.values[CUSTOMER, "$app", "points_rank"] = "Gold"
    shops.store.request(SHOP, CUSTOMER, 1, shops.clock.now(), List.FILL)
    assert shops.write()["written"] == 1
    assert "points_rank" not in shops.shopify.of(CUSTOMER)


@pytest.mark.parametrize("now", ["loyalty", "none"])
def test_a_fill_after_the_rule_was_changed_deletes_what_was_written_before(now: str) -> None:
    shops = Shops()
    shops.grant()
    shops.write()
    shops.start(shops.functions.table, PROGRAMME_METAFIELDS=now)
    shops.store.request(SHOP, CUSTOMER, 1, shops.clock.now(), List.FILL)
    shops.write()
    assert shops.shopify.of(CUSTOMER) == {}
    expected = {"loyalty": "100", "none": None}[now]
    assert shops.shopify.of(CUSTOMER, "loyalty").get("points_approved") == expected
    assert (shops.item(CUSTOMER) == {}) is (now == "none")


# --- the list of a fill ---------------------------------------------------------------------------


def test_changes_are_written_before_a_fill(shops: Shops) -> None:
    filled = list(customers(60))
    for one in filled:
        shops.functions.execute(Grant(1, Days(30)), one)
        shops.store.request(SHOP, one, 1, shops.clock.now(), List.FILL)
    shops.clock.late += timedelta(seconds=60)
    shops.grant()
    shops.write()
    assert shops.set_calls()[0] == [CUSTOMER]
    assert all(shops.is_equal(one) for one in filled)


def test_a_change_of_a_customer_who_waits_to_be_filled_goes_before_the_others(shops: Shops) -> None:
    for one in ("9001", "9002"):
        shops.functions.execute(Grant(1, Days(30)), one)
        shops.store.request(SHOP, one, 1, shops.clock.now(), List.FILL)
    shops.grant("9002")
    assert list(shops.store.due(SHOP, List.CHANGES, shops.clock.now())) == ["9002"]
    assert list(shops.store.due(SHOP, List.FILL, shops.clock.now())) == ["9001"]


# --- the stream -----------------------------------------------------------------------------------


def test_a_change_that_cannot_be_noted_stays_in_the_stream_and_is_published(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops.functions.execute(Grant(100, Days(30)))
    stream = records(shops.item(CUSTOMER, "ACCOUNT"))
    sequence = stream["Records"][0]["dynamodb"]["SequenceNumber"]
    with monkeypatch.context() as patch:
        throttle(
            patch, shops.functions.table, "update_item", lambda one: CURSOR in repr(one["Key"])
        )
        answer = shops.functions.invoke("publish_changes", stream)
    assert answer == {"batchItemFailures": [{"itemIdentifier": sequence}]}
    assert shops.item(CUSTOMER, "OUTBOX")["published"] == {"N": "1"}
    assert shops.functions.invoke("publish_changes", stream) == {"batchItemFailures": []}
    assert shops.write()["written"] == 1
