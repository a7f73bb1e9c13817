"""Lifecycle callbacks of Shopify Flow as events of the function."""

from typing import Any

from local import signing
from tests.support.harness import event
from tools.make_events_flow import lifecycle_body


def callback(**changed: Any) -> dict[str, Any]:
    """The callback with some members changed, signed anew."""
    body = lifecycle_body(**changed)
    payload = event("flow_lifecycle", "switched_on")
    payload["headers"]["x-shopify-hmac-sha256"] = signing.flow_signature(body)
    return payload | {"body": body.decode()}
