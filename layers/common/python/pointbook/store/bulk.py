"""Going through many items of the table, writing and deleting them by the batch.

For work that may be done twice: a batch is not a transaction, and some of it may be written when
its answer is lost. What must happen once goes through `DynamoStore.commit`.
"""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any

from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable
from pointbook.store import keys
from pointbook.store.execute import sent
from pointbook.store.requests import Request
from pointbook.store.values import Item, Stored

BATCH_ITEMS = 25
"""The most that BatchWriteItem takes."""

_TRIES = 8
_PAUSE_FIRST_SECONDS = 0.05

type Position = tuple[str, str]
"""The key at which going through the table goes on."""


class Bulk:
    """Many items of one table at a time. Raises LedgerUnavailable while it cannot be reached."""

    def __init__(self, client: Any, table: str, clock: Clock) -> None:
        """Use botocore's DynamoDB `client` on `table`; `clock` waits where it is throttled."""
        self._client = client
        self._table = table
        self._clock = clock

    def page(self, pk: str, after_sk: str, limit: int) -> list[Stored]:
        """The first `limit` items of a partition behind a sort key, as they are now."""
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk > :after",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":after": {"S": after_sk}},
            "ConsistentRead": True,
            "Limit": limit,
        }
        found: list[Stored] = sent(lambda: self._client.query(**request))["Items"]
        return found

    def scan(
        self, shop: str, after: Position | None, limit: int
    ) -> tuple[list[Stored], Position | None]:
        """What is the shop's among the next `limit` items of the table; None: that was the end."""
        pk = keys.shop(shop)
        request: Request = {
            "TableName": self._table,
            "FilterExpression": "pk = :shop OR begins_with(pk, :within)",
            "ExpressionAttributeValues": {":shop": {"S": pk}, ":within": {"S": f"{pk}#"}},
            "ConsistentRead": True,
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = _key(*after)
        answer = sent(lambda: self._client.scan(**request))
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, pk: str, sk: str) -> Stored | None:
        """One item, as it is now."""
        request = {"TableName": self._table, "Key": _key(pk, sk), "ConsistentRead": True}
        found: Stored | None = sent(lambda: self._client.get_item(**request)).get("Item")
        return found

    def put(self, items: Iterable[Stored]) -> None:
        """Write items over whatever is there, `BATCH_ITEMS` at a time, in order."""
        self._write({"PutRequest": {"Item": dict(item)}} for item in items)

    def delete(self, items: Iterable[Stored]) -> None:
        """Delete these items; it does no harm where they are gone."""
        self._write({"DeleteRequest": {"Key": _only_key(item)}} for item in items)

    def _write(self, writes: Iterator[Request]) -> None:
        for batch in batched(writes, BATCH_ITEMS, strict=False):
            left = list(batch)
            for tries in range(_TRIES):
                left = self._send(left)
                if not left:
                    break
                self._clock.sleep(_PAUSE_FIRST_SECONDS * 2**tries)
            else:
                raise LedgerUnavailable(retry_after_seconds=1)

    def _send(self, writes: list[Request]) -> list[Request]:
        """What was left undone: DynamoDB throttles batches by leaving a part of them out."""
        request = {"RequestItems": {self._table: writes}}
        answer = sent(lambda: self._client.batch_write_item(**request))
        left: list[Request] = answer.get("UnprocessedItems", {}).get(self._table, [])
        return left


def _only_key(item: Stored) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
