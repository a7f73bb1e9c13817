"""Access tokens: one item for each shop at Shopify, one for the till; the token is encrypted."""

from collections.abc import Mapping
from typing import Protocol

from pointbook.http.tokens import StoredToken
from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.table import ABSENT, Put, Table
from pointbook.store.values import (
    Item,
    binary,
    binary_of,
    instant,
    instant_of,
    int_of,
    number,
    optional_instant,
)

TILL = "till"
"""The owner of the till's token; every other owner is a shop's domain."""

_UNCHANGED = "version = :before"


class Cipher(Protocol):
    """Encrypts a text, so that access to the table is not enough to read it."""

    def encrypt(self, text: str, context: Mapping[str, str]) -> bytes:
        """Encrypt a text; `context` is needed to decrypt it."""
        ...

    def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> str | None:
        """Decrypt a text; None if its key or context was another."""
        ...


class Tokens:
    """The tokens of all shops and of the till, in the ledger's table.

    Raises Unavailable while the table or the cipher cannot be reached, StoreRefused where they are
    set up wrongly.
    """

    def __init__(self, table: Table, cipher: Cipher) -> None:
        """Keep the tokens in `table`, encrypted by `cipher`."""
        self._table = table.outside_ledger()
        self._cipher = cipher

    def read(self, owner: str) -> StoredToken | None:
        """The stored token; None if there never was one."""
        item = self._table.get(_key(owner))
        if item is None:
            return None
        text = None
        if "ciphertext" in item:
            text = self._cipher.decrypt(binary_of(item["ciphertext"]), _context(owner))
        return StoredToken(
            text=text or "",
            expires_at=instant_of(item["expires_at"]),
            version=int_of(item["version"]),
            leased_until=optional_instant(item, "leased_until"),
        )

    def write(self, owner: str, token: StoredToken) -> bool:
        """Replace the previous version, or create version 1; False if that has changed."""
        item: Item = {
            **_key(owner),
            **SCHEMA,
            "version": number(token.version),
            "expires_at": instant(token.expires_at),
        }
        if token.text:
            item["ciphertext"] = binary(self._cipher.encrypt(token.text, _context(owner)))
        if token.leased_until is not None:
            item["leased_until"] = instant(token.leased_until)
        put = Put(item, _UNCHANGED, {":before": number(token.version - 1)})
        return self._table.put_if(put if token.version > 1 else Put(item, ABSENT)).done


def _key(owner: str) -> Item:
    if owner == TILL:
        return keys.key(keys.TILL, keys.TILL_TOKEN)
    return keys.key(keys.shop(owner), keys.ACCESS_TOKEN)


def _context(owner: str) -> dict[str, str]:
    return {"token": TILL} if owner == TILL else {"shop": owner}
