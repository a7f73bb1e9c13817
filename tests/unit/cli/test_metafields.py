"""`pointbook metafields`: who is not written is queued once, and what waits is shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cli import metafields, target
from cli.app import main
from pointbook.domain.programme import default_programme
from pointbook.domain.programme_rules import APP_NAMESPACE
from pointbook.store.metafields import List, Metafields
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver, SetClock

OTHER_SHOP = "second.myshopify.com"
PSEUDONYM = "01234567890123456789"
EVER = datetime(9999, 1, 1, tzinfo=UTC)


class Stack:
    """A stack of two shops; the first has two customers of three entries and an erased one."""

    def __init__(self) -> None:
        self.engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=3))
        self.name = "The test stack"
        self.rule = "app"
        self.settings = SimpleNamespace(
            table_name=self.engine.table,
            shops=(SHOP, OTHER_SHOP),
            default_programme=lambda: default_programme(metafields=self.rule),
        )
        self.clock = SetClock(datetime.now(UTC))
        self.store = Metafields(self.table(), self.clock)
        self.ledger = LedgerDriver(self.engine)
        for customer_id in (CUSTOMER, OTHER, PSEUDONYM):
            for number in range(3):
                self.ledger.grant(1, customer_id=customer_id, key=str(number))

    def table(self) -> Table:
        return Table(self.engine.client, self.engine.table)

    def items(self) -> int:
        return 0

    def shop(self, name: str | None) -> str:
        return name or SHOP

    def write(self, *customer_ids: str, version: int = 3, namespace: str = APP_NAMESPACE) -> None:
        """What write_metafields records."""
        for one in customer_ids:
            self.store.request(SHOP, one, version, datetime.now(UTC), List.FILL)
            self.store.begin(SHOP, one, namespace, ())
            self.store.finish(SHOP, one, version, ())

    def waiting(self, which: List = List.FILL) -> list[str]:
        return sorted(self.store.due(SHOP, which, EVER))


class Writing(SetClock):
    """A clock on which a customer is written whenever somebody waits."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._stack.write(self._stack.waiting()[0])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    return found


def fill(*more: str) -> int:
    return main(["metafields", "fill", "--no-wait", *more])


def test_everybody_is_queued_but_the_erased(stack: Stack) -> None:
    assert fill() == 0
    assert stack.waiting() == sorted([CUSTOMER, OTHER])


def test_who_is_written_or_queued_is_left_out_when_it_is_run_again(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    fill()
    stack.write(CUSTOMER)
    capsys.readouterr()
    assert fill() == 0
    assert stack.waiting() == [OTHER]
    assert f"{SHOP}: customers queued: 0" in capsys.readouterr().out


def test_who_missed_a_change_or_is_in_another_namespace_is_queued(stack: Stack) -> None:
    stack.write(CUSTOMER, version=2)
    stack.write(OTHER, namespace="loyalty")
    assert fill() == 0
    assert stack.waiting() == sorted([CUSTOMER, OTHER])


def test_who_was_written_before_a_time_is_queued_again(stack: Stack) -> None:
    stack.write(CUSTOMER)
    stack.clock.at += timedelta(hours=1)
    stack.write(OTHER)
    between = stack.clock.at - timedelta(minutes=30)
    assert fill("--written-before", between.isoformat()) == 0
    assert stack.waiting() == [CUSTOMER]


def test_a_customer_whose_change_waits_keeps_their_place(stack: Stack) -> None:
    stack.store.request(SHOP, CUSTOMER, 3, datetime.now(UTC))
    assert fill() == 0
    assert (stack.waiting(List.CHANGES), stack.waiting()) == ([CUSTOMER], [OTHER])


def test_in_a_shop_that_has_switched_them_off_only_who_has_some_is_queued(stack: Stack) -> None:
    stack.write(CUSTOMER)
    stack.rule = "none"
    assert fill() == 0
    assert stack.waiting() == [CUSTOMER]


def test_other_shops_are_left_alone(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill("--shop", OTHER_SHOP) == 0
    assert stack.waiting() == []
    assert "Nothing is left to write." in capsys.readouterr().out


def test_it_waits_until_all_are_written(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Writing(stack)
    monkeypatch.setattr(metafields, "time", clock)
    assert main(["metafields", "fill", "--json"]) == 0
    assert clock.slept_seconds == [metafields.POLL_SECONDS] * 2
    said = capsys.readouterr()
    assert "Waiting until 2 customers are written" in said.err
    assert said.err.splitlines()[-3:-1] == ["1 of 2 written.", "2 of 2 written."]
    document = json.loads(said.out)
    assert document == {"queued": {SHOP: 2, OTHER_SHOP: 0}, "waited": True}


def test_it_gives_up_waiting_when_nothing_moves(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock()
    monkeypatch.setattr(metafields, "time", clock)
    assert "2 customers left, and none was written for 5 minutes" in failure("metafields", "fill")
    assert stack.waiting() == sorted([CUSTOMER, OTHER])


def test_a_time_that_is_none_is_refused(stack: Stack) -> None:
    text = failure("metafields", "fill", "--written-before", "yesterday", status=2)
    assert "'yesterday'" in text
    assert stack.waiting() == []


def _late(stack: Stack) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=16)
    stack.store.request(SHOP, CUSTOMER, 3, long_ago)


def _soon(stack: Stack) -> None:
    stack.store.request(SHOP, CUSTOMER, 3, datetime.now(UTC))


@pytest.mark.parametrize(("before", "status"), [(_soon, 0), (_late, 1)])
def test_status_shows_what_waits_and_whether_it_is_late(
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    before: Callable[[Stack], None],
    status: int,
) -> None:
    before(stack)
    stack.store.request(SHOP, OTHER, 3, datetime.now(UTC), List.FILL)
    assert main(["metafields", "status", "--json", "--shop", SHOP]) == status
    expected = {"changes": 1, "fill": 1, "deletions": 0, "late": bool(status)}
    assert json.loads(capsys.readouterr().out) == {SHOP: expected}
