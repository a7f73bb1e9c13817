"""Ports: what several services need of other systems; adapters and fakes provide it."""

from typing import Protocol

from pointbook.shopify.discounts import Discount


class Discounts(Protocol):
    """The discount codes of a shop. Both methods are safe to repeat."""

    def create(self, discount: Discount) -> str:
        """Create it, unless it exists. Raises ShopifyRefused or Unavailable."""
        ...

    def deactivate(self, code: str) -> bool:
        """Deactivate a code; False if it does not exist. Raises ShopifyRefused or Unavailable."""
        ...
