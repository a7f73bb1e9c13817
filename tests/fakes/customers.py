"""Shopify's customers in memory: who is there, with which tags, and who was asked about."""

from typing import NoReturn

from pointbook.domain.tags import tag_digest
from pointbook.errors import ShopifyUnavailable


class MemoryCustomers:
    """The customers of one shop, as `order_service.CustomerTags` and `CustomerDirectory` say.

    Whoever has no tags here has none at Shopify either, unless they are `gone`. While
    `unreachable`, nothing is answered. `asked` are the customers of all questions.
    """

    def __init__(self) -> None:
        self.tags: dict[str, tuple[str, ...]] = {}
        self.gone: set[str] = set()
        self.unreachable = False
        self.asked: list[str] = []

    def tag_digests(self, customer_id: str) -> frozenset[str] | None:
        """The digests of a customer's tags."""
        if not self.exists(customer_id):
            return None
        return frozenset(map(tag_digest, self.tags.get(customer_id, ())))

    def exists(self, customer_id: str) -> bool:
        """Whether the shop has the customer."""
        self.asked.append(customer_id)
        if self.unreachable:
            raise ShopifyUnavailable(1)
        return customer_id not in self.gone

    def __call__(self) -> "MemoryCustomers":
        """Itself, where something is to be called that gives the customers."""
        return self


def nobody_is_asked() -> NoReturn:
    """In place of the customers of a shop whose programme names no tag."""
    raise AssertionError("no tag is named, yet Shopify was asked for a customer's tags")
