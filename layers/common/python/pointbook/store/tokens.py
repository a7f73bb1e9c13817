"""Where access tokens are kept: one item for each shop, the token itself sealed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pointbook.domain.chain import milliseconds
from pointbook.http.tokens import KeptToken
from pointbook.store.execute import done_if, sent
from pointbook.store.requests import ABSENT, Request
from pointbook.store.values import Item, Stored

_TOKEN = "T"  # noqa: S105 (a key)
_UNCHANGED = "version = :before"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cipher(Protocol):
    """Makes a text unreadable for whoever can only read the table."""

    def encrypt(self, text: str, context: Mapping[str, str]) -> bytes:
        """The text, sealed; `context` has to be named to open it."""
        ...

    def decrypt(self, sealed: bytes, context: Mapping[str, str]) -> str | None:
        """The text; None: it was sealed otherwise, and nobody can open it any more."""
        ...


class Tokens:
    """The tokens of all shops, in the ledger's table.

    Raises Unavailable while the table or the seal cannot be reached, StoreRefused where they are
    set up wrongly.
    """

    def __init__(self, client: Any, table: str, seal: Cipher) -> None:
        """Use botocore's DynamoDB `client` on `table`."""
        self._client = client
        self._table = table
        self._seal = seal

    def read(self, shop: str) -> KeptToken | None:
        """What is kept now; None: nothing was ever kept."""
        request = {"TableName": self._table, "Key": _key(shop), "ConsistentRead": True}
        item: Stored | None = sent(lambda: self._client.get_item(**request)).get("Item")
        if item is None:
            return None
        text = self._seal.decrypt(item["sealed"]["B"], _context(shop)) if "sealed" in item else None
        return KeptToken(
            text=text or "",
            expires_at=_time(item["expires_at"]),
            version=int(item["version"]["N"]),
            leased_until=_time(item["leased_until"]) if "leased_until" in item else None,
        )

    def write(self, shop: str, token: KeptToken) -> bool:
        """Keep `token` over the version before, version 1 over nothing; False: it has changed."""
        sealed = self._seal.encrypt(token.text, _context(shop)) if token.text else None
        request = put_token(self._table, shop, token, sealed)
        return done_if(lambda: self._client.put_item(**request))


def put_token(table: str, shop: str, token: KeptToken, sealed: bytes | None) -> Request:
    """PutItem over the version before."""
    item: Item = {
        **_key(shop),
        "schema": {"N": "1"},
        "version": {"N": str(token.version)},
        "expires_at": {"N": str(milliseconds(token.expires_at))},
    }
    if sealed is not None:
        item["sealed"] = {"B": sealed}
    if token.leased_until is not None:
        item["leased_until"] = {"N": str(milliseconds(token.leased_until))}
    request: Request = {"TableName": table, "Item": item}
    if token.version == 1:
        return request | {"ConditionExpression": ABSENT}
    before = {":before": {"N": str(token.version - 1)}}
    return request | {"ConditionExpression": _UNCHANGED, "ExpressionAttributeValues": before}


def _key(shop: str) -> Item:
    return {"pk": {"S": f"S#{shop}"}, "sk": {"S": _TOKEN}}


def _context(shop: str) -> dict[str, str]:
    return {"shop": shop}


def _time(value: Mapping[str, str]) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(value["N"]))
