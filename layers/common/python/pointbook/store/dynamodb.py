"""The store on DynamoDB: sends requests, reads answers, and lets no AWS error out.

A transaction that DynamoDB cancels names a reason for each put, in the order of the request:

    an idempotency record was there   → AlreadyDone: its effect happened before
    a condition failed                → VersionConflict, with the accounts as they are now
    a conflict, a throttle            → StoreUnavailable: the SDK does not retry these
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from pointbook.aws.client import aws_client
from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry
from pointbook.domain.ports import (
    AlreadyDone,
    Committed,
    DueKind,
    Loaded,
    ReadRequest,
    StoreUnavailable,
    TransientCause,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.errors import StoreRefused
from pointbook.store import items, keys, requests
from pointbook.store import order_items as papers
from pointbook.store.values import Stored

_THROTTLES = frozenset(
    {
        "ThrottlingException",
        "ThrottlingError",
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
    }
)
_CONFLICTS = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "TransactionCanceledException",
    }
)
_UNREACHABLE = frozenset({"InternalServerError", "ServiceUnavailable", "InternalFailure"})
_CANCELLED = "TransactionCanceledException"
_CONDITION_FAILED = "ConditionalCheckFailed"

_READERS = {
    "account": items.account_of,
    "idempotency_record": items.remembered_of,
    "order": papers.order_of,
    "hold_record": papers.hold_record_of,
}


def connect() -> BaseClient:
    """A DynamoDB client that gives up in time; the ledger does the repeating."""
    client: BaseClient = aws_client("dynamodb", attempts=1, connect_seconds=1, read_seconds=1)
    return client


class DynamoStore:
    """The `Store` of one table."""

    def __init__(self, client: Any, table: str) -> None:
        """Use `client` (botocore's, or anything that answers like it) on `table`."""
        self._client = client
        self._table = table

    def load(self, wanted: ReadRequest, *, fresh: bool) -> Loaded:
        """Read all that is wanted: `fresh` as one snapshot, else cheaply."""
        names = requests.wanted_keys(wanted)
        found = self._fresh(wanted) if fresh else self._cheap(wanted)
        by_key = {(item["pk"]["S"], item["sk"]["S"]): item for item in found}
        parts: dict[str, Any] = {}
        for name, key in names.items():
            item = by_key.get((key["pk"]["S"], key["sk"]["S"]))
            if item is not None:
                parts[name] = _READERS[name](item)
        return Loaded(**parts)

    def account(self, shop: str, customer_id: str) -> Account | None:
        """One account, fresh."""
        answer = self._send("get_item", requests.fresh_account(self._table, shop, customer_id))
        return items.account_of(answer["Item"]) if "Item" in answer else None

    def commit(self, write: Write) -> Verdict:
        """Write all or nothing, and say which."""
        request = requests.transaction(self._table, write)
        try:
            self._client.transact_write_items(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != _CANCELLED:
                raise translated(error) from error
            return _verdict(write, _reasons(error))
        except BotoCoreError as error:
            raise translated(error) from error
        return Committed()

    def entries(
        self, shop: str, customer_id: str, *, before_version: int, limit: int
    ) -> list[BookedEntry]:
        """The `limit` latest entries below a version, newest first."""
        if before_version <= 1:
            return []
        request = requests.entries(self._table, shop, customer_id, before_version, limit)
        found: list[BookedEntry] = []
        for item in self._pages(request):
            found.append(items.entry_of(item))
            if len(found) == limit:
                break
        return found

    def due(self, kind: DueKind, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Shop and id of every book, or order, of a shard on which something has fallen due."""
        for item in self._pages(requests.due(self._table, kind, shard, now)):
            yield keys.parse(item["pk"]["S"])

    def _cheap(self, wanted: ReadRequest) -> list[Stored]:
        answer = self._send("batch_get_item", requests.cheap_read(self._table, wanted))
        if answer.get("UnprocessedKeys"):
            raise StoreUnavailable(TransientCause.THROTTLED, "part of a read was left out")
        found: list[Stored] = answer["Responses"].get(self._table, [])
        return found

    def _fresh(self, wanted: ReadRequest) -> list[Stored]:
        answer = self._send("transact_get_items", requests.fresh_read(self._table, wanted))
        return [part["Item"] for part in answer["Responses"] if part.get("Item")]

    def _pages(self, request: requests.Request) -> Iterator[Stored]:
        while True:
            answer = self._send("query", request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _send(self, operation: str, request: requests.Request) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except (ClientError, BotoCoreError) as error:
            raise translated(error) from error


def _verdict(write: Write, reasons: list[dict[str, Any]]) -> Verdict:
    """What a cancelled transaction means; `reasons` stand in the order of its puts."""
    codes = [reason.get("Code", "None") for reason in reasons]
    accounts_end = len(write.accounts)
    entries_end = accounts_end + sum(len(part.entries) for part in write.accounts)
    if write.idempotency_record is not None and codes[entries_end : entries_end + 1] == [
        _CONDITION_FAILED
    ]:
        return AlreadyDone(items.remembered_of(reasons[entries_end]["Item"]))
    if obstacle := _obstacle(codes):
        raise obstacle
    if _CONDITION_FAILED not in codes:
        raise StoreRefused(_CANCELLED, f"for {sorted(set(codes))}")
    if _CONDITION_FAILED in codes[entries_end:]:
        return VersionConflict()
    changed = [
        items.account_of(reason["Item"]) for reason in reasons[:accounts_end] if reason.get("Item")
    ]
    return VersionConflict({account.customer_id: account for account in changed})


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    """Why a transaction was cancelled, for each of its parts in order."""
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return reasons


def _obstacle(codes: list[str]) -> StoreUnavailable | None:
    """What another try may overcome, if one of these codes says so."""
    for known, obstacle in (
        (_THROTTLES, TransientCause.THROTTLED),
        (_CONFLICTS, TransientCause.CONFLICT),
        (_UNREACHABLE, TransientCause.UNREACHABLE),
    ):
        if found := [code for code in codes if code in known]:
            return StoreUnavailable(obstacle, found[0])
    return None


def translated(error: ClientError | BotoCoreError) -> StoreUnavailable | StoreRefused:
    """A `StoreUnavailable` where another try may help, else the fault of whoever set this up."""
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return StoreUnavailable(TransientCause.UNREACHABLE, type(error).__name__)
    if not isinstance(error, ClientError):  # not even sent: no credentials, a malformed request
        return StoreRefused(type(error).__name__, str(error))
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    # A cancelled read says why for each of its parts: a write was under way, or a throttle.
    codes = [reason.get("Code", "None") for reason in _reasons(error)]
    if obstacle := _obstacle([code, *codes]):
        return obstacle
    if status >= 500:
        return StoreUnavailable(TransientCause.UNREACHABLE, code)
    return StoreRefused(code, error.response["Error"].get("Message", ""))
