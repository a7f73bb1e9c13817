"""Nothing but the ledger's transaction and `CustomerItems` creates an item under a customer's key.

All tests of functions run on a table that refuses anything else, so whatever a service writes on
its ordinary paths is seen there. Here it is shown what the table sees and what it lets through.
"""

from collections.abc import Callable
from typing import Any

import pytest

from pointbook.store.customer_items import CustomerItems
from pointbook.store.table import Outcome, Update
from tests.fakes.expressions import Item
from tests.fakes.guarded import GuardedDynamoDB, Unguarded
from tests.support.harness import TABLE, Functions
from tests.support.table import table_request

CUSTOMER_KEY = "SHOP#demo.myshopify.com#CUSTOMER#8840734670934"
MOVED = f"SHOP#demo.myshopify.com#CUSTOMER#0{'7' * 19}"
NOTE = {"pk": {"S": CUSTOMER_KEY}, "sk": {"S": "OUTBOX"}}
ACCOUNT = {"pk": {"S": CUSTOMER_KEY}, "sk": {"S": "ACCOUNT"}}

type Write = tuple[str, dict[str, Any]]


def put(item: Item, **more: Any) -> Item:
    return {"TableName": TABLE, "Item": item, **more}


def update(**more: Any) -> Item:
    values = {":one": {"N": "1"}}
    change = {"UpdateExpression": "SET told = :one", "ExpressionAttributeValues": values}
    return {"TableName": TABLE, "Key": NOTE, **change, **more}


def batch(item: Item) -> Item:
    return {"RequestItems": {TABLE: [{"PutRequest": {"Item": item}}]}}


def transaction(*conditions: str, key: Item = ACCOUNT) -> Item:
    checks = [
        {"ConditionCheck": {"TableName": TABLE, "Key": key, "ConditionExpression": one}}
        for one in conditions
    ]
    return {"TransactItems": [{"Put": put(NOTE)}, *checks]}


UNGUARDED: dict[str, Write] = {
    "a put": ("put_item", put(NOTE)),
    "a put over nothing": ("put_item", put(NOTE, ConditionExpression="attribute_not_exists(pk)")),
    "an update": ("update_item", update()),
    "an update of what is free": (
        "update_item",
        update(ConditionExpression="attribute_not_exists(lease) OR told < :one"),
    ),
    "a batch": ("batch_write_item", batch(NOTE)),
    "a batch with an account": ("batch_write_item", batch(ACCOUNT)),
    "a transaction": ("transact_write_items", transaction()),
    "a transaction with a check of nothing": (
        "transact_write_items",
        transaction("attribute_not_exists(nothing)"),
    ),
    "a transaction with another's account": (
        "transact_write_items",
        transaction(
            "attribute_not_exists(erased)", key={**ACCOUNT, "pk": {"S": f"{CUSTOMER_KEY}1"}}
        ),
    ),
}

GUARDED: dict[str, Write] = {
    "a transaction that checks the account": (
        "transact_write_items",
        transaction("attribute_not_exists(erased)"),
    ),
    "a batch under a pseudonym": ("batch_write_item", batch({**NOTE, "pk": {"S": MOVED}})),
    "a tombstone that is dated": ("batch_write_item", batch({**ACCOUNT, "erased": {"BOOL": True}})),
    "an item of the shop": ("put_item", put({**NOTE, "pk": {"S": "SHOP#demo.myshopify.com"}})),
}


def table() -> GuardedDynamoDB:
    made = GuardedDynamoDB()
    made.create_table(**table_request(TABLE))
    return made


@pytest.mark.parametrize("case", UNGUARDED)
def test_a_write_that_could_bring_back_an_erased_customer_is_seen(case: str) -> None:
    operation, request = UNGUARDED[case]
    with pytest.raises(Unguarded):
        getattr(table(), operation)(**request)


@pytest.mark.parametrize("case", GUARDED)
def test_a_write_that_leaves_nothing_of_an_erased_customer_is_taken(case: str) -> None:
    operation, request = GUARDED[case]
    getattr(table(), operation)(**request)


@pytest.fixture
def functions() -> Functions:
    return Functions()


def test_all_tests_of_functions_run_on_that_table(functions: Functions) -> None:
    assert isinstance(functions.table.client, GuardedDynamoDB)


def unguarded_create(customer_items: CustomerItems, item: Item) -> None:
    customer_items._table.put(item)


def unguarded_change(customer_items: CustomerItems, update: Update) -> Outcome:
    return customer_items._table.update_if(update._replace(condition=""))


@pytest.mark.parametrize(
    ("method", "planted"), [("create", unguarded_create), ("change", unguarded_change)]
)
def test_a_service_that_writes_past_it_does_not_get_through(
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    planted: Callable[..., object],
) -> None:
    """The violation is planted in the product: the count of a customer's reports is such a note."""
    monkeypatch.setattr(CustomerItems, method, planted)
    with pytest.raises(Unguarded):
        functions.sample("flow_action_report", "run")
