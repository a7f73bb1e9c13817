"""Every change is published to Shopify Flow; what fails now is retried by the next schedule."""

import threading
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.container import Parts
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.expiry import Days
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.services.publishing import runs
from pointbook.shopify.flow_triggers import FlowTriggers
from tests.fakes.dynamodb import throttle
from tests.fakes.locked import LockedClient
from tests.functions.moved import LateClock
from tests.support.harness import EVENTS, TABLE, Functions, event, memory_table
from tests.support.logs import logged
from tools.make_events_stream import CUSTOMER, OTHER_CUSTOMER, SECOND_SHOP, records

SHOP = demo.SHOP_DOMAIN
EXTENSIONS = Path(__file__).resolve().parents[2] / "shopify" / "extensions"
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


class Admin:
    """Shopify's Admin API of one shop, as the function uses it."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.calls = 0
        self.before: Callable[[], None] = lambda: None

    def deadline(self, seconds: float) -> float:
        return seconds

    def run(self, document: Any, variables: dict[str, Any], deadline: float) -> dict[str, Any]:
        assert document.root == "flowTriggerReceive"
        assert 0 < deadline <= 4
        self.calls += 1
        self.before()
        self.received.append(variables)
        return {"userErrors": []}

    def fail(self) -> None:
        def down() -> None:
            raise ShopifyUnavailable(1)

        self.before = down

    def heal(self) -> None:
        self.before = lambda: None


class Shops:
    """Two shops, their ledger's stream and their Flows."""

    def __init__(self) -> None:
        self.admins = {SHOP: Admin(), SECOND_SHOP: Admin()}
        self.clock = LateClock()
        parts: Parts = {
            "dynamodb": LockedClient(memory_table()),
            "clock": self.clock,
            "wall_clock": self.clock,
            "flow": lambda shop: FlowTriggers(self.admins[shop]),  # type: ignore[arg-type]  # a fake
        }
        self.functions = Functions(parts, SHOP_DOMAIN=f"{SHOP},{SECOND_SHOP}")

    def say(self, command: Command, customer_id: str = CUSTOMER, shop: str = SHOP) -> None:
        self.functions.execute(command, customer_id, shop)

    def grant(self, customer_id: str = CUSTOMER, shop: str = SHOP, points: int = 100) -> None:
        self.say(Grant(points, Days(30)), customer_id, shop)

    def account(self, customer_id: str, shop: str) -> dict[str, Any]:
        found: dict[str, Any] = self.functions.table.items(TABLE)[
            f"SHOP#{shop}#CUSTOMER#{customer_id}", "ACCOUNT"
        ]
        return found

    def wake(self, *accounts: tuple[str, str]) -> dict[str, Any]:
        """The stream names these accounts (customer and shop) as they are now."""
        stream = records(*(self.account(*account) for account in accounts))
        return self.functions.invoke("publish_changes", stream)

    def sweep(self, late: float = 60) -> dict[str, Any]:
        self.clock.late += timedelta(seconds=late)
        return self.functions.invoke("publish_changes", event("publish_changes", "schedule"))

    def cursor(self, customer_id: str = CUSTOMER, shop: str = SHOP) -> dict[str, Any]:
        found: dict[str, Any] = self.functions.table.items(TABLE)[
            f"SHOP#{shop}#CUSTOMER#{customer_id}", "OUTBOX"
        ]
        return found

    def is_listed(self, customer_id: str = CUSTOMER, shop: str = SHOP) -> bool:
        return "due_trigger" in self.cursor(customer_id, shop)


@pytest.fixture
def shops() -> Shops:
    return Shops()


HERE, THERE = (CUSTOMER, SHOP), (OTHER_CUSTOMER, SECOND_SHOP)


def declared(handle: str) -> dict[str, str]:
    """The fields of a trigger and their types, as the extension declares them."""
    file = EXTENSIONS / handle / "shopify.extension.toml"
    fields = tomllib.loads(file.read_text(encoding="utf-8"))["settings"]["fields"]
    return {field.get("key", "customer_id"): field["type"] for field in fields}


