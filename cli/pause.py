"""Stops the functions that write the ledger, and starts them again as they were.

A stopped function has a reserved concurrency of 0: AWS refuses every call of it. Its queue or its
stream is disconnected as well, so that no message is received in vain and becomes a dead letter.
What to return to is written on the function, as a tag: anybody can start it again, from anywhere.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cli.aws_errors import AWS_ERRORS, in_words
from cli.errors import CommandFailed, NotReachable
from cli.target import Target

WITHOUT_TABLE = frozenset(
    {"AppPageFunction", "HealthFunction", "ImportRunsFunction", "ShopifyWebhookFunction"}
)
"""They do not touch the table and go on: what they take in waits on the queues."""

PUBLISHERS = frozenset({"PublishChangesFunction", "PushTillFunction"})
"""Are stopped last, so that they take what the others have written from the stream."""

TAG = "pointbook:stopped"
_NONE = "none"
_FUNCTION = "AWS::Lambda::Function"
_STATE_SECONDS = 120.0
QUIET_SECONDS = 10.0
PUBLISHER_SECONDS = 60.0
LONGEST_RUN_SECONDS = 900.0
"""A run that had begun goes on to its end; none may take longer than AWS's own limit."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the stack; `stopped` is its tag, empty while it runs."""

    logical_id: str
    name: str
    arn: str
    stopped: str


class Functions:
    """The functions of a stack that use its table. Every method may raise NotReachable."""

    def __init__(self, stack: Target, sleep: Callable[[float], None] = time.sleep) -> None:
        """Look nothing up yet."""
        self._stack = stack
        self._lambda = stack.client("lambda")
        self._sleep = sleep

    def stop(self) -> int:
        """Stop those that run, and wait until the table is quiet; returns how many are stopped.

        Raises CommandFailed if somebody else goes on writing.
        """
        stopped = self._each(lambda one: one.logical_id not in PUBLISHERS and self._stop(one))
        self._is_quiet(PUBLISHER_SECONDS)
        stopped += self._each(lambda one: one.logical_id in PUBLISHERS and self._stop(one))
        if not self._is_quiet(LONGEST_RUN_SECONDS):
            raise CommandFailed(
                "Somebody still writes the table. The functions are stopped; find who else writes,"
                " then run this again."
            )
        return stopped

    def start(self) -> int:
        """Start those that were stopped; returns how many."""
        return self._each(self._start)

    def _is_quiet(self, most_seconds: float) -> bool:
        """Wait until nothing is written for a while; False if that takes too long."""
        waited = 0.0
        try:
            while self._written_within(QUIET_SECONDS):
                waited += QUIET_SECONDS
                if waited >= most_seconds:
                    return False
        except AWS_ERRORS as error:
            raise NotReachable(f"The table's stream cannot be read. {in_words(error)}") from error
        return True

    def _each(self, change: Callable[[Function], bool]) -> int:
        try:
            return sum(change(one) for one in self._all())
        except AWS_ERRORS as error:
            raise NotReachable(
                f"A function could not be changed. {in_words(error)} Run it again."
            ) from error

    def _all(self) -> Iterator[Function]:
        for logical_id, name in self._stack.resources(_FUNCTION).items():
            if logical_id not in WITHOUT_TABLE:
                arn = self._lambda.get_function_configuration(FunctionName=name)["FunctionArn"]
                tags = self._lambda.list_tags(Resource=arn).get("Tags", {})
                yield Function(logical_id, name, arn, tags.get(TAG, ""))

    def _stop(self, one: Function) -> bool:
        mappings = self._mappings(one)
        if not one.stopped:  # else an earlier run has noted it, and was cut off perhaps
            reserved = self._lambda.get_function_concurrency(FunctionName=one.name)
            number = reserved.get("ReservedConcurrentExecutions", _NONE)
            on = [
                uuid for uuid, state in mappings.items() if state not in ("Disabled", "Disabling")
            ]
            self._lambda.tag_resource(Resource=one.arn, Tags={TAG: " ".join([str(number), *on])})
        for uuid, state in mappings.items():
            if state != "Disabled":
                self._lambda.update_event_source_mapping(UUID=uuid, Enabled=False)
        for uuid in mappings:
            self._wait_for(uuid, "Disabled")
        self._lambda.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=0)
        return True

    def _start(self, one: Function) -> bool:
        if not one.stopped:
            return False
        number, *mappings = one.stopped.split()
        if number == _NONE:
            self._lambda.delete_function_concurrency(FunctionName=one.name)
        else:
            self._lambda.put_function_concurrency(
                FunctionName=one.name, ReservedConcurrentExecutions=int(number)
            )
        for uuid in mappings:
            self._lambda.update_event_source_mapping(UUID=uuid, Enabled=True)
        self._lambda.untag_resource(Resource=one.arn, TagKeys=[TAG])
        return True

    def _mappings(self, one: Function) -> dict[str, str]:
        found = self._lambda.list_event_source_mappings(FunctionName=one.name)
        return {each["UUID"]: each["State"] for each in found["EventSourceMappings"]}

    def _wait_for(self, uuid: str, state: str) -> None:
        waited = 0.0
        while (now := self._lambda.get_event_source_mapping(UUID=uuid)["State"]) != state:
            if waited >= _STATE_SECONDS:
                raise NotReachable(f"Event source mapping {uuid} is still {now}. Run it again.")
            self._sleep(2)
            waited += 2

    def _written_within(self, seconds: float) -> int:
        """How many changes of the table its stream shows from now on for so long."""
        described = self._stack.client("dynamodb").describe_table(
            TableName=self._stack.settings.table_name
        )
        arn = described["Table"]["LatestStreamArn"]
        streams = self._stack.client("dynamodbstreams")
        shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterators = [
            streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            for shard in shards
            if "EndingSequenceNumber" not in shard.get("SequenceNumberRange", {})
        ]
        self._sleep(seconds)
        pages = [streams.get_records(ShardIterator=iterator) for iterator in iterators]
        return sum(len(page["Records"]) for page in pages)
