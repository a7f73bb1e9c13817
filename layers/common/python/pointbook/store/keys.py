"""Keys of the one table. The shop comes first, always; no text of a user's ever enters a key.

Customers and orders have numbers as ids. Anything else was let through by mistake and ends here.
"""

import hashlib
import re
import zlib

from pointbook.domain.ports import DUE_SHARDS, DueKind

ACCOUNT = "A"
ORDER = "O"
HOLD_RECORD = "K"
VERSION_DIGITS = 12
_NUMBER = re.compile("[0-9]+")


def book(shop: str, customer_id: str) -> str:
    """Everything of one customer."""
    return f"S#{shop}#C#{_digits(customer_id)}"


def entry(version: int) -> str:
    """One entry within a book; sorts by version."""
    return f"E#{version:0{VERSION_DIGITS}d}"


def remembered(key_hash: str) -> str:
    """The record of one request within a book."""
    return f"I#{key_hash}"


def order(shop: str, order_id: str) -> str:
    """One order."""
    return f"S#{shop}#O#{_digits(order_id)}"


def hold_record(shop: str, code: str) -> str:
    """The hold behind a discount code, which is found whatever its case."""
    return f"S#{shop}#K#{hashlib.sha256(code.casefold().encode()).hexdigest()}"


def due(kind: DueKind, shard: int) -> str:
    """One shard of the work of a kind."""
    return f"DUE#{kind}#{shard}"


def due_of(kind: DueKind, book_key: str) -> str:
    """The shard on which a book's work of a kind stands."""
    return due(kind, zlib.crc32(book_key.encode()) % DUE_SHARDS)


def parse_book(book_key: str) -> tuple[str, str]:
    """Shop and customer of a book's key."""
    _, shop, _, customer_id = book_key.split("#")
    return shop, customer_id


def _digits(number: str) -> str:
    assert _NUMBER.fullmatch(number), f"{number!r} is no number"
    return number
