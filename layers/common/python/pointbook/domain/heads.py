"""Daily heads of all chains: what shows that a chain was rewritten as a whole.

Whoever may write the table can compute every hash of a chain anew, and the chain then verifies.
So the heads (account, version, hash) are written once a day to files that cannot be overwritten.
They name accounts by their random names, never customers: a file that cannot be deleted must not
hold what an erasure has to remove. The form of the files: docs/hash-chain.md.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from pointbook.domain.reconcile import Damage, Finding

FORMAT = 1

type Recorded = Mapping[tuple[int, str], date]
"""Versions and hashes that were heads of one account, each with the first day it was recorded."""


class UnreadableHeadsError(ValueError):
    """A file of heads is not what it should be."""


class Head(NamedTuple):
    """The last entry of an account's chain; `account_id` is the account's random name."""

    account_id: str
    version: int
    entry_hash: str


class Part(NamedTuple):
    """A file with heads of one day: its key, the SHA-256 of its content, and how many it has."""

    key: str
    sha256: str
    heads: int


class Previous(NamedTuple):
    """The manifest of the day before: its day, and the SHA-256 of its content."""

    day: date
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a shop's heads of one day, and the digest of the manifest before it.

    Each head is of some instant between `began_at` and `finished_at`.
    """

    shop: str
    day: date
    began_at: datetime
    finished_at: datetime
    parts: tuple[Part, ...] = ()
    previous: Previous | None = None

    def content(self) -> bytes:
        """The manifest as its file has it."""
        before = self.previous
        document = {
            "format": FORMAT,
            "shop": self.shop,
            "day": self.day.isoformat(),
            "began_at": self.began_at.isoformat(timespec="milliseconds"),
            "finished_at": self.finished_at.isoformat(timespec="milliseconds"),
            "heads": sum(part.heads for part in self.parts),
            "parts": [part._asdict() for part in self.parts],
            "previous": before and {"day": before.day.isoformat(), "sha256": before.sha256},
        }
        return json.dumps(document, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The manifest in a file. Raises UnreadableHeadsError."""
        try:
            found = json.loads(content)
            previous = found["previous"]
            return cls(
                shop=found["shop"],
                day=date.fromisoformat(found["day"]),
                began_at=datetime.fromisoformat(found["began_at"]),
                finished_at=datetime.fromisoformat(found["finished_at"]),
                parts=tuple(Part(**part) for part in found["parts"]),
                previous=previous
                and Previous(date.fromisoformat(previous["day"]), previous["sha256"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableHeadsError(str(error)) from error


def digest(content: bytes) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(content).hexdigest()


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON Lines, without blanks."""
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


def head_lines(heads: Iterable[Head]) -> bytes:
    """The content of a file with heads."""
    return lines(
        {"account": one.account_id, "version": one.version, "hash": one.entry_hash} for one in heads
    )


def heads_in(content: bytes) -> Iterator[Head]:
    """The heads in a file. Raises UnreadableHeadsError."""
    try:
        for line in content.splitlines():
            row = json.loads(line)
            yield Head(row["account"], row["version"], row["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableHeadsError(str(error)) from error


class RecordedHeads:
    """The heads that were recorded on several days, in memory: each pair of version and hash once.

    Measured: 550 bytes an account, and 160 for each further head.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._shops: dict[str, dict[str, dict[tuple[int, str], date]]] = {}
        self._last: dict[str, dict[str, date]] = {}

    def add(self, shop: str, head: Head, day: date) -> None:
        """Add a head; days come in their order."""
        heads = self._shops.setdefault(shop, {}).setdefault(head.account_id, {})
        heads.setdefault((head.version, head.entry_hash), day)
        self._last.setdefault(shop, {})[head.account_id] = day

    def of(self, shop: str, account_id: str) -> Recorded:
        """The heads of one account; empty if there are none."""
        return self._shops.get(shop, {}).get(account_id, {})

    def accounts(self, shop: str) -> KeysView[str]:
        """The accounts of a shop that have heads."""
        return self._shops.get(shop, {}).keys()

    def last_day(self, shop: str, account_id: str) -> date:
        """The last day on which an account had a head."""
        return self._last[shop][account_id]

    def days(self, shop: str) -> set[date]:
        """The days on which accounts of a shop had their last head."""
        return set(self._last.get(shop, {}).values())

    @property
    def shops(self) -> tuple[str, ...]:
        """The shops that have heads."""
        return tuple(self._shops)


class HeadCheck:
    """Compares one chain, entry by entry in their order, with its recorded heads."""

    def __init__(self, recorded: Recorded) -> None:
        """Compare with `recorded`."""
        self._hashes: dict[int, list[tuple[str, date]]] = {}
        for (version, entry_hash), day in recorded.items():
            self._hashes.setdefault(version, []).append((entry_hash, day))
        self._agreed = 0
        self._rewritten: tuple[int, date] | None = None

    def take(self, version: int, entry_hash: str) -> None:
        """Compare the next entry."""
        for recorded, day in self._hashes.get(version, ()):
            if recorded == entry_hash:
                self._agreed = version
            elif self._rewritten is None:
                self._rewritten = (version, day)

    def findings(self, last_version: int) -> Iterator[Finding]:
        """What does not agree with the heads, in a chain that ends with `last_version`."""
        if self._rewritten is not None:
            version, day = self._rewritten
            since = f"after entry {self._agreed}" if self._agreed < version else "there"
            since = since if self._agreed else "from the first entry on"
            what = (
                f"entry {version} is not the one that was recorded on {day}: the chain was"
                f" rewritten {since}"
            )
            yield Finding(Damage.REWRITTEN, version, what)
        last = max(self._hashes, default=0)
        if last > last_version:
            day = min(day for _, day in self._hashes[last])
            what = f"on {day} there were {last} entries, now there are {last_version}"
            yield Finding(Damage.CUT_OFF, last_version, what)
