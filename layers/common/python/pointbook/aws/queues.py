"""Queues in SQS."""

from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.aws.client import aws_client
from pointbook.errors import Unavailable


def send_message(queue_url: str, body: str) -> None:
    """Put a message on a queue in SQS, durably. Raises Unavailable when that is not certain.

    Whoever asked sends again; a message that got through all the same is there twice, which its
    worker has to stand in any case.
    """
    try:
        _queues().send_message(QueueUrl=queue_url, MessageBody=body)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("queue_unavailable", "Please send this again.", 10) from error


@cache
def _queues() -> Any:
    """Short-tempered: Shopify waits 5 s for the whole answer."""
    return aws_client("sqs", attempts=2, connect_seconds=1, read_seconds=1.5)
