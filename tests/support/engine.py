"""An engine: something that answers as DynamoDB does, with a table of the ledger's on it."""

import uuid
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.session import Session

from pointbook.domain.chain import BookedEntry
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.support.table import table_request

MEMORY = "memory"
MOTO = "moto"
MINISTACK = "ministack"
DYNAMODB_LOCAL = "dynamodb-local"

ALL = (MEMORY, MOTO, MINISTACK, DYNAMODB_LOCAL)
ISOLATED = (MINISTACK, DYNAMODB_LOCAL)
"""Those that may be used by several threads: their transactions are isolated, moto's are not."""

SHOP = "demo.myshopify.com"
REGION = "ap-northeast-1"
_CONNECTIONS_MAX = 64


type Items = dict[tuple[str, str], dict[str, Any]]
"""A table's items by their keys."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A client and an empty table on it that nobody else uses."""

    name: str
    client: Any
    table: str

    def store(self, client: Any = None) -> DynamoStore:
        """The store on this table, through `client` where one is wrapped around the engine's."""
        return DynamoStore(Table(client or self.client, self.table))


def items_of(engine: Engine, table: str = "") -> Items:
    """Every item of the engine's table, or of another one."""
    request: dict[str, Any] = {"TableName": table or engine.table, "ConsistentRead": True}
    found: Items = {}
    while True:
        page = engine.client.scan(**request)
        found |= {(one["pk"]["S"], one["sk"]["S"]): one for one in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def opened(name: str, client: Any) -> Engine:
    """The engine with a new table, made as the template says."""
    table = f"ledger-{uuid.uuid4().hex}"
    client.create_table(**table_request(table))
    return Engine(name, client, table)


def connected(endpoint_url: str | None) -> Any:
    """Botocore's client, with no repeating of its own; None: the address that moto answers for."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=_CONNECTIONS_MAX,
    )
    return Session().create_client(
        "dynamodb", region_name=REGION, endpoint_url=endpoint_url, config=config
    )


def all_entries(store: DynamoStore, customer_id: str) -> list[BookedEntry]:
    """Every entry of a customer, the first one first."""
    newest_first = store.entries(SHOP, customer_id, before_version=10**12, limit=10**6)
    return newest_first[::-1]
