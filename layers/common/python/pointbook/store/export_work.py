"""The work file of an export: items as they were read, and how far the reading has come.

DynamoDB returns partitions in no order, and what changes meanwhile is read again, so an export is
gathered here and written once it is whole. A run that is cut off is continued by another.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from pointbook.store import keys
from pointbook.store.export_format import item_of, item_text, shop_of
from pointbook.store.order_items import customers_of
from pointbook.store.partition_checks import Key, plain_key
from pointbook.store.values import Stored, text_of

_TABLES = (
    "CREATE TABLE IF NOT EXISTS items (pk, sk, item, PRIMARY KEY (pk, sk)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS customers (pk PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS notes (name PRIMARY KEY, value) WITHOUT ROWID",
)


class ExportWork:
    """One work file. Everything within `transaction` is written, or nothing."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it: for nobody but its owner, as customers' points are in it.

        Raises OSError, sqlite3.Error, as every method may.
        """
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._file = sqlite3.connect(path, isolation_level=None)
        try:
            for table in _TABLES:
                self._file.execute(table)
        except sqlite3.Error:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what is done within, unless it raises."""
        self._file.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def note(self, name: str) -> str:
        """Something noted; "" if nothing is."""
        found = self._file.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return found[0] if found else ""

    def set_note(self, name: str, value: str) -> None:
        """Note something."""
        self._file.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def put(self, found: Iterable[Stored]) -> None:
        """Keep items, each over what was read before."""
        for item in found:
            pk, sk = plain_key(item)
            self._file.execute(
                "INSERT OR REPLACE INTO items VALUES (?, ?, ?)", (pk, sk, item_text(item))
            )
            for customer in customers_in(item):
                self._file.execute("INSERT OR IGNORE INTO customers VALUES (?)", (customer,))

    def delete(self, pk: str) -> None:
        """Forget a partition."""
        self._file.execute("DELETE FROM items WHERE pk = ?", (pk,))

    def clear(self) -> None:
        """Forget all items."""
        self._file.execute("DELETE FROM items")
        self._file.execute("DELETE FROM customers")

    def get(self, key: Key) -> Stored | None:
        """An item as it was read."""
        found = self._file.execute("SELECT item FROM items WHERE pk = ? AND sk = ?", key).fetchone()
        return item_of(found[0]) if found else None

    def abouts(self, pk: str) -> set[str]:
        """What the entries of a customer are about."""
        found = self._file.execute(
            "SELECT item FROM items WHERE pk = ? AND sk GLOB ?", (pk, f"{keys.ENTRY}*")
        )
        return {text_of(item["about"]) for (text,) in found if "about" in (item := item_of(text))}

    def customers(self, after: str, limit: int) -> list[str]:
        """The next partition keys of customers who have items, or are named by any."""
        found = self._file.execute(
            "SELECT pk FROM customers WHERE pk > ? ORDER BY pk LIMIT ?", (after, limit)
        )
        return [pk for (pk,) in found]

    def customer_count(self) -> int:
        """How many these are."""
        number: int = self._file.execute("SELECT COUNT(*) FROM customers").fetchone()[0]
        return number

    def shops(self) -> set[str]:
        """The shops whose items they are."""
        return {
            shop for key in self._file.execute("SELECT pk, sk FROM items") if (shop := shop_of(key))
        }

    def texts(self) -> Iterator[tuple[Key, str]]:
        """Every item as a text, by its key, in order."""
        found = self._file.execute("SELECT pk, sk, item FROM items ORDER BY pk, sk")
        for pk, sk, text in found:
            yield (pk, sk), text


def customers_in(item: Stored) -> Iterator[str]:
    """The partition keys of the customers whose item it is, or whom it names."""
    pk, sk = plain_key(item)
    if sk in (keys.ORDER, keys.HOLD):
        shop, _ = keys.parse(pk)
        for customer_id in customers_of(item):
            yield keys.customer(shop, customer_id)
    elif keys.is_customer(pk):
        yield pk
