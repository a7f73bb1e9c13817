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
ORPHANED_CODE = "L"
CURSOR = "U"
REPORTS = "R"
HOLD_CALLS = "H"
PSEUDONYM = "N"
VERSION_DIGITS = 12
_NUMBER = re.compile("[0-9]+")


def shop(shop: str) -> str:
    """What belongs to a shop as a whole; every other key of the shop begins with it and a #."""
    return f"S#{shop}"


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


def hold_record(shop: str, hold_id: str) -> str:
    """What is kept of one hold."""
    digest = hashlib.sha256(hold_id.encode("utf-8", "surrogatepass")).hexdigest()  # anybody's text
    return f"S#{shop}#K#{digest}"


def orphaned_code(shop: str, hold_id: str) -> str:
    """A hold's code that is to be switched off."""
    return f"S#{shop}#L#{hashlib.sha256(hold_id.encode()).hexdigest()}"


def listed_code(shop: str, listed_id: str) -> str:
    """The same by the id that `parse` gives."""
    return f"S#{shop}#L#{listed_id}"


def due(kind: DueKind, shard: int) -> str:
    """One shard of the work of a kind."""
    return f"DUE#{kind}#{shard}"


def due_of(kind: DueKind, key: str) -> str:
    """The shard on which the work of a kind on a book or an order stands."""
    return due(kind, zlib.crc32(key.encode()) % DUE_SHARDS)


def due_triggers(shop: str) -> str:
    """The list of a shop's books of which Shopify Flow is to be told later."""
    return f"DUE#trigger#{shop}"


def listening(handle: str) -> str:
    """Whether any workflow of a shop listens to a trigger."""
    return f"W#{handle}"


def parse(key: str) -> tuple[str, str]:
    """Shop and id of the key of a book or an order."""
    _, shop, _, number = key.split("#")
    return shop, number


def _digits(number: str) -> str:
    assert _NUMBER.fullmatch(number), f"{number!r} is no number"
    return number
