"""Where privacy requests are kept: while they are worked on, and for ever as proof."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pointbook.domain.chain import milliseconds
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.store import keys
from pointbook.store.execute import done_if, sent
from pointbook.store.requests import ABSENT, UNCHANGED, Request
from pointbook.store.values import Item, Stored

PREFIX = "R#"
SHOP_JOBS = "JOBS"
"""The partition of requests to erase a shop: what is kept of them outlives the shop's own."""


class PrivacyRequests:
    """The privacy requests of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached.
    """

    def __init__(self, client: Any, table: str) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table

    def find(self, kind: Kind, shop: str, subject: str) -> PrivacyRequest | None:
        """One request."""
        key = request_key(kind, shop, subject)
        request = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        item = sent(lambda: self._client.get_item(**request)).get("Item")
        return _request_of(item) if item else None

    def save(self, request: PrivacyRequest) -> PrivacyRequest | None:
        """Write a new request, or what has become of one since it was read.

        Returns it with the revision of the next write; None: somebody else wrote it meanwhile.
        """
        put: Request = {
            "TableName": self._table,
            "Item": _item(request),
            "ConditionExpression": UNCHANGED if request.revision else ABSENT,
        }
        if request.revision:
            put["ExpressionAttributeValues"] = {":read_revision": {"N": str(request.revision)}}
        return replace(request, revision=request.revision + 1) if self._written(put) else None

    def all_of(self, shop: str) -> Iterator[PrivacyRequest]:
        """Every request of a shop, also those to erase the shop, done or not."""
        for pk, prefix in ((keys.shop(shop), PREFIX), (SHOP_JOBS, _sk(Kind.SHOP, shop))):
            yield from map(_request_of, self._items(pk, prefix))

    def _items(self, pk: str, prefix: str) -> Iterator[Stored]:
        request: Request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
        }
        while request:
            answer = sent(partial(self._client.query, **request))
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            request = {**request, "ExclusiveStartKey": start} if start else {}

    def _written(self, put: Request) -> bool:
        return done_if(partial(self._client.put_item, **put))


def _sk(kind: Kind, subject: str) -> str:
    return f"{PREFIX}{kind}#{subject}"


def request_key(kind: Kind, shop: str, subject: str) -> Item:
    """Where a request is kept."""
    pk = SHOP_JOBS if kind is Kind.SHOP else keys.shop(shop)
    return {"pk": {"S": pk}, "sk": {"S": _sk(kind, subject)}}


def _item(request: PrivacyRequest) -> Item:
    pairs = [{"L": [{"S": old}, {"S": new}]} for old, new in request.pseudonyms.items()]
    item: Item = {
        **request_key(request.kind, request.shop, request.subject),
        "schema": {"N": "1"},
        "kind": {"S": request.kind.value},
        "shop": {"S": request.shop},
        "subject": {"S": request.subject},
        "received_at": _instant(request.received_at),
        "due_at": _instant(request.due_at),
        "state": {"S": request.state.value},
        "revision": {"N": str(request.revision + 1)},
        "orders": {"L": [{"S": order_id} for order_id in request.order_ids]},
        "pseudonyms": {"L": pairs},
        "counts": {"M": {name: {"N": str(done)} for name, done in request.counts.items()}},
        "reason": {"S": request.reason},
        "confirmed": {"BOOL": request.confirmed},
    }
    if request.customer_id is not None:
        item["customer"] = {"S": request.customer_id}
    if request.position is not None:
        item["position"] = {"L": [{"S": part} for part in request.position]}
    if request.finished_at is not None:
        item["finished_at"] = _instant(request.finished_at)
    return item


def _request_of(item: Stored) -> PrivacyRequest:
    pairs = (pair["L"] for pair in item["pseudonyms"]["L"])
    return PrivacyRequest(
        kind=Kind(item["kind"]["S"]),
        shop=item["shop"]["S"],
        subject=item["subject"]["S"],
        received_at=_datetime(item["received_at"]),
        customer_id=item["customer"]["S"] if "customer" in item else None,
        order_ids=tuple(value["S"] for value in item["orders"]["L"]),
        state=State(item["state"]["S"]),
        revision=int(item["revision"]["N"]),
        pseudonyms={old["S"]: new["S"] for old, new in pairs},
        position=_position(item["position"]["L"]) if "position" in item else None,
        counts={name: int(value["N"]) for name, value in item["counts"]["M"].items()},
        reason=item["reason"]["S"],
        confirmed=item["confirmed"]["BOOL"],
        finished_at=_datetime(item["finished_at"]) if "finished_at" in item else None,
    )


def _position(values: list[Stored]) -> tuple[str, str]:
    pk, sk = (value["S"] for value in values)
    return pk, sk


def _instant(value: datetime) -> dict[str, str]:
    return {"N": str(milliseconds(value))}


def _datetime(value: Stored) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value["N"]))
