"""What the functions ask of AWS beside the table."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.errors import Unavailable
from pointbook.outgoing.aws_client import aws_client


def secret_text(name: str) -> str:
    """The text of a secret in Secrets Manager. Raises Unavailable: nothing works without."""
    try:
        text: str = _secrets().get_secret_value(SecretId=name)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("secrets_unavailable", "Please try again.", 5) from error
    return text


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
def _secrets() -> Any:
    return aws_client("secretsmanager", attempts=2, connect_seconds=1, read_seconds=1)


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


@cache
def _queues() -> Any:
    """Short-tempered: Shopify waits 5 s for the whole answer."""
    return aws_client("sqs", attempts=2, connect_seconds=1, read_seconds=1.5)


_OTHER_SEALS = frozenset(
    {
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)
"""What KMS says where a text was sealed by another key, or by one that is no more."""


class KmsSeal:
    """Seals short texts with a key of KMS; raises Unavailable where KMS does not do it now.

    The context is KMS's encryption context: it is bound to the text and stands in CloudTrail.
    """

    def __init__(self, key_id: str) -> None:
        """Use the key with this id, ARN or alias."""
        self._key_id = key_id

    def close(self, text: str, context: Mapping[str, str]) -> bytes:
        """The text, sealed; `context` has to be named to open it."""
        try:
            answer = _keys().encrypt(
                KeyId=self._key_id, Plaintext=text.encode(), EncryptionContext=dict(context)
            )
        except (ClientError, BotoCoreError) as error:
            raise _seal_unavailable() from error
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, sealed: bytes, context: Mapping[str, str]) -> str | None:
        """The text; None: it was sealed otherwise, and this key cannot open it."""
        try:
            answer = _keys().decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=dict(context)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _OTHER_SEALS:
                return None
            raise _seal_unavailable() from error
        except BotoCoreError as error:
            raise _seal_unavailable() from error
        text: bytes = answer["Plaintext"]
        return text.decode()


def _seal_unavailable() -> Unavailable:
    return Unavailable("secrets_unavailable", "Please try again.", 5)


@cache
def _keys() -> Any:
    return aws_client("kms", attempts=2, connect_seconds=1, read_seconds=1)
