"""Everything that privacy requests read and write."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from pointbook.domain.ports import Clock, Store
from pointbook.store.installations import Installations
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.pseudonyms import Pseudonyms
from pointbook.store.stored_items import StoredItems


class Files(Protocol):
    """The files with customers' data that were asked for. Raises Unavailable."""

    def key(self, shop: str, customer_id: str, request_id: str) -> str:
        """Where the file of one request is."""
        ...

    def put(self, key: str, content: IO[bytes]) -> None:
        """Write a file, over an earlier one of the same key."""
        ...

    def of_shop(self, shop: str) -> Iterator[tuple[str, str]]:
        """Customer and request of each of a shop's files."""
        ...

    def delete(self, key: str) -> None:
        """Delete one file; it does no harm where it is gone."""
        ...

    def forget_customer(self, shop: str, customer_id: str) -> int:
        """Delete a customer's files; returns how many there were."""
        ...

    def forget_shop(self, shop: str) -> int:
        """Delete a shop's files; returns how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Where something of a customer or a shop is kept, and the ledger's clock."""

    store: Store
    requests: PrivacyRequests
    items: StoredItems
    pseudonyms: Pseudonyms
    installations: Installations
    files: Files
    clock: Clock
