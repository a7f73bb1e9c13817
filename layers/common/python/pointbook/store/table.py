"""The table in DynamoDB: the only place that sends requests to it and reads its errors.

Repositories say which items and on which conditions; how that is sent, paged and answered is here:

    a condition does not hold               a value, with the item as it was
    a throttle, a conflict, a time-out      StoreUnavailable: another attempt may succeed
    anything else                           StoreRefused: set up wrongly, or a fault of ours

Nothing is retried here: the client has one attempt, and retries belong to the ledger. Its records
are named tuples, which cost a cold start a third of what dataclasses cost.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from pointbook.aws.client import aws_client
from pointbook.domain.ports import StoreUnavailable, TransientCause
from pointbook.errors import LedgerUnavailable, StoreRefused
from pointbook.store.values import Item, Stored

BATCH_KEYS_MAX = 100
"""What DynamoDB takes in one BatchGetItem."""

ABSENT = "attribute_not_exists(pk)"
PRESENT = "attribute_exists(pk)"

_CODES: dict[TransientCause, frozenset[str]] = {
    TransientCause.THROTTLED: frozenset(
        {
            "ThrottlingException",
            "ThrottlingError",
            "ProvisionedThroughputExceededException",
            "ProvisionedThroughputExceeded",
            "RequestLimitExceeded",
        }
    ),
    TransientCause.CONFLICT: frozenset(
        {
            "TransactionConflict",
            "TransactionConflictException",
            "TransactionInProgressException",
        }
    ),
    TransientCause.UNREACHABLE: frozenset(
        {"InternalServerError", "ServiceUnavailable", "InternalFailure"}
    ),
}
_CANCELLED = "TransactionCanceledException"
_CONDITION_FAILED = "ConditionalCheckFailed"
_ALIAS = r"#(\w+)"

type _Request = dict[str, Any]


class Put(NamedTuple):
    """An item to write, on a condition; an empty condition always holds."""

    item: Item
    condition: str = ""
    values: Item | None = None


class Check(NamedTuple):
    """A condition on an item that a transaction does not change."""

    key: Item
    condition: str


class Delete(NamedTuple):
    """An item that a transaction deletes, if it is there."""

    key: Item


class Update(NamedTuple):
    """Changes to the attributes of one item, on a condition.

    A name that DynamoDB reserves is written with a # before it.
    """

    key: Item
    change: str
    values: Item
    condition: str = ""


class Outcome(NamedTuple):
    """What became of a conditional write.

    Done: `item` has the attributes as an update left them, and nothing after other writes. Not
    done: the condition did not hold, and `item` is the item as it was, empty if there was none.
    """

    done: bool
    item: Stored


class Cancellation(NamedTuple):
    """Why a transaction was cancelled: nothing of it was written.

    `failed` maps the place of each action whose condition did not hold to its item as it was, as
    far as DynamoDB handed it back. `unavailable`: other actions met a throttle or a conflict.
    """

    failed: Mapping[int, Stored]
    unavailable: StoreUnavailable | None


class Page(NamedTuple):
    """A part of a scan: the items that passed its filter, how many were read, and the last key."""

    items: list[Stored]
    scanned: int
    last_key: Item | None


class _ConditionFailedError(Exception):
    """A condition of a request did not hold; has DynamoDB's response."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


def connect() -> BaseClient:
    """A DynamoDB client that gives up in time, with one attempt."""
    client: BaseClient = aws_client("dynamodb", attempts=1, connect_seconds=1, read_seconds=1)
    return client


