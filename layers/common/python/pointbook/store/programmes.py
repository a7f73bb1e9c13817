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

_NOT_RULES = frozenset({"pk", "sk", "schema", "version", "origin"})


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
        and a new version where the deployment's parameters have changed since.
        """
        key = {"pk": {"S": _shop(shop)}, "sk": {"S": IN_FORCE}}
        answer = _sent(
            lambda: self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        )
        if "Item" not in answer:
            return self._follow(shop, replace(deployment, version=1))
        found = _programme(answer["Item"])
        followed = answer["Item"]["origin"]["S"] == DEPLOYMENT
        if not followed or found.texts() == deployment.texts():
            return found
        return self._follow(shop, replace(deployment, version=found.version + 1))

    def _follow(self, shop: str, programme: Programme) -> Programme:
        """Write a version, unless another function has done so; the rules are the same."""
        before = {":before": {"N": str(programme.version - 1)}}
        history = {
            "TableName": self._table,
            "Item": _item(shop, f"{IN_FORCE}#{programme.version:06d}", programme),
            "ConditionExpression": ABSENT,
        }
        current = {"TableName": self._table, "Item": _item(shop, IN_FORCE, programme)} | (
            {"ConditionExpression": ABSENT}
            if programme.version == 1
            else {"ConditionExpression": _UNCHANGED, "ExpressionAttributeValues": before}
        )
        try:
            self._client.transact_write_items(TransactItems=[{"Put": current}, {"Put": history}])
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
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


def _programme(item: Stored) -> Programme:
    texts = {name: value["S"] for name, value in item.items() if name not in _NOT_RULES}
    return programme_of(texts, int(item["version"]["N"]))
