"""Domain objects as items of the table, and back. The only place that knows attribute names.

Each item carries a `schema` number, so that a later version can read what an earlier one wrote.
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
    due,
    hashed,
    head,
    hex_of,
    instant,
    instant_of,
    int_of,
    ints_of,
    lots,
    lots_of,
    number,
    numbers,
    optional_text,
    text,
    texts_of,
)


def account_item(shop: str, account: Account) -> Item:
    """The account. Its due attributes put it on the indexes of what falls due next."""
    book_key = keys.book(shop, account.customer_id)
    item: Item = {
        **head(book_key, keys.ACCOUNT),
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
    item |= _if_any(account)
    for kind, due_at in (
        (DueKind.HOLD, account.hold_end),
        (DueKind.LOT, account.next_lapse),
    ):
        if due_at is not None:
            item |= due(kind, book_key, due_at)
    return item


def _if_any(account: Account) -> Item:
    """What most accounts do not have."""
    item: Item = {}
    if account.lapsed:
        item["lapsed"] = lots(account.lapsed)
    if account.hold is not None:
        item["hold"] = {"M": _hold_fields(account.hold)}
    if account.merged_into is not None:
        item["merged_into"] = text(account.merged_into)
    if account.merged_from:
        item["merged_from"] = {"L": [text(customer_id) for customer_id in account.merged_from]}
    if account.erased:
        item["erased"] = {"BOOL": True}
    for name, pace in (("flow_pace", account.flow_pace), ("hold_pace", account.hold_pace)):
        if pace is not None:
            item[name] = numbers((pace.hour, pace.commands))
    return item


def account_of(item: Stored) -> Account:
    """The account that an item holds."""
    _, customer_id = keys.parse(item["pk"]["S"])
    return Account(
        customer_id=customer_id,
        book_id=item["book"]["S"],
        time_zone=item["time_zone"]["S"],
        version=int_of(item["version"]),
        revision=int_of(item["revision"]),
        as_of=instant_of(item["as_of"]),
        last_at=instant_of(item["last_at"]),
        balances=Balances(*ints_of(item["balances"])),
        lots=lots_of(item["lots"]),
        hold=_hold_of(item["hold"]["M"]) if "hold" in item else None,
        lapsed=lots_of(item["lapsed"]) if "lapsed" in item else (),
        head=hex_of(item["head"]),
        merged_into=optional_text(item, "merged_into"),
        merged_from=texts_of(item, "merged_from"),
        erased="erased" in item,
        flow_pace=_pace_of(item, "flow_pace"),
        hold_pace=_pace_of(item, "hold_pace"),
    )


def _pace_of(item: Stored, name: str) -> Pace | None:
    return Pace(*ints_of(item[name])) if name in item else None


def entry_item(shop: str, booked: BookedEntry) -> Item:
    """One entry. `reason` and `salt` can be erased; everything else is sealed."""
    entry, cause = booked.entry, booked.cause
    item: Item = {
        **head(keys.book(shop, entry.customer_id), keys.entry(entry.version)),
        "version": number(entry.version),
        "topic": text(entry.topic),
        "at": instant(entry.at),
        "recorded_at": instant(entry.recorded_at),
        "moves": {"M": {bucket.value: number(change) for bucket, change in entry.moves}},
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
    _, customer_id = keys.parse(item["pk"]["S"])
    moves = {name: int_of(change) for name, change in item["moves"]["M"].items()}
    return BookedEntry(
        entry=Entry(
            customer_id=customer_id,
            version=int_of(item["version"]),
            topic=Topic(item["topic"]["S"]),
            at=instant_of(item["at"]),
            recorded_at=instant_of(item["recorded_at"]),
            moves=_ordered_moves(moves),
            lots=lots_of(item["lots"]),
            held_lots=lots_of(item["held_lots"]),
            figures=Figures(*ints_of(item["figures"])),
            about=item["about"]["S"],
        ),
        cause=Cause(
            item["source"]["S"], item["actor"]["S"], item["cause"]["S"], int_of(item["depth"])
        ),
        text=Text(item["reason"]["S"], item["salt"]["S"]) if "reason" in item else None,
        text_digest=hex_of(item["text_digest"]),
        previous_hash=hex_of(item["previous_hash"]),
        entry_hash=hex_of(item["hash"]),
    )


def remembered_item(shop: str, customer_id: str, remembered: IdempotencyRecord) -> Item:
    """The record of a request, under the customer as the request named them."""
    return {
        **head(keys.book(shop, customer_id), keys.remembered(remembered.key_hash)),
        "content": hashed(remembered.content_hash),
        "entry_ids": {"L": [text(entry_id) for entry_id in remembered.entry_ids]},
        "figures": numbers(remembered.figures),
    }


def remembered_of(item: Stored) -> IdempotencyRecord:
    """The record that an item holds."""
    return IdempotencyRecord(
        key_hash=item["sk"]["S"].removeprefix(keys.remembered("")),
        content_hash=hex_of(item["content"]),
        entry_ids=tuple(value["S"] for value in item["entry_ids"]["L"]),
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
        hold_id=fields["id"]["S"],
        points=int_of(fields["points"]),
        lots=lots_of(fields["lots"]),
        ends_at=instant_of(fields["ends_at"]),
        state=HoldState(fields["state"]["S"]),
        lapsed_expiry=(
            parse_rule(fields["lapsed_expiry"]["S"]) if "lapsed_expiry" in fields else None
        ),
        code=fields["code"]["S"] if "code" in fields else "",
    )


def _ordered_moves(moves: Mapping[str, int]) -> tuple[tuple[Bucket, int], ...]:
    """The moves in the one order in which they are sealed: that of the buckets."""
    return tuple((bucket, moves[bucket]) for bucket in Bucket if bucket in moves)
