"""On the running stack: heads of chains are recorded, and what they alone show is found."""

from dataclasses import replace
from pathlib import Path

from local import demo
from pointbook.domain.chain import hash_of
from pointbook.store import items, keys
from pointbook.store.table import Table
from tests.e2e.calls import aws, flow, invoke, new_customer, pass_time
from tests.e2e.conftest import OwnStack
from tests.e2e.ledger_life import pointbook


def test_a_deleted_account_and_a_rewritten_chain_are_named(own: OwnStack, tmp_path: Path) -> None:
    stack = own.start()
    table = Table(aws(stack, "dynamodb"), stack.table_name)
    deleted, rewritten = new_customer(), new_customer()
    for customer in (deleted, rewritten):
        assert flow(stack, "grant", customer, "", points=10).status_code == 200
    pass_time(stack, 86_400)  # today's have been written by the schedule
    written = invoke(stack, "write_heads")
    assert written["complete"] is True
    assert written["heads"] >= 2
    assert invoke(stack, "write_heads")["heads"] == 0, "once a day"
    assert pointbook(tmp_path, "verify")["faults"] == []

    pk = {":pk": {"S": keys.customer(demo.SHOP_DOMAIN, deleted)}}
    for item in list(table.query("pk = :pk", pk)):
        table.delete(keys.key_of(item))
    _rewrite(table, rewritten)
    assert pointbook(tmp_path, "verify", "--no-heads")["faults"] == [], "as if nothing were wrong"
    faults = pointbook(tmp_path, "verify", status=1)["faults"]
    found = {(one["customer_id"], one["kind"], one["version"]) for one in faults}
    assert found == {(deleted, "gone", 0), (rewritten, "rewritten", 1)}


def _rewrite(table: Table, customer: str) -> None:
    """Have somebody else give the points, and compute the hashes anew."""
    stored = table.get(keys.account(demo.SHOP_DOMAIN, customer))
    entry = table.get(keys.key(keys.customer(demo.SHOP_DOMAIN, customer), keys.entry(1)))
    assert stored is not None
    assert entry is not None
    account, booked = items.account_of(stored), items.entry_of(entry)
    assert account.version == 1
    cause = replace(booked.cause, actor="somebody else")
    head = hash_of(booked.entry, account.account_id, cause, booked.text_digest, "")
    table.put(items.entry_item(demo.SHOP_DOMAIN, replace(booked, cause=cause, entry_hash=head)))
    table.put(items.account_item(demo.SHOP_DOMAIN, replace(account, head=head)))
