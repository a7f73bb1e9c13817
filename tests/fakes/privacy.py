"""A privacy service on an engine, with a bucket and an operator in memory."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from pointbook.aws.files import PrivacyFiles
from pointbook.domain.ports import Clock
from pointbook.services.message import Message
from pointbook.services.privacy.dependencies import Dependencies
from pointbook.services.privacy.requests import PrivacyService, WatchResult
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.installations import Installations
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.pseudonyms import Pseudonyms
from pointbook.store.stored_items import StoredItems
from pointbook.store.table import Table
from pointbook.store.till_members import TillMembers
from tests.support.engine import SHOP, Engine, items_of
from tests.support.ledgers import SetClock
from tests.support.payloads import data_request_payload, redact_payload

BUCKET = "privacy"
IMPORTS_BUCKET = "imports"
MINUTES_SECONDS = 240.0


class MemoryBucket:
    """S3 with the stack's buckets, two keys a page; `down` times it cannot be reached.

    `fails_after` counts down with each call: the last one fails.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = 0
        self.fails_after = 0

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803 - S3's names
        Key: str,  # noqa: N803 - same
        Body: io.IOBase | bytes,  # noqa: N803 - same
        ContentType: str = "",  # noqa: N803 - same
        ChecksumSHA256: str = "",  # noqa: N803 - same
    ) -> None:
        self._reach(Bucket)
        kind = "application/x-ndjson" if ChecksumSHA256 else "application/json"
        assert ContentType == (kind if Bucket == BUCKET else "")
        self.objects[Key] = Body if isinstance(Body, bytes) else Body.read()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - same
        self._reach(Bucket)
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803 - S3's names
        Prefix: str,  # noqa: N803 - same
        StartAfter: str = "",  # noqa: N803 - same
    ) -> dict[str, Any]:
        self._reach(Bucket)
        found = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        return {"Contents": [{"Key": key} for key in found[:2]], "IsTruncated": len(found) > 2}

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803 - same
        self._reach(Bucket)
        self.objects.pop(Key, None)

    def _reach(self, bucket: str) -> None:
        assert bucket in (BUCKET, IMPORTS_BUCKET)
        self.down += self.fails_after == 1
        self.fails_after -= 1
        if self.down:
            self.down -= 1
            raise EndpointConnectionError(endpoint_url="https://s3.invalid")


class Operator:
    """Records the notifications."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def notify(self, subject: str, message: str) -> None:
        assert subject.isascii()
        assert len(subject) <= 99
        self.messages.append(message)


class PrivacyDriver:
    """Shopify's privacy webhooks, and the service that handles them."""

    def __init__(self, engine: Engine, clock: SetClock | None = None) -> None:
        self.engine = engine
        self.clock = clock or SetClock()
        self.bucket = MemoryBucket()
        self.operator = Operator()
        self.requests = PrivacyRequests(Table(engine.client, engine.table))

    def driver(self, client: Any = None) -> PrivacyService:
        """The service, through `client` where one is wrapped around the engine's."""
        table = Table(client or self.engine.client, self.engine.table)
        return privacy_service(table, self.clock, self.bucket, self.operator)

    def redact(self, customer_id: str, orders: tuple[str, ...] = (), client: Any = None) -> None:
        """Shopify asks to erase a customer."""
        payload = redact_payload(customer_id, orders)
        self.driver(client).carry_out(self.message("customers/redact", payload))

    def request_data(
        self, customer_id: str, request: int = 9, orders: tuple[str, ...] = ()
    ) -> None:
        """A customer asks for their data."""
        payload = data_request_payload(customer_id, request, orders)
        self.driver().carry_out(self.message("customers/data_request", payload))

    def message(self, topic: str, payload: Mapping[str, Any], event: str = "e-1") -> Message:
        """A webhook that has come now."""
        return Message(topic, SHOP, self.clock.now(), event, payload)

    def watch(self, seconds: float = MINUTES_SECONDS, client: Any = None) -> WatchResult:
        """One run of the schedule."""
        return self.driver(client).watch((SHOP,), seconds)

    def file(self, customer_id: str, request: int = 9) -> dict[str, Any]:
        """The data that a customer gets."""
        key = f"data-requests/{SHOP}/{customer_id}/{request}.json"
        found: dict[str, Any] = json.loads(self.bucket.objects[key])
        return found


def privacy_service(
    table: Table, clock: Clock, bucket: Any, operator: Operator | None = None
) -> PrivacyService:
    """The service on a table, with its files in `bucket`."""
    dependencies = Dependencies(
        store=DynamoStore(table),
        requests=PrivacyRequests(table),
        items=StoredItems(table, clock),
        pseudonyms=Pseudonyms(table),
        installations=Installations(table),
        till_members=TillMembers(table),
        files=PrivacyFiles(bucket, BUCKET),
        clock=clock,
    )
    return PrivacyService(dependencies, operator or Operator())


def everything(engine: Engine) -> list[dict[str, Any]]:
    """Every item of the engine's table."""
    return [*items_of(engine).values()]


def naming(engine: Engine, text: str) -> set[tuple[str, str]]:
    """The keys of all items in which a text stands anywhere, as a whole: not within a hash."""
    whole = re.compile(rf"(?<![0-9A-Za-z]){re.escape(text)}(?![0-9A-Za-z])")
    return {
        (item["pk"]["S"], item["sk"]["S"])
        for item in everything(engine)
        if whole.search(repr(item))
    }
