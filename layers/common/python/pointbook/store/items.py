"""Accounts, entries and idempotency records as items of the table, and back.

Each item has a `schema` number, so that a later release can read what an earlier one wrote.
"""

from collections.abc import Mapping

from pointbook.domain.account import Account, Hold, HoldState, HourlyCount
from pointbook.domain.buckets import Balances, Bucket, Figures, Moves
from pointbook.domain.chain import BookedEntry, Cause, Text
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import parse_rule, rule_text
from pointbook.domain.ports import DueKind, IdempotencyRecord
from pointbook.store import keys
from pointbook.store.fields import (
    BOOLEAN,
    HASH,
    INSTANT,
    LOTS,
    NUMBER,
    TEXT,
    TEXTS,
    Codec,
    Format,
    numbers_of,
    one_of,
)
from pointbook.store.values import Item, Stored, fields_of, int_of, mapping, number, text, text_of

SCHEMA: Item = {"schema": number(1)}
"""The schema of every item that this release writes."""


def _moves_of(value: Stored) -> Moves:
    """The moves in the order in which they are hashed: that of the buckets."""
    moves: Mapping[str, Stored] = fields_of(value)
    return tuple((bucket, int_of(moves[bucket])) for bucket in Bucket if bucket in moves)


_RULE = Format(lambda rule: text(rule_text(rule)), lambda value: parse_rule(text_of(value)))
_MOVES = Format(lambda moves: mapping({b.value: number(n) for b, n in moves}), _moves_of)
_COUNT = numbers_of(HourlyCount)

_HOLD = Codec(
    Hold,
    hold_id=TEXT.named("id"),
    points=NUMBER,
    lots=LOTS,
    ends_at=INSTANT,
    state=one_of(HoldState),
    code=TEXT.optional(""),
    lapsed_expiry=_RULE.optional(),
)

_ACCOUNT = Codec(
    Account,
    account_id=TEXT.named("book"),
    time_zone=TEXT,
    version=NUMBER,
    revision=NUMBER,
    as_of=INSTANT,
    last_at=INSTANT,
    balances=numbers_of(Balances),
    lots=LOTS,
    head=HASH,
    lapsed=LOTS.optional(()),
    hold=_HOLD.as_field.optional(),
    merged_into=TEXT.optional(),
    merged_from=TEXTS.optional(()),
    erased=BOOLEAN.optional(absent=False),
    flow_count=_COUNT.optional(),
    hold_count=_COUNT.optional(),
)

_ENTRY = Codec(
    Entry,
    version=NUMBER,
    topic=one_of(Topic),
    at=INSTANT,
    recorded_at=INSTANT,
    moves=_MOVES,
    lots=LOTS,
    held_lots=LOTS,
    figures=numbers_of(Figures),
    about=TEXT,
)
_CAUSE = Codec(Cause, source=TEXT, actor=TEXT, cause_entry_id=TEXT.named("cause"), depth=NUMBER)
_HASHES = Codec(BookedEntry, text_digest=HASH, previous_hash=HASH, entry_hash=HASH.named("hash"))
_TEXT = Codec(Text, reason=TEXT, salt=TEXT)

_IDEMPOTENCY_RECORD = Codec(
    IdempotencyRecord,
    content_hash=HASH.named("content"),
    entry_ids=TEXTS,
    figures=numbers_of(Figures),
)


def account_item(shop: str, account: Account) -> Item:
    """The account. Its due attributes put it on the indexes of what falls due next."""
    key = keys.account(shop, account.customer_id)
    item = {**key, **SCHEMA, **_ACCOUNT.write(account)}
    for kind, due_at in ((DueKind.HOLD, account.hold_end), (DueKind.LOT, account.next_lapse)):
        if due_at is not None:
            item |= keys.due_attributes(kind, key, due_at)
    return item


def account_of(item: Stored) -> Account:
    """The account that an item holds."""
    return _ACCOUNT.read(item, customer_id=_customer_of(item))


def entry_item(shop: str, booked: BookedEntry) -> Item:
    """One entry. `reason`, `salt` and `cause` can be erased; the hash covers everything else."""
    entry = booked.entry
    return {
        **keys.key(keys.customer(shop, entry.customer_id), keys.entry(entry.version)),
        **SCHEMA,
        **_ENTRY.write(entry),
        **_CAUSE.write(booked.cause),
        **_HASHES.write(booked),
        **(_TEXT.write(booked.text) if booked.text else {}),
    }


def entry_of(item: Stored) -> BookedEntry:
    """The entry that an item holds."""
    return _HASHES.read(
        item,
        entry=_ENTRY.read(item, customer_id=_customer_of(item)),
        cause=_CAUSE.read(item),
        text=_TEXT.read(item) if "reason" in item else None,
    )


def idempotency_item(shop: str, customer_id: str, record: IdempotencyRecord) -> Item:
    """The record of a request, under the customer as the request named them."""
    key = keys.key(keys.customer(shop, customer_id), keys.idempotency_record(record.key_hash))
    return {**key, **SCHEMA, **_IDEMPOTENCY_RECORD.write(record)}


def idempotency_record_of(item: Stored) -> IdempotencyRecord:
    """The record that an item holds."""
    key_hash = text_of(item["sk"]).removeprefix(keys.idempotency_record(""))
    return _IDEMPOTENCY_RECORD.read(item, key_hash=key_hash)


def _customer_of(item: Stored) -> str:
    return keys.parse(text_of(item["pk"]))[1]
