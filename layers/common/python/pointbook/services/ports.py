"""Ports: what several services need of other systems; adapters and fakes provide it."""

from typing import Protocol

from pointbook.shopify.discounts import Discount


class Discounts(Protocol):
    """The discount codes of a shop. Both methods are safe to repeat."""

    def create(self, discount: Discount) -> str:
        """Make it, or find that it is there. Raises ShopifyRefused or Unavailable."""
        ...

    def switch_off(self, code: str) -> bool:
        """Deactivate a code; False if there was none. Raises ShopifyRefused or Unavailable."""
        ...