def test_a_trigger_has_every_declared_field_in_its_type(shops: Shops) -> None:
    shops.grant()
    shops.say(Consume(30))
    assert shops.wake(HERE) == NOTHING_FAILED
    received = shops.admins[SHOP].received
    assert [(one["handle"], one["payload"]["Entry Id"][-1]) for one in received] == [
        ("points-approved-changed", "1"),
        ("points-changed", "1"),
        ("points-approved-changed", "2"),
        ("points-changed", "2"),
    ]
    for one in received:
        fields = declared(one["handle"])
        assert set(one["payload"]) == set(fields)
        for key, kind in fields.items():
            expected_type = str if kind == "single_line_text_field" else int
            assert type(one["payload"][key]) is expected_type, key
    assert received[2]["payload"] == {
        "customer_id": int(CUSTOMER),
        "Topic": "points/sub/flow",
        "Points Delta": -30,
        "Points Delta Absolute": 30,
        "Points Approved": 70,
        "Points Pending": 0,
        "Points Total": 70,
        "Points Lifetime": 100,
        "Points Spent": 30,
        "Points Hold": 0,
        "Reason": "Hi",
        "Entry Id": f"{CUSTOMER}-000000000002",
        "Source": "flow",
    }


@pytest.mark.parametrize(
    "case", sorted(path.stem for path in (EVENTS / "publish_changes").iterdir())
)
def test_a_sample_event_about_missing_accounts_does_nothing(shops: Shops, case: str) -> None:
    answer = shops.functions.invoke("publish_changes", event("publish_changes", case))
    if case == "schedule":
        assert answer == {"due": 0, "failed": 0, "complete": True}
    else:
        assert answer == NOTHING_FAILED
    assert [admin.calls for admin in shops.admins.values()] == [0, 0]
    left = {sort_key for _, sort_key in shops.functions.table.items(TABLE)}
    assert left <= {"METAFIELDS"}, "not even a cursor is left"


def test_several_changes_of_an_account_in_one_batch_are_one_delivery(shops: Shops) -> None:
    shops.grant()
    before = shops.account(*HERE)
    shops.grant()
    batch = records(before, shops.account(*HERE), before)
    assert shops.functions.invoke("publish_changes", batch) == NOTHING_FAILED
    assert shops.functions.invoke("publish_changes", batch) == NOTHING_FAILED
    assert len(shops.admins[SHOP].received) == 4


def test_tombstones_removals_and_what_is_no_account_wake_nobody(shops: Shops) -> None:
    shops.grant()
    account = shops.account(*HERE)
    erased = account | {"erased": {"BOOL": True}}
    order = account | {"pk": {"S": f"SHOP#{SHOP}#ORDER#9001"}, "sk": {"S": "ORDER"}}
    batch = records(erased, order, account)
    removal = batch["Records"][2]
    removal["eventName"] = "REMOVE"
    del removal["dynamodb"]["NewImage"]
    assert shops.functions.invoke("publish_changes", batch) == NOTHING_FAILED
    assert shops.admins[SHOP].calls == 0


def test_a_shop_whose_shopify_is_down_waits_and_the_other_is_published(shops: Shops) -> None:
    shops.grant()
    shops.grant(*THERE)
    shops.admins[SHOP].fail()
    assert shops.wake(HERE, THERE) == NOTHING_FAILED
    assert len(shops.admins[SECOND_SHOP].received) == 2
    assert shops.is_listed()
    assert not shops.is_listed(*THERE)
    assert shops.sweep()["complete"] is False
    shops.admins[SHOP].heal()
    assert shops.sweep(late=600) == {"due": 1, "failed": 0, "complete": True}
    assert len(shops.admins[SHOP].received) == 2
    assert not shops.is_listed()


def test_shops_are_published_concurrently(shops: Shops) -> None:
    """The first shop's answer comes only once the second one has its triggers."""
    shops.grant()
    shops.grant(*THERE)
    other_received = threading.Event()
    shops.admins[SHOP].before = lambda: None if other_received.wait(10) else pytest.fail("not told")
    shops.admins[SECOND_SHOP].before = other_received.set
    assert shops.wake(HERE, THERE) == NOTHING_FAILED
    assert [len(admin.received) for admin in shops.admins.values()] == [2, 2]


def test_accounts_of_one_shop_are_published_concurrently_within_the_admin_apis_limit(
    shops: Shops,
) -> None:
    accounts = [(str(number), SHOP) for number in range(7001, 7001 + 10)]
    for account in accounts:
        shops.grant(*account)
    at_once: list[int] = []
    lock, inside = threading.Lock(), [0]
    first_ones = threading.Barrier(runs.SENDERS)

    def before() -> None:
        with lock:
            inside[0] += 1
            at_once.append(inside[0])
            first = len(at_once) <= runs.SENDERS
        if first:
            first_ones.wait(10)
        with lock:
            inside[0] -= 1

    shops.admins[SHOP].before = before
    assert shops.wake(*accounts) == NOTHING_FAILED
    assert max(at_once) == runs.SENDERS
    received = [one["payload"]["customer_id"] for one in shops.admins[SHOP].received]
    assert sorted(set(received)) == list(range(7001, 7011))


