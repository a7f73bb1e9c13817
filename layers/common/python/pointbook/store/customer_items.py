"""Items under a customer's id that are written without the ledger's transaction.

An erased customer keeps a tombstone and nothing else, whatever is under way meanwhile. So such an
item is created only in one transaction with a check that its customer is not erased, and updates
require that it exists: erasing deletes it after the tombstone is there, and nothing brings it back.
Updates are as cheap as without; only creating an item costs a transaction, once.
"""

from pointbook.errors import LedgerUnavailable
from pointbook.store import keys
from pointbook.store.ledger_transactions import NOT_ERASED
from pointbook.store.table import ABSENT, PRESENT, Check, Outcome, Put, Table, Update
from pointbook.store.values import Item, Stored, text

_ATTEMPTS = 3


class CustomerErased(Exception):
    """The customer was erased: nothing is kept of them any more."""


class CustomerItems:
    """The one way to write an item under a customer's id without the ledger's transaction.

    A change that raised an error may have happened; each may be repeated.
    """

    def __init__(self, table: Table) -> None:
        """Write to `table`."""
        self._table = table.outside_ledger()

    def create(self, item: Item) -> Stored | None:
        """Create an item; if it exists, return it as it is. Raises CustomerErased."""
        account = {"pk": item["pk"], "sk": text(keys.ACCOUNT)}
        # No account is fine: there may be items before the first entry.
        cancelled = self._table.transact([Check(account, NOT_ERASED), Put(item, ABSENT)])
        if cancelled is None:
            return None
        if 0 in cancelled.failed:
            raise CustomerErased
        return cancelled.failed[1]

    def change(self, update: Update) -> Outcome:
        """Update an item that exists; not done where it is absent or the condition forbids it."""
        condition = f"{PRESENT} AND {update.condition}" if update.condition else PRESENT
        return self._table.update_if(update._replace(condition=condition))

    def replace(self, put: Put) -> Outcome:
        """Write over an item that exists; not done where it is absent or the condition forbids."""
        return self._table.put_if(put._replace(condition=f"{PRESENT} AND {put.condition}"))

    def change_or_create(self, update: Update, item: Item) -> Outcome:
        """As `change`; where there is no such item, `item` is created. Raises CustomerErased."""
        for _ in range(_ATTEMPTS):
            outcome = self.change(update)
            if outcome.done or outcome.item:
                return outcome
            if self.create(item) is None:
                return Outcome(done=True, item=item)
        raise LedgerUnavailable(retry_after_seconds=1)
