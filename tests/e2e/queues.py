"""Queues of the running stack: what waits, what failed, and workers that stand still or fail."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from cli import redrive
from local.deployment import STACK_NAME
from local.stack import Stack


def wait_until(holds: Callable[[], bool], seconds: float = 40) -> None:
    """Return as soon as it holds; the test fails when the time is over."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it did not come to that in time"
        time.sleep(0.1)


class Queues:
    """The queue of a worker of the stack, its mapping and its dead letters."""

    def __init__(self, stack: Stack, worker: str) -> None:
        where: Any = {"endpoint_url": stack.aws_endpoint_url, "region_name": stack.aws_region}
        self.sqs: Any = boto3.client("sqs", **where)
        self._lambda: Any = boto3.client("lambda", **where)
        cloudformation: Any = boto3.client("cloudformation", **where)
        (found,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        # By name once more: the emulator writes another host into outputs than into its answers.
        self.url, self.letters = (
            self.sqs.get_queue_url(QueueName=url.rpartition("/")[2])["QueueUrl"]
            for url in redrive.queue_urls(outputs, worker)
        )
        self._worker = stack.functions[worker]
        listed = self._lambda.list_event_source_mappings(FunctionName=self._worker)
        (self._mapping,) = [one["UUID"] for one in listed["EventSourceMappings"]]

    def waiting(self, url: str) -> int:
        """Messages that nobody has taken."""
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
    def patience(self, seconds: int) -> Iterator[None]:
        """What fails comes again after so many seconds, not after the template's minutes."""
        before = self.sqs.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["VisibilityTimeout"]
        )["Attributes"]
        self.sqs.set_queue_attributes(
            QueueUrl=self.url, Attributes={"VisibilityTimeout": str(seconds)}
        )
        try:
            yield
        finally:
            self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=before)
