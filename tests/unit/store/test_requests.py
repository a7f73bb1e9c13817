"""Requests: what is sent, part by part."""

from dataclasses import replace
from datetime import UTC, datetime

from pointbook.domain.ports import DueKind, ReadRequest
from pointbook.store import keys, requests
from tests.support.engine import SHOP
from tests.support.examples import CUSTOMER, HOLD_ID, ORDER, a_write

TABLE = "ledger"
EVERYTHING = ReadRequest(SHOP, CUSTOMER, "ab" * 32, ORDER, HOLD_ID)
BOOK = keys.book(SHOP, CUSTOMER)
ALL_KEYS = [
    {"pk": {"S": BOOK}, "sk": {"S": "A"}},
    {"pk": {"S": BOOK}, "sk": {"S": f"I#{'ab' * 32}"}},
    {"pk": {"S": keys.order(SHOP, ORDER)}, "sk": {"S": "O"}},
    {"pk": {"S": keys.hold_record(SHOP, HOLD_ID)}, "sk": {"S": "K"}},
]


def test_a_cheap_read_asks_for_all_in_one_batch_and_for_no_consistency() -> None:
    assert requests.cheap_read(TABLE, EVERYTHING) == {"RequestItems": {TABLE: {"Keys": ALL_KEYS}}}


def test_a_fresh_read_is_one_snapshot() -> None:
    assert requests.fresh_read(TABLE, EVERYTHING) == {
        "TransactItems": [{"Get": {"TableName": TABLE, "Key": key}} for key in ALL_KEYS]
    }


def test_only_what_is_wanted_is_asked_for() -> None:
    wanted = ReadRequest(SHOP, CUSTOMER)

    assert requests.cheap_read(TABLE, wanted)["RequestItems"][TABLE]["Keys"] == ALL_KEYS[:1]
    assert len(requests.fresh_read(TABLE, replace(wanted, hold_id=HOLD_ID))["TransactItems"]) == 2


def test_an_account_alone_is_read_consistently() -> None:
    request = requests.fresh_account(TABLE, SHOP, CUSTOMER)

    assert request == {"TableName": TABLE, "Key": ALL_KEYS[0], "ConsistentRead": True}


def conditions(revision: int) -> list[tuple[str, str, str | None]]:
    puts = [part["Put"] for part in requests.transaction(TABLE, a_write(revision))["TransactItems"]]
    assert all(put["TableName"] == TABLE for put in puts)
    assert all(put["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" for put in puts)
    return [
        (
            put["Item"]["sk"]["S"][:1],
            put["ConditionExpression"],
            put.get("ExpressionAttributeValues", {}).get(":read_revision", {}).get("N"),
        )
        for put in puts
    ]


def test_what_is_written_first_must_not_be_there() -> None:
    assert conditions(revision=1) == [
        ("A", requests.ABSENT, None),
        ("E", requests.ABSENT, None),
        ("I", requests.ABSENT, None),
        ("O", requests.ABSENT, None),
        ("K", requests.ABSENT, None),
    ]


def test_what_is_written_again_must_be_as_it_was_read() -> None:
    assert conditions(revision=5) == [
        ("A", requests.UNCHANGED, "4"),
        ("E", requests.ABSENT, None),
        ("I", requests.ABSENT, None),
        ("O", requests.UNCHANGED, "4"),
        ("K", requests.UNCHANGED, "4"),
    ]


def test_history_is_read_backwards_below_a_version() -> None:
    request = requests.entries(TABLE, SHOP, CUSTOMER, before_version=8, limit=3)

    assert request["ExpressionAttributeValues"] == {
        ":book": {"S": BOOK},
        ":first": {"S": "E#000000000001"},
        ":last": {"S": "E#000000000007"},
    }
    assert (request["ScanIndexForward"], request["Limit"]) == (False, 3)


def test_due_work_is_asked_of_the_index_of_its_kind() -> None:
    request = requests.due(TABLE, DueKind.HOLD, 3, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))

    assert request["IndexName"] == "due_hold"
    assert request["KeyConditionExpression"] == "due_hold = :shard AND due_hold_at <= :now"
    assert request["ExpressionAttributeValues"] == {
        ":shard": {"S": "DUE#hold#3"},
        ":now": {"N": "1000"},
    }
