"""Bodies of Shopify's webhooks about customers, with the fields that are read."""

from collections.abc import Iterable
from typing import Any

GID = "gid://shopify/Customer/"


def merge_payload(source: str, target: str, status: str = "completed") -> dict[str, Any]:
    """One customer was merged into another."""
    return {
        "status": status,
        "admin_graphql_api_customer_deleted_id": f"{GID}{source}",
        "admin_graphql_api_customer_kept_id": f"{GID}{target}",
        "admin_graphql_api_job_id": None,
        "errors": [],
    }


def redact_payload(customer_id: str, orders: Iterable[str] = ()) -> dict[str, Any]:
    """A customer has to be erased; not all their orders need be named."""
    return {
        "customer": {"id": int(customer_id)},
        "orders_to_redact": [int(order_id) for order_id in orders],
    }


def data_request_payload(
    customer_id: str, request: int, orders: Iterable[str] = ()
) -> dict[str, Any]:
    """A customer wants a copy of their data."""
    return {
        "customer": {"id": int(customer_id)},
        "orders_requested": [int(order_id) for order_id in orders],
        "data_request": {"id": request},
    }
