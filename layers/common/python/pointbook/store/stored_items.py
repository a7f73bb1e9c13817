"""Everything that is kept of a customer or a shop, page by page: to copy, rename or delete it.

For work that may be done twice: a batch is not a transaction, and some of it may be written when
its answer is lost. What must happen once goes through `DynamoStore.commit`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from pointbook.domain.chain import BookedEntry
from pointbook.domain.ports import Clock
from pointbook.domain.till_pushes import Push
from pointbook.store import items, keys
from pointbook.store.batches import send_all
from pointbook.store.metafields import deletion_item
from pointbook.store.table import Put, Table, Update
from pointbook.store.till_pushes import cursor_of
from pointbook.store.values import (
    Item,
    Stored,
    instant,
    instant_of,
    text,
    text_of,
    texts,
    texts_of,
)

BATCH_ITEMS = 25
"""The most that one batch writes or deletes."""

type Position = tuple[str, str]
"""The key of an item, behind which a scan goes on."""


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as it was read; what is damaged shows when it is looked at."""

    _item: Stored

    @property
    def sort_key(self) -> str:
        """Its place among the items of a customer."""
        return text_of(self._item["sk"])

    @property
    def is_entry(self) -> bool:
        """Whether it is an entry."""
        return "moves" in self._item

    @property
    def is_idempotency_record(self) -> bool:
        """Whether it is the record of a request."""
        return "entry_ids" in self._item

    @property
    def is_pseudonym(self) -> bool:
        """Whether it is the pseudonym of a customer who is being erased."""
        return self.sort_key == keys.PSEUDONYM

    @property
    def has_metafields(self) -> bool:
        """Whether it says that the customer has metafields at Shopify, or may have."""
        return self.sort_key == keys.METAFIELDS and "namespace" in self._item

    @property
    def till_pushes(self) -> tuple[Push, ...]:
        """The latest pushes of a cursor of the till's outbox; empty for other items."""
        is_cursor = self.sort_key == keys.TILL_PUSH
        return cursor_of(self._item).member_state.pushes if is_cursor else ()

    @property
    def about(self) -> str:
        """What an entry is about: an order, a hold, another customer; empty for other items."""
        return text_of(self._item["about"]) if "about" in self._item else ""

    @property
    def source(self) -> str:
        """Where an entry came from."""
        return text_of(self._item["source"])

    @property
    def recorded_at(self) -> datetime:
        """When an entry was written."""
        return instant_of(self._item["recorded_at"])

    @property
    def entry_ids(self) -> tuple[str, ...]:
        """The entries that an idempotency record names."""
        return texts_of(self._item["entry_ids"]) if self.is_idempotency_record else ()

    def entry(self) -> BookedEntry:
        """The entry that it is."""
        return items.entry_of(self._item)


class StoredItems:
    """The items of one table. Raises LedgerUnavailable while it cannot be reached."""

    def __init__(self, table: Table, clock: Clock) -> None:
        """Use `table`; `clock` waits where it is throttled."""
        self._table = table.outside_ledger()
        self._clock = clock

    def of_customer(
        self, shop: str, customer_id: str, limit: int, after: str = keys.ACCOUNT
    ) -> list[StoredItem]:
        """The first `limit` items of a customer behind a sort key: at first behind the account."""
        values = {":customer": text(keys.customer(shop, customer_id)), ":after": text(after)}
        found = self._table.query("pk = :customer AND sk > :after", values, limit=limit)
        return [StoredItem(item) for item in found]

    def of_shop(
        self, shop: str, after: Position | None, limit: int
    ) -> tuple[list[StoredItem], Position | None]:
        """The shop's items among the next `limit` of the table; None: that was the end."""
        pk = keys.shop(shop)
        page = self._table.scan(
            "pk = :shop OR begins_with(pk, :within)",
            {":shop": text(pk), ":within": text(f"{pk}#")},
            after=keys.key(*after) if after else None,
            limit=limit,
        )
        found, last = [StoredItem(item) for item in page.items], page.last_key
        return found, (text_of(last["pk"]), text_of(last["sk"])) if last else None

    def delete(self, found: Iterable[StoredItem]) -> None:
        """Delete these items; it does no harm where they are gone."""
        self._batches(self._table.batch_delete, (keys.key_of(one._item) for one in found))

    def entries(self, shop: str, customer_id: str, after: int, limit: int) -> list[BookedEntry]:
        """The first `limit` entries of a customer behind a version, if there are as many."""
        found = self.of_customer(shop, customer_id, limit, keys.entry(after))
        return [one.entry() for one in found]

    def put_entries(self, shop: str, entries: Iterable[BookedEntry]) -> None:
        """Write entries over whatever is there, `BATCH_ITEMS` at a time, in order."""
        self._batches(self._table.batch_put, (items.entry_item(shop, one) for one in entries))

    def put_entry_ids(self, found: StoredItem, entry_ids: Iterable[str]) -> StoredItem | None:
        """Let an idempotency record name other entries, if it is as it was found.

        None: it does now, or the record is gone. Otherwise the record as it is.
        """
        item = found._item
        renamed = Put(
            {**item, "entry_ids": texts(entry_ids)},
            "entry_ids = :before",
            {":before": item["entry_ids"]},
        )
        outcome = self._table.put_if(renamed)
        return None if outcome.done or not outcome.item else StoredItem(outcome.item)

    def request_deletion(self, found: StoredItem) -> None:
        """Have the metafields deleted at Shopify that an item of a customer stands for."""
        shop, customer_id = keys.parse(text_of(found._item["pk"]))
        namespace = text_of(found._item["namespace"])
        self._table.put(deletion_item(shop, customer_id, namespace))

    def date_erasure(self, shop: str, customer_id: str, at: datetime) -> None:
        """Write on a customer's tombstone when all was done."""
        key = keys.account(shop, customer_id)
        change = Update(
            key, "SET erased_at = :at", {":at": instant(at)}, "attribute_exists(erased)"
        )
        self._table.update_if(change)

    def _batches(self, send: Callable[[list[Item]], list[Item]], all_of: Iterable[Item]) -> None:
        for batch in batched(all_of, BATCH_ITEMS, strict=False):
            send_all(send, batch, self._clock)
