"""`pointbook verify`: what is wrong is named with what to do, and the exit status says so."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import target
from cli.app import main
from pointbook.domain.reconcile import Damage
from pointbook.store import keys
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver

OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
OTHER_SHOP = "second.myshopify.com"


class Stack:
    """A stack with two accounts of three entries each."""

    def __init__(self) -> None:
        self.engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=3))
        self.settings = SimpleNamespace(table_name=self.engine.table, shops=(SHOP, OTHER_SHOP))
        driver = LedgerDriver(self.engine)
        for customer_id in (CUSTOMER, OTHER):
            for number in range(3):
                driver.grant(1, customer_id=customer_id, key=str(number))

    def client(self, _: str) -> Any:
        return self.engine.client

    def table(self) -> Table:
        return Table(self.engine.client, self.engine.table)

    def items(self) -> int:
        return 14

    def shop(self, expected: str | None) -> str:
        return expected or SHOP

    def damage(self) -> None:
        key = keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(2))
        item = self.engine.client.get_item(TableName=self.engine.table, Key=key)["Item"]
        self.engine.client.put_item(
            TableName=self.engine.table, Item={**item, "source": {"S": "manual"}}
        )


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    return found


def test_a_sound_ledger_is_done_and_says_time_and_units(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify"]) == 0
    words = capsys.readouterr().out
    assert re.fullmatch(r"2 accounts, 6 entries, 0 faults; [\d.]+ s, [\d.]+ read units.\n", words)


def test_a_fault_is_named_with_version_and_what_to_do(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.damage()
    assert main(["verify"]) == 1
    words = capsys.readouterr().out
    assert re.search(rf"{SHOP} +{CUSTOMER} +hash +2 +entry 2 does not match its hash", words)
    assert 'docs/operations.md, "What verify finds", under hash' in words


def test_json_is_one_document(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.damage()
    assert main(["verify", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["accounts"], document["entries"]) == (2, 6)
    assert document["faults"] == [
        {
            "shop": SHOP,
            "customer_id": CUSTOMER,
            "kind": "hash",
            "version": 2,
            "what": "entry 2 does not match its hash",
        }
    ]
    assert document["read_units"] > 0


@pytest.mark.parametrize(("customer", "status"), [(CUSTOMER, 1), (OTHER, 0)])
def test_one_customer_by_any_form_of_the_id(stack: Stack, customer: str, status: int) -> None:
    stack.damage()
    assert main(["verify", f"gid://shopify/Customer/{customer}"]) == status


def test_only_the_shop_that_is_named(stack: Stack) -> None:
    stack.damage()
    assert main(["verify", "--shop", OTHER_SHOP]) == 0
    assert main(["verify", "--shop", SHOP]) == 1


def test_a_customer_without_an_account_is_said(stack: Stack) -> None:
    assert "has no account of customer 7999" in failure("verify", "7999")
    assert "customer" in failure("verify", "Taro")


def test_the_docs_say_what_to_do_about_every_kind() -> None:
    page = OPERATIONS.read_text(encoding="utf-8")
    section = page.split("### What verify finds")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)\|", section, re.MULTILINE))))
    assert named == set(Damage)
