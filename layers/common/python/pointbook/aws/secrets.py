"""Secrets Manager."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pointbook.aws.client import aws_client
from pointbook.errors import Unavailable


def connect() -> Any:
    """Return a client of Secrets Manager."""
    return aws_client("secretsmanager", attempts=2, connect_seconds=1, read_seconds=1)


def secret_text(client: Any, name: str) -> str:
    """Return the text of the secret `name`. Raises Unavailable."""
    try:
        text: str = client.get_secret_value(SecretId=name)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("secrets_unavailable", "Please try again.", 5) from error
    return text
