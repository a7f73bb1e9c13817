"""Topics in SNS."""

from typing import Any

from pointbook.aws.client import aws_client, unavailable_as


def connect() -> Any:
    """Return a client of SNS."""
    return aws_client("sns", attempts=2, connect_seconds=2, read_seconds=5)


class OperatorTopic:
    """The SNS topic that operators subscribe to."""

    def __init__(self, client: Any, arn: str) -> None:
        """Publish to the topic of this ARN."""
        self._client = client
        self._arn = arn

    def notify(self, subject: str, message: str) -> None:
        """Publish a message; its subject has up to 99 ASCII characters. Raises Unavailable."""
        with unavailable_as("topic_unavailable", 60):
            self._client.publish(TopicArn=self._arn, Subject=subject[:99], Message=message)
