"""Accounts, entries and idempotency records as items of the table, and back.

Each item has a `schema` number, so that a later release can read what an earlier one wrote.
"""

from collections.abc import Mapping

from pointbook.domain.account import Account, Hold, HoldState, Pace
from pointbook.domain.buckets import Balances, Bucket, Figures
from pointbook.domain.chain import BookedEntry, Cause, Text
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import parse_rule, rule_text
from pointbook.domain.ports import DueKind, IdempotencyRecord
from pointbook.store import keys
from pointbook.store.values import (
    Item,
    Stored,
    boolean,
    fields_of,
    hashed,
    hex_of,
    instant,
    instant_of,
    int_of,
    ints_of,
    lots,
    lots_of,
    mapping,
    number,
    numbers,
    optional_text,
    optional_texts,
    text,
    text_of,
    texts,
    texts_of,
)

SCHEMA: Item = {"schema": number(1)}
"""The schema of every item that this release writes."""


def account_item(shop: str, account: Account) -> Item:
    """The account. Its due attributes put it on the indexes of what falls due next."""
    key = keys.account(shop, account.customer_id)
    item: Item = {
        **key,
        **SCHEMA,
        "book": text(account.book_id),
        "time_zone": text(account.time_zone),
        "version": number(account.version),
        "revision": number(account.revision),
        "as_of": instant(account.as_of),
        "last_at": instant(account.last_at),
        "balances": numbers(account.balances),
        "lots": lots(account.lots),
        "head": hashed(account.head),
    }
    item |= _optional_fields(account)
    for kind, due_at in ((DueKind.HOLD, account.hold_end), (DueKind.LOT, account.next_lapse)):
        if due_at is not None:
            item |= keys.due_attributes(kind, key, due_at)
    return item


def _optional_fields(account: Account) -> Item:
    """Attributes that most accounts do not have."""
    item: Item = {}
    if account.lapsed:
        item["lapsed"] = lots(account.lapsed)
    if account.hold is not None:
        item["hold"] = mapping(_hold_fields(account.hold))
    if account.merged_into is not None:
        item["merged_into"] = text(account.merged_into)
    if account.merged_from:
        item["merged_from"] = texts(account.merged_from)
    if account.erased:
        item["erased"] = boolean(True)
    for name, pace in (("flow_pace", account.flow_pace), ("hold_pace", account.hold_pace)):
        if pace is not None:
            item[name] = numbers((pace.hour, pace.commands))
    return item


def account_of(item: Stored) -> Account:
    """The account that an item holds."""
    _, customer_id = keys.parse(text_of(item["pk"]))
    return Account(
        customer_id=customer_id,
        book_id=text_of(item["book"]),
        time_zone=text_of(item["time_zone"]),
        version=int_of(item["version"]),
        revision=int_of(item["revision"]),
        as_of=instant_of(item["as_of"]),
        last_at=instant_of(item["last_at"]),
        balances=Balances(*ints_of(item["balances"])),
        lots=lots_of(item["lots"]),
        hold=_hold_of(fields_of(item["hold"])) if "hold" in item else None,
        lapsed=lots_of(item["lapsed"]) if "lapsed" in item else (),
        head=hex_of(item["head"]),
        merged_into=optional_text(item, "merged_into"),
        merged_from=optional_texts(item, "merged_from"),
        erased="erased" in item,
        flow_pace=_pace_of(item, "flow_pace"),
        hold_pace=_pace_of(item, "hold_pace"),
    )


def _pace_of(item: Stored, name: str) -> Pace | None:
    return Pace(*ints_of(item[name])) if name in item else None


