"""The laptop's emulator hands a table's stream to a function as AWS does, failures included.

What is held here is local/ministack_patches/streams.py: named records come again and nothing before
them, a batch that raised is halved and tried again, and what fails for good is sent to the queue.
"""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import emulator
from tests.support.servers import patched_ministack

ROLE = "arn:aws:iam::000000000000:role/test"
RETRIES = 2
CODE = '''
import json, os

def handler(event, context):
    """Note what arrives, then do what the items themselves say."""
    images = [record["dynamodb"].get("NewImage", {}) for record in event["Records"]]
    names = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps(names) + "\\n")
    orders = [image.get("order", {}).get("S") for image in images]
    if "raise" in orders:
        raise RuntimeError("as ordered")
    failed = [
        {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
        for record, what in zip(event["Records"], orders)
        if what == "name"
    ]
    return {"batchItemFailures": failed}
'''


class Aws:
    """The emulator's services, and one function that a table's stream feeds."""

    def __init__(self, url: str, directory: Path) -> None:
        session = boto3.Session("test", "test", region_name=emulator.REGION)
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        self.dynamodb: Any = session.client("dynamodb", endpoint_url=url, config=config)
        self.functions: Any = session.client("lambda", endpoint_url=url, config=config)
        self.sqs: Any = session.client("sqs", endpoint_url=url, config=config)
        self._directory = directory

    def feed(self, **mapping: Any) -> "Fed":
        """A new table, function and queue; `mapping` says how the one feeds the other."""
        name = f"t-{uuid.uuid4().hex}"
        notes = self._directory / name
        notes.touch()
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        stream = self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k, _ in keys],
            KeySchema=[{"AttributeName": k, "KeyType": kind} for k, kind in keys],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )["TableDescription"]["LatestStreamArn"]
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": zipped(CODE)},
            Environment={"Variables": {"NOTES": str(notes)}},
        )
        queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        made = self.functions.create_event_source_mapping(
            FunctionName=name,
            Enabled=False,
            EventSourceArn=stream,
            StartingPosition="TRIM_HORIZON",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            MaximumRetryAttempts=RETRIES,
            DestinationConfig={"OnFailure": {"Destination": arn["Attributes"]["QueueArn"]}},
            **mapping,
        )
        return Fed(self, name, notes, queue, made["UUID"])


class Fed:
    """A table whose stream feeds a function, once it is started: what was put before is a batch."""

    def __init__(self, aws: Aws, table: str, notes: Path, queue: str, mapping: str) -> None:
        self._aws = aws
        self._mapping = mapping
        self._table = table
        self._notes = notes
        self._queue = queue

    def start(self) -> None:
        self._aws.functions.update_event_source_mapping(UUID=self._mapping, Enabled=True)

    def put(self, *names: str, sk: str = "ACCOUNT") -> None:
        """Write items; `b:raise` makes the function raise for b."""
        for name in names:
            pk, _, order = name.partition(":")
            item = {"pk": {"S": pk}, "sk": {"S": sk}} | ({"order": {"S": order}} if order else {})
            self._aws.dynamodb.put_item(TableName=self._table, Item=item)

    def delete(self, name: str) -> None:
        key = {"pk": {"S": name}, "sk": {"S": "ACCOUNT"}}
        self._aws.dynamodb.delete_item(TableName=self._table, Key=key)

    def calls(self) -> list[str]:
        """What the function was called with, a call each, the names put together."""
        lines = self._notes.read_text(encoding="utf-8").splitlines()
        return ["".join(json.loads(line)) for line in lines]

    def given_up(self) -> list[dict[str, Any]]:
        """The messages in the queue of failures."""
        answer = self._aws.sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """MiniStack as the laptop stack starts it, patches and all."""
    directory = tmp_path_factory.mktemp("streams")
    with patched_ministack(directory) as url:
        yield Aws(url, directory)


def zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it did not come to that in time"
        time.sleep(0.1)


def test_a_batch_that_went_well_does_not_come_again(aws: Aws) -> None:
    fed = aws.feed(BisectBatchOnFunctionError=True)
    fed.put("a", "b", "c")
    fed.start()
    wait_until(lambda: len(fed.calls()) == 1)
    fed.put("d")
    wait_until(lambda: len(fed.calls()) == 2)
    assert fed.calls() == ["abc", "d"]


def test_only_what_a_filter_lets_pass_wakes_the_function(aws: Aws) -> None:
    pattern = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": {"S": ["ACCOUNT"]}}}}
    fed = aws.feed(FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    fed.put("a", sk="OUTBOX")
    fed.put("b", "c")
    fed.delete("b")
    fed.put("c:nothing")
    fed.put("d", sk="ENTRY#000000000001")
    fed.put("e")
    fed.start()
    wait_until(lambda: "".join(fed.calls()).endswith("e"))
    assert "".join(fed.calls()) == "bcce"


def test_from_the_first_named_record_on_all_come_again_and_none_before(aws: Aws) -> None:
    fed = aws.feed()
    fed.put("a", "b", "c:name", "d")
    fed.start()
    wait_until(lambda: len(fed.calls()) == 1 + RETRIES)
    assert fed.calls() == ["abcd", "cd", "cd"]
    fed.put("e")
    wait_until(lambda: len(fed.calls()) == 2 + RETRIES)
    assert fed.calls()[-1] == "e", "what failed for good blocks nothing"
    (letter,) = fed.given_up()
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter["DDBStreamBatchInfo"]["batchSize"] == 2


def test_a_batch_that_raised_is_halved_until_the_one_that_raises_is_alone(aws: Aws) -> None:
    fed = aws.feed(BisectBatchOnFunctionError=True)
    fed.put("a", "b", "c:raise", "d")
    fed.start()
    wait_until(lambda: len(fed.calls()) == 5)
    fed.put("e")
    wait_until(lambda: fed.calls()[-1] == "e")
    assert fed.calls() == ["abcd", "ab", "cd", "c", "d", "e"]
    (letter,) = fed.given_up()
    assert letter["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_batch_that_raises_is_tried_as_often_as_allowed_and_then_given_up(aws: Aws) -> None:
    fed = aws.feed()
    fed.put("a:raise")
    fed.start()
    wait_until(lambda: len(fed.calls()) == 1 + RETRIES)
    fed.put("b")
    wait_until(lambda: fed.calls()[-1] == "b")
    assert fed.calls() == ["a"] * (1 + RETRIES) + ["b"]
    assert len(fed.given_up()) == 1
