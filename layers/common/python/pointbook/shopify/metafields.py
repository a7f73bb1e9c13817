"""The metafields of one shop's customers: sets and deletes them, 25 in a call.

A call is atomic: one metafield that Shopify refuses has the whole call refused
(https://shopify.dev/docs/api/admin-graphql/latest/mutations/metafieldsSet; needs
`write_customers`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pointbook.domain.metafields import TYPES
from pointbook.errors import ShopifyRefused
from pointbook.shopify.admin import AdminApi, Cost
from pointbook.shopify.documents import METAFIELDS_DELETE, METAFIELDS_SET, Document
from pointbook.shopify.ids import customer_gid
from pointbook.shopify.metafield_values import METAFIELDS_MAX, MetafieldsRefused, Name, NewValue

_ABOUT_ONE = frozenset(
    {
        "BLANK",
        "INCLUSION",
        "INVALID",
        "INVALID_VALUE",
        "LESS_THAN_OR_EQUAL_TO",
        "PRESENT",
        "TAKEN",
        "TOO_LONG",
        "TOO_SHORT",
        "UNKNOWN",
    }
)
"""Codes of user errors that may be about one metafield or its customer only.

`metafieldsDelete` gives its user errors no code. The others are about the shop: a namespace of
another app, a definition of another type.
"""


class CustomerMetafields:
    """The metafields of one shop's customers.

    Both methods may be repeated, and raise MetafieldsRefused, ShopifyRefused if the shop takes none
    at all, and ShopifyUnavailable.
    """

    def __init__(self, admin: AdminApi) -> None:
        """`admin` is the shop's Admin API."""
        self._admin = admin

    def set(
        self, values: Sequence[NewValue], seconds: float, on_cost: Callable[[Cost], None]
    ) -> None:
        """Set up to `METAFIELDS_MAX` metafields, all or none."""
        listed = [
            {
                "ownerId": customer_gid(one.customer_id),
                "namespace": one.namespace,
                "key": one.key,
                "type": TYPES[one.key],
                "value": one.value,
            }
            for one in values
        ]
        self._run(METAFIELDS_SET, listed, seconds, on_cost)

    def delete(
        self, names: Sequence[Name], seconds: float, on_cost: Callable[[Cost], None]
    ) -> None:
        """Delete up to `METAFIELDS_MAX` metafields; one that is not there does no harm."""
        listed = [
            {"ownerId": customer_gid(one.customer_id), "namespace": one.namespace, "key": one.key}
            for one in names
        ]
        self._run(METAFIELDS_DELETE, listed, seconds, on_cost)

    def _run(
        self,
        document: Document,
        metafields: Sequence[Mapping[str, str]],
        seconds: float,
        on_cost: Callable[[Cost], None],
    ) -> None:
        assert len(metafields) <= METAFIELDS_MAX, f"{len(metafields)} metafields in one call"
        variables: dict[str, Any] = {"metafields": metafields}
        deadline = self._admin.deadline(seconds)
        try:
            self._admin.run(document, variables, deadline, on_cost=on_cost)
        except ShopifyRefused as refused:
            if refused.reasons and set(refused.reasons) <= _ABOUT_ONE:
                raise MetafieldsRefused(str(refused)) from refused
            raise
