"""What is kept of reports to Shopify Flow: those that were sent, and how many within the hour.

A report moves no points, so nothing of this is written with an entry. The record of a report that
was sent is that of any other request; the count is an item of its own beside the book.
"""

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from pointbook.domain.chain import milliseconds
from pointbook.domain.ports import Remembered
from pointbook.errors import LedgerUnavailable
from pointbook.store import items, keys
from pointbook.store.requests import ABSENT, Request
from pointbook.store.sending import sent
from pointbook.store.values import Item, Stored, number

ROOM_IN_THIS_HOUR = "report_hour = :hour AND reports < :most"
NOT_THIS_HOUR = "(attribute_not_exists(report_hour) OR report_hour <> :hour)"

_HOUR_MS = 3_600_000
_TRIES = 3
_SCHEMA = 1
_CONDITION_FAILED = "ConditionalCheckFailedException"


class Reports:
    """The reports in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def known(self, shop: str, customer_id: str, key_hash: str) -> Remembered | None:
        """The record of a report that was sent before."""
        request = {
            "TableName": self._table,
            "Key": _key(shop, customer_id, keys.remembered(key_hash)),
            "ConsistentRead": True,
        }
        answer = sent(lambda: self._client.get_item(**request))
        return items.remembered_of(answer["Item"]) if "Item" in answer else None

    def remember(self, shop: str, customer_id: str, report: Remembered) -> Remembered:
        """Keep the record of a report; if there is one already, return that."""
        request = {
            "TableName": self._table,
            "Item": items.remembered_item(shop, customer_id, report),
            "ConditionExpression": ABSENT,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        failed = self._unless_refused("put_item", request)
        return report if failed is None else items.remembered_of(failed)

    def count(self, shop: str, customer_id: str, now: datetime, most: int) -> bool:
        """Count one more report of this hour. False: there were `most` already."""
        hour = milliseconds(now) // _HOUR_MS
        one_more = count_on(self._table, shop, customer_id, hour, most)
        the_first = begin_hour(self._table, shop, customer_id, hour)
        for _ in range(_TRIES):
            before = self._unless_refused("update_item", one_more)
            if before is None:
                return True
            if before.get("report_hour") == number(hour):
                return False
            if self._unless_refused("update_item", the_first) is None:
                return True
        raise LedgerUnavailable(retry_after_seconds=1)

    def _unless_refused(self, operation: str, request: Request) -> Stored | None:
        """None: it is done. Otherwise the item whose state forbade it."""

        def attempt() -> Any:
            try:
                getattr(self._client, operation)(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] != _CONDITION_FAILED:
                    raise
                return error.response.get("Item", {})
            return None

        found: Stored | None = sent(attempt)
        return found


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


def _update(table: str, shop: str, customer_id: str) -> Request:
    return {
        "TableName": table,
        "Key": _key(shop, customer_id, keys.REPORTS),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _key(shop: str, customer_id: str, part: str) -> Item:
    return {"pk": {"S": keys.book(shop, customer_id)}, "sk": {"S": part}}
