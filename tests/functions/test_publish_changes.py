"""Shopify Flow is told of every change; whoever cannot be told now is told by the next schedule."""

import json
import threading
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.container import Parts
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.expiry import Days
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.services.publishing import runs
from pointbook.shopify.flow_triggers import FlowTriggers
from tests.fakes.dynamodb import refused
from tests.fakes.locked import LockedClient
from tests.functions.moved import LateClock
from tests.support.harness import EVENTS, TABLE, Functions, event, memory_table
from tools.make_events_stream import CUSTOMER, OTHER_CUSTOMER, SECOND_SHOP, records

SHOP = demo.SHOP_DOMAIN
EXTENSIONS = Path(__file__).resolve().parents[2] / "shopify" / "extensions"
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


class Admin:
    """Shopify's Admin API of one shop, as the function uses it."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.calls = 0
        self.before: Callable[[], None] = lambda: None

    def deadline(self, seconds: float) -> float:
        return seconds

    def run(self, document: Any, variables: dict[str, Any], deadline: float) -> dict[str, Any]:
        assert document.root == "flowTriggerReceive"
        assert 0 < deadline <= 4
        self.calls += 1
        self.before()
        self.told.append(variables)
        return {"userErrors": []}

    def fail(self) -> None:
        def down() -> None:
            raise ShopifyUnavailable(1)

        self.before = down

    def heal(self) -> None:
        self.before = lambda: None


class World:
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
        instruction = Instruction(shop, customer_id, command, Cause("flow", "run"), reason="Hi")
        assert isinstance(self.functions.ledger.execute(instruction), Booked)

    def grant(self, customer_id: str = CUSTOMER, shop: str = SHOP, points: int = 100) -> None:
        self.say(Grant(points, Days(30)), customer_id, shop)

    def account(self, customer_id: str, shop: str) -> dict[str, Any]:
        found: dict[str, Any] = self.functions.table.items(TABLE)[
            f"SHOP#{shop}#CUSTOMER#{customer_id}", "ACCOUNT"
        ]
        return found

    def wake(self, *books: tuple[str, str]) -> dict[str, Any]:
        """The stream names these books (customer and shop) as they are now."""
        stream = records(*(self.account(*book) for book in books))
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
def world() -> World:
    return World()


HERE, THERE = (CUSTOMER, SHOP), (OTHER_CUSTOMER, SECOND_SHOP)


def declared(handle: str) -> dict[str, str]:
    """The fields of a trigger and their types, as the extension declares them."""
    file = EXTENSIONS / handle / "shopify.extension.toml"
    fields = tomllib.loads(file.read_text(encoding="utf-8"))["settings"]["fields"]
    return {field.get("key", "customer_id"): field["type"] for field in fields}


def test_what_flow_is_told_has_every_declared_field_in_its_type(world: World) -> None:
    world.grant()
    world.say(Consume(30))
    assert world.wake(HERE) == NOTHING_FAILED
    told = world.admins[SHOP].told
    assert [(one["handle"], one["payload"]["Entry Id"][-1]) for one in told] == [
        ("points-approved-changed", "1"),
        ("points-changed", "1"),
        ("points-approved-changed", "2"),
        ("points-changed", "2"),
    ]
    for one in told:
        fields = declared(one["handle"])
        assert set(one["payload"]) == set(fields)
        for key, kind in fields.items():
            wanted = str if kind == "single_line_text_field" else int
            assert type(one["payload"][key]) is wanted, key
    assert told[2]["payload"] == {
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
def test_a_sample_event_about_books_that_are_not_there_does_nothing(
    world: World, case: str
) -> None:
    answer = world.functions.invoke("publish_changes", event("publish_changes", case))
    if case == "schedule":
        assert answer == {"due": 0, "failed": 0, "complete": True}
    else:
        assert answer == NOTHING_FAILED
    assert [admin.calls for admin in world.admins.values()] == [0, 0]
    assert world.functions.table.items(TABLE) == {}, "not even a cursor is left"


def test_several_changes_of_a_book_in_one_batch_are_one_delivery(world: World) -> None:
    world.grant()
    before = world.account(*HERE)
    world.grant()
    batch = records(before, world.account(*HERE), before)
    assert world.functions.invoke("publish_changes", batch) == NOTHING_FAILED
    assert world.functions.invoke("publish_changes", batch) == NOTHING_FAILED
    assert len(world.admins[SHOP].told) == 4


def test_tombstones_removals_and_what_is_no_account_wake_nobody(world: World) -> None:
    world.grant()
    account = world.account(*HERE)
    erased = account | {"erased": {"BOOL": True}}
    order = account | {"pk": {"S": f"SHOP#{SHOP}#ORDER#9001"}, "sk": {"S": "ORDER"}}
    batch = records(erased, order, account)
    removal = batch["Records"][2]
    removal["eventName"] = "REMOVE"
    del removal["dynamodb"]["NewImage"]
    assert world.functions.invoke("publish_changes", batch) == NOTHING_FAILED
    assert world.admins[SHOP].calls == 0


def test_a_shop_whose_shopify_is_down_waits_on_its_list_and_the_other_is_told(
    world: World,
) -> None:
    world.grant()
    world.grant(*THERE)
    world.admins[SHOP].fail()
    assert world.wake(HERE, THERE) == NOTHING_FAILED
    assert len(world.admins[SECOND_SHOP].told) == 2
    assert world.is_listed()
    assert not world.is_listed(*THERE)
    assert world.sweep()["complete"] is False
    world.admins[SHOP].heal()
    assert world.sweep(late=600) == {"due": 1, "failed": 0, "complete": True}
    assert len(world.admins[SHOP].told) == 2
    assert not world.is_listed()


def test_shops_are_told_side_by_side(world: World) -> None:
    """The first shop's answer comes only once the second one has been told."""
    world.grant()
    world.grant(*THERE)
    other_told = threading.Event()
    world.admins[SHOP].before = lambda: None if other_told.wait(10) else pytest.fail("not told")
    world.admins[SECOND_SHOP].before = other_told.set
    assert world.wake(HERE, THERE) == NOTHING_FAILED
    assert [len(admin.told) for admin in world.admins.values()] == [2, 2]


