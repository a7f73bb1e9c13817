"""Where programmes are kept: the one in force, and every version that ever was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.domain.ports import TryAgainError
from pointbook.domain.programme import Programme, programme_of
from pointbook.errors import LedgerUnavailable, StoreRefused
from pointbook.store.dynamodb import translated
from pointbook.store.items import Item, Stored
from pointbook.store.requests import ABSENT

IN_FORCE = "P"
_UNCHANGED = "version = :before"
DEPLOYMENT = "deployment"
"""The origin of a programme that came from the deployment's parameters, not from a person."""


class Programmes:
    """The programmes of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def in_force(self, shop: str, deployment: Programme) -> Programme:
        """The programme of a shop.

        Until a person sets one, it is the deployment's: its first version where there is none yet,
        and a new version where the deployment's parameters have changed since. Rules that this
        release does not know are left alone, and those that were not known when the programme was
        written are the deployment's: functions of two releases run side by side during a deploy.
        """
        item = self._read(shop)
        if item is None:
            return self._follow(shop, replace(deployment, version=1), deployment)
        found = _programme(item, deployment)
        if item["origin"]["S"] != DEPLOYMENT or found.texts() == deployment.texts():
            return found
        return self._follow(shop, replace(deployment, version=found.version + 1), deployment)

    def _read(self, shop: str) -> Stored | None:
        key = {"pk": {"S": _shop(shop)}, "sk": {"S": IN_FORCE}}
        request = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        found: Stored | None = _sent(lambda: self._client.get_item(**request)).get("Item")
        return found

    def _follow(self, shop: str, programme: Programme, deployment: Programme) -> Programme:
        """Write a version; where another function was faster, its version is in force."""
        before = {":before": {"N": str(programme.version - 1)}}
        unchanged = {"ConditionExpression": _UNCHANGED, "ExpressionAttributeValues": before}
        absent = {"ConditionExpression": ABSENT}
        history = _item(shop, f"{IN_FORCE}#{programme.version:06d}", programme)
        puts = [
            {"Item": _item(shop, IN_FORCE, programme)}
            | (absent if programme.version == 1 else unchanged),
            {"Item": history} | absent,
        ]
        actions = [{"Put": {"TableName": self._table, **put}} for put in puts]
        try:
            _sent(lambda: self._client.transact_write_items(TransactItems=actions))
        except LedgerUnavailable:
            item = self._read(shop)
            if item is None:
                raise
            return _programme(item, deployment)
        return programme


def _sent(send: Callable[[], Any]) -> Any:
    try:
        return send()
    except (ClientError, BotoCoreError) as error:
        raise _unavailable(error) from error


def _unavailable(error: ClientError | BotoCoreError) -> LedgerUnavailable | StoreRefused:
    cause = translated(error)
    return LedgerUnavailable(retry_after_seconds=1) if isinstance(cause, TryAgainError) else cause


def _shop(shop: str) -> str:
    return f"S#{shop}"


def _item(shop: str, sk: str, programme: Programme) -> Item:
    rules = {name: {"S": text} for name, text in programme.texts().items()}
    return {
        "pk": {"S": _shop(shop)},
        "sk": {"S": sk},
        "schema": {"N": "1"},
        "version": {"N": str(programme.version)},
        "origin": {"S": DEPLOYMENT},
        **rules,
    }


def _programme(item: Stored, deployment: Programme) -> Programme:
    usual = deployment.texts()
    texts = {name: item[name]["S"] if name in item else text for name, text in usual.items()}
    return programme_of(texts, int(item["version"]["N"]))
