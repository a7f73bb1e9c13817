"""What the comparison of orders with Shopify needs of the table: how far it is, and known orders.

One item beside the shop says where the next run begins. It is written after each page, when all of
the page is on the queue; so whoever writes it last, everything before it has been compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pointbook.domain.ports import Clock
from pointbook.store import keys
from pointbook.store.batches import read_all
from pointbook.store.fields import INSTANT, TEXT, TEXTS, Codec
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table
from pointbook.store.values import Item, text_of


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the next run begins.

    `since` begins the period that is compared next. While a period is not finished, `until` ends it
    and `cursor` is the page of Shopify's list that is next. `left` are orders that were found but
    could not be fed: their ids.
    """

    since: datetime
    until: datetime | None = None
    cursor: str | None = None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """What the ledger knows of an order, as far as it is compared.

    `updated_at` is Shopify's, of the update that counts; None if only refunds were heard of.
    """

    updated_at: datetime | None
    customer_id: str | None


_PROGRESS = Codec(
    Progress,
    since=INSTANT,
    until=INSTANT.optional(),
    cursor=TEXT.optional(),
    left=TEXTS.named("left_orders").optional(()),
)

_STORED_ORDER = Codec(
    StoredOrder,
    updated_at=INSTANT.optional(),
    customer_id=TEXT.named("customer").optional(),
)


class Reconciliations:
    """The comparisons of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        """Keep them in `table`; `clock` waits where it is throttled."""
        self._table = table.outside_ledger()
        self._clock = clock

    def progress(self, shop: str) -> Progress | None:
        """How far a shop has been compared; None: never."""
        item = self._table.get(_key(shop))
        return _PROGRESS.read(item) if item else None

    def save(self, shop: str, progress: Progress) -> None:
        """Write it over whatever is there."""
        self._table.put({**_key(shop), **SCHEMA, **_PROGRESS.write(progress)})

    def stored_orders(self, shop: str, order_ids: Iterable[str]) -> Mapping[str, StoredOrder]:
        """Those of up to 100 orders that the ledger knows, by id; eventually consistent."""
        orders = [keys.order(shop, order_id) for order_id in dict.fromkeys(order_ids)]
        found = read_all(self._table, orders, self._clock)
        return {keys.parse(text_of(item["pk"]))[1]: _STORED_ORDER.read(item) for item in found}


def _key(shop: str) -> Item:
    return keys.key(keys.shop(shop), keys.RECONCILIATION)
