"""What a role allows and what a function calls at AWS, in the same form: (action, resource).

Resources are named as in the template: `LedgerTable`, `LedgerTable/index/due_lot`, `AppSecret`.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name

from tests.artifacts.built import ALL_QUEUES, FUNCTIONS, IMPORT_QUEUE, QUEUES, SCHEDULES
from tests.artifacts.cloud import BUCKETS, SECRET, TABLE, TOKEN_KEY
from tests.fakes.buckets import BUCKET as STATEMENTS
from tests.fakes.buckets import StatementBucket
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.privacy import MemoryBucket
from tests.fakes.record_files import HEADS, MemoryRecords

type Right = tuple[str, str]

DEAD_LETTERS: Right = ("sqs:SendMessage", "DeadLetterQueue")

READS_STREAM: set[Right] = {
    ("dynamodb:DescribeStream", "LedgerTable/stream"),
    ("dynamodb:GetRecords", "LedgerTable/stream"),
    ("dynamodb:GetShardIterator", "LedgerTable/stream"),
    ("dynamodb:ListStreams", "LedgerTable/stream/*"),
}
"""What Lambda needs for an event source mapping of a stream (Lambda developer guide)."""

_SUB_OF_ARN = re.compile(r"\$\{(\w+)\.Arn\}([\w/*-]*)")
_TRANSACTION_ACTIONS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""What each part of a transaction needs (DynamoDB developer guide, "IAM for transactions")."""


def rights(policies: list[dict[str, Any]]) -> set[Right]:
    """Everything that policies of plain CloudFormation allow; an unknown form stays as it is."""
    return {
        (action, _resource_name(resource))
        for policy in policies
        for statement in _listed(policy["PolicyDocument"]["Statement"])
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def allowed(resources: dict[str, Any], function: str) -> set[Right]:
    """What the function itself is allowed; the rest of its role is what Lambda does for it."""
    role = resources[f"{FUNCTIONS[function]}Role"]["Properties"]
    found = rights(role.get("Policies", []))
    assert used_by_lambda(function) <= found
    return found - used_by_lambda(function)


def used_by_lambda(function: str) -> set[Right]:
    """What Lambda does with a function's role: receive its events, send dead letters."""
    own = QUEUES | IMPORT_QUEUE
    queue = f"{own[function]}Queue" if function in own else ""
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    found = {(action, queue) for action in actions if queue}
    if function in SCHEDULES:
        found.add(DEAD_LETTERS)
    return found | READS_STREAM if function in ("publish_changes", "push_till") else found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource_name(resource: Any) -> str:
    match resource:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::GetAtt": [str(name), "StreamArn"]}:
            return f"{name}/stream"
        case {"Fn::Sub": str(text)} if found := _SUB_OF_ARN.fullmatch(text):
            return f"{found[1]}{found[2]}"
        case _:
            return json.dumps(resource)


class Aws:
    """Answers every call of botocore's clients, and notes the rights that it would have needed.

    DynamoDB is `table`; Secrets Manager has one secret; KMS has one key and writes backwards; the
    queues of webhooks take everything, and their addresses are their names. Anything else fails the
    test. One call at a time.
    """

    def __init__(self, table: MemoryDynamoDB, secret: str) -> None:
        self._table = table
        self.secret = secret
        self._bucket = MemoryBucket()
        self._records = MemoryRecords()
        self._statements = StatementBucket()
        self._lock = threading.Lock()
        self._index_as_of: int | None = None
        self.needed: set[Right] = set()

    @property
    def files(self) -> dict[str, bytes]:
        """The files in the buckets, by their keys."""
        return self._bucket.objects

    def let_indexes_lag(self) -> None:
        """From now on indexes show what there is at this moment, as a late index does."""
        self._index_as_of = self._table.sequence

    def call(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        """The answer to one call, such as `GetItem` of `dynamodb`."""
        with self._lock:
            return self._call(service, operation, request)

    def _call(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        if service == "dynamodb":
            self.needed |= set(_dynamodb_rights(operation, request))
            return getattr(self._reader(request), xform_name(operation))(**request)
        if service == "s3":
            self.needed.add(_s3_right(operation, request))
            return getattr(self._s3(request), xform_name(operation))(**request)
        if (service, operation) == ("sns", "Publish"):
            self.needed.add(("sns:Publish", request["TopicArn"]))
            return {}
        if (service, operation) == ("sqs", "SendMessage"):
            self.needed.add(("sqs:SendMessage", f"{ALL_QUEUES[request['QueueUrl']]}Queue"))
            return {}
        if (service, operation) == ("sqs", "GetQueueAttributes"):
            queue = f"{ALL_QUEUES[request['QueueUrl']]}Queue"
            self.needed.add(("sqs:GetQueueAttributes", queue))
            return {"Attributes": dict.fromkeys(request["AttributeNames"], "0")}
        if service == "kms":
            self.needed.add((f"kms:{operation}", "TokenKey"))
            return _kms(operation, request)
        assert (service, operation) == ("secretsmanager", "GetSecretValue"), operation
        assert request == {"SecretId": SECRET}
        self.needed.add(("secretsmanager:GetSecretValue", "AppSecret"))
        return {"SecretString": self.secret}

    def _s3(self, request: Mapping[str, Any]) -> Any:
        if request["Bucket"] == STATEMENTS:
            return self._statements
        is_record = request["Bucket"] == HEADS or request.get("Key", "").startswith("account-")
        return self._records if is_record else self._bucket

    def _reader(self, request: Mapping[str, Any]) -> Any:
        if "IndexName" in request and self._index_as_of is not None:
            return self._table.as_of(self._index_as_of)
        return self._table


def _kms(operation: str, request: Mapping[str, Any]) -> dict[str, bytes]:
    assert request["KeyId"] == TOKEN_KEY
    if operation == "Encrypt":
        return {"CiphertextBlob": request["Plaintext"][::-1]}
    assert operation == "Decrypt", operation
    return {"Plaintext": request["CiphertextBlob"][::-1]}


def _s3_right(operation: str, request: Mapping[str, Any]) -> Right:
    """The IAM action of one call (service authorization reference, Amazon S3)."""
    (bucket,) = [name for name, given in BUCKETS.items() if given == request["Bucket"]]
    if operation == "ListObjectsV2":
        return "s3:ListBucket", bucket
    folder, _ = request["Key"].split("/", 1)
    return f"s3:{operation}", f"{bucket}/{folder}/*"


def _dynamodb_rights(operation: str, request: Mapping[str, Any]) -> Iterator[Right]:
    """The IAM actions of one call (service authorization reference, Amazon DynamoDB)."""
    match operation:
        case "TransactWriteItems" | "TransactGetItems":
            for part in request["TransactItems"]:
                ((kind, action),) = part.items()
                yield _right(_TRANSACTION_ACTIONS[kind], action["TableName"])
        case "BatchGetItem" | "BatchWriteItem":
            for table in request["RequestItems"]:
                yield _right(operation, table)
        case _:
            yield _right(operation, request["TableName"], request.get("IndexName"))


def _right(action: str, table: str, index: str | None = None) -> Right:
    assert table == TABLE, f"{action} on {table}: functions know one table"
    return f"dynamodb:{action}", f"LedgerTable/index/{index}" if index else "LedgerTable"
