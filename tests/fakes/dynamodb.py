"""DynamoDB in memory: botocore's face for what the store sends, and every version ever written.

It answers as DynamoDB does, down to the reasons of a cancelled transaction, and knows nothing of
points. What it does not know it refuses with `NotImplementedError`, so that a new request of the
store's cannot pass unseen. `as_of` shows the tables as they once were: that is what an old or torn
read is made of. One thread only: each call is atomic because nothing else runs meanwhile.

Left out: everything that takes time, capacity limits, and the rules of numbers and sets.
"""

import marshal
from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from tests.fakes.expressions import (
    Item,
    Test,
    changed,
    condition,
    filter_condition,
    key_condition,
    named,
    scalar,
)

type Key = tuple[str, str]

_CONDITION_PARTS = (
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
)

LATEST: Final = 2**62
ACTIONS_MAX: Final = 100
BATCH_WRITES_MAX: Final = 25
ITEM_BYTES_MAX: Final = 400 * 1024


class Version:
    """One state of one item. It is stored as bytes, so that nobody can change it afterwards.

    An item that was deleted has a last version without anything in it.
    """

    __slots__ = ("_image", "is_gone", "sequence")

    def __init__(self, sequence: int, item: Item) -> None:
        self.sequence = sequence
        self.is_gone = not item
        self._image = marshal.dumps(item)
        if len(self._image) > ITEM_BYTES_MAX // 2 and size_bytes(item) > ITEM_BYTES_MAX:
            raise refused("ValidationException", "Item size has exceeded the maximum allowed size")

    def copy(self) -> Item:
        """The item, for somebody who may do with it as they like."""
        item: Item = marshal.loads(self._image)  # noqa: S302 - we wrote these bytes
        return item


@dataclass(slots=True)
class Table:
    """The items of a table in all their versions, and which of them were ever on which index."""

    indexes: dict[str, tuple[str, str]]
    partitions: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[Key, list[Version]] = field(default_factory=dict)
    members: dict[tuple[str, str], set[Key]] = field(default_factory=dict)

    def version(self, key: Key, at: int) -> Version | None:
        """The item as it was at a sequence."""
        versions = self.versions.get(key)
        if versions is None:
            return None
        if at >= versions[-1].sequence:
            found = versions[-1]
        else:
            before = bisect_right(versions, at, key=lambda version: version.sequence)
            if not before:
                return None
            found = versions[before - 1]
        return None if found.is_gone else found

    def remove(self, key: Key, sequence: int) -> None:
        """Delete an item, if it is there."""
        if self.version(key, LATEST) is not None:
            self.versions[key].append(Version(sequence, {}))

    def add(self, item: Item, version: Version) -> None:
        """Put a newer version of an item."""
        key = key_of(item)
        if key in self.versions:
            self.versions[key].append(version)
        else:
            self.versions[key] = [version]
            insort(self.partitions.setdefault(key[0], []), key[1])
        for index, (hash_name, _) in self.indexes.items():
            if hash_name in item:
                shard = (index, item[hash_name]["S"])
                self.members.setdefault(shard, set()).add(key)


