"""Queues in SQS."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.aws.client import aws_client
from pointbook.errors import Unavailable


def connect() -> Any:
    """Return a client of SQS with short timeouts: Shopify waits 5 s for the whole answer."""
    return aws_client("sqs", attempts=2, connect_seconds=1, read_seconds=1.5)


def send_message(client: Any, queue_url: str, body: str) -> None:
    """Send a message, durably. Raises Unavailable when that is not certain.

    The caller retries; a message that got through nevertheless is then on the queue twice, which
    its worker has to tolerate in any case.
    """
    try:
        client.send_message(QueueUrl=queue_url, MessageBody=body)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("queue_unavailable", "Please send this again.", 10) from error
