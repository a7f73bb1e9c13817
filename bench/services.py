"""The services that the measured functions call: AWS's in MiniStack, and a fake Shopify."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import boto3

from local import demo
from pointbook.clock import SystemClock
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.artifacts.stack import shopify
from tests.support.harness import SECRETS
from tests.support.servers import ministack
from tests.support.table import table_request
from tools.make_events import EVENTS, token

TABLE = "points"
TOKEN_KEY = "alias/pointbook-tokens"  # noqa: S105 - a name

_FIRST_CUSTOMER = 9_000_000_000_000


class Services:
    """A table, a queue and a key; `environ` has the functions' variables for them.

    `dynamodb` is a client of them, `table` the table's name.
    """

    def __init__(self, aws_url: str, shopify_url: str) -> None:
        """Create them in the MiniStack at `aws_url`."""
        connection: dict[str, Any] = {
            "endpoint_url": aws_url,
            "region_name": "ap-northeast-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self.table = TABLE
        self.dynamodb = dynamodb = boto3.client("dynamodb", **connection)
        dynamodb.create_table(**table_request(TABLE))
        queue = boto3.client("sqs", **connection).create_queue(QueueName="orders")["QueueUrl"]
        kms = boto3.client("kms", **connection)
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=TOKEN_KEY, TargetKeyId=key_id)
        self._ledger = Ledger(DynamoStore(Table(dynamodb, TABLE)), SystemClock())
        self._numbers = count(_FIRST_CUSTOMER)
        self.environ: Mapping[str, str] = {
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_DEFAULT_REGION": "ap-northeast-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "STAGE": "local",
            "TABLE_NAME": TABLE,
            "SECRETS_NAME": "unused",
            "TOKEN_KEY_ID": TOKEN_KEY,
            "ORDER_EVENTS_QUEUE_URL": queue,
            "SHOP_DOMAIN": demo.SHOP_DOMAIN,
            "SHOPIFY_CLIENT_ID": demo.SHOPIFY_CLIENT_ID,
            "LOCAL_SECRETS": json.dumps(SECRETS),
            "LOCAL_SHOPIFY_URL": shopify_url,
        }

    def hold_request(self) -> Mapping[str, Any]:
        """The event of a new customer's first request to hold points."""
        customer = str(next(self._numbers))
        granted = self._ledger.execute(
            Instruction(demo.SHOP_DOMAIN, customer, Grant(1250, Never()), Cause("bench"))
        )
        assert isinstance(granted, Booked)
        path = EVENTS / "create_hold" / "by_header.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found["headers"]["authorization"] = f"Bearer {token(customer)}"
        return found


@contextmanager
def running_services(directory: Path) -> Iterator[Services]:
    """Run the services; `directory` is for logs."""
    with (
        ministack(directory, services="dynamodb,kms,sqs") as aws_url,
        shopify(directory / "shopify.log") as shopify_url,
    ):
        yield Services(aws_url, shopify_url)
