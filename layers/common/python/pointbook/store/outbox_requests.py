"""Requests for the outbox's cursors, built as plain dicts; the conditions have names."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.store import keys
from pointbook.store.requests import Request
from pointbook.store.values import Item

SCHEMA = 1

FREE = "(attribute_not_exists(lease_until) OR lease_until <= :now)"
UNTOLD = "(attribute_not_exists(told) OR told < :version)"
MINE = "lease = :lease"
NOTHING_MORE_WANTED = "wanted <= :told"
NOT_REMINDED = "attribute_not_exists(reminded)"
NOT_WANTED_YET = "(attribute_not_exists(wanted) OR wanted < :version)"

_NOBODY = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a book has been told, as whoever holds its lease knows it."""

    shop: str
    customer_id: str
    lease: str
    lease_until: datetime
    told: int = 0
    part: int = 0
    tries: int = 0


def acquire(table: str, wish: Cursor, now: datetime, version: int | None) -> Request:
    """Take the lease, if it is free and there may be something to tell."""
    values = {
        ":now": _instant(now),
        **_lease(wish),
        ":none": _number(0),
        ":schema": _number(SCHEMA),
    }
    condition = FREE
    if version is not None:
        condition, values[":version"] = f"{FREE} AND {UNTOLD}", _number(version)
    return _update(
        table,
        wish,
        "SET lease = :lease, lease_until = :until, #schema = :schema,"
        " wanted = if_not_exists(wanted, :none)",
        condition,
        values,
    ) | {"ReturnValues": "ALL_NEW"}


def leased(wish: Cursor) -> Item:
    """The first cursor of a book, with the lease that `wish` describes."""
    return {
        **cursor_key(wish.shop, wish.customer_id),
        "schema": _number(SCHEMA),
        "lease": _text(wish.lease),
        "lease_until": _instant(wish.lease_until),
        "wanted": _number(0),
    }


def listed(shop: str, customer_id: str, version: int, at: datetime) -> Item:
    """The first cursor of a book, on the shop's list."""
    return {
        **cursor_key(shop, customer_id),
        "schema": _number(SCHEMA),
        "wanted": _number(version),
        "due_trigger": _text(keys.due_triggers(shop)),
        "due_trigger_at": _instant(at),
    }


def advance(table: str, cursor: Cursor) -> Request:
    """Say how far the book is told, and for how long the lease is needed."""
    return _update(
        table,
        cursor,
        "SET told = :told, part = :part, lease_until = :until",
        MINE,
        _progress(cursor) | _lease(cursor),
    )


def release(table: str, cursor: Cursor) -> Request:
    """Say how far the book is told: that is all there is to tell."""
    return _update(
        table,
        cursor,
        "SET told = :told REMOVE part, tries, lease, lease_until, due_trigger, due_trigger_at",
        f"{MINE} AND {NOTHING_MORE_WANTED}",
        {":told": _number(cursor.told), ":lease": _text(cursor.lease)},
    )


def discard(table: str, cursor: Cursor) -> Request:
    """Delete a cursor that others have put nothing on."""
    return {
        "TableName": table,
        "Key": cursor_key(cursor.shop, cursor.customer_id),
        "ConditionExpression": f"{MINE} AND {NOTHING_MORE_WANTED} AND {NOT_REMINDED}",
        "ExpressionAttributeValues": {":told": _number(0), ":lease": _text(cursor.lease)},
    }


def reschedule(table: str, cursor: Cursor, next_try_at: datetime) -> Request:
    """Say how far the book is told, and when it goes on."""
    values = {":lease": _text(cursor.lease), ":tries": _number(cursor.tries)}
    return _update(
        table,
        cursor,
        "SET told = :told, part = :part, tries = :tries, due_trigger = :list, due_trigger_at = :at"
        " REMOVE lease, lease_until",
        MINE,
        _progress(cursor) | values | _listed(cursor.shop, next_try_at),
    )


