"""Which triggers have subscribers: one item for each trigger of which Shopify has notified us.

Shopify notifies when the first workflow with a trigger is switched on and when the last one is
switched off. Its messages may come twice and out of order, so the newest one counts.
"""

from datetime import datetime

from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.table import Put, Table
from pointbook.store.values import boolean, boolean_of, instant, text, text_of

NEWER = "attribute_not_exists(notified_at) OR notified_at < :at"


class TriggerSubscriptions:
    """The subscriptions of all shops, in the ledger's table."""

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()

    def disabled_handles(self, shop: str) -> frozenset[str]:
        """The handles of the triggers that no workflow of the shop subscribes to."""
        found = self._table.query(
            "pk = :shop AND begins_with(sk, :triggers)",
            {":shop": text(keys.shop(shop)), ":triggers": text(keys.TRIGGER)},
        )
        return frozenset(
            text_of(item["sk"]).removeprefix(keys.TRIGGER)
            for item in found
            if not boolean_of(item["enabled"])
        )

    def record(self, shop: str, handle: str, at: datetime, *, enabled: bool) -> bool:
        """Keep what Shopify said at a time. False: it has said something newer, or this before."""
        item = {
            **keys.key(keys.shop(shop), f"{keys.TRIGGER}{handle}"),
            **SCHEMA,
            "enabled": boolean(enabled),
            "notified_at": instant(at),
        }
        return self._table.put_if(Put(item, NEWER, {":at": instant(at)})).done
