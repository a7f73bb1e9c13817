"""Orphaned discount codes: listed until they are deactivated or have ended by themselves."""

from datetime import datetime

from pointbook.domain.account import OrphanedCode
from pointbook.store import hold_items, keys
from pointbook.store.table import Table


class OrphanedCodes:
    """The list of a table. Every method may raise LedgerUnavailable."""

    def __init__(self, table: Table) -> None:
        """Keep the list in `table`."""
        self._table = table.outside_ledger()

    def get(self, shop: str, listed_id: str) -> tuple[OrphanedCode, int] | None:
        """A code by its id on the index of due work, and the number of attempts so far."""
        item = self._table.get(keys.listed_code(shop, listed_id))
        return hold_items.orphaned_code_of(item) if item else None

    def reschedule(
        self, shop: str, code: OrphanedCode, attempts: int, next_attempt_at: datetime
    ) -> None:
        """Schedule the next attempt."""
        self._table.put(hold_items.orphaned_code_item(shop, code, attempts, next_attempt_at))

    def remove(self, shop: str, code: OrphanedCode) -> None:
        """Take it off the list; a second time does nothing."""
        self._table.delete(keys.orphaned_code(shop, code.hold_id))