def test_a_shop_that_failed_rests_for_the_stream_but_not_for_the_schedule(shops: Shops) -> None:
    admin = shops.admins[SHOP]
    admin.fail()
    shops.grant()
    shops.wake(HERE)
    assert admin.calls == 1
    shops.grant("7001")
    shops.wake(("7001", SHOP))
    assert admin.calls == 1
    assert shops.is_listed("7001")
    admin.heal()
    assert shops.sweep()["complete"]
    assert len(admin.received) == 4
    shops.grant()
    shops.wake(HERE)
    assert len(admin.received) == 6, "and since the schedule got through, the stream calls again"


def test_a_shop_that_failed_is_called_again_for_the_stream_after_its_rest(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SHOP_PAUSE_SECONDS", 0.0)
    shops.admins[SHOP].fail()
    shops.grant()
    shops.wake(HERE)
    shops.admins[SHOP].heal()
    shops.wake(HERE)
    assert len(shops.admins[SHOP].received) == 2


def test_a_refusal_of_the_shop_as_a_whole_skips_nothing(shops: Shops) -> None:
    def frozen() -> None:
        raise ShopifyRefused("Shopify answers 402", ("http_402",))

    shops.grant()
    shops.admins[SHOP].before = frozen
    assert shops.wake(HERE) == NOTHING_FAILED
    assert shops.is_listed()
    shops.admins[SHOP].heal()
    shops.sweep()
    assert len(shops.admins[SHOP].received) == 2


def test_a_trigger_that_flow_does_not_take_is_passed_over_and_alarmed(
    shops: Shops, capsys: pytest.CaptureFixture[str]
) -> None:
    def dead() -> None:
        raise ShopifyRefused("Shopify refuses flowTriggerReceive: no", ("UNKNOWN",))

    shops.grant()
    shops.admins[SHOP].before = dead
    assert shops.wake(HERE) == NOTHING_FAILED
    counted = [line["TriggersRefused"] for line in logged(capsys, "TriggersRefused")]
    assert counted == [[1], [1], [1], [1]], "by handle, and for the alarm without"
    assert not shops.is_listed()


def test_records_for_which_nothing_could_be_written_come_again_and_only_they(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops.grant()
    shops.grant(*THERE)
    throttle(
        monkeypatch,
        shops.functions.table,
        "update_item",
        lambda one: one["Key"]["pk"]["S"].endswith(CUSTOMER),
    )
    stream = records(shops.account(*HERE), shops.account(*THERE), shops.account(*HERE))
    sequences = [one["dynamodb"]["SequenceNumber"] for one in stream["Records"]]
    failed = shops.functions.invoke("publish_changes", stream)["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failed] == [sequences[0], sequences[2]]
    assert len(shops.admins[SECOND_SHOP].received) == 2


def test_a_queue_that_cannot_be_read_does_not_stop_the_other_shops(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops.grant(*THERE)
    shops.admins[SECOND_SHOP].fail()
    shops.wake(THERE)
    shops.admins[SECOND_SHOP].heal()
    due_list = f"DUE#trigger#{SHOP}"
    throttle(monkeypatch, shops.functions.table, "query", lambda one: due_list in repr(one))
    assert shops.sweep() == {"due": 1, "failed": 0, "complete": False}
    assert len(shops.admins[SECOND_SHOP].received) == 2


def test_a_sweep_whose_time_is_up_leaves_the_rest_on_the_list(shops: Shops) -> None:
    for number in range(7001, 7004):
        shops.grant(str(number))
        shops.admins[SHOP].fail()
        shops.wake((str(number), SHOP))
    shops.admins[SHOP].heal()
    shops.clock.late += timedelta(seconds=60)
    schedule = event("publish_changes", "schedule")
    assert shops.functions.invoke("publish_changes", schedule, seconds=5.5) == {
        "due": 0,
        "failed": 0,
        "complete": False,
    }
    assert shops.sweep() == {"due": 3, "failed": 0, "complete": True}
