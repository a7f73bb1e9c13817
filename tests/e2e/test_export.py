"""Moving out and in: the running stack's ledger is exported, and restored into an empty table."""

import uuid
from pathlib import Path

from local.stack import Stack
from pointbook.store import keys
from pointbook.store.export_format import ExportFile
from pointbook.store.values import text_of
from tests.e2e.calls import approved, aws, bearer, call, new_customer, wait_until
from tests.e2e.conftest import OwnStack
from tests.e2e.ledger_life import ORDER_POINTS, acted, ordered, pointbook, ran


def emptied(stack: Stack) -> None:
    """Take everything out of the table, as in a stack that has just been deployed."""
    dynamodb = aws(stack, "dynamodb")
    for page in dynamodb.get_paginator("scan").paginate(TableName=stack.table_name):
        for item in page["Items"]:
            key = {"pk": item["pk"], "sk": item["sk"]}
            dynamodb.delete_item(TableName=stack.table_name, Key=key)


def history(stack: Stack, customer: str) -> object:
    """What the customer sees of the past."""
    url = f"{stack.api_url}/v1/customers/me/points/history"
    return call(url, headers=bearer(customer)).json()["entries"]


def entries_in(file: str) -> list[object]:
    """The entries of a file, with their hashes."""
    items = ExportFile(Path(file)).items()
    return [item for item in items if text_of(item["sk"]).startswith(keys.ENTRY)]


def test_an_exported_ledger_is_in_an_empty_table_as_it_was(own: OwnStack, tmp_path: Path) -> None:
    stack = own.start()
    customer, run = new_customer(), f"run-{uuid.uuid4()}"
    acted(stack, "grant", customer, 1000)
    before = acted(stack, "consume", customer, 300, run)
    ordered(stack, customer)
    wait_until(lambda: approved(stack, customer) == 700 + ORDER_POINTS)
    seen = history(stack, customer)
    file = str(tmp_path / "ledger.jsonl.gz")
    exported = pointbook(tmp_path, "export", file)

    acted(stack, "grant", customer, 1)
    refused = ran(tmp_path, "restore", "--from-file", file, "--yes")
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    emptied(stack)
    assert approved(stack, customer) == 0

    restored = pointbook(tmp_path, "restore", "--from-file", file, "--yes")
    assert restored["verified"]["faults"] == []
    assert restored["verified"]["entries"] == exported["counts"]["entries"]
    assert approved(stack, customer) == 700 + ORDER_POINTS
    assert history(stack, customer) == seen
    assert acted(stack, "consume", customer, 300, run) == before | {"duplicate": True}
    again = str(tmp_path / "again.jsonl")
    pointbook(tmp_path, "export", again)
    assert entries_in(again) == entries_in(file)
