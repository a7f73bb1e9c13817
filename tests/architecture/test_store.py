"""Only one module speaks to DynamoDB, and only the store knows what an item looks like."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "common" / "python" / "pointbook"
STORE = PACKAGE / "store"
TABLE = STORE / "table.py"

OPERATION = re.compile(
    r"(?:batch_|transact_)?(?:get|put|update|delete|write)_items?|query|scan|execute_\w+"
)
SENDS = frozenset({"TransactItems", "RequestItems", "TableName", "ConditionExpression"})
TYPES = frozenset({"S", "N", "B", "L", "M", "BOOL", "NULL", "SS", "NS", "BS"})
"""How DynamoDB names the type of a value."""


def senders(source: str) -> Iterator[str]:
    """What in a module sends requests to DynamoDB, or reads botocore's errors."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr="_client"):
                yield "a client"
            case ast.Constant(value=str(text)) if text in SENDS or OPERATION.fullmatch(text):
                yield f"the text {text}"
            case ast.ImportFrom(module=str(module)) if module.startswith("botocore"):
                yield f"an import of {module}"
            case ast.Import(names=names):
                yield from (f"an import of {one.name}" for one in names if "boto" in one.name)


def typed_values(source: str) -> Iterator[str]:
    """What in a module writes or reads a value as DynamoDB types it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Dict(keys=[ast.Constant(value=str(kind))]) if kind in TYPES:
                yield f'a value {{"{kind}": ...}} in line {node.lineno}'
            case ast.Subscript(slice=ast.Constant(value=str(kind))) if kind in TYPES:
                yield f'an access ["{kind}"] in line {node.lineno}'


def test_only_the_table_sends_requests_to_dynamodb_and_reads_its_errors() -> None:
    found = {
        path.name: sorted(set(senders(path.read_text(encoding="utf-8"))))
        for path in sorted(STORE.rglob("*.py"))
        if path != TABLE
    }
    assert found
    assert {name: sends for name, sends in found.items() if sends} == {}


def test_nobody_but_the_store_knows_how_dynamodb_types_a_value() -> None:
    folders = (PACKAGE, ROOT / "functions", ROOT / "cli")
    found = {
        str(path.relative_to(ROOT)): list(typed_values(path.read_text(encoding="utf-8")))
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if not path.is_relative_to(STORE)
    }
    assert found
    assert {name: values for name, values in found.items() if values} == {}


def test_within_the_store_only_the_conversions_know_it() -> None:
    found = {
        path.name: list(typed_values(path.read_text(encoding="utf-8")))
        for path in sorted(STORE.rglob("*.py"))
        if path.name != "values.py"
    }
    assert {name: values for name, values in found.items() if values} == {}


@pytest.mark.parametrize(
    "source",
    [
        "self._client.get_item(**request)",
        'send("transact_write_items", {})',
        '{"TransactItems": []}',
        "from botocore.exceptions import ClientError",
        "import botocore.session",
    ],
)
def test_a_sender_is_noticed(source: str) -> None:
    assert list(senders(source))


@pytest.mark.parametrize("source", ['{"S": name}', 'item["pk"]["S"]', 'int(item["version"]["N"])'])
def test_a_typed_value_is_noticed(source: str) -> None:
    assert list(typed_values(source))
