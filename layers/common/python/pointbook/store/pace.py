"""How many calls my page makes to Shopify for holds, limited for each shop and minute.

One item a shop, outside every account: a count for all customers and one for each of them, so that
nobody uses up what is there for all.
"""

from datetime import datetime, timedelta

from pointbook.store import keys
from pointbook.store.table import ABSENT, Put, Table
from pointbook.store.window_counter import WindowCounter

SHARE = 4
"""One customer gets a quarter of what a shop has, rounded up."""


class HoldCalls:
    """The counts in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

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
        """Count one more call. 0: it may be made; else the seconds until another try makes sense.

        `who` is a name of the customer in letters and digits that says nothing of them; `most` is
        how many calls the shop allows in a minute.
        """
        key = keys.key(keys.shop(shop), keys.HOLD_CALLS)
        return self._counter.add(key, now, {"calls": most, f"by_{who}": -(-most // SHARE)})
