"""Requests to DynamoDB, built as plain dicts: what is sent can be read and tested without AWS.

The conditions have names. Everything that a decision rests on is either guarded by one of them or
read again before anything is refused.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pointbook.domain.account import BEGINNING
from pointbook.domain.chain import milliseconds
from pointbook.domain.ports import DueKind, ReadRequest, Write
from pointbook.store import items, keys
from pointbook.store import order_items as papers
from pointbook.store.values import Item

type Request = dict[str, Any]

ABSENT = "attribute_not_exists(pk)"
UNCHANGED = "revision = :read_revision"
NOT_ERASED = "attribute_not_exists(erased)"


def wanted_keys(wanted: ReadRequest) -> dict[str, Item]:
    """The key of each thing wanted, by the name of the field of `Loaded` that it fills."""
    found: dict[str, Item] = {}
    if wanted.customer_id is not None:
        book = keys.book(wanted.shop, wanted.customer_id)
        found["account"] = _key(book, keys.ACCOUNT)
        if wanted.key_hash is not None:
            found["idempotency_record"] = _key(book, keys.remembered(wanted.key_hash))
    if wanted.order_id is not None:
        found["order"] = _key(keys.order(wanted.shop, wanted.order_id), keys.ORDER)
    if wanted.hold_id is not None:
        found["hold_record"] = _key(keys.hold_record(wanted.shop, wanted.hold_id), keys.HOLD_RECORD)
    return found


def cheap_read(table: str, wanted: ReadRequest) -> Request:
    """BatchGetItem, eventually consistent: half a read unit an item, may be old or torn."""
    return {"RequestItems": {table: {"Keys": list(wanted_keys(wanted).values())}}}


def fresh_read(table: str, wanted: ReadRequest) -> Request:
    """TransactGetItems: one snapshot, nothing older than the call."""
    return {
        "TransactItems": [
            {"Get": {"TableName": table, "Key": key}} for key in wanted_keys(wanted).values()
        ]
    }


def fresh_account(table: str, shop: str, customer_id: str) -> Request:
    """GetItem of one account, consistent."""
    key = _key(keys.book(shop, customer_id), keys.ACCOUNT)
    return {"TableName": table, "Key": key, "ConsistentRead": True}


def transaction(table: str, write: Write) -> Request:
    """TransactWriteItems: accounts first, then their entries, then the rest, as `Verdict` reads it.

    An account, an order, a hold record: unchanged since it was read. An entry, a remembered
    request: not there yet. Each alone would stop a lost update; both stand. A request or an order
    that is kept under another name than the account's (its customer was merged): that customer is
    not erased.
    """
    actions = [{"Put": put} for put in _puts(table, write)]
    checked = [{"ConditionCheck": check} for check in _checks(table, write)]
    return {"TransactItems": [*actions, *checked]}


def entries(table: str, shop: str, customer_id: str, before_version: int, limit: int) -> Request:
    """Query: the latest entries below a version, newest first."""
    return {
        "TableName": table,
        "KeyConditionExpression": "pk = :book AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":book": {"S": keys.book(shop, customer_id)},
            ":first": {"S": keys.entry(1)},
            ":last": {"S": keys.entry(before_version - 1)},
        },
        "ScanIndexForward": False,
        "ConsistentRead": True,
        "Limit": limit,
    }


def due(table: str, kind: DueKind, shard: int, now: datetime) -> Request:
    """Query of one shard of one due index, the longest due first."""
    return {
        "TableName": table,
        "IndexName": f"due_{kind}",
        "KeyConditionExpression": f"due_{kind} = :shard AND due_{kind}_at <= :now",
        "ExpressionAttributeValues": {
            ":shard": {"S": keys.due(kind, shard)},
            ":now": {"N": str(milliseconds(now))},
        },
    }


def _puts(table: str, write: Write) -> Iterator[Request]:
    for part in write.accounts:
        item = items.account_item(write.shop, part.account)
        yield _put_unchanged(table, item, part.account.revision)
    for part in write.accounts:
        for booked in part.entries:
            yield _put_absent(table, items.entry_item(write.shop, booked))
    if write.idempotency_record is not None:
        yield _put_absent(
            table, items.remembered_item(write.shop, write.recorded_for, write.idempotency_record)
        )
    if write.order is not None:
        yield _put_unchanged(
            table, papers.order_item(write.shop, write.order), write.order.revision
        )
    if write.hold_record is not None:
        item = papers.hold_record_item(write.shop, write.hold_record)
        yield _put_unchanged(table, item, write.hold_record.revision)
    for loose in write.orphaned_codes:
        item = papers.orphaned_code_item(write.shop, loose, tries=0, next_try_at=BEGINNING)
        yield _put(table, item)


def _checks(table: str, write: Write) -> Iterator[Request]:
    for customer_id in sorted(
        _named(write) - {part.account.customer_id for part in write.accounts}
    ):
        yield {
            "TableName": table,
            "Key": _key(keys.book(write.shop, customer_id), keys.ACCOUNT),
            "ConditionExpression": NOT_ERASED,
        }


def _named(write: Write) -> set[str]:
    """Under whose name something is kept beside the accounts of a write.

    An order that is written without an account is only being renamed, or is nobody's.
    """
    named = {write.recorded_for} if write.idempotency_record is not None else set()
    if write.accounts and write.order is not None and write.order.customer_id is not None:
        named.add(write.order.customer_id)
    return named


def _put_unchanged(table: str, item: Item, new_revision: int) -> Request:
    """Put over the revision before; the first revision over nothing."""
    if new_revision == 1:
        return _put_absent(table, item)
    return {
        **_put(table, item),
        "ConditionExpression": UNCHANGED,
        "ExpressionAttributeValues": {":read_revision": {"N": str(new_revision - 1)}},
    }


def _put_absent(table: str, item: Item) -> Request:
    return {**_put(table, item), "ConditionExpression": ABSENT}


def _put(table: str, item: Item) -> Request:
    return {
        "TableName": table,
        "Item": item,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