def entry_item(shop: str, booked: BookedEntry) -> Item:
    """One entry. `reason`, `salt` and `cause` can be erased; the hash covers everything else."""
    entry, cause = booked.entry, booked.cause
    item: Item = {
        **keys.key(keys.customer(shop, entry.customer_id), keys.entry(entry.version)),
        **SCHEMA,
        "version": number(entry.version),
        "topic": text(entry.topic),
        "at": instant(entry.at),
        "recorded_at": instant(entry.recorded_at),
        "moves": mapping({bucket.value: number(change) for bucket, change in entry.moves}),
        "lots": lots(entry.lots),
        "held_lots": lots(entry.held_lots),
        "figures": numbers(entry.figures),
        "about": text(entry.about),
        "source": text(cause.source),
        "actor": text(cause.actor),
        "cause": text(cause.cause_entry_id),
        "depth": number(cause.depth),
        "text_digest": hashed(booked.text_digest),
        "previous_hash": hashed(booked.previous_hash),
        "hash": hashed(booked.entry_hash),
    }
    if booked.text is not None:
        item |= {"reason": text(booked.text.reason), "salt": text(booked.text.salt)}
    return item


def entry_of(item: Stored) -> BookedEntry:
    """The entry that an item holds."""
    _, customer_id = keys.parse(text_of(item["pk"]))
    moves = {name: int_of(change) for name, change in fields_of(item["moves"]).items()}
    return BookedEntry(
        entry=Entry(
            customer_id=customer_id,
            version=int_of(item["version"]),
            topic=Topic(text_of(item["topic"])),
            at=instant_of(item["at"]),
            recorded_at=instant_of(item["recorded_at"]),
            moves=_ordered_moves(moves),
            lots=lots_of(item["lots"]),
            held_lots=lots_of(item["held_lots"]),
            figures=Figures(*ints_of(item["figures"])),
            about=text_of(item["about"]),
        ),
        cause=Cause(
            text_of(item["source"]),
            text_of(item["actor"]),
            text_of(item["cause"]),
            int_of(item["depth"]),
        ),
        text=Text(text_of(item["reason"]), text_of(item["salt"])) if "reason" in item else None,
        text_digest=hex_of(item["text_digest"]),
        previous_hash=hex_of(item["previous_hash"]),
        entry_hash=hex_of(item["hash"]),
    )


def idempotency_item(shop: str, customer_id: str, record: IdempotencyRecord) -> Item:
    """The record of a request, under the customer as the request named them."""
    return {
        **keys.key(keys.customer(shop, customer_id), keys.idempotency_record(record.key_hash)),
        **SCHEMA,
        "content": hashed(record.content_hash),
        "entry_ids": texts(record.entry_ids),
        "figures": numbers(record.figures),
    }


def idempotency_record_of(item: Stored) -> IdempotencyRecord:
    """The record that an item holds."""
    return IdempotencyRecord(
        key_hash=text_of(item["sk"]).removeprefix(keys.idempotency_record("")),
        content_hash=hex_of(item["content"]),
        entry_ids=texts_of(item["entry_ids"]),
        figures=Figures(*ints_of(item["figures"])),
    )


def _hold_fields(hold: Hold) -> Item:
    fields: Item = {
        "id": text(hold.hold_id),
        "points": number(hold.points),
        "lots": lots(hold.lots),
        "ends_at": instant(hold.ends_at),
        "state": text(hold.state),
    }
    if hold.code:
        fields["code"] = text(hold.code)
    if hold.lapsed_expiry is not None:
        fields["lapsed_expiry"] = text(rule_text(hold.lapsed_expiry))
    return fields


def _hold_of(fields: Stored) -> Hold:
    return Hold(
        hold_id=text_of(fields["id"]),
        points=int_of(fields["points"]),
        lots=lots_of(fields["lots"]),
        ends_at=instant_of(fields["ends_at"]),
        state=HoldState(text_of(fields["state"])),
        lapsed_expiry=(
            parse_rule(text_of(fields["lapsed_expiry"])) if "lapsed_expiry" in fields else None
        ),
        code=text_of(fields["code"]) if "code" in fields else "",
    )


def _ordered_moves(moves: Mapping[str, int]) -> tuple[tuple[Bucket, int], ...]:
    """The moves in the one order in which they are sealed: that of the buckets."""
    return tuple((bucket, moves[bucket]) for bucket in Bucket if bucket in moves)
