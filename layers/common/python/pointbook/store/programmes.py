"""Where programmes are kept: the one in force, and every version that ever was."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.domain.chain import milliseconds
from pointbook.domain.ports import Clock, StoreUnavailable
from pointbook.domain.programme import Programme, programme_of
from pointbook.errors import LedgerUnavailable, ProgrammeMoved, StoreRefused
from pointbook.store.dynamodb import translated
from pointbook.store.requests import ABSENT
from pointbook.store.values import Item, Stored

IN_FORCE = "P"
DEPLOYMENT = "deployment"
"""The origin of a programme that came from the deployment's parameters, and who set it."""

PERSON = "person"
PARAMETERS_REST = timedelta(minutes=15)
"""How long a deployment's programme stands before other parameters replace it: longer than
functions of two releases run side by side."""

_UNCHANGED = "version = :before"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The programme of the deployment's parameters, and how long such a programme stands at least.

    Rules that were not known when a programme was written are those of this one.
    """

    programme: Programme
    rest: timedelta = PARAMETERS_REST


@dataclass(frozen=True, slots=True)
class Version:
    """A programme as it is kept: since when, and who set it.

    `at` is None where a release wrote it that did not keep that.
    """

    programme: Programme
    at: datetime | None
    by: str


class Programmes:
    """The programmes of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached.
    """

    def __init__(self, client: Any, table: str, clock: Clock, deployment: Deployment) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table
        self._clock = clock
        self._deployment = deployment

    def in_force(self, shop: str) -> Programme:
        """The programme of a shop.

        Until a person sets one, it is the deployment's: its first version where there is none yet,
        and a new version where the deployment's parameters have changed since. While a deploy
        lasts, functions of two releases have different parameters; the first of the newer ones
        writes a version, and the older ones let it stand, for they are gone before its rest is.
        """
        item = self._read(shop, IN_FORCE)
        if item is not None and not self._is_outdated(item):
            return self._programme(item)
        try:
            return self._write(shop, item, self._deployment.programme.texts(), DEPLOYMENT)
        except LedgerUnavailable:
            # Where another function was faster, its version is in force.
            item = self._read(shop, IN_FORCE)
            if item is None:
                raise
            return self._programme(item)

    def set(self, shop: str, texts: Mapping[str, str], by: str, expected_version: int) -> Programme:
        """Change the rules that `texts` name, as a person; the others stay as they are.

        From then on the deployment's parameters change nothing any more. `expected_version` is the
        one in force that the person has seen, 0 for none. Raises ProgrammeMoved where it is in
        force no longer, ProgrammeError where a text cannot be used.
        """
        item = self._read(shop, IN_FORCE)
        before = self._programme(item) if item else self._deployment.programme
        wanted = before.texts() | dict(texts)
        _require_version(item, expected_version)
        try:
            return self._write(shop, item, wanted, PERSON, by)
        except LedgerUnavailable:
            # The reply may be all that was lost.
            item = self._read(shop, IN_FORCE)
            if item and _version(item) == expected_version + 1 and item.get("by") == {"S": by}:
                written = self._programme(item)
                if written.texts() == wanted:
                    return written
            _require_version(item, expected_version)
            raise

    def latest(self, shop: str) -> Version | None:
        """The version in force as it is kept; None where no function has asked for one yet."""
        item = self._read(shop, IN_FORCE)
        return self._kept(item) if item else None

    def version(self, shop: str, number: int) -> Programme | None:
        """One version, in force or not."""
        item = self._read(shop, _history(number))
        return self._programme(item) if item else None

    def history(self, shop: str) -> Iterator[Version]:
        """Every version, the first one first."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :shop AND begins_with(sk, :version)",
            "ExpressionAttributeValues": {
                ":shop": {"S": _shop(shop)},
                ":version": {"S": f"{IN_FORCE}#"},
            },
            "ConsistentRead": True,
        }
        while True:
            page = self._send("query", request)
            yield from map(self._kept, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _is_outdated(self, item: Stored) -> bool:
        """Whether this is another deployment's programme and has stood long enough."""
        if item["origin"]["S"] != DEPLOYMENT:
            return False
        if self._programme(item).texts() == self._deployment.programme.texts():
            return False
        at = _at(item)
        return at is None or self._clock.now() - at >= self._deployment.rest

    def _write(
        self, shop: str, before: Stored | None, texts: Mapping[str, str], origin: str, by: str = ""
    ) -> Programme:
        """Write the version after `before`. Rules that this release does not know stay."""
        programme = programme_of(texts, _version(before) + 1 if before else 1)
        item: Item = {
            **(before or {}),
            **{name: {"S": text} for name, text in programme.texts().items()},
            "pk": {"S": _shop(shop)},
            "sk": {"S": IN_FORCE},
            "schema": {"N": "1"},
            "version": {"N": str(programme.version)},
            "origin": {"S": origin},
            "by": {"S": by or origin},
            "at": {"N": str(milliseconds(self._clock.now()))},
        }
        absent = {"ConditionExpression": ABSENT}
        unchanged = {
            "ConditionExpression": _UNCHANGED,
            "ExpressionAttributeValues": {":before": {"N": str(programme.version - 1)}},
        }
        kept = item | {"sk": {"S": _history(programme.version)}}
        puts = [{"Item": item} | (unchanged if before else absent), {"Item": kept} | absent]
        actions = [{"Put": {"TableName": self._table, **put}} for put in puts]
        self._send("transact_write_items", {"TransactItems": actions})
        return programme

    def _read(self, shop: str, sk: str) -> Stored | None:
        key = {"pk": {"S": _shop(shop)}, "sk": {"S": sk}}
        request = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        found: Stored | None = self._send("get_item", request).get("Item")
        return found

    def _kept(self, item: Stored) -> Version:
        by = item.get("by", item["origin"])["S"]
        return Version(self._programme(item), _at(item), by)

    def _programme(self, item: Stored) -> Programme:
        usual = self._deployment.programme.texts()
        texts = {name: item[name]["S"] if name in item else text for name, text in usual.items()}
        return programme_of(texts, _version(item))

    def _send(self, operation: str, request: Mapping[str, Any]) -> Any:
        send: Callable[..., Any] = getattr(self._client, operation)
        try:
            return send(**request)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error


def _require_version(item: Stored | None, expected: int) -> None:
    found = _version(item) if item else 0
    if found != expected:
        raise ProgrammeMoved(expected, found)


def _unavailable(error: ClientError | BotoCoreError) -> LedgerUnavailable | StoreRefused:
    cause = translated(error)
    return (
        LedgerUnavailable(retry_after_seconds=1) if isinstance(cause, StoreUnavailable) else cause
    )


def _version(item: Stored) -> int:
    return int(item["version"]["N"])


def _at(item: Stored) -> datetime | None:
    return _EPOCH + timedelta(milliseconds=int(item["at"]["N"])) if "at" in item else None


def _shop(shop: str) -> str:
    return f"S#{shop}"


def _history(version: int) -> str:
    return f"{IN_FORCE}#{version:06d}"
