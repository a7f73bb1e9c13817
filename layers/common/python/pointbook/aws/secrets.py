"""Secrets Manager."""

from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.aws.client import aws_client
from pointbook.errors import Unavailable


def secret_text(name: str) -> str:
    """The text of a secret in Secrets Manager. Raises Unavailable: nothing works without."""
    try:
        text: str = _secrets().get_secret_value(SecretId=name)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("secrets_unavailable", "Please try again.", 5) from error
    return text


@cache
def _secrets() -> Any:
    return aws_client("secretsmanager", attempts=2, connect_seconds=1, read_seconds=1)