def test_books_of_one_shop_are_told_side_by_side_but_no_more_than_the_admin_api_takes(
    world: World,
) -> None:
    books = [(str(number), SHOP) for number in range(7001, 7001 + 10)]
    for book in books:
        world.grant(*book)
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

    world.admins[SHOP].before = before
    assert world.wake(*books) == NOTHING_FAILED
    assert max(at_once) == runs.SENDERS
    told = [one["payload"]["customer_id"] for one in world.admins[SHOP].told]
    assert sorted(set(told)) == list(range(7001, 7011))


def test_a_shop_that_failed_rests_for_the_stream_but_not_for_the_schedule(world: World) -> None:
    admin = world.admins[SHOP]
    admin.fail()
    world.grant()
    world.wake(HERE)
    assert admin.calls == 1
    world.grant("7001")
    world.wake(("7001", SHOP))
    assert admin.calls == 1
    assert world.is_listed("7001")
    admin.heal()
    assert world.sweep()["complete"]
    assert len(admin.told) == 4
    world.grant()
    world.wake(HERE)
    assert len(admin.told) == 6, "and since the schedule got through, the stream calls again"


def test_a_shop_that_failed_is_called_again_for_the_stream_after_its_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SHOP_PAUSE_SECONDS", 0.0)
    world.admins[SHOP].fail()
    world.grant()
    world.wake(HERE)
    world.admins[SHOP].heal()
    world.wake(HERE)
    assert len(world.admins[SHOP].told) == 2


def test_a_refusal_of_the_shop_as_a_whole_skips_nothing(world: World) -> None:
    def frozen() -> None:
        raise ShopifyRefused("Shopify answers 402", ("http_402",))

    world.grant()
    world.admins[SHOP].before = frozen
    assert world.wake(HERE) == NOTHING_FAILED
    assert world.is_listed()
    world.admins[SHOP].heal()
    world.sweep()
    assert len(world.admins[SHOP].told) == 2


def test_a_trigger_that_flow_does_not_take_is_passed_over_and_alarmed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def dead() -> None:
        raise ShopifyRefused("Shopify refuses flowTriggerReceive: no", ("UNKNOWN",))

    world.grant()
    world.admins[SHOP].before = dead
    assert world.wake(HERE) == NOTHING_FAILED
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = [line["TriggersRefused"] for line in lines if "TriggersRefused" in line]
    assert counted == [[1], [1], [1], [1]], "by handle, and for the alarm without"
    assert not world.is_listed()


def test_records_for_which_nothing_could_be_written_come_again_and_only_they(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grant()
    world.grant(*THERE)
    table = world.functions.table
    real = table.update_item

    def update_item(**request: Any) -> Any:
        if request["Key"]["pk"]["S"].endswith(CUSTOMER):
            raise refused("ThrottlingException", "Rate exceeded")
        return real(**request)

    monkeypatch.setattr(table, "update_item", update_item, raising=False)
    stream = records(world.account(*HERE), world.account(*THERE), world.account(*HERE))
    sequences = [one["dynamodb"]["SequenceNumber"] for one in stream["Records"]]
    failed = world.functions.invoke("publish_changes", stream)["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failed] == [sequences[0], sequences[2]]
    assert len(world.admins[SECOND_SHOP].told) == 2
    monkeypatch.undo()


def test_a_list_that_cannot_be_read_leaves_the_other_shops_to_be_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grant(*THERE)
    world.admins[SECOND_SHOP].fail()
    world.wake(THERE)
    world.admins[SECOND_SHOP].heal()
    table = world.functions.table
    real = table.query

    def query(**request: Any) -> Any:
        if {"S": f"DUE#trigger#{SHOP}"} in request["ExpressionAttributeValues"].values():
            raise refused("ThrottlingException", "Rate exceeded")
        return real(**request)

    monkeypatch.setattr(table, "query", query, raising=False)
    assert world.sweep() == {"due": 1, "failed": 0, "complete": False}
    assert len(world.admins[SECOND_SHOP].told) == 2


def test_a_sweep_whose_time_is_up_leaves_the_rest_on_the_list(world: World) -> None:
    for number in range(7001, 7004):
        world.grant(str(number))
        world.admins[SHOP].fail()
        world.wake((str(number), SHOP))
    world.admins[SHOP].heal()
    world.clock.late += timedelta(seconds=60)
    schedule = event("publish_changes", "schedule")
    assert world.functions.invoke("publish_changes", schedule, seconds=5.5) == {
        "due": 0,
        "failed": 0,
        "complete": False,
    }
    assert world.sweep() == {"due": 3, "failed": 0, "complete": True}
