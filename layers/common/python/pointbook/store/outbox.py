"""The outbox's cursors: up to which version Shopify Flow has been told of each book.

    told              everything up to this version has been sent, or called for no trigger
    part              how many triggers of the next entry have been sent as well
    wanted            a version that somebody asked for while another sender held the lease
    lease, lease_until  who sends just now, and until when nobody else may; real time
    tries             how often sending has failed since it last went well
    due_trigger, due_trigger_at  on the shop's list of what is to be tried again, and from when on

A cursor is an item of its own, so that sending never stands in the way of booking. Every change of
it is one UpdateItem; attributes that others keep on it are left alone.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pointbook.domain.chain import BookedEntry
from pointbook.store import items, keys
from pointbook.store import outbox_requests as requests
from pointbook.store.beside import Beside, CustomerErased
from pointbook.store.execute import done_if, sent
from pointbook.store.outbox_requests import Cursor
from pointbook.store.requests import Request
from pointbook.store.values import Stored

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leased:
    """Somebody else is sending, until this time at the latest."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Behind:
    """A book of which Flow has not been told all: up to `told` of `version` entries."""

    shop: str
    customer_id: str
    version: int
    told: int


class LeaseLost(Exception):
    """Another sender holds the lease by now, or the book was erased: send nothing more."""


class Outbox:
    """The cursors of one table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly. A change that raised may have happened; each may be asked for again.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table
        self._beside = Beside(client, table)

    def acquire(self, wish: Cursor, now: datetime, version: int | None) -> Cursor | Leased | None:
        """Take the lease that `wish` describes, and return how far the book has been told.

        None: Flow has been told up to `version` before (without a version this is not asked), or
        the customer was erased.
        """
        request = requests.acquire(self._table, wish, now, version)
        try:
            found, before = self._beside.change_or_create(request, requests.leased(wish))
        except CustomerErased:
            return None
        if found is not None:
            return _cursor(wish, found)
        until = _time(before["lease_until"]) if "lease_until" in before else now
        return Leased(until) if until > now else None

    def advance(self, cursor: Cursor) -> None:
        """Keep what the cursor says, and the lease. Raises LeaseLost."""
        if self._beside.change(requests.advance(self._table, cursor))[0] is None:
            raise LeaseLost

    def release(self, cursor: Cursor) -> bool:
        """Keep what the cursor says, give up the lease and strike the book off the list.

        False, and nothing is changed: somebody has asked for more meanwhile. Raises LeaseLost.
        """
        found, before = self._beside.change(requests.release(self._table, cursor))
        if found is None and before.get("lease") != {"S": cursor.lease}:
            raise LeaseLost
        return found is not None

    def discard(self, cursor: Cursor) -> None:
        """Delete a cursor that never told anything, unless somebody has asked for more by now."""
        request = requests.discard(self._table, cursor)
        done_if(lambda: self._client.delete_item(**request))

    def reschedule(self, cursor: Cursor, next_try_at: datetime) -> None:
        """Keep what the cursor says, give up the lease, and have it tried again later."""
        if self._beside.change(requests.reschedule(self._table, cursor, next_try_at))[0] is None:
            raise LeaseLost

    def ask(self, shop: str, customer_id: str, version: int, at: datetime) -> None:
        """Have a book told up to `version`, from `at` on; who is on the list keeps its place.

        Of an erased customer nothing is told.
        """
        request = requests.ask(self._table, shop, customer_id, version, at)
        with suppress(CustomerErased):
            self._beside.change_or_create(request, requests.listed(shop, customer_id, version, at))

    def set_back(self, shop: str, customer_id: str, told: int, version: int, now: datetime) -> bool:
        """Have everything above `told` sent, even if it was before.

        False: it is being sent now, or the customer was erased.
        """
        request = requests.set_back(self._table, shop, customer_id, told, version, now)
        return self._beside.change(request)[0] is not None

    def told(self, shop: str, customer_id: str) -> int:
        """Up to which version Flow has been told."""
        request = requests.told(self._table, shop, customer_id)
        item = sent(lambda: self._client.get_item(**request)).get("Item", {})
        return _int(item, "told")

    def entries(self, shop: str, customer_id: str, above: int, limit: int) -> list[BookedEntry]:
        """The first entries above a version, the oldest first."""
        request = requests.entries(self._table, shop, customer_id, above, limit)
        found: list[BookedEntry] = []
        while len(found) < limit:
            answer = self._read("query", request)
            found += [items.entry_of(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found[:limit]

    def due(self, shop: str, now: datetime) -> Iterator[str]:
        """The customers of a shop whose time to be tried again has come, the longest due first."""
        for item in self._pages("query", requests.due(self._table, shop, now)):
            yield keys.parse(item["pk"]["S"])[1]

    def behind(self, progress: Callable[[int], None]) -> Iterator[Behind]:
        """Every book of the table that is behind; `progress` is told the items seen so far.

        A book's account comes before its cursor, and nothing of another book between them.
        """
        request, seen, books = requests.behind(self._table), 0, _Books()
        while True:
            answer = self._read("scan", request)
            for item in answer["Items"]:
                yield from books.next(item)
            seen += answer["ScannedCount"]
            progress(seen)
            if "LastEvaluatedKey" not in answer:
                break
            request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        yield from books.last()

    def _pages(self, operation: str, request: Request) -> Iterator[Stored]:
        while True:
            answer = self._read(operation, request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _read(self, operation: str, request: Request) -> Any:
        return sent(lambda: getattr(self._client, operation)(**request))


class _Books:
    """Puts accounts and cursors together as they come by."""

    def __init__(self) -> None:
        self._account: Stored | None = None

    def next(self, item: Stored) -> Iterator[Behind]:
        if item["sk"] == {"S": keys.ACCOUNT}:
            yield from self.last()
            self._account = item
        elif self._account is not None and self._account["pk"] == item["pk"]:
            yield from self.last(_int(item, "told"))

    def last(self, told: int = 0) -> Iterator[Behind]:
        account, self._account = self._account, None
        if account is None or "erased" in account:
            return
        version = int(account["version"]["N"])
        if version > told:
            yield Behind(*keys.parse(account["pk"]["S"]), version, told)


def _cursor(wish: Cursor, item: Stored) -> Cursor:
    told, part, tries = (_int(item, name) for name in ("told", "part", "tries"))
    return replace(wish, told=told, part=part, tries=tries)


def _int(item: Stored, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _time(value: Stored) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(value["N"]))
