"""The customers of one shop in Shopify: tags, accounts, metafields, and whether they exist.

No webhook has a customer's tags since API version 2025-01, so they are read from the Admin API
(https://shopify.dev/docs/api/admin-graphql/latest/queries/customer; needs `read_customers`).
"""

from collections.abc import Mapping
from typing import Any

from pointbook.domain.member_numbers import Metafield
from pointbook.domain.tags import tag_digest
from pointbook.errors import ShopifyUnavailable
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.documents import (
    CUSTOMER_ID,
    CUSTOMER_METAFIELD,
    CUSTOMER_STATE,
    CUSTOMER_TAGS,
    Document,
)
from pointbook.shopify.ids import customer_gid

BUDGET_SECONDS = 4.0
"""For one query, retries included: well below what a worker has for a message (15 s)."""

_RETRY_AFTER_SECONDS = 1

_ENABLED = "ENABLED"
_STATES = frozenset({"DECLINED", "DISABLED", _ENABLED, "INVITED"})
"""Of an account (https://shopify.dev/docs/api/admin-graphql/latest/enums/CustomerState)."""


class Customers:
    """The customers of one shop. Reads only, so every query may be repeated."""

    def __init__(self, admin: AdminApi) -> None:
        """Use the Admin API of the shop."""
        self._admin = admin

    def tag_digests(
        self, customer_id: str, within_seconds: float = BUDGET_SECONDS
    ) -> frozenset[str] | None:
        """Return the digests of a customer's tags; None if the shop has no such customer.

        Raises ShopifyRefused, and ShopifyUnavailable within the given time, also for an answer that
        cannot be parsed, which is never treated as "no tags".
        """
        found = self._customer(CUSTOMER_TAGS, customer_id, within_seconds)
        if found is None:
            return None
        tags = found.get("tags")
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
        return frozenset(tag_digest(tag) for tag in tags)

    def exists(self, customer_id: str, within_seconds: float = BUDGET_SECONDS) -> bool:
        """Return whether the shop has this customer. Raises as `tag_digests` does."""
        return self._customer(CUSTOMER_ID, customer_id, within_seconds) is not None

    def has_account(self, customer_id: str, within_seconds: float = BUDGET_SECONDS) -> bool:
        """Return whether the shop has this customer with an enabled account.

        One who was only invited, who declined, or whom a guest's checkout, an import or a till made
        has none. Raises as `tag_digests` does.
        """
        found = self._customer(CUSTOMER_STATE, customer_id, within_seconds)
        if found is None:
            return False
        if found.get("state") not in _STATES:
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
        return bool(found["state"] == _ENABLED)

    def metafield(
        self, customer_id: str, name: Metafield, within_seconds: float = BUDGET_SECONDS
    ) -> str | None:
        """Return the value of a customer's metafield; None without it, or without the customer.

        Raises as `tag_digests` does.
        """
        variables = {"namespace": name.namespace, "key": name.key}
        found = self._customer(CUSTOMER_METAFIELD, customer_id, within_seconds, variables)
        if found is None or found.get("metafield", "") is None:
            return None
        metafield = found.get("metafield")
        value = metafield.get("value") if isinstance(metafield, dict) else None
        if not isinstance(value, str):
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
        return value

    def _customer(
        self,
        document: Document,
        customer_id: str,
        within_seconds: float,
        variables: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any] | None:
        gid = customer_gid(customer_id)
        deadline = self._admin.deadline(within_seconds)
        found = self._admin.run(document, {"id": gid, **(variables or {})}, deadline)
        if found is None:
            return None
        if not isinstance(found, dict) or found.get("id") != gid:
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
        return found
