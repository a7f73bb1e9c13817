"""Codes that nobody holds points for: listed until they are switched off or have ended."""

from datetime import datetime
from typing import Any

from pointbook.domain.account import OrphanedCode
from pointbook.store import keys
from pointbook.store import order_items as papers
from pointbook.store.execute import sent
from pointbook.store.requests import Request


class OrphanedCodes:
    """The list of a table. Every method may raise LedgerUnavailable."""

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def get(self, shop: str, listed_id: str) -> tuple[OrphanedCode, int] | None:
        """A code by its id on the list of what is due, and how often it was tried before."""
        request = self._request(keys.listed_code(shop, listed_id))
        item = self._send("get_item", request | {"ConsistentRead": True}).get("Item")
        return papers.orphaned_code_of(item) if item else None

    def reschedule(self, shop: str, loose: OrphanedCode, tries: int, next_try_at: datetime) -> None:
        """Try it again later."""
        item = papers.orphaned_code_item(shop, loose, tries, next_try_at)
        self._send("put_item", {"TableName": self._table, "Item": item})

    def remove(self, shop: str, loose: OrphanedCode) -> None:
        """It is done with; a second time does nothing."""
        self._send("delete_item", self._request(keys.orphaned_code(shop, loose.hold_id)))

    def _request(self, key: str) -> Request:
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": key}, "sk": {"S": keys.ORPHANED_CODE}},
        }

    def _send(self, operation: str, request: Request) -> Any:
        return sent(lambda: getattr(self._client, operation)(**request))
