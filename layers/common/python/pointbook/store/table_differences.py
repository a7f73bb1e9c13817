"""The differences between two tables, by a digest of each item in a temporary file.

DynamoDB returns partitions in no order that could be relied on, so both tables are read once, each
item's key and digest is kept on disk (some 100 bytes an item), and the comparison is made there.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pointbook.store import keys
from pointbook.store.partition_checks import Key, plain_key
from pointbook.store.table import Page
from pointbook.store.values import Item, Stored, text_of

type Read = Callable[[Item | None], Page]
"""Reads the page behind a key."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A partition whose items differ: sort keys to be written from the copy, and to be deleted."""

    pk: str
    written: tuple[str, ...]
    deleted: tuple[str, ...]


class TableDifferences:
    """Two tables as they were read: `copy` is what is wanted, `live` what there is."""

    def __init__(self) -> None:
        """Begin with two empty tables, in a file that goes with this object."""
        self._file = sqlite3.connect("")
        for name in ("copy", "live"):
            self._file.execute(
                f"CREATE TABLE {name} (pk TEXT, sk TEXT, digest BLOB, owner TEXT,"
                " PRIMARY KEY (pk, sk)) WITHOUT ROWID"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def load(self, name: str, read: Read, progress: Callable[[int], None]) -> int:
        """Read one of the tables anew; `progress` gets the number of items read so far."""
        self._file.execute(f"DELETE FROM {name}")  # noqa: S608 - one of two names
        insert = f"INSERT INTO {name} VALUES (?, ?, ?, ?)"  # noqa: S608 - same
        count, last_key = 0, None
        while True:
            page = read(last_key)
            self._file.executemany(insert, map(_row, page.items))
            count, last_key = count + len(page.items), page.last_key
            progress(count)
            if last_key is None:
                return count

    def differences(self) -> Iterator[Difference]:
        """Every partition that differs, except for what a restore leaves as it is (`_stays`)."""
        found = self._file.execute(
            "SELECT pk, sk, 1 FROM copy LEFT JOIN live USING (pk, sk)"
            " WHERE live.digest IS NOT copy.digest"
            " UNION ALL"
            " SELECT pk, sk, 0 FROM live LEFT JOIN copy USING (pk, sk) WHERE copy.digest IS NULL"
            " ORDER BY 1, 2"
        )
        current, written, deleted = "", list[str](), list[str]()
        for pk, sk, is_written in found:
            if pk != current:
                if written or deleted:
                    yield Difference(current, tuple(written), tuple(deleted))
                current, written, deleted = pk, [], []
            if not self._stays(pk, sk):
                (written if is_written else deleted).append(sk)
        if written or deleted:
            yield Difference(current, tuple(written), tuple(deleted))

    def differing(self, prefix: str) -> list[Key]:
        """The keys in the live table, by the beginning of the sort key, whose items differ."""
        found = self._file.execute(
            "SELECT pk, sk FROM live LEFT JOIN copy USING (pk, sk)"
            " WHERE sk GLOB ? AND copy.digest IS NOT live.digest ORDER BY 1, 2",
            (f"{prefix}*",),
        )
        return [(pk, sk) for pk, sk in found]

    def of_copy(self, sort_key: str) -> list[str]:
        """The partitions of the copy that have an item with this sort key."""
        found = self._file.execute("SELECT pk FROM copy WHERE sk = ?", (sort_key,))
        return [pk for (pk,) in found]

    def foreign(self) -> Iterator[Key]:
        """The keys of points in the live table that are not in the copy, or differ there.

        What only repeats what others said, such as a cached member of the till, does not count.
        """
        found = self._file.execute(
            "SELECT pk, sk FROM live LEFT JOIN copy USING (pk, sk) WHERE pk GLOB 'SHOP#*#*'"
            " AND copy.digest IS NOT live.digest ORDER BY 1, 2"
        )
        for pk, sk in found:
            if sk not in _REPEATED:
                yield pk, sk

    def orders_of(self, shop: str, customer_id: str) -> tuple[str, ...]:
        """The orders that name a customer in the copy."""
        beginning = keys.order(shop, "0")["pk"]
        prefix = plain_key({"pk": beginning, "sk": beginning})[0].removesuffix("0")
        found = self._file.execute(
            "SELECT pk FROM copy WHERE pk GLOB ? AND owner = ?", (f"{prefix}*", customer_id)
        )
        return tuple(pk.removeprefix(prefix) for (pk,) in found)

    def shops(self) -> set[str]:
        """The shops that have accounts in the copy."""
        return {keys.parse(pk)[0] for pk in self.of_copy(keys.ACCOUNT)}

    def _stays(self, pk: str, sk: str) -> bool:
        """Whether the live table keeps its own item: what Shopify or a person said since.

        Privacy requests, removals of the app and disabled triggers stay as they are, and come from
        the copy only where there is none. Access tokens are never copied: a new one is fetched.
        Nor are the till's state and the run of the daily heads, which are of today.
        """
        if sk == keys.ACCESS_TOKEN or pk in (keys.TILL, keys.HEADS):
            return True
        if sk not in _OF_SHOPIFY and not sk.startswith((keys.TRIGGER, keys.PRIVACY_REQUEST)):
            return False
        there = self._file.execute("SELECT 1 FROM live WHERE pk = ? AND sk = ?", (pk, sk))
        return there.fetchone() is not None


_REPEATED = frozenset({keys.TILL_MEMBER, keys.REPORTS})
_OF_SHOPIFY = frozenset({keys.APP_REMOVED, keys.HOLD_CALLS})


def _row(item: Stored) -> tuple[str, str, bytes, str]:
    pk, sk = plain_key(item)
    content = json.dumps(item, sort_keys=True, default=_hex).encode()
    owner = text_of(item["customer"]) if sk == keys.ORDER and "customer" in item else ""
    return pk, sk, hashlib.blake2b(content, digest_size=16).digest(), owner


def _hex(value: Any) -> str:
    """Binary, the one type that JSON does not have."""
    return bytes(value).hex()
