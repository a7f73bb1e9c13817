"""What the functions ask of AWS beside the table."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from pointbook.errors import Unavailable


def secret_text(name: str) -> str:
    """The text of a secret in Secrets Manager. Raises Unavailable: nothing works without."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=1
    )
    client: Any = Session().create_client("secretsmanager", config=config)
    try:
        text: str = client.get_secret_value(SecretId=name)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("secrets_unavailable", "Please try again.", 5) from error
    return text
