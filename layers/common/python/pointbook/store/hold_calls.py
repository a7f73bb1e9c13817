"""Rate limit on the calls to Shopify that my page makes for holds, by shop and minute.

One item for each shop has the count of all customers and those of each, so that no customer uses up
the limit of all.
"""

from datetime import datetime, timedelta

from pointbook.store import keys
from pointbook.store.table import ABSENT, Put, Table
from pointbook.store.window_counter import WindowCounter

SHARE = 4
"""One customer gets a quarter of the shop's limit, rounded up."""


class HoldCallLimiter:
    """The counters in the ledger's table."""

    def __init__(self, table: Table) -> None:
        """Count in `table`."""
        outside = table.outside_ledger()
        self._counter = WindowCounter(
            length=timedelta(minutes=1),
            change=outside.update_if,
            replace=outside.put_if,
            create=lambda item: outside.put_if(Put(item, ABSENT)).done,
        )

    def count(self, shop: str, who: str, now: datetime, most: int) -> int:
        """Count one call. Returns 0 if it is allowed, else how many seconds to wait.

        `who` is a pseudonymous name of the customer in letters and digits, `most` the shop's limit
        for a minute.
        """
        key = keys.key(keys.shop(shop), keys.HOLD_CALLS)
        return self._counter.add(key, now, {"calls": most, f"by_{who}": -(-most // SHARE)})
