"""Where programmes are kept: the one in force, and every version that ever was."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.domain.ports import TryAgainError
from pointbook.domain.programme import Programme, programme_of
from pointbook.errors import LedgerUnavailable
from pointbook.store.dynamodb import translated
from pointbook.store.items import Item, Stored
from pointbook.store.requests import ABSENT

IN_FORCE = "P"
_NOT_RULES = frozenset({"pk", "sk", "schema", "version"})


class Programmes:
    """The programmes of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def in_force(self, shop: str) -> Programme | None:
        """The programme of a shop; None where none was ever set."""
        key = {"pk": {"S": _shop(shop)}, "sk": {"S": IN_FORCE}}
        answer = _sent(
            lambda: self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        )
        return _programme(answer["Item"]) if "Item" in answer else None

    def seed(self, shop: str, programme: Programme) -> Programme:
        """Set the first version, unless there is one; returns the one that is now in force."""
        items = [_item(shop, sk, programme) for sk in (IN_FORCE, f"{IN_FORCE}#000001")]
        puts = [
            {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}}
            for item in items
        ]
        try:
            _sent(lambda: self._client.transact_write_items(TransactItems=puts))
        except LedgerUnavailable:
            found = self.in_force(shop)
            if found is None:
                raise
            return found
        return programme


def _sent(send: Callable[[], Any]) -> Any:
    try:
        return send()
    except (ClientError, BotoCoreError) as error:
        cause = translated(error)
        if isinstance(cause, TryAgainError):
            raise LedgerUnavailable(retry_after_seconds=1) from error
        raise cause from error


def _shop(shop: str) -> str:
    return f"S#{shop}"


def _item(shop: str, sk: str, programme: Programme) -> Item:
    rules = {name: {"S": text} for name, text in programme.texts().items()}
    return {
        "pk": {"S": _shop(shop)},
        "sk": {"S": sk},
        "schema": {"N": "1"},
        "version": {"N": str(programme.version)},
        **rules,
    }


def _programme(item: Stored) -> Programme:
    texts = {name: value["S"] for name, value in item.items() if name not in _NOT_RULES}
    return programme_of(texts, int(item["version"]["N"]))