class Reader:
    """The reading half of the client, as of one sequence."""

    def __init__(self, tables: dict[str, Table], at: int, page_items: int) -> None:
        self._tables = tables
        self._at = at
        self._page_items = page_items

    def get_item(self, **request: Any) -> Item:
        """GetItem."""
        check_members(request, "TableName", "Key", "ConsistentRead")
        item = self._find(request)
        return answer({"Item": item} if item else {}, request, [item])

    def batch_get_item(self, **request: Any) -> Item:
        """BatchGetItem."""
        check_members(request, "RequestItems")
        responses: dict[str, list[Item]] = {}
        found: list[Item | None] = []
        for name, requested in request["RequestItems"].items():
            check_members(requested, "Keys", "ConsistentRead")
            keys = [key_of(key) for key in requested["Keys"]]
            if len(set(keys)) < len(keys) or not 1 <= len(keys) <= ACTIONS_MAX:
                raise refused("ValidationException", "Provided list of item keys is not valid")
            here = [self._find({"TableName": name, "Key": key}) for key in requested["Keys"]]
            responses[name] = [item for item in here if item]
            found += here
        return answer({"Responses": responses, "UnprocessedKeys": {}}, request, found)

    def transact_get_items(self, **request: Any) -> Item:
        """TransactGetItems."""
        check_members(request, "TransactItems")
        for action in request["TransactItems"]:
            check_members(action, "Get")
            check_members(action["Get"], "TableName", "Key")
        found = [self._find(action["Get"]) for action in request["TransactItems"]]
        responses = [{"Item": item} if item else {} for item in found]
        return answer({"Responses": responses}, request, found, times=2)

    def query(self, **request: Any) -> Item:
        """Query of the table or of an index, a page at a time."""
        check_members(
            request,
            "TableName",
            "IndexName",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ScanIndexForward",
            "ConsistentRead",
            "Limit",
            "ExclusiveStartKey",
        )
        table, index = self._table(request["TableName"]), request.get("IndexName")
        test, hash_value = key_condition(request)
        values = request["ExpressionAttributeValues"]
        if index is None:
            items = self._partition(table, hash_value, test, values)
        elif request.get("ConsistentRead"):
            raise refused("ValidationException", "Consistent reads are not supported on indexes")
        else:
            found = self._on_index(table, index, hash_value)
            items = (item for item in found if test(item, values))
        rows = [(_position(item, table, index), item) for item in items]
        rows.sort(reverse=not request.get("ScanIndexForward", True))
        return self._page(rows, request, table)

    def scan(self, **request: Any) -> Item:
        """Scan of the table, a page at a time: `Limit` counts items before the filter."""
        check_members(
            request,
            "TableName",
            "FilterExpression",
            "ExpressionAttributeValues",
            "ConsistentRead",
            "Limit",
            "ExclusiveStartKey",
        )
        table = self._table(request["TableName"])
        start = key_of(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else None
        versions = ((key, table.version(key, self._at)) for key in sorted(table.versions))
        there = [
            version.copy() for key, version in versions if version and (not start or key > start)
        ]
        page = there[: min(request.get("Limit", self._page_items), self._page_items)]
        test = filter_condition(request.get("FilterExpression", ""))
        values = request.get("ExpressionAttributeValues", {})
        matching = [item for item in page if test(item, values)]
        found: Item = {"Items": matching, "ScannedCount": len(page)}
        if len(page) < len(there):
            found["LastEvaluatedKey"] = _only(page[-1], {"pk", "sk"})
        return answer(found, request, page)

    def _page(self, rows: list[tuple[Any, Item]], request: Item, table: Table) -> Item:
        index = request.get("IndexName")
        if "ExclusiveStartKey" in request:
            start = _position(request["ExclusiveStartKey"], table, index)
            forward = request.get("ScanIndexForward", True)
            rows = [row for row in rows if (row[0] > start if forward else row[0] < start)]
        limit = min(request.get("Limit", self._page_items), self._page_items)
        page = [item for _, item in rows[:limit]]
        keys_only = [
            _only(item, {"pk", "sk", *table.indexes.get(index or "", ())}) for item in page
        ]
        found: Item = {"Items": keys_only if index else page, "Count": len(page)}
        if len(page) == limit:
            found["LastEvaluatedKey"] = keys_only[-1]
        return answer(found, request, found["Items"])

    def _partition(
        self, table: Table, pk: str, test: Test, values: Mapping[str, Any]
    ) -> Iterator[Item]:
        for sk in table.partitions.get(pk, []):
            if test({"sk": {"S": sk}}, values):
                version = table.version((pk, sk), self._at)
                if version:
                    yield version.copy()

    def _on_index(self, table: Table, index: str, hash_value: str) -> Iterator[Item]:
        hash_name, range_name = table.indexes[index]
        for key in table.members.get((index, hash_value), ()):
            version = table.version(key, self._at)
            item = version.copy() if version else {}
            if item.get(hash_name) == {"S": hash_value} and range_name in item:
                yield item

    def _find(self, get: Item) -> Item | None:
        version = self._table(get["TableName"]).version(key_of(get["Key"]), self._at)
        return version.copy() if version else None

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            raise refused("ResourceNotFoundException", "Requested resource not found")
        return self._tables[name]


class MemoryDynamoDB(Reader):
    """A DynamoDB client and its tables.

    `page_items` is how many items a page of a query holds at most, in place of its 1 MB.
    """

    def __init__(self, page_items: int = 1000) -> None:
        super().__init__({}, LATEST, page_items)
        self.sequence = 0

    def as_of(self, sequence: int) -> Reader:
        """A client that reads what was there once `sequence` writes had happened."""
        return Reader(self._tables, sequence, self._page_items)

    def items(self, table: str) -> dict[Key, Item]:
        """Everything in a table, by key."""
        versions = self._table(table).versions
        latest = {key: versions[key][-1] for key in versions}
        return {key: version.copy() for key, version in latest.items() if not version.is_gone}

    def create_table(self, **request: Any) -> Item:
        """CreateTable with the keys `pk` and `sk` and indexes of keys only."""
        if [key["AttributeName"] for key in request["KeySchema"]] != ["pk", "sk"]:
            raise NotImplementedError(f"keys other than pk and sk: {request['KeySchema']}")
        indexes: dict[str, tuple[str, str]] = {}
        for index in request.get("GlobalSecondaryIndexes", []):
            if index["Projection"] != {"ProjectionType": "KEYS_ONLY"}:
                raise NotImplementedError(f"the projection {index['Projection']}")
            hash_key, range_key = index["KeySchema"]
            names = (hash_key["AttributeName"], range_key["AttributeName"])
            indexes[index["IndexName"]] = names
        self._tables[request["TableName"]] = Table(indexes)
        return answer({"TableDescription": {"TableStatus": "ACTIVE"}}, {}, [])

    def put_item(self, **request: Any) -> Item:
        """PutItem."""
        put = _Put(self._tables, request, "ReturnConsumedCapacity")
        if not put.allowed():
            old = put.old.copy() if put.old and put.wants_old else None
            raise refused(
                "ConditionalCheckFailedException",
                "The conditional request failed",
                {"Item": old} if old else {},
            )
        self._write([put])
        return answer({}, request, [put.item], write=True)

    def update_item(self, **request: Any) -> Item:
        """UpdateItem: what is not there yet begins as nothing but its key."""
        check_members(request, *_CONDITION_PARTS, "Key", "UpdateExpression", "ReturnValues")
        key = key_of(request["Key"])
        old = self._table(request["TableName"]).version(key, LATEST)
        item = changed(
            old.copy() if old else dict(request["Key"]),
            named(request["UpdateExpression"], request.get("ExpressionAttributeNames", {})),
            request.get("ExpressionAttributeValues", {}),
        )
        conditions = {name: request[name] for name in _CONDITION_PARTS if name in request}
        self.put_item(Item=item, **conditions)
        return answer(
            {"Attributes": item} if request.get("ReturnValues") == "ALL_NEW" else {},
            request,
            [item],
            write=True,
        )

    def delete_item(self, **request: Any) -> Item:
        """DeleteItem."""
        check_members(request, *_CONDITION_PARTS, "Key")
        conditions = {name: request[name] for name in _CONDITION_PARTS if name in request}
        delete = _Put(self._tables, {**conditions, "Item": request["Key"]})
        if not delete.allowed():
            raise refused("ConditionalCheckFailedException", "The conditional request failed")
        self.sequence += 1
        delete.table.remove(delete.key, self.sequence)
        return answer({}, request, [request["Key"]], write=True)

    def batch_write_item(self, **request: Any) -> Item:
        """BatchWriteItem: puts and deletes without conditions, each for itself."""
        check_members(request, "RequestItems")
        written: list[Item] = []
        for name, writes in request["RequestItems"].items():
            keys = [
                key_of(w["PutRequest"]["Item"] if "PutRequest" in w else w["DeleteRequest"]["Key"])
                for w in writes
            ]
            if len(set(keys)) < len(keys) or not 1 <= len(keys) <= BATCH_WRITES_MAX:
                raise refused("ValidationException", "Provided list of item keys is not valid")
            for key, write in zip(keys, writes, strict=True):
                check_members(write, "PutRequest", "DeleteRequest")
                if "PutRequest" in write:
                    put = {"TableName": name, **write["PutRequest"]}
                    self._write([_Put(self._tables, put)])
                    written.append(put["Item"])
                else:
                    self.sequence += 1
                    self._table(name).remove(key, self.sequence)
        return answer({"UnprocessedItems": {}}, request, written, write=True)

    def transact_write_items(self, **request: Any) -> Item:
        """TransactWriteItems of puts, condition checks and deletes."""
        check_members(request, "TransactItems")
        actions = request["TransactItems"]
        for action in actions:
            check_members(action, "Put", "ConditionCheck", "Delete")
        all_parts = [_part(self._tables, action) for action in actions]
        puts = [part for part in all_parts if not (part.only_checks or part.deletes)]
        if not 1 <= len(all_parts) <= ACTIONS_MAX:
            raise refused("ValidationException", f"a transaction of {len(all_parts)} actions")
        if len({(part.table_name, part.key) for part in all_parts}) < len(all_parts):
            raise refused(
                "ValidationException",
                "Transaction request cannot include multiple operations on one item",
            )
        reasons = [_reason(part) for part in all_parts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise cancelled(reasons)
        self._write(puts)
        for part in all_parts:
            if part.deletes:
                part.table.remove(part.key, self.sequence)
        return answer({}, request, [put.item for put in puts], times=2, write=True)

    def _write(self, puts: list["_Put"]) -> None:
        versions = [Version(self.sequence + 1, put.item) for put in puts]  # refuses what is too big
        self.sequence += 1
        for put, version in zip(puts, versions, strict=True):
            put.table.add(put.item, version)


class _Put:
    """One put: what it would replace, and whether it may."""

    def __init__(self, tables: dict[str, Table], put: Item, *more: str) -> None:
        check_members(
            put,
            "TableName",
            "Item",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
            *more,
        )
        self.table_name = put["TableName"]
        if self.table_name not in tables:
            raise refused("ResourceNotFoundException", "Requested resource not found")
        self.table = tables[self.table_name]
        self.item = put["Item"]
        self.key = key_of(self.item)
        self.old = self.table.version(self.key, LATEST)
        self.wants_old = put.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        self._put = put
        self.only_checks = False
        self.deletes = False

    def allowed(self) -> bool:
        """Whether the condition holds."""
        if "ConditionExpression" not in self._put:
            return True
        names = self._put.get("ExpressionAttributeNames", {})
        test = condition(named(self._put["ConditionExpression"], names))
        values = self._put.get("ExpressionAttributeValues", {})
        return test(self.old.copy() if self.old else None, values)


def _part(tables: dict[str, Table], action: Item) -> _Put:
    """A put of a transaction, a delete, or a check: a condition on an item that stays as it is."""
    if "Put" in action:
        return _Put(tables, action["Put"])
    kind = "Delete" if "Delete" in action else "ConditionCheck"
    rest = dict(action[kind])
    part = _Put(tables, {"Item": rest.pop("Key"), **rest})
    part.only_checks, part.deletes = kind == "ConditionCheck", kind == "Delete"
    return part


# --- keys, answers, errors -----------------------------------------------------------------------


def key_of(fields: Mapping[str, Any]) -> Key:
    """The key of an item."""
    pk, sk = fields["pk"]["S"], fields["sk"]["S"]
    if not pk or not sk:
        raise refused("ValidationException", "The value of a key cannot be empty")
    return pk, sk


def _position(item: Mapping[str, Any], table: Table, index: str | None) -> tuple[Any, ...]:
    """Where an item stands among those of one hash key."""
    pk, sk = key_of(item)
    return (scalar(item[table.indexes[index][1]]), pk, sk) if index else (sk,)


def _only(item: Item, names: Collection[str]) -> Item:
    return {name: item[name] for name in names if name in item}


def check_members(request: Mapping[str, Any], *names: str) -> None:
    """Refuse a request with a part that is not understood here."""
    unknown = request.keys() - {*names, "ReturnConsumedCapacity"}
    if unknown:
        raise NotImplementedError(f"the in-memory DynamoDB does not know {sorted(unknown)}")


def answer(
    found: Item,
    request: Mapping[str, Any],
    items: Iterable[Item | None],
    *,
    times: int = 1,
    write: bool = False,
) -> Item:
    """An answer, with the table's capacity units where they are requested (indexes not counted)."""
    found["ResponseMetadata"] = {"HTTPStatusCode": 200}
    if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
        consistent = times == 2 or request.get("ConsistentRead", False)
        unit_bytes, share = (1024, 1.0) if write else (4096, 1.0 if consistent else 0.5)
        sizes = [size_bytes(item) if item else 1 for item in items]
        units = sum(ceil(size / unit_bytes) * share * times for size in sizes)
        found["ConsumedCapacity"] = {"CapacityUnits": units}
    return found


def size_bytes(value: Any) -> int:
    """The size of an item by DynamoDB's rules: names and values in UTF-8, 3 for a container."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value.encode())
    return sum(len(name.encode()) + _typed_size(typed) for name, typed in value.items())


def _typed_size(typed: Mapping[str, Any]) -> int:
    ((kind, content),) = typed.items()
    if kind == "L":
        return 3 + sum(1 + _typed_size(part) for part in content)
    if kind == "M":
        return 3 + len(content) + size_bytes(content)
    if kind == "N":
        return ceil(len(content.lstrip("-")) / 2) + 1 + content.startswith("-")
    return 1 if kind in ("BOOL", "NULL") else size_bytes(content)


def refused(code: str, message: str, more: Item | None = None, status: int = 400) -> ClientError:
    """The error that botocore raises for an answer that is none."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **(more or {}),
    }
    return ClientError(response, "InMemory")


def cancelled(reasons: list[Item]) -> ClientError:
    """The error for a transaction that did not happen, with a reason for each of its actions."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return refused(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        {"CancellationReasons": reasons},
    )


def _reason(put: _Put) -> Item:
    if put.allowed():
        return {"Code": "None"}
    reason: Item = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    if put.old and put.wants_old:
        reason["Item"] = put.old.copy()
    return reason


def throttle(
    patch: pytest.MonkeyPatch,
    client: Any,
    operation: str,
    when: Callable[[Item], bool] = lambda request: True,
) -> list[Item]:
    """Throttle an operation of `client` (its requests `when` this holds); returns those refused."""
    call, throttled = getattr(client, operation), list[Item]()

    def throttled_or_done(**request: Any) -> Any:
        if not when(request):
            return call(**request)
        throttled.append(request)
        raise refused("ThrottlingException", "slower, please")

    patch.setattr(client, operation, throttled_or_done, raising=False)
    return throttled
