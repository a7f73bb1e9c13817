"""The ledger's table as template.yaml describes it, so that tests and deployment cannot differ."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
TABLE: Final = "ledger"
_READ = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions (!Ref, !If, ...), of which we need none."""


def _function(loader: _TemplateLoader, name: str, node: yaml.Node) -> str:
    return f"!{name}"


_TemplateLoader.add_multi_constructor("!", _function)


def table_request(name: str) -> dict[str, Any]:
    """The CreateTable request for a table of this name: the template's keys and indexes."""
    return {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **_described()}


def create_table(client: Any) -> None:
    """Create the ledger's table with its indexes."""
    client.create_table(**table_request(TABLE))


@cache
def _described() -> dict[str, Any]:
    template = _TemplateLoader(TEMPLATE.read_text(encoding="utf-8")).get_single_data()
    tables = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]
    assert len(tables) == 1, f"the template has {len(tables)} tables, but the ledger is one"
    return {part: tables[0][part] for part in _READ}
