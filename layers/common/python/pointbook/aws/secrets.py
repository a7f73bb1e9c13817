"""Secrets Manager."""

from typing import Any

from pointbook.aws.client import aws_client, unavailable_as


def connect() -> Any:
    """Return a client of Secrets Manager."""
    return aws_client("secretsmanager", attempts=2, connect_seconds=1, read_seconds=1)


def secret_text(client: Any, name: str) -> str:
    """Return the text of the secret `name`. Raises Unavailable."""
    with unavailable_as("secrets_unavailable", 5):
        text: str = client.get_secret_value(SecretId=name)["SecretString"]
        return text
