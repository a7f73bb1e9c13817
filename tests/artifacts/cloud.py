"""The two services that functions use, in MiniStack."""

from typing import Any

from botocore.session import Session

from tests.engines.engine import REGION, connected
from tests.engines.table import table_request

TABLE = "ledger"
SECRET = "pointbook-secret"


class Cloud:
    """A table and, if wanted, a secret at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dynamodb = connected(url)
        self._secrets: Any = Session().create_client(
            "secretsmanager", region_name=REGION, endpoint_url=url
        )

    def empty_table(self) -> None:
        """Make the table anew."""
        if TABLE in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=TABLE)
        self.dynamodb.create_table(**table_request(TABLE))

    def keep_secret(self, text: str) -> None:
        """Put the secret there."""
        self._secrets.create_secret(Name=SECRET, SecretString=text)
