"""What privacy requests read and write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from pointbook.domain.account import HoldRecord
from pointbook.domain.orders import Order
from pointbook.domain.ports import Clock, ReadRequest, Store
from pointbook.domain.privacy import PrivacyRequest
from pointbook.store.installations import Installations
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.pseudonyms import Pseudonyms
from pointbook.store.stored_items import StoredItems
from pointbook.store.till_members import TillMembers

type Save = Callable[[PrivacyRequest], PrivacyRequest]
"""Saves how far a request has come; returns it with its new revision."""


class Files(Protocol):
    """The files with exported customers' data. Raises Unavailable."""

    def key(self, shop: str, customer_id: str, request_id: str) -> str:
        """The key of the file of one request."""
        ...

    def put(self, key: str, content: IO[bytes]) -> None:
        """Write a file, over an earlier one of the same key."""
        ...

    def of_shop(self, shop: str) -> Iterator[tuple[str, str]]:
        """Customer and request of each of a shop's files."""
        ...

    def delete(self, key: str) -> None:
        """Delete one file; does nothing if it is gone."""
        ...

    def forget_customer(self, shop: str, customer_id: str) -> int:
        """Delete a customer's files; returns how many there were."""
        ...

    def forget_shop(self, shop: str) -> int:
        """Delete a shop's files; returns how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everywhere data of a customer or a shop is stored, and the ledger's clock."""

    store: Store
    requests: PrivacyRequests
    items: StoredItems
    pseudonyms: Pseudonyms
    installations: Installations
    till_members: TillMembers
    files: Files
    clock: Clock
    delete_metafields: Callable[[str, Sequence[str]], None] = lambda _shop, _customer_ids: None
    """Tries to delete customers' metafields at Shopify now; those that are left wait on a list."""

    def is_erased(self, shop: str, customer_id: str) -> bool:
        """Whether the customer's account has moved to a pseudonym."""
        account = self.store.account(shop, customer_id)
        return account is not None and account.erased

    def order(self, shop: str, order_id: str) -> Order | None:
        """An order as it is now."""
        return self.store.load(ReadRequest(shop, None, order_id=order_id), fresh=True).order

    def hold_record(self, shop: str, hold_id: str) -> HoldRecord | None:
        """A hold record as it is now."""
        return self.store.load(ReadRequest(shop, None, hold_id=hold_id), fresh=True).hold_record
