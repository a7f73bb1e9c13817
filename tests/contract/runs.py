"""Runs of the Flow actions as the extensions declare them, read by our code."""

import json
from collections.abc import Mapping

from pointbook.shopify.flow_action import (
    CONSUME_POINTS,
    GRANT_POINTS,
    REPORT_POINTS,
    FlowAction,
    read_customer_action,
    read_points_action,
)
from tests.support import shopify_files
from tests.support.forge import CUSTOMER, KEYS, SHOP, body_signature

ACTIONS = [CONSUME_POINTS, GRANT_POINTS, REPORT_POINTS]

GOOD = {
    "customer_id": f"gid://shopify/Customer/{CUSTOMER}",
    "points": "500",
    "reason": "Thank you",
    "days_to_expire": "30",
    "idempotency_key": "order-1",
    "cause_entry_id": f"{CUSTOMER}-000000000012",
    "origin": "till",
    "till_balance": "950",
}


def properties(handle: str) -> dict[str, str]:
    """Every declared field with a good value; no other."""
    return {key: GOOD[key] for key in keys(handle)}


def keys(handle: str) -> dict[str, bool]:
    """The declared keys, as Flow sends them, and whether they are required."""
    return {
        field.get("key", field["type"].replace("_reference", "_id")): field["required"]
        for field in shopify_files.fields(handle)
    }


def read(handle: str, given: Mapping[str, str]) -> FlowAction:
    """What our code makes of a signed run with these properties; raises as it does."""
    members = {
        "shopify_domain": SHOP,
        "action_run_id": "run-1",
        "handle": handle,
        "properties": dict(given),
    }
    body = json.dumps(members).encode()
    headers = {"X-Shopify-Hmac-Sha256": body_signature(body)}
    reader = read_customer_action if handle == REPORT_POINTS else read_points_action
    return reader("POST", headers, body, KEYS, handle)
