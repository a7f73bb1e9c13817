"""Of which lots customers have been reminded: two attributes of a book's cursor.

reminded         by the last day of a lot (20261231) the leads, in days, that it was told for
reminding_until  somebody tells of this book just now, until then at the latest; real time
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pointbook.domain.account import Account
from pointbook.domain.ports import Clock
from pointbook.domain.reminders import Reminded
from pointbook.errors import LedgerUnavailable
from pointbook.store import items, keys
from pointbook.store.beside import Beside, CustomerErased
from pointbook.store.execute import sent
from pointbook.store.outbox_requests import SCHEMA, cursor_key
from pointbook.store.requests import Request
from pointbook.store.values import Item, Stored, instant, ints_of, number, numbers

BOOKS_MAX = 50
"""How many books one read takes: two items each, and BatchGetItem takes 100."""

FREE = "(attribute_not_exists(reminding_until) OR reminding_until <= :now)"

_TRIES = 6
_PAUSE_FIRST_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Book:
    """A book as it was a moment ago; what is damaged shows when it is looked at."""

    customer_id: str
    _account: Stored
    _cursor: Stored

    def account(self) -> Account:
        """The account."""
        return items.account_of(self._account)

    def reminded(self) -> Reminded:
        """What the customer was reminded of."""
        return _reminded(self._cursor)


class Reminders:
    """The reminders in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, client: Any, table: str, clock: Clock) -> None:
        """Use botocore's DynamoDB `client` on `table`; `clock` waits where it is throttled."""
        self._client = client
        self._table = table
        self._clock = clock
        self._beside = Beside(client, table)

    def books(self, shop: str, customer_ids: Sequence[str]) -> list[Book]:
        """Up to `BOOKS_MAX` books, read cheaply: whoever tells claims the book first."""
        found = {
            (item["pk"]["S"], item["sk"]["S"]): item for item in self._read(shop, customer_ids)
        }
        by_customer = {one: keys.book(shop, one) for one in customer_ids}
        return [
            Book(one, found[key, keys.ACCOUNT], found.get((key, keys.CURSOR), {}))
            for one, key in by_customer.items()
            if (key, keys.ACCOUNT) in found
        ]

    def claim(self, shop: str, customer_id: str, now: datetime, until: datetime) -> Reminded | None:
        """What the customer was reminded of, with nobody else telling of this book until `until`.

        None: somebody else does just now, or the customer was erased.
        """
        request = claim(self._table, shop, customer_id, now, until)
        try:
            found, _ = self._beside.change_or_create(request, claimed(shop, customer_id, until))
        except CustomerErased:
            return None
        return None if found is None else _reminded(found)

    def release(self, shop: str, customer_id: str, reminded: Reminded) -> None:
        """Keep what was told, and give the book up; of a customer erased meanwhile, nothing."""
        self._beside.change(release(self._table, shop, customer_id, reminded))

    def _read(self, shop: str, customer_ids: Iterable[str]) -> list[Stored]:
        request = books(self._table, shop, customer_ids)
        found: list[Stored] = []
        for tries in range(_TRIES):
            answer = sent(lambda: self._client.batch_get_item(**request))  # noqa: B023 - called here
            found += answer["Responses"].get(self._table, [])
            if not answer.get("UnprocessedKeys"):
                return found
            request = {"RequestItems": answer["UnprocessedKeys"]}
            self._clock.sleep(_PAUSE_FIRST_SECONDS * 2**tries)
        raise LedgerUnavailable(retry_after_seconds=1)


def books(table: str, shop: str, customer_ids: Iterable[str]) -> Request:
    """BatchGetItem of accounts and cursors, eventually consistent."""
    wanted = [
        {"pk": {"S": keys.book(shop, one)}, "sk": {"S": part}}
        for one in customer_ids
        for part in (keys.ACCOUNT, keys.CURSOR)
    ]
    return {"RequestItems": {table: {"Keys": wanted}}}


def claim(table: str, shop: str, customer_id: str, now: datetime, until: datetime) -> Request:
    """Take the book, if nobody has it. A cursor that has `reminded` is never deleted as unused."""
    return {
        **_update(table, shop, customer_id),
        "UpdateExpression": "SET #schema = :schema, reminding_until = :until,"
        " reminded = if_not_exists(reminded, :nothing)",
        "ConditionExpression": FREE,
        "ExpressionAttributeNames": {"#schema": "schema"},
        "ExpressionAttributeValues": {
            ":schema": number(SCHEMA),
            ":until": instant(until),
            ":now": instant(now),
            ":nothing": {"M": {}},
        },
        "ReturnValues": "ALL_NEW",
    }


def claimed(shop: str, customer_id: str, until: datetime) -> Item:
    """The first cursor of a book, claimed until then."""
    return {
        **cursor_key(shop, customer_id),
        "schema": number(SCHEMA),
        "reminding_until": instant(until),
        "reminded": {"M": {}},
    }


def release(table: str, shop: str, customer_id: str, reminded: Reminded) -> Request:
    """Say what was told, and that the book is free, whoever has it: what was sent was sent."""
    return {
        **_update(table, shop, customer_id),
        "UpdateExpression": "SET reminded = :reminded REMOVE reminding_until",
        "ExpressionAttributeValues": {":reminded": _value(reminded)},
    }


def _update(table: str, shop: str, customer_id: str) -> Request:
    return {"TableName": table, "Key": cursor_key(shop, customer_id)}


def _value(reminded: Reminded) -> Item:
    days = {f"{day:%Y%m%d}": numbers(sorted(leads)) for day, leads in reminded.items()}
    return {"M": days}


def _reminded(cursor: Stored) -> Reminded:
    days = cursor["reminded"]["M"] if "reminded" in cursor else {}
    return {date.fromisoformat(day): frozenset(ints_of(leads)) for day, leads in days.items()}
