"""Damage of the ledger is reported by itself: logged by ids, counted, in bounded time."""

import json
from typing import Any

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.store import keys
from tests.support.harness import TABLE, Functions

SHOP = "demo.myshopify.com"
CUSTOMERS = [str(8840734670900 + number) for number in range(20)]
DAMAGED = CUSTOMERS[7]


@pytest.fixture
def shop(functions: Functions) -> Functions:
    """Twenty accounts with an entry each."""
    for customer_id in CUSTOMERS:
        command = Grant(10, Days(30))
        instruction = Instruction(SHOP, customer_id, command, Cause("flow"), reason="Hanako's gift")
        assert isinstance(functions.ledger.execute(instruction), Booked)
    return functions


def damage(shop: Functions) -> None:
    key = keys.key(keys.customer(SHOP, DAMAGED), keys.entry(1))
    item = shop.table.get_item(TableName=TABLE, Key=key)["Item"]
    shop.table.damage(TABLE, {**item, "reason": {"S": "Taro's gift"}})


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_sound_ledger_has_no_faults_and_says_how_much_was_verified(
    shop: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    result = shop.invoke("verify_sample", {}, seconds=120)
    assert (result["accounts"], result["entries"], result["faults"]) == (20, 20, 0)
    assert result["complete"] is True
    assert {"LedgerFaults": [0]}.items() <= next(
        line for line in written(capsys) if "LedgerFaults" in line
    ).items()


def test_a_fault_is_logged_by_ids_only_and_counted(
    shop: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(shop)
    capsys.readouterr()
    assert shop.invoke("verify_sample", {}, seconds=120)["faults"] == 1
    lines = written(capsys)
    (fault,) = [line for line in lines if line.get("message") == "ledger_fault"]
    assert (fault["shop"], fault["customer_id"]) == (SHOP, DAMAGED)
    assert (fault["kind"], fault["version"], fault["level"]) == ("text", 1, "ERROR")
    assert "gift" not in json.dumps(lines)
    assert [line["LedgerFaults"] for line in lines if "LedgerFaults" in line] == [[1]]


def test_a_run_ends_in_time(shop: Functions) -> None:
    result = shop.invoke("verify_sample", {}, seconds=5)
    assert result["complete"] is False
