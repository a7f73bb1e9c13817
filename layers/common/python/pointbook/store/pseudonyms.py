"""Pseudonyms of customers who are being erased: one each, whoever erases them.

A pseudonym is drawn under the customer's own id, so that everybody who works on the same customer
reads the same one, and it goes with the rest of the account, last of all. Then nobody knows it.
"""

from secrets import randbelow

from pointbook.domain.erase import pseudonym_of
from pointbook.store import keys
from pointbook.store.customer_items import CustomerErased, CustomerItems
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table
from pointbook.store.values import text, text_of


class Pseudonyms:
    """The pseudonyms in one table. Raises LedgerUnavailable while it cannot be reached."""

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)

    def find(self, shop: str, customer_id: str) -> str | None:
        """The pseudonym; None: none was drawn yet, or it is forgotten by now."""
        item = self._table.get(keys.pseudonym(shop, customer_id))
        return text_of(item["pseudonym"]) if item else None

    def draw(self, shop: str, customer_id: str) -> str | None:
        """The pseudonym, drawn now if need be; None: the customer was erased before."""
        if (found := self.find(shop, customer_id)) is not None:
            return found
        drawn = pseudonym_of(randbelow(10**19))
        item = {**keys.pseudonym(shop, customer_id), **SCHEMA, "pseudonym": text(drawn)}
        try:
            existing = self._items.create(item)
        except CustomerErased:
            return self.find(shop, customer_id)
        return text_of(existing["pseudonym"]) if existing else drawn

    def forget(self, shop: str, customer_id: str) -> None:
        """Delete the pseudonym: from now on nobody knows whose it was."""
        self._table.delete(keys.pseudonym(shop, customer_id))
