"""Sample events of Shopify Flow other than the two actions that move points."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local import demo, signing
from tools.make_events_webhooks import WRONG_SECRET

LIFECYCLE = "/v1/flow/lifecycle"

type Case = tuple[str, str, Mapping[str, Any]]
type Http = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]
type Signed = Callable[..., dict[str, Any]]


def report_cases(signed: Signed, customer: str) -> Iterator[Case]:
    """Function, name of the case, event; `signed` makes an action's event."""

    def post(customer_id: object, **kind: Any) -> dict[str, Any]:
        return signed("report-points", {"customer_id": customer_id}, **kind)

    gid = f"gid://shopify/Customer/{customer}"
    for name, event in {
        "run": post(gid),
        "customer_as_digits": post(customer),
        "customer_as_number": post(int(customer)),
        "base64_body": post(gid, base64_body=True),
        "previous_secret": post(gid, secret=demo.CLIENT_SECRET_PREVIOUS),
        "wrong_signature": post(gid, secret=WRONG_SECRET),
        "not_signed": post(gid, secret=None),
        "customer_unknown_form": post("Taro"),
        "unknown_shop": post(gid, shop="other.myshopify.com"),
    }.items():
        yield "flow_action_report", name, event


def lifecycle_cases(http: Http) -> Iterator[Case]:
    """Function, name of the case, event; `http` makes the event."""

    def post(secret: str | None = demo.CLIENT_SECRET, **changed: Any) -> dict[str, Any]:
        return lifecycle_event(http, lifecycle_body(**changed), secret)

    for name, event in {
        "switched_off": post(has_enabled_flow=False, timestamp="2026-11-22T03:00:00Z"),
        "switched_on": post(),
        "by_name": post(flow_trigger_definition_id="Points changed"),
        "unknown_trigger": post(flow_trigger_definition_id="bid-placed"),
        "wrong_signature": post(WRONG_SECRET),
        "not_signed": post(None),
        "not_json": lifecycle_event(http, b"on", demo.CLIENT_SECRET),
        "timestamp_missing": post(timestamp=None),
        "unknown_shop": post(shopify_domain="other.myshopify.com"),
    }.items():
        yield "flow_lifecycle", name, event


def lifecycle_body(**changed: Any) -> bytes:
    """Return Shopify's callback when the first workflow with a trigger is enabled."""
    said = {
        "flow_trigger_definition_id": "points-changed",
        "has_enabled_flow": True,
        "shop_id": 548380009,
        "shopify_domain": demo.SHOP_DOMAIN,
        "timestamp": "2026-11-22T04:00:00Z",
    }
    return json.dumps(said | changed).encode()


def lifecycle_event(http: Http, body: bytes, secret: str | None) -> dict[str, Any]:
    """Return the event of a callback."""
    headers = {"content-type": "application/json"}
    if secret is not None:
        headers["x-shopify-hmac-sha256"] = signing.flow_signature(body, secret)
    return http("POST", LIFECYCLE, headers, body)
