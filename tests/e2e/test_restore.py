"""The way back: a copy of the running stack's table is put back by the documented steps."""

import uuid
from pathlib import Path

import pytest

from cli import target
from cli.pause import Functions
from local import demo
from local.stack import Stack
from pointbook.store import keys
from tests.e2e.calls import (
    approved,
    aws,
    bearer,
    call,
    flow,
    new_customer,
    wait_until,
)
from tests.e2e.conftest import OwnStack
from tests.e2e.ledger_life import ORDER_POINTS, acted, ordered, pointbook


def test_a_copy_is_put_back_and_what_was_done_before_it_is_still_a_duplicate(
    own: OwnStack, tmp_path: Path
) -> None:
    stack = own.start()
    dynamodb = aws(stack, "dynamodb")
    first, later = new_customer(), new_customer()
    run = f"run-{uuid.uuid4()}"
    acted(stack, "grant", first, 1000)
    before = acted(stack, "consume", first, 300, run)
    backup = dynamodb.create_backup(TableName=stack.table_name, BackupName="before")
    arn = backup["BackupDetails"]["BackupArn"]
    dynamodb.restore_table_from_backup(TargetTableName="as-it-was", BackupArn=arn)

    since = f"run-{uuid.uuid4()}"
    acted(stack, "consume", first, 600, since)
    acted(stack, "grant", later, 50)
    order = ordered(stack, later)
    wait_until(lambda: approved(stack, later) == 50 + ORDER_POINTS)
    assert approved(stack, first) == 100
    dry = pointbook(tmp_path, "restore", "--from-table", "as-it-was", "--dry-run")
    assert dry["deleted"]["accounts"] == 1
    assert approved(stack, first) == 100

    done = pointbook(tmp_path, "restore", "--from-table", "as-it-was", "--yes")
    assert done["verified"]["faults"] == []
    assert pointbook(tmp_path, "verify")["faults"] == []
    assert (approved(stack, first), approved(stack, later)) == (700, 0)
    assert acted(stack, "consume", first, 300, run) == before | {"duplicate": True}
    again = acted(stack, "consume", first, 600, since)
    assert (again["duplicate"], again["approved"]) == (False, 100)

    found = pointbook(tmp_path, "orders", "--since", order["created_at"])
    assert (found["compared"], found["fed"]) == (1, 1)
    wait_until(lambda: approved(stack, later) == ORDER_POINTS)

    for mapping in aws(stack, "lambda").list_event_source_mappings()["EventSourceMappings"]:
        assert mapping["State"] == "Enabled"
    health = call(f"{stack.api_url}/v1/health", headers=bearer(first))
    assert health.status_code == 200


def test_planted_damage_is_named_on_the_running_stack(stack: Stack, tmp_path: Path) -> None:
    stack.write(tmp_path / "stack.json")
    customer = new_customer()
    acted(stack, "grant", customer, 10)
    assert pointbook(tmp_path, "verify", customer)["faults"] == []
    dynamodb = aws(stack, "dynamodb")
    key = keys.key(keys.customer(demo.SHOP_DOMAIN, customer), keys.entry(1))
    item = dynamodb.get_item(TableName=stack.table_name, Key=key)["Item"]
    dynamodb.put_item(TableName=stack.table_name, Item={**item, "source": {"S": "manual"}})
    (fault,) = pointbook(tmp_path, "verify", status=1)["faults"]
    assert (fault["customer_id"], fault["kind"], fault["version"]) == (customer, "hash", 1)
    dynamodb.put_item(TableName=stack.table_name, Item=item)


@pytest.mark.usefixtures("local_commands")
def test_stopped_functions_do_nothing_and_those_without_the_table_go_on(stack: Stack) -> None:
    functions, customer = Functions(target.target_of(None)), new_customer()
    run = f"run-{uuid.uuid4()}"
    try:
        functions.stop()
        assert flow(stack, "grant", customer, run, points=10).status_code >= 429, "on AWS it is 429"
        page = call(f"{stack.api_url}/v1/customers/me/points", headers=bearer(customer))
        assert page.status_code >= 429
        assert call(f"{stack.api_url}/v1/health").status_code == 200
    finally:
        functions.start()
    answer = flow(stack, "grant", customer, run, points=10)
    assert answer.json()["return_value"]["duplicate"] is False
    assert approved(stack, customer) == 10
