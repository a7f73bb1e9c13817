"""The orders of one shop as its Admin API has them: which were updated, and each as a webhook.

For orders whose webhooks were lost. What is returned of an order is what `orders/updated` would
have left on the queue, so that one code reads both (`shopify.orders`).

A page of the list has ids and times only, 100 orders a call. An order that is needed is asked for
by its id, its refunds by theirs; lines, transactions and adjustments come in further pages where
there are more. Each document costs less than Shopify's 1,000 points
(https://shopify.dev/docs/api/usage/limits). Needs `read_orders`; orders that were created more than
60 days ago are shown only to apps with `read_all_orders`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointbook.errors import InvalidRequest, ShopifyUnavailable
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.documents import (
    ORDER,
    ORDERS_UPDATED,
    REFUND,
    TILL_SUBSCRIPTIONS,
    Document,
)
from pointbook.shopify.ids import customer_digits, number_digits
from pointbook.shopify.order_bodies import REFUNDS_MAX, order_body
from pointbook.shopify.projection import SHAPES, TILL_KEY, TILL_NAMESPACE, projected

UPDATED = "orders/updated"
"""The topic of the webhook that an order is returned as."""

PAGE_ORDERS_MAX = 100

BUDGET_SECONDS = 20.0
"""For one call, retries and waiting for Shopify's bucket included. Nobody waits for it."""

_RETRY_AFTER_SECONDS = 1

_NOT_OF_ITS_FORM = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an answer raises that is not as the schema says."""

_LINES = ("lineItems",)
_OF_A_REFUND = ("refundLineItems", "transactions", "orderAdjustments", "refundShippingLines")


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order in the list; `customer_id` is None for a guest's."""

    order_id: str
    updated_at: datetime
    customer_id: str | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of the list, oldest update first; `cursor` is where the next one begins, if any."""

    orders: tuple[ListedOrder, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """What `orders/updated` would leave of an order on the queue.

    `till_points_unread`: the order says how many points were used at a till, but no subscription of
    the app asks webhooks for that, so their points are taken by a workflow of Shopify Flow.
    """

    payload: dict[str, Any]
    till_points_unread: bool = False


class AdminOrders:
    """The orders of one shop. Reads only, so every query may be repeated.

    Every method raises ShopifyRefused, and ShopifyUnavailable also for an answer that is not of
    Shopify's form.
    """

    def __init__(self, admin: AdminApi) -> None:
        """Use the Admin API of the shop."""
        self._admin = admin
        self._webhooks_have_till_points: bool | None = None

    def updated_since(
        self, since: datetime, cursor: str | None = None, limit: int = PAGE_ORDERS_MAX
    ) -> OrderPage:
        """The next page of the orders that were updated at `since` or later."""
        at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        variables = {"query": f"updated_at:>='{at}'", "first": limit, "after": cursor}
        found = self._run(ORDERS_UPDATED, variables)
        try:
            listed = tuple(_listed(node) for node in found["nodes"])
            more = found["pageInfo"]
            return OrderPage(listed, more["endCursor"] if more["hasNextPage"] else None)
        except (*_NOT_OF_ITS_FORM, InvalidRequest) as error:
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS) from error

    def find(self, order_id: str) -> WholeOrder | None:
        """An order as its webhook would bring it; None if it is gone.

        Raises InvalidRequest if the Admin API does not say enough of it to book points.
        """
        try:
            return self._find(order_id)
        except _NOT_OF_ITS_FORM as error:
            raise ShopifyUnavailable(_RETRY_AFTER_SECONDS) from error

    def _find(self, order_id: str) -> WholeOrder | None:
        order = self._whole(ORDER, f"gid://shopify/Order/{order_id}", _LINES)
        if order is None:
            return None
        if len(order["refunds"]) >= REFUNDS_MAX:
            raise InvalidRequest("refunds", f"The order has {REFUNDS_MAX} refunds or more.")
        refunds = [self._whole(REFUND, one["id"], _OF_A_REFUND) for one in order["refunds"]]
        unread = order["metafield"] is not None and not self._has_till_subscription()
        whole = {**order, "refunds": refunds} | ({"metafield": None} if unread else {})
        return WholeOrder(projected(order_body(whole), SHAPES[UPDATED]), unread)

    def _has_till_subscription(self) -> bool:
        """Whether webhooks bring the till's metafield, asked once.

        If they do not, the shop has chosen Flow for points used at a till: read here as well, they
        would be taken twice.
        """
        if self._webhooks_have_till_points is None:
            found = self._run(TILL_SUBSCRIPTIONS, {})
            self._webhooks_have_till_points = any(
                (one["namespace"], one["key"]) == (TILL_NAMESPACE, TILL_KEY)
                for node in found["nodes"]
                for one in node["metafields"]
            )
        return self._webhooks_have_till_points

    def _whole(
        self, document: Document, gid: str, connections: tuple[str, ...]
    ) -> dict[str, Any] | None:
        """What a document finds, with every page of its connections as one list of nodes.

        Raises ShopifyUnavailable if it changes meanwhile.
        """
        nodes: dict[str, list[Any]] = {name: [] for name in connections}
        cursors: dict[str, str | None] = dict.fromkeys(connections)
        updated_at = None
        while True:
            found = self._run(document, {"id": gid, **cursors})
            if found is None:
                return None
            if updated_at not in (None, found.get("updatedAt")):
                raise ShopifyUnavailable(_RETRY_AFTER_SECONDS)
            updated_at = found.get("updatedAt")
            pages = {name: found[name] for name in connections}
            for name, page in pages.items():
                nodes[name] += page["nodes"]
                cursors[name] = page["pageInfo"]["endCursor"] or cursors[name]
            if not any(page["pageInfo"]["hasNextPage"] for page in pages.values()):
                return {**found, **nodes}

    def _run(self, document: Document, variables: Mapping[str, Any]) -> Any:
        return self._admin.run(document, variables, self._admin.deadline(BUDGET_SECONDS))


def _listed(node: Mapping[str, Any]) -> ListedOrder:
    customer = node["customer"]
    return ListedOrder(
        order_id=number_digits(node["id"], "order"),
        updated_at=datetime.fromisoformat(node["updatedAt"]).astimezone(UTC),
        customer_id=customer_digits(customer["id"]) if customer else None,
    )
