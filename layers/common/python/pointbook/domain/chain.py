"""Entries chained by their hashes, so that changed, missing or added entries are detected.

Each hash covers the entry, its cause, the previous hash, and a salted digest of what can be erased:
the free text and the id of the causing entry (which contains a customer's id).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from pointbook.domain.entry import Entry
from pointbook.domain.lots import Lots

FORMAT = 1

TILL = "till"
"""The source of entries that correct the ledger after the till."""

STAFF = frozenset({"manual", "import", "staff", TILL})
"""Sources whose actor is a member of the shop's staff."""

_AT_TILL = "till:"
_TELLING = frozenset({"flow", "order"})
"""Sources that may report what has happened at the till already; their actors are Shopify's ids."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who caused an entry, and by what.

    `source` is where the command came from (flow, order, my_page, staff, manual, ...), `actor`
    the id of whoever gave it, `cause_entry_id` the entry that triggered it, if it named one, and
    `depth` the number of entries that triggered each other before this one.
    """

    source: str
    actor: str = ""
    cause_entry_id: str = ""
    depth: int = 0

    @classmethod
    def reported(cls, source: str, actor: str, cause_entry_id: str = "", depth: int = 0) -> Self:
        """The cause of a movement that has happened at the till already, as `source` reports."""
        assert source in _TELLING, f"{source} reports nothing of the till"
        return cls(source, f"{_AT_TILL}{actor}", cause_entry_id, depth)

    @property
    def is_at_till(self) -> bool:
        """Whether the till has the movement already, so that it must not be pushed there."""
        is_reported = self.source in _TELLING and self.actor.startswith(_AT_TILL)
        return is_reported or self.source == TILL


@dataclass(frozen=True, slots=True)
class Text:
    """The free text of an entry, and the random salt that keeps its digest from being guessed."""

    reason: str
    salt: str

    def digest(self, cause: Cause) -> str:
        """The digest that the entry's hash covers in place of the text and the causing entry."""
        erasable = f"{self.salt}\n{cause.cause_entry_id}\n{self.reason}"
        return hashlib.sha256(erasable.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry as it is stored: `entry_hash` covers everything but the text itself."""

    entry: Entry
    cause: Cause
    text: Text | None
    text_digest: str
    previous_hash: str
    entry_hash: str


def chain_entries(
    entries: Iterable[Entry], account_id: str, head: str, cause: Cause, text: Text | None
) -> tuple[BookedEntry, ...]:
    """Chain `entries` on to `head`, the hash of the entry before them ("" for the first)."""
    booked: list[BookedEntry] = []
    for entry in entries:
        digest = text.digest(cause) if text else ""
        entry_hash = hash_of(entry, account_id, cause, digest, head)
        booked.append(BookedEntry(entry, cause, text, digest, head, entry_hash))
        head = entry_hash
    return tuple(booked)


def hash_of(
    entry: Entry, account_id: str, cause: Cause, text_digest: str, previous_hash: str
) -> str:
    """SHA-256, in hex, over the entry's facts in a canonical form."""
    facts = [
        FORMAT,
        account_id,
        entry.version,
        entry.topic,
        milliseconds(entry.at),
        milliseconds(entry.recorded_at),
        [[bucket, change] for bucket, change in entry.moves],
        _days(entry.lots),
        _days(entry.held_lots),
        list(entry.figures),
        entry.about,
        cause.source,
        cause.actor,
        cause.depth,
        text_digest,
        previous_hash,
    ]
    canonical = json.dumps(facts, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def milliseconds(instant: datetime) -> int:
    """An aware instant as whole milliseconds since 1970, the precision of stored times."""
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _days(lots: Lots) -> list[list[str | int]]:
    return [[lot.valid_through.isoformat(), lot.points] for lot in lots]
