"""Domain objects as items of the table, and back. The only place that knows attribute names.

Each item carries a `schema` number, so that a later version can read what an earlier one wrote.
Instants are whole milliseconds, days are numbers like 20261231, hashes are bytes.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pointbook.domain.account import Account, Hold, HoldRecord, HoldState
from pointbook.domain.buckets import Balances, Bucket, Figures
from pointbook.domain.chain import BookedEntry, Cause, Text, milliseconds
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import parse_rule, rule_text
from pointbook.domain.lots import Lot, Lots
from pointbook.domain.orders import EarningRule, Order, Refund, Rounding, Spending
from pointbook.domain.ports import DueKind, Remembered
from pointbook.store import keys

SCHEMA = 1

type Value = dict[str, Any]
type Item = dict[str, Value]
type Stored = Mapping[str, Any]


def account_item(shop: str, account: Account) -> Item:
    """The account. Its due attributes put it on the indexes of what falls due next."""
    book_key = keys.book(shop, account.customer_id)
    item: Item = {
        **_head(book_key, keys.ACCOUNT),
        "book": _text(account.book_id),
        "time_zone": _text(account.time_zone),
        "version": _number(account.version),
        "revision": _number(account.revision),
        "as_of": _instant(account.as_of),
        "last_at": _instant(account.last_at),
        "balances": _numbers(account.balances),
        "lots": _lots(account.lots),
        "head": _hash(account.head),
    }
    if account.lapsed:
        item["lapsed"] = _lots(account.lapsed)
    if account.hold is not None:
        item["hold"] = {"M": _hold_fields(account.hold)}
    if account.merged_into is not None:
        item["merged_into"] = _text(account.merged_into)
    for kind, due_at in (
        (DueKind.HOLD, account.hold_end),
        (DueKind.LOT, account.next_lapse),
    ):
        if due_at is not None:
            item[f"due_{kind}"] = _text(keys.due_of(kind, book_key))
            item[f"due_{kind}_at"] = _instant(due_at)
    return item


def account_of(item: Stored) -> Account:
    """The account that an item holds."""
    _, customer_id = keys.parse_book(item["pk"]["S"])
    return Account(
        customer_id=customer_id,
        book_id=item["book"]["S"],
        time_zone=item["time_zone"]["S"],
        version=_int(item["version"]),
        revision=_int(item["revision"]),
        as_of=_datetime(item["as_of"]),
        last_at=_datetime(item["last_at"]),
        balances=Balances(*_ints(item["balances"])),
        lots=_lots_of(item["lots"]),
        hold=_hold_of(item["hold"]["M"]) if "hold" in item else None,
        lapsed=_lots_of(item["lapsed"]) if "lapsed" in item else (),
        head=_hex(item["head"]),
        merged_into=_optional_text(item, "merged_into"),
    )


def entry_item(shop: str, booked: BookedEntry) -> Item:
    """One entry. `reason` and `salt` can be erased; everything else is sealed."""
    entry, cause = booked.entry, booked.cause
    item: Item = {
        **_head(keys.book(shop, entry.customer_id), keys.entry(entry.version)),
        "version": _number(entry.version),
        "topic": _text(entry.topic),
        "at": _instant(entry.at),
        "recorded_at": _instant(entry.recorded_at),
        "moves": {"M": {bucket.value: _number(change) for bucket, change in entry.moves}},
        "lots": _lots(entry.lots),
        "held_lots": _lots(entry.held_lots),
        "figures": _numbers(entry.figures),
        "about": _text(entry.about),
        "source": _text(cause.source),
        "actor": _text(cause.actor),
        "cause": _text(cause.cause_entry_id),
        "text_digest": _hash(booked.text_digest),
        "previous_hash": _hash(booked.previous_hash),
        "hash": _hash(booked.entry_hash),
    }
    if booked.text is not None:
        item |= {"reason": _text(booked.text.reason), "salt": _text(booked.text.salt)}
    return item


def entry_of(item: Stored) -> BookedEntry:
    """The entry that an item holds."""
    _, customer_id = keys.parse_book(item["pk"]["S"])
    moves = {name: _int(change) for name, change in item["moves"]["M"].items()}
    return BookedEntry(
        entry=Entry(
            customer_id=customer_id,
            version=_int(item["version"]),
            topic=Topic(item["topic"]["S"]),
            at=_datetime(item["at"]),
            recorded_at=_datetime(item["recorded_at"]),
            moves=_ordered_moves(moves),
            lots=_lots_of(item["lots"]),
            held_lots=_lots_of(item["held_lots"]),
            figures=Figures(*_ints(item["figures"])),
            about=item["about"]["S"],
        ),
        cause=Cause(item["source"]["S"], item["actor"]["S"], item["cause"]["S"]),
        text=Text(item["reason"]["S"], item["salt"]["S"]) if "reason" in item else None,
        text_digest=_hex(item["text_digest"]),
        previous_hash=_hex(item["previous_hash"]),
        entry_hash=_hex(item["hash"]),
    )


def remembered_item(shop: str, customer_id: str, remembered: Remembered) -> Item:
    """The record of a request, under the customer as the request named them."""
    return {
        **_head(keys.book(shop, customer_id), keys.remembered(remembered.key_hash)),
        "content": _hash(remembered.content_hash),
        "entry_ids": {"L": [_text(entry_id) for entry_id in remembered.entry_ids]},
        "figures": _numbers(remembered.figures),
    }


def remembered_of(item: Stored) -> Remembered:
    """The record that an item holds."""
    return Remembered(
        key_hash=item["sk"]["S"].removeprefix(keys.remembered("")),
        content_hash=_hex(item["content"]),
        entry_ids=tuple(value["S"] for value in item["entry_ids"]["L"]),
        figures=Figures(*_ints(item["figures"])),
    )


def hold_record_item(shop: str, code: str, record: HoldRecord) -> Item:
    """What is kept of a hold for ever, found by its code."""
    return {
        **_head(keys.hold_record(shop, code), keys.HOLD_RECORD),
        "hold_id": _text(record.hold_id),
        "customer": _text(record.customer_id),
        "points": _number(record.points),
        "lots": _lots(record.lots),
        "revision": _number(record.revision),
        "orders": {"L": [_text(order_id) for order_id in record.orders]},
    }


def hold_record_of(item: Stored) -> HoldRecord:
    """The hold record that an item holds."""
    return HoldRecord(
        hold_id=item["hold_id"]["S"],
        customer_id=item["customer"]["S"],
        points=_int(item["points"]),
        lots=_lots_of(item["lots"]),
        revision=_int(item["revision"]),
        orders=tuple(value["S"] for value in item["orders"]["L"]),
    )


def order_item(shop: str, order: Order) -> Item:
    """What is known of an order."""
    item: Item = {
        **_head(keys.order(shop, order.order_id), keys.ORDER),
        "order_id": _text(order.order_id),
        "revision": _number(order.revision),
        "confirmed": {"BOOL": order.confirmed},
        "cancelled": {"BOOL": order.cancelled},
        "refunds": {"L": [{"M": _refund_fields(refund)} for refund in order.refunds]},
        "pending": _number(order.pending_points),
        "approved": _number(order.approved_points),
        "grant_lots": _lots(order.grant_lots),
        "spendings": {"L": [{"M": _spending_fields(s)} for s in order.spendings]},
    }
    if order.customer_id is not None:
        item["customer"] = _text(order.customer_id)
    if order.updated_at is not None:
        item["updated_at"] = _instant(order.updated_at)
    if order.base_minor is not None:
        item["base_minor"] = _number(order.base_minor)
    if order.rule is not None:
        item["rule"] = {"M": _earning_fields(order.rule)}
    return item


def order_of(item: Stored) -> Order:
    """The order that an item holds."""
    return Order(
        order_id=item["order_id"]["S"],
        customer_id=_optional_text(item, "customer"),
        revision=_int(item["revision"]),
        updated_at=_datetime(item["updated_at"]) if "updated_at" in item else None,
        base_minor=_int(item["base_minor"]) if "base_minor" in item else None,
        rule=_earning_of(item["rule"]["M"]) if "rule" in item else None,
        confirmed=item["confirmed"]["BOOL"],
        cancelled=item["cancelled"]["BOOL"],
        refunds=tuple(_refund_of(value["M"]) for value in item["refunds"]["L"]),
        pending_points=_int(item["pending"]),
        approved_points=_int(item["approved"]),
        grant_lots=_lots_of(item["grant_lots"]),
        spendings=tuple(_spending_of(value["M"]) for value in item["spendings"]["L"]),
    )


def _hold_fields(hold: Hold) -> Item:
    fields: Item = {
        "id": _text(hold.hold_id),
        "points": _number(hold.points),
        "lots": _lots(hold.lots),
        "ends_at": _instant(hold.ends_at),
        "state": _text(hold.state),
    }
    if hold.lapsed_expiry is not None:
        fields["lapsed_expiry"] = _text(rule_text(hold.lapsed_expiry))
    return fields


def _hold_of(fields: Stored) -> Hold:
    return Hold(
        hold_id=fields["id"]["S"],
        points=_int(fields["points"]),
        lots=_lots_of(fields["lots"]),
        ends_at=_datetime(fields["ends_at"]),
        state=HoldState(fields["state"]["S"]),
        lapsed_expiry=(
            parse_rule(fields["lapsed_expiry"]["S"]) if "lapsed_expiry" in fields else None
        ),
    )


def _refund_fields(refund: Refund) -> Item:
    return {"id": _text(refund.refund_id), "base_minor": _number(refund.base_minor)}


def _refund_of(fields: Stored) -> Refund:
    return Refund(fields["id"]["S"], _int(fields["base_minor"]))


def _spending_fields(spending: Spending) -> Item:
    return {
        "hold_id": _text(spending.hold_id),
        "customer": _text(spending.customer_id),
        "points": _number(spending.points),
        "lots": _lots(spending.lots),
        "given_back": {"BOOL": spending.given_back},
    }


def _spending_of(fields: Stored) -> Spending:
    return Spending(
        hold_id=fields["hold_id"]["S"],
        customer_id=fields["customer"]["S"],
        points=_int(fields["points"]),
        lots=_lots_of(fields["lots"]),
        given_back=fields["given_back"]["BOOL"],
    )


def _earning_fields(rule: EarningRule) -> Item:
    return {
        "unit_minor": _number(rule.unit_minor),
        "points_per_unit": _number(rule.points_per_unit),
        "multiplier_percent": _number(rule.multiplier_percent),
        "rounding": _text(rule.rounding),
        "programme_version": _number(rule.programme_version),
    }


def _earning_of(fields: Stored) -> EarningRule:
    return EarningRule(
        unit_minor=_int(fields["unit_minor"]),
        points_per_unit=_int(fields["points_per_unit"]),
        multiplier_percent=_int(fields["multiplier_percent"]),
        rounding=Rounding(fields["rounding"]["S"]),
        programme_version=_int(fields["programme_version"]),
    )


def _head(pk: str, sk: str) -> Item:
    return {"pk": _text(pk), "sk": _text(sk), "schema": _number(SCHEMA)}


def _text(value: str) -> Value:
    return {"S": str(value)}


def _number(value: int) -> Value:
    return {"N": str(value)}


def _numbers(values: Iterable[int]) -> Value:
    return {"L": [_number(value) for value in values]}


def _instant(value: datetime) -> Value:
    return _number(milliseconds(value))


def _hash(value: str) -> Value:
    return {"B": bytes.fromhex(value)}


def _lots(lots: Lots) -> Value:
    return {"L": [_numbers((_day_number(lot.valid_through), lot.points)) for lot in lots]}


def _int(value: Stored) -> int:
    return int(value["N"])


def _ints(value: Stored) -> list[int]:
    return [_int(number) for number in value["L"]]


def _datetime(value: Stored) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=_int(value))


def _hex(value: Stored) -> str:
    return bytes(value["B"]).hex()


def _lots_of(value: Stored) -> Lots:
    pairs = (_ints(pair) for pair in value["L"])
    return tuple(Lot(_day(number), points) for number, points in pairs)


def _optional_text(item: Stored, name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def _ordered_moves(moves: Mapping[str, int]) -> tuple[tuple[Bucket, int], ...]:
    """The moves in the one order in which they are sealed: that of the buckets."""
    return tuple((bucket, moves[bucket]) for bucket in Bucket if bucket in moves)