def ask(table: str, shop: str, customer_id: str, version: int, at: datetime) -> Request:
    """Put a book on the list. Whoever sends now does not strike it off before `version`."""
    return _update(
        table,
        _nobodys(shop, customer_id),
        "SET wanted = :version, #schema = :schema, due_trigger = :list,"
        " due_trigger_at = if_not_exists(due_trigger_at, :at)",
        f"{NOT_WANTED_YET} AND {UNTOLD}",
        {":version": _number(version), ":schema": _number(SCHEMA), **_listed(shop, at)},
    )


def set_back(
    table: str, shop: str, customer_id: str, told: int, version: int, now: datetime
) -> Request:
    """Go back to a version, unless somebody is sending."""
    return _update(
        table,
        _nobodys(shop, customer_id),
        "SET told = :told, wanted = :version, #schema = :schema, due_trigger = :list,"
        " due_trigger_at = :at REMOVE part, tries",
        FREE,
        {
            ":told": _number(told),
            ":version": _number(version),
            ":schema": _number(SCHEMA),
            ":now": _instant(now),
            **_listed(shop, now),
        },
    )


def told(table: str, shop: str, customer_id: str) -> Request:
    """GetItem of a cursor, consistent."""
    return {"TableName": table, "Key": cursor_key(shop, customer_id), "ConsistentRead": True}


def entries(table: str, shop: str, customer_id: str, above: int, limit: int) -> Request:
    """Query: the entries above a version, the oldest first."""
    return {
        "TableName": table,
        "KeyConditionExpression": "pk = :book AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":book": _text(keys.book(shop, customer_id)),
            ":first": _text(keys.entry(above + 1)),
            ":last": _text(keys.entry(10**keys.VERSION_DIGITS - 1)),
        },
        "ConsistentRead": True,
        "Limit": limit,
    }


def due(table: str, shop: str, now: datetime) -> Request:
    """Query of a shop's list."""
    return {
        "TableName": table,
        "IndexName": "due_trigger",
        "KeyConditionExpression": "due_trigger = :list AND due_trigger_at <= :now",
        "ExpressionAttributeValues": {
            ":list": _text(keys.due_triggers(shop)),
            ":now": _instant(now),
        },
    }


def behind(table: str) -> Request:
    """Scan of the accounts and the cursors."""
    return {
        "TableName": table,
        "FilterExpression": "sk = :account OR sk = :cursor",
        "ExpressionAttributeValues": {
            ":account": _text(keys.ACCOUNT),
            ":cursor": _text(keys.CURSOR),
        },
        "ConsistentRead": True,
    }


def _update(
    table: str, cursor: Cursor, change: str, condition: str, values: dict[str, Any]
) -> Request:
    names = {"ExpressionAttributeNames": {"#schema": "schema"}} if ":schema" in values else {}
    return {
        **names,
        "TableName": table,
        "Key": cursor_key(cursor.shop, cursor.customer_id),
        "UpdateExpression": change,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }


def _nobodys(shop: str, customer_id: str) -> Cursor:
    return Cursor(shop, customer_id, lease="", lease_until=_NOBODY)


def _progress(cursor: Cursor) -> Item:
    return {":told": _number(cursor.told), ":part": _number(cursor.part)}


def _lease(cursor: Cursor) -> Item:
    return {":lease": _text(cursor.lease), ":until": _instant(cursor.lease_until)}


def _listed(shop: str, at: datetime) -> Item:
    return {":list": _text(keys.due_triggers(shop)), ":at": _instant(at)}


def cursor_key(shop: str, customer_id: str) -> Item:
    """The key of a book's cursor."""
    return {"pk": _text(keys.book(shop, customer_id)), "sk": _text(keys.CURSOR)}


def _text(value: str) -> dict[str, Any]:
    return {"S": value}


def _number(value: int) -> dict[str, Any]:
    return {"N": str(value)}


def _instant(value: datetime) -> dict[str, Any]:
    return _number(milliseconds(value))
