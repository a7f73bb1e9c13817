"""Shopify's customers in memory: who is there, with which tags, and which were requested."""

from typing import NoReturn

from pointbook.domain.member_numbers import Metafield
from pointbook.domain.tags import tag_digest
from pointbook.errors import ShopifyUnavailable


class MemoryCustomers:
    """The customers of one shop, as `CustomerTags` and `CustomerDirectory` say.

    Whoever has no tags here has none at Shopify either, unless they are `gone`. All but those
    `without_account` have an account. While `unreachable`, every call fails. `requested` are the
    customers of all calls.
    """

    def __init__(self) -> None:
        self.tags: dict[str, tuple[str, ...]] = {}
        self.metafields: dict[tuple[str, str], str] = {}
        self.gone: set[str] = set()
        self.without_account: set[str] = set()
        self.unreachable = False
        self.requested: list[str] = []

    def tag_digests(self, customer_id: str) -> frozenset[str] | None:
        """The digests of a customer's tags."""
        if not self.exists(customer_id):
            return None
        return frozenset(map(tag_digest, self.tags.get(customer_id, ())))

    def exists(self, customer_id: str) -> bool:
        """Whether the shop has the customer."""
        self.requested.append(customer_id)
        if self.unreachable:
            raise ShopifyUnavailable(1)
        return customer_id not in self.gone

    def has_account(self, customer_id: str) -> bool:
        """Whether the shop has the customer, with an account."""
        return self.exists(customer_id) and customer_id not in self.without_account

    def metafield(self, customer_id: str, name: Metafield, within_seconds: float) -> str | None:
        """The value of a customer's metafield, set by customer and `namespace.key`."""
        return self.metafields.get((customer_id, str(name))) if self.exists(customer_id) else None

    def __call__(self) -> "MemoryCustomers":
        """Itself, as a factory of the customers."""
        return self


def unused_customers() -> NoReturn:
    """In place of the customers of a shop whose programme names no tag."""
    raise AssertionError("no tag is named, yet Shopify was asked for a customer's tags")
