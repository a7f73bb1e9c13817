"""Hold records and orphaned discount codes as items of the table, and back."""

from datetime import datetime

from pointbook.domain.account import HoldRecord, OrphanedCode
from pointbook.domain.ports import DueKind
from pointbook.store import keys
from pointbook.store.fields import INSTANT, LOTS, NUMBER, TEXT, TEXTS, Codec
from pointbook.store.items import SCHEMA
from pointbook.store.values import Item, Stored, int_of, number

_HOLD_RECORD = Codec(
    HoldRecord,
    hold_id=TEXT,
    customer_id=TEXT.named("customer"),
    points=NUMBER,
    lots=LOTS,
    revision=NUMBER,
    orders=TEXTS,
    code=TEXT,
    worth_minor=NUMBER,
)
_ORPHANED_CODE = Codec(OrphanedCode, hold_id=TEXT, code=TEXT, until=INSTANT)


def hold_record_item(shop: str, record: HoldRecord) -> Item:
    """The record of a hold, which is kept for ever."""
    return {**keys.hold(shop, record.hold_id), **SCHEMA, **_HOLD_RECORD.write(record)}


def hold_record_of(item: Stored) -> HoldRecord:
    """The hold record that an item holds."""
    return _HOLD_RECORD.read(item)


def orphaned_code_item(
    shop: str, code: OrphanedCode, attempts: int, next_attempt_at: datetime
) -> Item:
    """A code to be deactivated, the number of attempts so far, and when the next one is due."""
    key = keys.orphaned_code(shop, code.hold_id)
    due = keys.due_attributes(DueKind.CODE, key, next_attempt_at)
    return {**key, **SCHEMA, **_ORPHANED_CODE.write(code), "attempts": number(attempts), **due}


def orphaned_code_of(item: Stored) -> tuple[OrphanedCode, int]:
    """The code that an item holds, and the number of attempts so far."""
    return _ORPHANED_CODE.read(item), int_of(item["attempts"])
