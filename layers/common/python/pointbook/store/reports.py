"""What is kept of reports to Shopify Flow: those that were sent, and how many within the hour.

A report moves no points, so nothing of this is written with an entry. The record of a report that
was sent is that of any other request; the count is an item of its own beside the book.
"""

from datetime import datetime
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.ports import IdempotencyRecord
from pointbook.errors import LedgerUnavailable
from pointbook.store import items, keys
from pointbook.store.beside import Beside
from pointbook.store.execute import sent
from pointbook.store.requests import Request
from pointbook.store.values import Item, number

ROOM_IN_THIS_HOUR = "report_hour = :hour AND reports < :most"
NOT_THIS_HOUR = "report_hour <> :hour"

_HOUR_MS = 3_600_000
_TRIES = 3
_SCHEMA = 1


class Reports:
    """The reports in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table
        self._beside = Beside(client, table)

    def known(self, shop: str, customer_id: str, key_hash: str) -> IdempotencyRecord | None:
        """The record of a report that was sent before."""
        request = {
            "TableName": self._table,
            "Key": _key(shop, customer_id, keys.remembered(key_hash)),
            "ConsistentRead": True,
        }
        answer = sent(lambda: self._client.get_item(**request))
        return items.remembered_of(answer["Item"]) if "Item" in answer else None

    def remember(self, shop: str, customer_id: str, report: IdempotencyRecord) -> IdempotencyRecord:
        """Keep the record of a report; if there is one already, return that.

        Raises CustomerErased.
        """
        existing = self._beside.create(items.remembered_item(shop, customer_id, report))
        return report if existing is None else items.remembered_of(existing)

    def count(self, shop: str, customer_id: str, now: datetime, most: int) -> bool:
        """Count one more report of this hour. False: there were `most` already.

        Raises CustomerErased.
        """
        hour = milliseconds(now) // _HOUR_MS
        one_more = count_on(self._table, shop, customer_id, hour, most)
        the_first = begin_hour(self._table, shop, customer_id, hour)
        for _ in range(_TRIES):
            counted, before = self._beside.change(one_more)
            if counted is not None:
                return True
            if before.get("report_hour") == number(hour):
                return False
            counted, _before = self._beside.change_or_create(
                the_first, first_report(shop, customer_id, hour)
            )
            if counted is not None:
                return True
        raise LedgerUnavailable(retry_after_seconds=1)


def count_on(table: str, shop: str, customer_id: str, hour: int, most: int) -> Request:
    """One more in the hour that is counted, if there is room."""
    return {
        **_update(table, shop, customer_id),
        "UpdateExpression": "SET reports = reports + :one",
        "ConditionExpression": ROOM_IN_THIS_HOUR,
        "ExpressionAttributeValues": {
            ":one": number(1),
            ":hour": number(hour),
            ":most": number(most),
        },
    }


def begin_hour(table: str, shop: str, customer_id: str, hour: int) -> Request:
    """The first in an hour: earlier ones are forgotten."""
    return {
        **_update(table, shop, customer_id),
        "UpdateExpression": "SET #schema = :schema, report_hour = :hour, reports = :one",
        "ConditionExpression": NOT_THIS_HOUR,
        "ExpressionAttributeNames": {"#schema": "schema"},
        "ExpressionAttributeValues": {
            ":schema": number(_SCHEMA),
            ":hour": number(hour),
            ":one": number(1),
        },
    }


def first_report(shop: str, customer_id: str, hour: int) -> Item:
    """The first report of a customer of whom none was counted before."""
    return {
        **_key(shop, customer_id, keys.REPORTS),
        "schema": number(_SCHEMA),
        "report_hour": number(hour),
        "reports": number(1),
    }


def _update(table: str, shop: str, customer_id: str) -> Request:
    return {"TableName": table, "Key": _key(shop, customer_id, keys.REPORTS)}


def _key(shop: str, customer_id: str, part: str) -> Item:
    return {"pk": {"S": keys.book(shop, customer_id)}, "sk": {"S": part}}
