"""Queues in SQS."""

from typing import Any

from pointbook.aws.client import aws_client, unavailable_as


def connect() -> Any:
    """Return a client of SQS with short timeouts: Shopify waits 5 s for the whole answer."""
    return aws_client("sqs", attempts=2, connect_seconds=1, read_seconds=1.5)


def send_message(client: Any, queue_url: str, body: str) -> None:
    """Send a message, durably. Raises Unavailable if it is unknown whether it was sent.

    The caller retries; the message may then be on the queue twice, which its worker has to tolerate
    in any case.
    """
    with unavailable_as("queue_unavailable", 10, "Please send this again."):
        client.send_message(QueueUrl=queue_url, MessageBody=body)


def count_messages(client: Any, queue_url: str) -> int:
    """How many messages a queue has, nearly. Raises Unavailable."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    with unavailable_as("queue_unavailable", 10, "Please ask again."):
        found = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(found.get(name, 0)) for name in names)
