"""A shop's programme: the deployment's until a person sets one, every version kept."""

from dataclasses import replace

import pytest

from pointbook.domain.expiry import Months
from pointbook.domain.programme import Programme
from pointbook.errors import LedgerUnavailable
from pointbook.store.programmes import Programmes
from tests.engines.memory import MemoryDynamo, refused
from tests.engines.table import table_request

SHOP = "demo.myshopify.com"
USUAL = Programme(1, "Asia/Tokyo", "JPY", 1, Months(12), 600)
SHORT_HOLDS = replace(USUAL, hold_seconds=5)


@pytest.fixture
def table() -> MemoryDynamo:
    """An empty table."""
    table = MemoryDynamo()
    table.create_table(**table_request("points"))
    return table


def versions(table: MemoryDynamo) -> list[str]:
    """The versions that are kept."""
    answer = table.query(
        TableName="points",
        KeyConditionExpression="pk = :book AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":book": {"S": f"S#{SHOP}"},
            ":first": {"S": "P#"},
            ":last": {"S": "P#999999"},
        },
        ConsistentRead=True,
    )
    return [item["hold_seconds"]["S"] for item in answer["Items"]]


def test_the_first_programme_is_the_deployments(table: MemoryDynamo) -> None:
    assert Programmes(table, "points").in_force(SHOP, USUAL) == USUAL
    assert Programmes(table, "points").in_force(SHOP, USUAL) == USUAL
    assert versions(table) == ["600"]


def test_a_deployment_with_other_parameters_is_a_new_version(table: MemoryDynamo) -> None:
    Programmes(table, "points").in_force(SHOP, USUAL)
    expected = replace(SHORT_HOLDS, version=2)
    assert Programmes(table, "points").in_force(SHOP, SHORT_HOLDS) == expected
    assert Programmes(table, "points").in_force(SHOP, SHORT_HOLDS) == expected
    assert versions(table) == ["600", "5"]


def test_shops_have_programmes_of_their_own(table: MemoryDynamo) -> None:
    Programmes(table, "points").in_force("other.myshopify.com", SHORT_HOLDS)
    assert Programmes(table, "points").in_force(SHOP, USUAL).hold_seconds == 600


def test_what_a_person_has_set_outlives_deployments(table: MemoryDynamo) -> None:
    programmes = Programmes(table, "points")
    programmes.in_force(SHOP, USUAL)
    key = {"pk": {"S": f"S#{SHOP}"}, "sk": {"S": "P"}}
    item = table.get_item(TableName="points", Key=key, ConsistentRead=True)["Item"]
    by_hand = {"version": {"N": "2"}, "origin": {"S": "person"}, "hold_seconds": {"S": "60"}}
    table.put_item(TableName="points", Item=item | by_hand)
    assert programmes.in_force(SHOP, SHORT_HOLDS) == replace(USUAL, version=2, hold_seconds=60)


def test_two_that_start_at_once_agree(table: MemoryDynamo, monkeypatch: pytest.MonkeyPatch) -> None:
    programmes = Programmes(table, "points")
    read = table.get_item

    def read_before_the_other_wrote(**request: object) -> object:
        monkeypatch.setattr(table, "get_item", read)
        answer = read(**request)
        Programmes(table, "points").in_force(SHOP, USUAL)
        return answer

    monkeypatch.setattr(table, "get_item", read_before_the_other_wrote)
    assert programmes.in_force(SHOP, USUAL) == USUAL
    assert versions(table) == ["600"]


@pytest.mark.parametrize("operation", ["get_item", "transact_write_items"])
def test_a_table_that_throttles_is_told_as_such(
    table: MemoryDynamo, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    def throttled(**_: object) -> object:
        raise refused("ThrottlingException", "slower, please")

    monkeypatch.setattr(table, operation, throttled)
    with pytest.raises(LedgerUnavailable):
        Programmes(table, "points").in_force(SHOP, USUAL)


def change_item(table: MemoryDynamo, **changes: dict[str, str] | None) -> None:
    """Change the stored programme as another release would have written it."""
    key = {"pk": {"S": f"S#{SHOP}"}, "sk": {"S": "P"}}
    item = table.get_item(TableName="points", Key=key, ConsistentRead=True)["Item"]
    kept = {name: value for name, value in (item | changes).items() if value is not None}
    table.put_item(TableName="points", Item=kept)


def test_a_rule_of_a_later_release_is_left_alone(table: MemoryDynamo) -> None:
    Programmes(table, "points").in_force(SHOP, USUAL)
    change_item(table, pending_days={"S": "14"})
    assert Programmes(table, "points").in_force(SHOP, USUAL) == USUAL


def test_a_rule_that_an_earlier_release_did_not_know_is_the_deployments(
    table: MemoryDynamo,
) -> None:
    Programmes(table, "points").in_force(SHOP, USUAL)
    change_item(table, hold_seconds=None)
    assert Programmes(table, "points").in_force(SHOP, SHORT_HOLDS).hold_seconds == 5


def test_who_loses_the_race_uses_the_rules_that_are_kept(
    table: MemoryDynamo, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = table.get_item

    def read_before_the_other_wrote(**request: object) -> object:
        monkeypatch.setattr(table, "get_item", read)
        answer = read(**request)
        Programmes(table, "points").in_force(SHOP, SHORT_HOLDS)
        return answer

    monkeypatch.setattr(table, "get_item", read_before_the_other_wrote)
    assert Programmes(table, "points").in_force(SHOP, USUAL) == SHORT_HOLDS
    assert versions(table) == ["5"]
