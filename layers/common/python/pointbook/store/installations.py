"""Whether a shop has the app installed, as far as the ledger's table shows."""

from datetime import datetime

from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table
from pointbook.store.values import instant, instant_of


class Installations:
    """Notes of removals, and access tokens. Raises LedgerUnavailable while they cannot be read."""

    def __init__(self, table: Table) -> None:
        """Keep the notes in `table`."""
        self._table = table.outside_ledger()

    def note_removed(self, shop: str, at: datetime) -> None:
        """Note that the app was removed, and delete the shop's access token. Safe to repeat."""
        earlier = self.removed_at(shop)
        key = keys.key(keys.shop(shop), keys.APP_REMOVED)
        self._table.put({**key, **SCHEMA, "removed_at": instant(max(at, earlier or at))})
        self._table.delete(keys.key(keys.shop(shop), keys.ACCESS_TOKEN))

    def removed_at(self, shop: str) -> datetime | None:
        """When the shop last removed the app; None: never, as far as is known."""
        item = self._table.get(keys.key(keys.shop(shop), keys.APP_REMOVED))
        return instant_of(item["removed_at"]) if item else None

    def has_token(self, shop: str) -> bool:
        """Whether there is an access token: removing the app takes it away."""
        item = self._table.get(keys.key(keys.shop(shop), keys.ACCESS_TOKEN))
        return item is not None and "ciphertext" in item
