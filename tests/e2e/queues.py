"""Queues of the running stack: waiting messages, dead letters, and workers that pause or fail."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli import redrive
from local.deployment import STACK_NAME
from local.stack import Stack
from tests.e2e.calls import aws


class Queues:
    """The queue of a worker of the stack, its mapping and its dead letters."""

    def __init__(self, stack: Stack, worker: str) -> None:
        self.sqs, self._lambda = aws(stack, "sqs"), aws(stack, "lambda")
        (found,) = aws(stack, "cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        # By name once more: the emulator writes another host into outputs than into its answers.
        self.url, self.dead_letters = (
            self.sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
            for url in redrive.queue_urls(outputs, worker)
        )
        self._worker = stack.functions[worker]
        listed = self._lambda.list_event_source_mappings(FunctionName=self._worker)
        (self._mapping,) = [one["UUID"] for one in listed["EventSourceMappings"]]

    def waiting(self, url: str) -> int:
        """The number of messages that wait."""
        name = "ApproximateNumberOfMessages"
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def enable(self, *, on: bool) -> None:
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=on)

    @contextmanager
    def worker_without_table(self) -> Iterator[None]:
        """As after a bad release: everything that the worker is given fails."""
        found = self._lambda.get_function_configuration(FunctionName=self._worker)
        before = found["Environment"]["Variables"]
        self._configure(before | {"TABLE_NAME": "not-there"})
        try:
            yield
        finally:
            self._configure(before)

    def _configure(self, variables: dict[str, str]) -> None:
        self._lambda.update_function_configuration(
            FunctionName=self._worker, Environment={"Variables": variables}
        )

    @contextmanager
    def visibility_timeout(self, seconds: int) -> Iterator[None]:
        """What fails comes again after so many seconds, not after the template's minutes."""
        name = "VisibilityTimeout"
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        before, changed = found["Attributes"], {name: str(seconds)}
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=changed)
        try:
            yield
        finally:
            self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=before)
