"""Hold records and orphaned discount codes as items of the table, and back."""

from datetime import datetime

from pointbook.domain.account import HoldRecord, OrphanedCode
from pointbook.domain.ports import DueKind
from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.values import (
    Item,
    Stored,
    instant,
    instant_of,
    int_of,
    lots,
    lots_of,
    number,
    text,
    text_of,
    texts,
    texts_of,
)


def hold_record_item(shop: str, record: HoldRecord) -> Item:
    """The record of a hold, which is kept for ever."""
    return {
        **keys.hold(shop, record.hold_id),
        **SCHEMA,
        "hold_id": text(record.hold_id),
        "customer": text(record.customer_id),
        "points": number(record.points),
        "lots": lots(record.lots),
        "revision": number(record.revision),
        "orders": texts(record.orders),
        "code": text(record.code),
        "worth_minor": number(record.worth_minor),
    }


def hold_record_of(item: Stored) -> HoldRecord:
    """The hold record that an item holds."""
    return HoldRecord(
        hold_id=text_of(item["hold_id"]),
        customer_id=text_of(item["customer"]),
        points=int_of(item["points"]),
        lots=lots_of(item["lots"]),
        revision=int_of(item["revision"]),
        orders=texts_of(item["orders"]),
        code=text_of(item["code"]),
        worth_minor=int_of(item["worth_minor"]),
    )


def orphaned_code_item(shop: str, code: OrphanedCode, tries: int, next_try_at: datetime) -> Item:
    """A code to be switched off, how often that was tried, and when it is tried next."""
    key = keys.orphaned_code(shop, code.hold_id)
    return {
        **key,
        **SCHEMA,
        "hold_id": text(code.hold_id),
        "code": text(code.code),
        "until": instant(code.until),
        "tries": number(tries),
        **keys.due_attributes(DueKind.CODE, key, next_try_at),
    }


def orphaned_code_of(item: Stored) -> tuple[OrphanedCode, int]:
    """The code that an item names, and how often it was tried."""
    code = OrphanedCode(text_of(item["hold_id"]), text_of(item["code"]), instant_of(item["until"]))
    return code, int_of(item["tries"])
