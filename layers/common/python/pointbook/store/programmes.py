"""Programmes: the one in force, and every version that ever was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pointbook.domain.ports import Clock
from pointbook.domain.programme import Programme, programme_of
from pointbook.errors import LedgerUnavailable, ProgrammeMoved
from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.table import ABSENT, Put, Table
from pointbook.store.values import (
    Item,
    Stored,
    instant,
    int_of,
    number,
    optional_instant,
    text,
    text_of,
)

DEPLOYMENT = "deployment"
"""The origin of a programme that came from the deployment's parameters, and who set it."""

PERSON = "person"
PARAMETERS_MIN_AGE = timedelta(minutes=15)
"""How long a deployment's programme is in force before other parameters may replace it: longer than
functions of two releases run side by side."""

_UNCHANGED = "version = :before"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The programme of the deployment's parameters, and how long one is in force at least.

    It also supplies the rules that a stored programme lacks, as an earlier release wrote it.
    """

    programme: Programme
    min_age: timedelta = PARAMETERS_MIN_AGE


@dataclass(frozen=True, slots=True)
class Version:
    """A programme as it is stored: since when, and who set it.

    `at` is None if an early release wrote it, which did not record that.
    """

    programme: Programme
    at: datetime | None
    by: str


class Programmes:
    """The programmes of all shops, in the ledger's table."""

    def __init__(self, table: Table, clock: Clock, deployment: Deployment) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()
        self._clock = clock
        self._deployment = deployment

    def in_force(self, shop: str) -> Programme:
        """The programme of a shop.

        Until a person sets one, it is the deployment's, with a new version whenever its parameters
        change. During a deploy, functions of two releases have different parameters: the newer ones
        write a version, and the older ones are gone before it has reached its minimum age.
        """
        item = self._in_force(shop)
        if item is not None and not self._is_outdated(item):
            return self._programme(item)
        try:
            return self._write(shop, item, self._deployment.programme.texts(), DEPLOYMENT)
        except LedgerUnavailable:
            # Where another function was faster, its version is in force.
            item = self._in_force(shop)
            if item is None:
                raise
            return self._programme(item)

    def set(self, shop: str, texts: Mapping[str, str], by: str, expected_version: int) -> Programme:
        """Change the rules that `texts` name, as a person; the others stay as they are.

        From then on the deployment's parameters change nothing any more. `expected_version` is the
        one in force that the person has seen, 0 for none. Raises ProgrammeMoved where it is in
        force no longer, ProgrammeError where a text cannot be used.
        """
        item = self._in_force(shop)
        before = self._programme(item) if item else self._deployment.programme
        changed = before.texts() | dict(texts)
        _require_version(item, expected_version)
        try:
            return self._write(shop, item, changed, PERSON, by)
        except LedgerUnavailable:
            # The reply may be all that was lost.
            item = self._in_force(shop)
            if item and _version(item) == expected_version + 1 and item.get("by") == text(by):
                written = self._programme(item)
                if written.texts() == changed:
                    return written
            _require_version(item, expected_version)
            raise

    def latest(self, shop: str) -> Version | None:
        """The version in force as it is stored; None if no function has needed one yet."""
        item = self._in_force(shop)
        return self._stored_version(item) if item else None

    def version(self, shop: str, number: int) -> Programme | None:
        """One version, in force or not."""
        item = self._table.get(keys.programme_version(shop, number))
        return self._programme(item) if item else None

    def history(self, shop: str) -> Iterator[Version]:
        """Every version, the first one first."""
        values = {":shop": text(keys.shop(shop)), ":versions": text(keys.PROGRAMME_VERSION)}
        found = self._table.query("pk = :shop AND begins_with(sk, :versions)", values)
        yield from map(self._stored_version, found)

    def _is_outdated(self, item: Stored) -> bool:
        """Whether this is another deployment's programme and has stood long enough."""
        if text_of(item["origin"]) != DEPLOYMENT:
            return False
        if self._programme(item).texts() == self._deployment.programme.texts():
            return False
        at = optional_instant(item, "at")
        return at is None or self._clock.now() - at >= self._deployment.min_age

    def _write(
        self, shop: str, before: Stored | None, texts: Mapping[str, str], origin: str, by: str = ""
    ) -> Programme:
        """Write the version after `before`. Rules that this release does not know stay."""
        programme = programme_of(texts, _version(before) + 1 if before else 1)
        item: Item = {
            **(before or {}),
            **{name: text(rule) for name, rule in programme.texts().items()},
            **keys.key(keys.shop(shop), keys.PROGRAMME),
            **SCHEMA,
            "version": number(programme.version),
            "origin": text(origin),
            "by": text(by or origin),
            "at": instant(self._clock.now()),
        }
        in_force = Put(item, ABSENT)
        if before:
            in_force = Put(item, _UNCHANGED, {":before": number(programme.version - 1)})
        version = item | keys.programme_version(shop, programme.version)
        if self._table.transact([in_force, Put(version, ABSENT)]):
            raise LedgerUnavailable(retry_after_seconds=1)
        return programme

    def _in_force(self, shop: str) -> Stored | None:
        return self._table.get(keys.key(keys.shop(shop), keys.PROGRAMME))

    def _stored_version(self, item: Stored) -> Version:
        by = text_of(item.get("by", item["origin"]))
        return Version(self._programme(item), optional_instant(item, "at"), by)

    def _programme(self, item: Stored) -> Programme:
        default = self._deployment.programme.texts()
        texts = {
            name: text_of(item[name]) if name in item else rule for name, rule in default.items()
        }
        return programme_of(texts, _version(item))


def _require_version(item: Stored | None, expected: int) -> None:
    found = _version(item) if item else 0
    if found != expected:
        raise ProgrammeMoved(expected, found)


def _version(item: Stored) -> int:
    return int_of(item["version"])
