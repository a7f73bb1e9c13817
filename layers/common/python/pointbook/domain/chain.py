"""Entries chained by their hashes, so that a changed, lost or added one shows.

Each hash covers the entry, who caused it, the salted digest of its free text and of the entry that
caused it, and the hash before it. Text and causing entry lie beside the entry and can be erased (an
entry's id names its customer): the hashes still hold.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from pointbook.domain.entry import Entry
from pointbook.domain.lots import Lots

FORMAT = 1

STAFF = frozenset({"manual", "import"})
"""Sources whose actor is a person of the shop's."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Who caused an entry, and by what.

    `source` is the door it came through (flow, order, my_page, schedule, manual, ...), `actor` the
    id of whoever acted, `cause_entry_id` the entry that led to the action, if it named one, and
    `depth` how many entries led to each other before this one.
    """

    source: str
    actor: str = ""
    cause_entry_id: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """Free text beside an entry, and the random salt that keeps its digest from being guessed."""

    reason: str
    salt: str

    def digest(self, cause: Cause) -> str:
        """What the entry's hash covers in place of the text and of the entry that caused it."""
        erasable = f"{self.salt}\n{cause.cause_entry_id}\n{self.reason}"
        return hashlib.sha256(erasable.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry as it is kept: sealed by `entry_hash` over everything but the text itself."""

    entry: Entry
    cause: Cause
    text: Text | None
    text_digest: str
    previous_hash: str
    entry_hash: str


def seal(
    entries: Iterable[Entry], book_id: str, head: str, cause: Cause, text: Text | None
) -> tuple[BookedEntry, ...]:
    """Chain `entries` on to `head`, the hash of the entry before them ("" for the first)."""
    booked: list[BookedEntry] = []
    for entry in entries:
        digest = text.digest(cause) if text else ""
        entry_hash = hash_of(entry, book_id, cause, digest, head)
        booked.append(BookedEntry(entry, cause, text, digest, head, entry_hash))
        head = entry_hash
    return tuple(booked)


def hash_of(entry: Entry, book_id: str, cause: Cause, text_digest: str, previous_hash: str) -> str:
    """SHA-256, in hex, over the entry's facts in a canonical form."""
    facts = [
        FORMAT,
        book_id,
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
    """An aware instant as whole milliseconds since 1970, the precision that is kept."""
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _days(lots: Lots) -> list[list[str | int]]:
    return [[lot.valid_through.isoformat(), lot.points] for lot in lots]
