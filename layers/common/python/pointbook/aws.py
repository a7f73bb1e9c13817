"""What the functions ask of AWS beside the table."""

from typing import Any

from botocore.config import Config
from botocore.session import Session


def secret_text(name: str) -> str:
    """The text of a secret in Secrets Manager. Raises botocore's errors: nothing works without."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=1, read_timeout=2
    )
    client: Any = Session().create_client("secretsmanager", config=config)
    text: str = client.get_secret_value(SecretId=name)["SecretString"]
    return text
