"""Topics in SNS."""

from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.aws.client import aws_client
from pointbook.errors import Unavailable


class OperatorTopic:
    """The topic in SNS through which the operator is told something."""

    def __init__(self, arn: str) -> None:
        """Tell it through the topic of this ARN."""
        self._arn = arn

    def tell(self, subject: str, message: str) -> None:
        """Send a message; its subject has up to 99 ASCII characters. Raises Unavailable."""
        try:
            _topics().publish(TopicArn=self._arn, Subject=subject[:99], Message=message)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("topic_unavailable", "Please try again.", 60) from error


@cache
def _topics() -> Any:
    return aws_client("sns", attempts=2, connect_seconds=2, read_seconds=5)
