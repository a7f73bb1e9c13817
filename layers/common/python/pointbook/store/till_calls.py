"""Counts the calls to the till, of all functions together, by the second."""

from datetime import datetime, timedelta

from pointbook.store import keys
from pointbook.store.table import ABSENT, Put, Table
from pointbook.store.window_counter import WindowCounter


class TillCalls:
    """The counter in the ledger's table."""

    def __init__(self, table: Table) -> None:
        """Count in `table`."""
        outside = table.outside_ledger()
        self._counter = WindowCounter(
            length=timedelta(seconds=1),
            change=outside.update_if,
            replace=outside.put_if,
            create=lambda item: outside.put_if(Put(item, ABSENT)).done,
        )

    def count(self, now: datetime, most: int) -> int:
        """Count one call. 0 if it is allowed, else how many seconds until the window is over.

        Raises LedgerUnavailable.
        """
        return self._counter.add(keys.key(keys.TILL, keys.TILL_CALLS), now, {"calls": most})
