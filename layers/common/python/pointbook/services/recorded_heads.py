"""Reads the daily heads back, and checks their files, for verification.

Of each file that which was written first is read: who may write the bucket can add versions and
hide files, but take nothing away while it is locked.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from pointbook.domain.heads import (
    Manifest,
    Part,
    RecordedHeads,
    UnreadableHeadsError,
    digest,
    heads_in,
)
from pointbook.services.head_recorder import MANIFESTS, NAMES


class LockedFiles(Protocol):
    """Files in a bucket with object lock. Raises Unavailable."""

    def originals(self, prefix: str) -> Mapping[str, tuple[str, int]]:
        """The keys that begin so; of each the first version, and how often it was written."""
        ...

    def original(self, key: str, version: str) -> bytes:
        """The content of one version of a file."""
        ...


class NameFiles(Protocol):
    """The files with the accounts' customers. Raises Unavailable."""

    def get(self, key: str) -> bytes:
        """The content of a file that `keys` has named."""
        ...

    def keys(self, prefix: str) -> Iterable[str]:
        """The keys that begin so, in their order."""
        ...


@dataclass(slots=True)
class LoadedHeads:
    """A shop's heads were added to a `RecordedHeads`: of which days, and what was wrong."""

    days: list[date] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def load_heads(
    files: LockedFiles, shop: str, since: date, erased_at: datetime | None, into: RecordedHeads
) -> LoadedHeads:
    """Add a shop's heads, from the day `since` on, to `into`. Raises Unavailable.

    Heads of before the shop was erased, if it was, are passed over.
    """
    loaded = LoadedHeads()
    originals = files.originals(f"{MANIFESTS}/{shop}/")
    before: tuple[date, str] | None = None
    for key in sorted(originals):
        day = _day(key)
        if day is None:
            loaded.faults.append(f"{key} is no file of heads: somebody else has put it there")
            continue
        if day < since:
            continue
        version, times = originals[key]
        if times > 1:
            loaded.faults.append(f"{key} was written {times} times: the first one counts")
        content = files.original(key, version)
        try:
            manifest = Manifest.parse(content)
        except UnreadableHeadsError as error:
            loaded.faults.append(f"{key} cannot be read: {error}")
            continue
        loaded.faults += _faults_of_link(manifest, key, before, since)
        before = day, digest(content)
        if erased_at is not None and manifest.began_at <= erased_at:
            continue
        loaded.days.append(day)
        for part in manifest.parts:
            loaded.faults += _load_part(files, shop, manifest, part, into)
    return loaded


def _faults_of_link(
    manifest: Manifest, key: str, before: tuple[date, str] | None, since: date
) -> Iterator[str]:
    """Whether a manifest names the one before it, as it is."""
    named = manifest.previous
    if before is None:
        if named is not None and named.day >= since:
            yield f"the heads of {named.day} are missing, which {key} names"
    elif named is None or (named.day, named.sha256) != before:
        yield f"{key} does not name the heads of {before[0]} as they are"


def _load_part(
    files: LockedFiles, shop: str, manifest: Manifest, part: Part, into: RecordedHeads
) -> Iterator[str]:
    found = files.originals(part.key).get(part.key)
    if found is None:
        yield f"{part.key} is missing"
        return
    content = files.original(part.key, found[0])
    if digest(content) != part.sha256:
        yield f"{part.key} is not what was written on {manifest.day}"
        return
    for head in heads_in(content):
        into.add(shop, head, manifest.day)


class AccountNames:
    """Whose an account was on a day, for as long as that is kept."""

    def __init__(self, files: NameFiles) -> None:
        """Look it up in `files`."""
        self._files = files

    def customers(self, shop: str, day: date, account_ids: Iterable[str]) -> dict[str, str]:
        """The customers of accounts that had heads on a day, as far as they are known."""
        wanted = set(account_ids)
        return {name: owner for name, owner in self._rows(shop, day) if name in wanted}

    def accounts(self, shop: str, days: Iterable[date], customer_id: str) -> set[str]:
        """All accounts that a customer had on these days; more than one if one was replaced."""
        rows = (row for day in days for row in self._rows(shop, day))
        return {name for name, owner in rows if owner == customer_id}

    def _rows(self, shop: str, day: date) -> Iterator[tuple[str, str]]:
        for key in self._files.keys(f"{NAMES}/{shop}/{day}/"):
            for line in self._files.get(key).splitlines():
                row = json.loads(line)
                yield row["account"], row["customer_id"]


def _day(key: str) -> date | None:
    try:
        return date.fromisoformat(key.rpartition("/")[2].removesuffix(".json"))
    except ValueError:
        return None
