"""Whether an id is a customer's, so that points are not given to an id that was mistyped."""

from collections.abc import Callable
from typing import Any, Protocol

from pointbook import log
from pointbook.domain.account import Account
from pointbook.errors import PointbookError, ShopifyRefused, Unavailable
from pointbook.ledger.ledger import Ledger


class Customers(Protocol):
    """The customers of a shop in Shopify."""

    def exists(self, customer_id: str) -> bool:
        """Whether the shop has this customer. Raises ShopifyRefused, ShopifyUnavailable."""
        ...


class KnownCustomers:
    """Looks an id up in the ledger and at Shopify."""

    def __init__(self, ledger: Ledger, customers: Callable[[str], Customers]) -> None:
        """`customers` gives those of a shop."""
        self._ledger = ledger
        self._customers = customers

    def check(self, shop: str, customer_id: str) -> dict[str, Any]:
        """Return the body of `GET /operator/customers/{customer}/check`.

        `at_shopify` is None if Shopify could not be asked; `why` says why. Raises
        LedgerUnavailable.
        """
        account = self._ledger.account(shop, customer_id) or Account(customer_id)
        at_shopify, why = self._at_shopify(shop, customer_id)
        return {
            "customer_id": customer_id,
            "shop": shop,
            "has_entries": account.version > 0,
            "merged_into": account.merged_into,
            "erased": account.erased,
            "at_shopify": at_shopify,
            "why": why,
        }

    def _at_shopify(self, shop: str, customer_id: str) -> tuple[bool | None, str | None]:
        try:
            return self._customers(shop).exists(customer_id), None
        except (ShopifyRefused, Unavailable) as error:
            log.exception("customer_not_checked", shop=shop, customer_id=customer_id)
            return None, _why(error)


def _why(error: PointbookError) -> str:
    return f"Shopify could not be asked: {error}"
