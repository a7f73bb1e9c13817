"""The ledger's store on DynamoDB.

A cancelled transaction names the actions whose conditions did not hold, in the order of the write:

    the idempotency record was there  → AlreadyDone: the request had its effect before
    a throttle or a conflict          → StoreUnavailable: the SDK does not retry these
    another condition failed          → VersionConflict, with the accounts as they are now

A write with a daily limit that leaves too few points is not sent: LimitReached.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import batched
from typing import Any

from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry
from pointbook.domain.orders import Order
from pointbook.domain.ports import (
    AlreadyDone,
    Committed,
    Due,
    DueKind,
    LimitReached,
    Loaded,
    ReadRequest,
    StoreUnavailable,
    TransientCause,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.store import hold_items, items, keys, ledger_transactions, order_items
from pointbook.store.staff_limits import StaffLimits
from pointbook.store.table import BATCH_KEYS_MAX, Cancellation, Table
from pointbook.store.values import Item, Stored, instant, instant_of, text, text_of

_READERS: dict[str, Callable[[Stored], Any]] = {
    "account": items.account_of,
    "idempotency_record": items.idempotency_record_of,
    "order": order_items.order_of,
    "hold_record": hold_items.hold_record_of,
}


class DynamoStore:
    """The `Store` of one table."""

    def __init__(self, table: Table) -> None:
        """Keep everything in `table`."""
        self._table = table

    def load(self, request: ReadRequest, *, fresh: bool) -> Loaded:
        """Read everything requested: `fresh` as one snapshot, else at half the price."""
        by_name = ledger_transactions.keys_of(request)
        found = self._fresh(by_name) if fresh else self._cheap(by_name)
        parts: dict[str, Any] = {}
        for name, key in by_name.items():
            for item in found:
                if keys.key_of(item) == key:
                    parts[name] = _READERS[name](item)
        return Loaded(**parts)

    def account(self, shop: str, customer_id: str) -> Account | None:
        """One account, fresh."""
        item = self._table.get(keys.account(shop, customer_id))
        return items.account_of(item) if item else None

    def commit(self, write: Write) -> Verdict:
        """Write all or nothing, and say which."""
        actions = ledger_transactions.transaction(write)
        if write.daily_limit is not None:
            counting = StaffLimits(self._table).counting(write.shop, write.daily_limit)
            if isinstance(counting, int):
                return LimitReached(points_left=counting)
            actions.append(counting)
        cancelled = self._table.transact(actions)
        return Committed() if cancelled is None else _verdict(write, cancelled)

    def entries(
        self, shop: str, customer_id: str, *, before_version: int, limit: int
    ) -> list[BookedEntry]:
        """The `limit` latest entries below a version, newest first."""
        if before_version <= 1:
            return []
        found = self._table.query(
            "pk = :customer AND sk BETWEEN :first AND :last",
            {
                ":customer": text(keys.customer(shop, customer_id)),
                ":first": text(keys.entry(1)),
                ":last": text(keys.entry(before_version - 1)),
            },
            newest_first=True,
            limit=limit,
        )
        return [items.entry_of(item) for item in found]

    def orders(self, shop: str, order_ids: Collection[str]) -> dict[str, Order]:
        """Those of these orders that are there, by their ids, eventually consistent."""
        found: list[Stored] = []
        for some in batched(sorted(order_ids), BATCH_KEYS_MAX, strict=False):
            found += self._cheap({order_id: keys.order(shop, order_id) for order_id in some})
        orders = map(order_items.order_of, found)
        return {order.order_id: order for order in orders}

    def due(self, kind: DueKind, shard: int, now: datetime) -> Iterator[Due]:
        """Everything in a shard that has fallen due, the longest due first."""
        found = self._table.query(
            f"due_{kind} = :shard AND due_{kind}_at <= :now",
            {":shard": text(keys.due(kind, shard)), ":now": instant(now)},
            index=f"due_{kind}",
        )
        for item in found:
            yield Due(*keys.parse(text_of(item["pk"])), instant_of(item[f"due_{kind}_at"]))

    def _cheap(self, by_name: dict[str, Item]) -> list[Stored]:
        found, left_out = self._table.batch_get(by_name.values())
        if left_out:
            raise StoreUnavailable(TransientCause.THROTTLED, "part of a read was left out")
        return found

    def _fresh(self, by_name: dict[str, Item]) -> list[Stored]:
        return self._table.snapshot(by_name.values())


def _verdict(write: Write, cancelled: Cancellation) -> Verdict:
    """What a cancelled transaction means; places are those of `transaction`."""
    accounts_end = len(write.accounts)
    entries_end = accounts_end + sum(len(part.entries) for part in write.accounts)
    if write.idempotency_record is not None and entries_end in cancelled.failed:
        record = items.idempotency_record_of(cancelled.failed[entries_end])
        return AlreadyDone(record)
    if cancelled.unavailable:
        raise cancelled.unavailable
    if max(cancelled.failed) >= entries_end:
        return VersionConflict()
    changed = [
        items.account_of(item)
        for place, item in cancelled.failed.items()
        if place < accounts_end and item
    ]
    return VersionConflict({account.customer_id: account for account in changed})
