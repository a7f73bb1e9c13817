"""Each condition of a write by itself: what it is there to stop, it stops alone.

In practice the conditions cover each other: who changes an account also writes the next entry. So
only a table in which everything but one item is as it was read shows whether that item's condition
holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import Cause, Text, chain_entries
from pointbook.domain.commands import Grant
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.expiry import Never
from pointbook.domain.orders import Order
from pointbook.domain.ports import (
    AccountWrite,
    AlreadyDone,
    Committed,
    IdempotencyRecord,
    Loaded,
    ReadRequest,
    VersionConflict,
    Write,
)
from pointbook.domain.state import State
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.ledger_transactions import transaction
from pointbook.store.table import Put, Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.table import TABLE, create_table

SHOP = "tokyo"
NOW = datetime(2027, 1, 29, 15, tzinfo=UTC)
NAMES = ("account", "tombstone", "entry", "entry", "idempotency_record", "order", "hold_record")
"""What the puts of a write are, in their order. The tombstone is moved on, and has no entries."""


def wrong_condition_checks() -> Iterator[str]:
    """What is wrong: one line for each put that went through, or was not named as what it was."""
    for revision in (1, 2):
        write = _write(revision)
        if not isinstance(_commit(write, {}), Committed):
            yield f"revision {revision}: a write without a conflict is refused"
        for at, name in enumerate(NAMES):
            for spoilt in _spoilt(name, revision):
                verdict = _commit(write, {at: spoilt})
                expected = AlreadyDone if name == "idempotency_record" else VersionConflict
                if not isinstance(verdict, expected):
                    yield f"revision {revision}, {name} is {spoilt}: {verdict}"


def _spoilt(name: str, revision: int) -> list[int | None]:
    """Revisions at which somebody else may have left an item; None: it is not there."""
    if name in ("entry", "idempotency_record"):
        return [1]
    expected = revision - 1
    found: list[int | None] = [expected + 1, expected + 5]
    if expected:
        found += [None, *([expected - 1] if expected > 1 else [0])]
    return found


def _commit(write: Write, spoilt: Mapping[int, int | None]) -> object:
    """The verdict on a write in a table as it was read, except for the items that are spoilt."""
    engine = MemoryDynamoDB()
    create_table(engine)
    puts = [action for action in transaction(write) if isinstance(action, Put)]
    assert len(puts) == len(NAMES), "the parts of a write are not what they were"
    before = _revision(write) - 1
    for at, (name, put) in enumerate(zip(NAMES, puts, strict=True)):
        absent = name in ("entry", "idempotency_record") or before == 0
        present = spoilt.get(at, None if absent else before)
        if present is not None:
            _put(engine, put.item, present)
    table = engine.items(TABLE)
    store = DynamoStore(Table(engine, TABLE))
    verdict = store.commit(write)
    if not isinstance(verdict, Committed) and engine.items(TABLE) != table:
        return "something was written"
    if isinstance(verdict, Committed) and not _is_all_there(store, write):
        return "not all was written"
    return verdict


def _put(engine: MemoryDynamoDB, item: Mapping[str, Any], revision: int) -> None:
    """Put an item there, at a revision where it has one."""
    stored = {**item, **({"revision": {"N": str(revision)}} if "revision" in item else {})}
    engine.put_item(TableName=TABLE, Item=stored)


def _is_all_there(store: DynamoStore, write: Write) -> bool:
    record, order, hold = write.idempotency_record, write.order, write.hold_record
    assert record is not None
    assert order is not None
    assert hold is not None
    first, tombstone = (part.account for part in write.accounts)
    read = ReadRequest(SHOP, "7001", record.key_hash, order.order_id, hold.hold_id)
    found = (store.load(read, fresh=True), store.account(SHOP, "7002"))
    return found == (Loaded(first, record, order, hold), tombstone)


def _revision(write: Write) -> int:
    return write.accounts[0].account.revision


def _write(revision: int) -> Write:
    """A write of everything that a write can have, at a revision."""
    account = Account("7001", account_id="book", revision=revision - 1)
    first = _decided(account, 5)
    second = _decided(replace(first.account, revision=revision - 1), 7)
    entries = chain_entries(
        (*first.entries, *second.entries), "book", "", Cause("condition checks"), Text("", "salt")
    )
    account = replace(second.account, head=entries[-1].entry_hash)
    tombstone = Account("7002", account_id="other", revision=revision, merged_into="7001")
    return Write(
        shop=SHOP,
        accounts=(AccountWrite(account, entries), AccountWrite(tombstone, ())),
        idempotency_record=IdempotencyRecord(
            "aa" * 32, "bb" * 32, ("7001-1",), Figures(12, 0, 12, 12, 0, 0)
        ),
        recorded_for="7001",
        order=Order("901", revision=revision),
        hold_record=HoldRecord("h1", "7001", 5, (), revision=revision),
    )


def _decided(account: Account, points: int) -> Decision:
    decision = decide(State(account), Grant(points, Never()), NOW)
    assert isinstance(decision, Decision)
    return decision
