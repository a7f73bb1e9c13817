"""Requests: what is sent, part by part."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pointbook.domain.ports import DueKind, ReadRequest
from pointbook.store import keys
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.ledger_transactions import UNCHANGED
from pointbook.store.table import ABSENT, Table
from tests.support.engine import SHOP
from tests.support.examples import CUSTOMER, HOLD_ID, ORDER, a_write

TABLE = "ledger"
EVERYTHING = ReadRequest(SHOP, CUSTOMER, "ab" * 32, ORDER, HOLD_ID)
PK = keys.customer(SHOP, CUSTOMER)
ALL_KEYS = [
    {"pk": {"S": PK}, "sk": {"S": "ACCOUNT"}},
    {"pk": {"S": PK}, "sk": {"S": f"REQUEST#{'ab' * 32}"}},
    {"pk": {"S": "SHOP#demo.myshopify.com#ORDER#9001"}, "sk": {"S": "ORDER"}},
    keys.hold(SHOP, HOLD_ID),
]
ANSWER = {"Responses": {TABLE: []}, "Items": []}
NO_PARTS: dict[str, Any] = {"Responses": []}


class Recording:
    """A client that remembers what was sent, and answers that nothing is there."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.sent.append((operation, request))
            return NO_PARTS if operation == "transact_get_items" else ANSWER

        return call


@pytest.fixture
def client() -> Recording:
    return Recording()


@pytest.fixture
def store(client: Recording) -> DynamoStore:
    return DynamoStore(Table(client, TABLE))


def test_a_cheap_read_is_one_eventually_consistent_batch(
    client: Recording, store: DynamoStore
) -> None:
    store.load(EVERYTHING, fresh=False)

    assert client.sent == [("batch_get_item", {"RequestItems": {TABLE: {"Keys": ALL_KEYS}}})]


def test_a_fresh_read_is_one_snapshot(client: Recording, store: DynamoStore) -> None:
    store.load(EVERYTHING, fresh=True)

    gets = [{"Get": {"TableName": TABLE, "Key": key}} for key in ALL_KEYS]
    assert client.sent == [("transact_get_items", {"TransactItems": gets})]


def test_only_requested_items_are_read(client: Recording, store: DynamoStore) -> None:
    request = ReadRequest(SHOP, CUSTOMER)

    store.load(request, fresh=False)
    store.load(replace(request, hold_id=HOLD_ID), fresh=True)

    (_, cheap), (_, fresh) = client.sent
    assert cheap["RequestItems"][TABLE]["Keys"] == ALL_KEYS[:1]
    assert len(fresh["TransactItems"]) == 2


def test_an_account_alone_is_read_consistently(client: Recording, store: DynamoStore) -> None:
    store.account(SHOP, CUSTOMER)

    request = {"TableName": TABLE, "Key": ALL_KEYS[0], "ConsistentRead": True}
    assert client.sent == [("get_item", request)]


@pytest.mark.parametrize(("revision", "condition"), [(1, (ABSENT, {})), (5, (UNCHANGED, 4))])
def test_what_is_written_first_is_not_there_and_what_is_written_again_is_as_it_was_read(
    client: Recording, store: DynamoStore, revision: int, condition: tuple[str, Any]
) -> None:
    store.commit(a_write(revision))

    ((_, request),) = client.sent
    puts = [action["Put"] for action in request["TransactItems"]]
    assert all(put["TableName"] == TABLE for put in puts)
    assert all(put["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" for put in puts)
    expression, before = condition
    values = {":read_revision": {"N": str(before)}} if before else {}
    assert [
        (
            put["Item"]["sk"]["S"].partition("#")[0],
            put["ConditionExpression"],
            put.get("ExpressionAttributeValues", {}),
        )
        for put in puts
    ] == [
        ("ACCOUNT", expression, values),
        ("ENTRY", ABSENT, {}),
        ("REQUEST", ABSENT, {}),
        ("ORDER", expression, values),
        ("HOLD", expression, values),
    ]


def test_history_is_read_backwards_below_a_version(client: Recording, store: DynamoStore) -> None:
    store.entries(SHOP, CUSTOMER, before_version=8, limit=3)

    ((_, request),) = client.sent
    assert request["ExpressionAttributeValues"] == {
        ":customer": {"S": PK},
        ":first": {"S": "ENTRY#000000000001"},
        ":last": {"S": "ENTRY#000000000007"},
    }
    assert (request["ScanIndexForward"], request["Limit"]) == (False, 3)
    assert request["ConsistentRead"]


def test_due_work_is_queried_from_the_index_of_its_kind(
    client: Recording, store: DynamoStore
) -> None:
    list(store.due(DueKind.HOLD, 3, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)))

    ((_, request),) = client.sent
    assert request["IndexName"] == "due_hold"
    assert request["KeyConditionExpression"] == "due_hold = :shard AND due_hold_at <= :now"
    assert request["ExpressionAttributeValues"] == {
        ":shard": {"S": "DUE#hold#3"},
        ":now": {"N": "1000"},
    }
