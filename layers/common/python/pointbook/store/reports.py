"""Reports to Shopify Flow: the idempotency records of those sent, and the hourly rate limit.

A report moves no points, so none of this is written with an entry. The counter is an item of its
own under the customer's id.
"""

from datetime import datetime, timedelta

from pointbook.domain.ports import IdempotencyRecord
from pointbook.store import items, keys
from pointbook.store.customer_items import CustomerItems
from pointbook.store.table import Table
from pointbook.store.window_counter import WindowCounter


class Reports:
    """The reports in the ledger's table."""

    def __init__(self, table: Table) -> None:
        """Keep everything in `table`."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)
        self._counter = WindowCounter(
            length=timedelta(hours=1),
            change=self._items.change,
            replace=self._items.replace,
            create=lambda item: self._items.create(item) is None,
        )

    def find(self, shop: str, customer_id: str, key_hash: str) -> IdempotencyRecord | None:
        """The record of a report that was sent before."""
        sk = keys.idempotency_record(key_hash)
        item = self._table.get(keys.key(keys.customer(shop, customer_id), sk))
        return items.idempotency_record_of(item) if item else None

    def record(self, shop: str, customer_id: str, report: IdempotencyRecord) -> IdempotencyRecord:
        """Record a report that was sent; if there is a record already, return that.

        Raises CustomerErased.
        """
        existing = self._items.create(items.idempotency_item(shop, customer_id, report))
        return report if existing is None else items.idempotency_record_of(existing)

    def count(self, shop: str, customer_id: str, now: datetime, most: int) -> bool:
        """Count one more report of this hour. False: there were `most` already.

        Raises CustomerErased.
        """
        key = keys.key(keys.customer(shop, customer_id), keys.REPORTS)
        return self._counter.add(key, now, {"reports": most}) == 0