class Table:
    """One table. Every method may raise StoreUnavailable and StoreRefused.

    A write that raised StoreUnavailable may have happened.
    """

    def __init__(self, client: Any, name: str) -> None:
        """Use `client`, botocore's or one that answers like it, on the table of this name."""
        self._client = client
        self._name = name

    def outside_ledger(self) -> "Table":
        """The same table for all but the ledger, whose retries they lack.

        Raises LedgerUnavailable while the table cannot be reached, StoreRefused if it is set up
        wrongly. This holds for every class that uses it.
        """
        return _TableOutsideLedger(self._client, self._name)

    def get(self, key: Item) -> Stored | None:
        """One item, by a consistent read."""
        answer = self._send("get_item", self._of_table({"Key": key, "ConsistentRead": True}))
        found: Stored | None = answer.get("Item")
        return found

    def snapshot(self, keys: Iterable[Item]) -> list[Stored]:
        """Up to 100 items as they were at one instant, not before this call."""
        gets = [{"Get": self._of_table({"Key": key})} for key in keys]
        answer = self._send("transact_get_items", {"TransactItems": gets})
        return [part["Item"] for part in answer["Responses"] if part.get("Item")]

    def batch_get(
        self, keys: Iterable[Item], *, consistent: bool = False
    ) -> tuple[list[Stored], list[Item]]:
        """Up to `BATCH_KEYS_MAX` items, and the keys a throttle left out."""
        read: _Request = {"Keys": list(keys)} | ({"ConsistentRead": True} if consistent else {})
        request = {"RequestItems": {self._name: read}}
        answer = self._send("batch_get_item", request)
        left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
        return answer["Responses"].get(self._name, []), left

    def query(
        self,
        condition: str,
        values: Item,
        *,
        index: str = "",
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Stored]:
        """Items by a key condition, in order, page after page; no more than `limit`.

        Consistent, but for an index, which has keys only.
        """
        request = self._of_table(
            {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
            | ({"IndexName": index} if index else {"ConsistentRead": True})
            | ({"ScanIndexForward": False} if newest_first else {})
            | ({"Limit": limit} if limit else {})
        )
        found = 0
        while True:
            answer = self._send("query", request)
            for item in answer["Items"]:
                yield item
                found += 1
                if found == limit:
                    return
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan(
        self,
        condition: str,
        values: Item,
        after: Item | None = None,
        limit: int | None = None,
        *,
        consistent: bool = True,
    ) -> Page:
        """The next page of the whole table behind the key `after`, without what is filtered out."""
        request = self._of_table(
            {"FilterExpression": condition, "ExpressionAttributeValues": values}
            | ({"ConsistentRead": True} if consistent else {})
            | ({"ExclusiveStartKey": after} if after else {})
            | ({"Limit": limit} if limit else {})
        )
        answer = self._send("scan", request)
        return Page(answer["Items"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))

    def everything(
        self, after: Item | None = None, limit: int | None = None, *, consistent: bool = False
    ) -> Page:
        """The next page of all items behind the key `after`, which need not exist.

        Partitions come in no order, each whole and in its own order.
        """
        request = self._of_table(
            ({"ConsistentRead": True} if consistent else {})
            | ({"ExclusiveStartKey": after} if after else {})
            | ({"Limit": limit} if limit else {})
        )
        answer = self._send("scan", request)
        return Page(answer["Items"], len(answer["Items"]), answer.get("LastEvaluatedKey"))

    def put(self, item: Item) -> None:
        """Write an item over whatever is there."""
        self._send("put_item", self._of_table({"Item": item}))

    def put_if(self, put: Put) -> Outcome:
        """Write an item if its condition holds."""
        return self._write("put_item", self._put(put))

    def update_if(self, update: Update) -> Outcome:
        """Change an item if the condition holds. One that is not there begins with its key."""
        request = {"Key": update.key, "UpdateExpression": update.change, "ReturnValues": "ALL_NEW"}
        conditional = self._conditional(update.condition, update.values, update.change)
        return self._write("update_item", self._of_table(request | conditional))

    def delete(self, key: Item) -> None:
        """Delete an item; one that is not there does no harm."""
        self._send("delete_item", self._of_table({"Key": key}))

    def delete_if(self, key: Item, condition: str, values: Item) -> Outcome:
        """Delete an item if the condition holds."""
        request = {"Key": key} | self._conditional(condition, values)
        return self._write("delete_item", self._of_table(request))

    def transact(self, actions: Sequence[Put | Check | Delete]) -> Cancellation | None:
        """Write up to 100 items, all or none. None: it is done."""
        request = {"TransactItems": [self._action(action) for action in actions]}
        try:
            self._send("transact_write_items", request)
        except _ConditionFailedError as failure:
            return _cancellation(failure.response)
        return None

    def batch_put(self, items: Iterable[Item]) -> list[Item]:
        """Write up to 25 items, each for itself; returns those that a throttle left out."""
        left = self._batch([{"PutRequest": {"Item": dict(item)}} for item in items])
        return [write["PutRequest"]["Item"] for write in left]

    def batch_delete(self, keys: Iterable[Item]) -> list[Item]:
        """Delete up to 25 items, each for itself; returns the keys that a throttle left out."""
        left = self._batch([{"DeleteRequest": {"Key": key}} for key in keys])
        return [write["DeleteRequest"]["Key"] for write in left]

    def _batch(self, writes: list[_Request]) -> list[_Request]:
        answer = self._send("batch_write_item", {"RequestItems": {self._name: writes}})
        left: list[_Request] = answer.get("UnprocessedItems", {}).get(self._name, [])
        return left

    def _action(self, action: Put | Check | Delete) -> _Request:
        if isinstance(action, Put):
            return {"Put": self._put(action)}
        if isinstance(action, Delete):
            return {"Delete": self._of_table({"Key": action.key})}
        check = {"Key": action.key, "ConditionExpression": action.condition}
        return {"ConditionCheck": self._of_table(check)}

    def _put(self, put: Put) -> _Request:
        conditional = self._conditional(put.condition, put.values) if put.condition else {}
        return self._of_table({"Item": put.item} | conditional)

    @staticmethod
    def _conditional(condition: str, values: Item | None, change: str = "") -> _Request:
        names = {f"#{name}": name for name in re.findall(_ALIAS, f"{change} {condition}")}
        return (
            {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            | ({"ConditionExpression": condition} if condition else {})
            | ({"ExpressionAttributeNames": names} if names else {})
            | ({"ExpressionAttributeValues": values} if values else {})
        )

    def _of_table(self, request: _Request) -> _Request:
        return {"TableName": self._name, **request}

    def _write(self, operation: str, request: _Request) -> Outcome:
        try:
            answer = self._send(operation, request)
        except _ConditionFailedError as failure:
            return Outcome(done=False, item=failure.response.get("Item", {}))
        return Outcome(done=True, item=answer.get("Attributes", {}))

    def _send(self, operation: str, request: _Request) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except (ClientError, BotoCoreError) as error:
            raise _translated(error) from error


class _TableOutsideLedger(Table):
    def _send(self, operation: str, request: _Request) -> Any:
        try:
            return super()._send(operation, request)
        except StoreUnavailable as error:
            raise LedgerUnavailable(retry_after_seconds=1) from error


def _translated(error: ClientError | BotoCoreError) -> Exception:
    """What an error of botocore means to whoever sent the request."""
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return StoreUnavailable(TransientCause.UNREACHABLE, type(error).__name__)
    if not isinstance(error, ClientError):  # not even sent: no credentials, a malformed request
        return StoreRefused(type(error).__name__, str(error))
    code = error.response["Error"]["Code"]
    codes = _reason_codes(error.response)
    if code == f"{_CONDITION_FAILED}Exception" or _CONDITION_FAILED in codes:
        return _ConditionFailedError(error.response)
    if unavailable := _unavailable([code, *codes]):
        return unavailable
    if code == _CANCELLED:
        return StoreRefused(code, f"for {sorted(set(codes))}")
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return StoreUnavailable(TransientCause.UNREACHABLE, code)
    return StoreRefused(code, error.response["Error"].get("Message", ""))


def _cancellation(response: Any) -> Cancellation:
    codes = _reason_codes(response)
    failed = {
        place: response["CancellationReasons"][place].get("Item", {})
        for place, code in enumerate(codes)
        if code == _CONDITION_FAILED
    }
    return Cancellation(failed, _unavailable(codes))


def _reason_codes(response: Any) -> list[str]:
    """Why a transaction was cancelled, for each of its actions in order."""
    return [reason.get("Code", "None") for reason in response.get("CancellationReasons", [])]


def _unavailable(codes: list[str]) -> StoreUnavailable | None:
    """What another attempt may overcome, if one of these codes says so."""
    for cause, codes_of_cause in _CODES.items():
        if found := [code for code in codes if code in codes_of_cause]:
            return StoreUnavailable(cause, found[0])
    return None
