"""Calls to the running stack, as my page, Shopify, Shopify Flow and operators make them."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests import Response

from local import demo, emulator, signing, webhooks
from local.stack import Stack
from tests.support.payloads import merge_payload
from tools.make_events_webhooks import body_of

DAY = 86_400


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> float:
    """Return how long it took until it held; the test fails when the time is over."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it did not come to that in time"
        time.sleep(0.1)
    return time.monotonic() - began


def new_customer() -> str:
    """A customer whom no other test knows."""
    return str(9_000_000_000_000 + uuid.uuid4().int % 1_000_000_000)


def new_order() -> str:
    """An order that no other test knows."""
    return str(10**15 + uuid.uuid4().int % 10**15)


# --- my page -------------------------------------------------------------------------------------


def call(
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
) -> Response:
    """An ordinary HTTP request."""
    return requests.request(
        method or ("GET" if body is None else "POST"), url, data=body, headers=headers, timeout=30
    )


def bearer(customer: str) -> dict[str, str]:
    """The header of a customer who is logged in."""
    return {"Authorization": f"Bearer {signing.session_token(customer)}"}


def points(stack: Stack, customer: str, **headers: str) -> dict[str, Any]:
    """The customer's points as my page gets them."""
    answer = call(f"{stack.api_url}/v1/customers/me/points", headers=bearer(customer) | headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def figures(stack: Stack, customer: str) -> dict[str, int]:
    """The six figures."""
    return dict(points(stack, customer)["figures"])


def approved(stack: Stack, customer: str) -> int:
    """The points that the customer can use."""
    return figures(stack, customer)["approved"]


def history(stack: Stack, customer: str) -> list[str]:
    """The topics of the entries, newest first."""
    url = f"{stack.api_url}/v1/customers/me/points/history"
    return [entry["topic"] for entry in call(url, headers=bearer(customer)).json()["entries"]]


# --- Shopify -------------------------------------------------------------------------------------


def flow(
    stack: Stack,
    action: str,
    customer: str,
    run: str = "",
    shop: str = demo.SHOP_DOMAIN,
    **properties: object,
) -> Response:
    """Run the action `grant`, `consume` or `report`, by default as a run that is never repeated."""
    given = {"customer_id": customer} | properties
    if action != "report":
        given = {"points": 1, "reason": "Test"} | given
    body = signing.flow_request(f"{action}-points", given, run or f"run-{uuid.uuid4()}")
    body = body.replace(demo.SHOP_DOMAIN.encode(), shop.encode())
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Hmac-Sha256": signing.flow_signature(body),
    }
    return call(stack.function_urls[f"flow_action_{action}"], body, headers)


def must_flow(stack: Stack, action: str, customer: str, **properties: Any) -> None:
    """Run an action that has to succeed."""
    answer = flow(stack, action, customer, **properties)
    assert answer.status_code == 200, answer.text


def post(stack: Stack, topic: str, body: Mapping[str, Any]) -> None:
    """Send a webhook, which has to be taken."""
    assert webhooks.post(stack, topic, body_of(body)).status == 200


def merge(stack: Stack, source: str, target: str) -> None:
    """Shopify says that one customer was merged into another."""
    post(stack, "customers/merge", merge_payload(source, target))


# --- operators and schedules ---------------------------------------------------------------------


def operate(stack: Stack, path: str, content: object, **headers: str) -> Response:
    """An operator's request, signed for AWS."""
    url = f"{stack.api_url}/v1/operator/{path}"
    request = AWSRequest("POST", url, headers=headers, data=json.dumps(content).encode())
    SigV4Auth(Credentials(emulator.ACCOUNT, "local"), "execute-api", stack.aws_region).add_auth(
        request
    )
    return call(url, request.data, dict(request.headers))


def adjust(stack: Stack, customer: str, points: int, key: str) -> Response:
    """Points added or removed by hand, in the demo shop."""
    content = {"shop": demo.SHOP_DOMAIN, "points": points, "reason": "By hand"}
    return operate(stack, f"customers/{customer}/adjustments", content, **{"Idempotency-Key": key})


def invoke(stack: Stack, function: str) -> dict[str, Any]:
    """Run a scheduled function now."""
    answer = aws(stack, "lambda").invoke(FunctionName=stack.functions[function], Payload=b"{}")
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    assert answer.get("FunctionError") is None, result
    return result


def pass_time(stack: Stack, seconds: int) -> None:
    """Move the stack's clock forward."""
    url = f"{stack.front_url}/_clock"
    offset = call(url).json()["offset_seconds"] + seconds
    assert call(url, json.dumps({"offset_seconds": offset}).encode()).status_code == 200


def aws(stack: Stack, service: Any, **more: Any) -> Any:
    """A client of the stack's emulator."""
    return boto3.client(
        service, endpoint_url=stack.aws_endpoint_url, region_name=stack.aws_region, **more
    )
