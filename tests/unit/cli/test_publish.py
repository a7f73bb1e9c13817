"""`pointbook publish`: unpublished accounts are queued; nothing is sent again unless confirmed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cli import target
from cli.app import main
from pointbook.store.outbox import Cursor, Outbox
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver

OTHER_SHOP = "second.myshopify.com"
PSEUDONYM = "01234567890123456789"


class Stack:
    """A stack of two shops; the first has two accounts of three entries."""

    def __init__(self) -> None:
        self.engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=3))
        self.name = "The test stack"
        self.settings = SimpleNamespace(table_name=self.engine.table, shops=(SHOP, OTHER_SHOP))
        self.outbox = Outbox(Table(self.engine.client, self.engine.table))
        driver = LedgerDriver(self.engine)
        for customer_id in (CUSTOMER, OTHER, PSEUDONYM):
            for number in range(3):
                driver.grant(1, customer_id=customer_id, key=str(number))

    def table(self) -> Table:
        return Table(self.engine.client, self.engine.table)

    def shop(self, name: str | None) -> str:
        return name or SHOP

    def publish_up_to(self, customer_id: str, version: int) -> None:
        now = datetime.now(UTC)
        hold_request = Cursor(SHOP, customer_id, "x", now + timedelta(seconds=30))
        assert self.outbox.acquire(hold_request, now, None) == hold_request
        released = Cursor(SHOP, customer_id, "x", now, published=version)
        assert self.outbox.release(released)

    def due(self, shop: str = SHOP) -> list[str]:
        return sorted(self.outbox.due(shop, datetime.now(UTC)))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    return found


def test_every_unpublished_account_is_queued_in_its_shop(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.publish_up_to(OTHER, 3)
    assert main(["publish"]) == 0
    assert stack.due() == [CUSTOMER], "not who was told, nor who was erased"
    assert f"{SHOP}: accounts with unpublished entries: 1" in capsys.readouterr().out
    assert main(["publish"]) == 0
    assert stack.outbox.published(SHOP, CUSTOMER) == 0


def test_accounts_of_other_shops_are_left_alone(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "--shop", OTHER_SHOP]) == 0
    assert stack.due() == []
    assert "Nothing to publish." in capsys.readouterr().out


def test_one_customers_account_by_any_form_of_the_id(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.publish_up_to(CUSTOMER, 2)
    assert main(["publish", "--customer", f"gid://shopify/Customer/{CUSTOMER}"]) == 0
    assert stack.due() == [CUSTOMER]
    assert "3 entries, published up to 2" in capsys.readouterr().out


def test_a_published_account_is_not_published_again(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.publish_up_to(CUSTOMER, 3)
    assert main(["publish", "--customer", CUSTOMER]) == 0
    assert (stack.due(), stack.outbox.published(SHOP, CUSTOMER)) == ([], 3)
    assert "Nothing to publish." in capsys.readouterr().out


def test_triggers_are_sent_again_from_a_version_on(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.publish_up_to(CUSTOMER, 3)
    assert main(["publish", "--customer", CUSTOMER, "--from", "2", "--yes"]) == 0
    assert (stack.due(), stack.outbox.published(SHOP, CUSTOMER)) == ([CUSTOMER], 1)
    assert "versions 2 to 3 again" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "published"), [("y", 1), ("n", 3), ("", 3)])
def test_nothing_is_sent_again_without_confirmation(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, answer: str, published: int
) -> None:
    stack.publish_up_to(CUSTOMER, 3)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert main(["publish", "--customer", CUSTOMER, "--from", "2"]) == (0 if answer == "y" else 1)
    assert stack.outbox.published(SHOP, CUSTOMER) == published


def _nobody_there(stack: Stack, patch: pytest.MonkeyPatch) -> None:
    stack.publish_up_to(CUSTOMER, 3)
    patch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))


def _sending(stack: Stack, patch: pytest.MonkeyPatch) -> None:
    stack.publish_up_to(CUSTOMER, 3)
    now = datetime.now(UTC)
    stack.outbox.acquire(Cursor(SHOP, CUSTOMER, "x", now + timedelta(seconds=30)), now, None)


def _published(stack: Stack, patch: pytest.MonkeyPatch) -> None:
    stack.publish_up_to(CUSTOMER, 2)


REFUSED: list[tuple[list[str], Callable[[Stack, pytest.MonkeyPatch], None], str]] = [
    (["--from", "1"], _published, "--from needs --customer"),
    (["--customer", "Taro"], _published, "--customer is 'Taro'"),
    (["--customer", "7999"], _published, "has no account of customer 7999"),
    (["--customer", CUSTOMER, "--from", "0"], _published, "must be a version from 1 to 3"),
    (["--customer", CUSTOMER, "--from", "4"], _published, "must be a version from 1 to 3"),
    (["--customer", CUSTOMER, "--from", "3"], _published, "has not been published yet"),
    (["--customer", CUSTOMER, "--from", "1"], _nobody_there, "pass --yes"),
    (["--customer", CUSTOMER, "--from", "1", "--yes"], _sending, "being published right now"),
]


@pytest.mark.parametrize(("arguments", "before", "why"), REFUSED)
def test_an_invalid_request_is_refused_and_changes_nothing(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    before: Callable[[Stack, pytest.MonkeyPatch], None],
    why: str,
) -> None:
    before(stack, monkeypatch)
    published = stack.outbox.published(SHOP, CUSTOMER)
    status = 2 if "--customer" not in arguments or "Taro" in arguments else 1
    assert why in failure("publish", *arguments, status=status)
    assert (stack.outbox.published(SHOP, CUSTOMER), stack.due()) == (published, [])
