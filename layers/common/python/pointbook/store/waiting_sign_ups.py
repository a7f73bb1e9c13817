"""Sign-ups that came while earning was paused: they wait here, and are taken up afterwards.

due_trigger, due_trigger_at  the shop's list, and when the sign-up came; the ledger's time
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from pointbook.store import keys
from pointbook.store.customer_items import CustomerErased, CustomerItems
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table
from pointbook.store.values import instant, optional_instant, text, text_of


class WaitingSignUps:
    """The waiting sign-ups of all shops. Raises LedgerUnavailable; each call may be repeated."""

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)

    def add(self, shop: str, customer_id: str, at: datetime) -> None:
        """Let a sign-up wait; the first one of a customer counts. Nothing for an erased one."""
        listed = {"due_trigger": text(keys.due_sign_ups(shop)), "due_trigger_at": instant(at)}
        with suppress(CustomerErased):
            self._items.create({**keys.sign_up(shop, customer_id), **SCHEMA, **listed})

    def all(self, shop: str) -> Iterator[tuple[str, datetime]]:
        """Customers whose sign-ups wait, and when these came, the oldest first."""
        values = {":list": text(keys.due_sign_ups(shop))}
        for item in self._table.query("due_trigger = :list", values, index="due_trigger"):
            at = optional_instant(item, "due_trigger_at")
            assert at is not None, "the index has only items with its sort key"
            yield keys.parse(text_of(item["pk"]))[1], at

    def remove(self, shop: str, customer_id: str) -> None:
        """A sign-up waits no longer."""
        self._table.delete(keys.sign_up(shop, customer_id))
