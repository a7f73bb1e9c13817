"""Asks the running stack as my page, Shopify Flow and operators do."""

import json
from collections.abc import Mapping

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests import Response

from local import demo, emulator, signing
from local.stack import Stack


def ask(
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


def points(stack: Stack, customer: str, **headers: str) -> dict[str, object]:
    """What my page is told about a customer's points."""
    answer = ask(f"{stack.api_url}/v1/customers/me/points", headers=bearer(customer) | headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def flow(stack: Stack, name: str, properties: Mapping[str, object], run: str) -> Response:
    """Run the action `grant` or `consume` as Flow does."""
    body = signing.flow_request(f"{name}-points", properties, run)
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Hmac-Sha256": signing.flow_signature(body),
    }
    return ask(stack.function_urls[f"flow_action_{name}"], body, headers)


def operate(stack: Stack, path: str, content: object, **headers: str) -> Response:
    """An operator's request, signed for AWS."""
    url = f"{stack.api_url}/v1/operator/{path}"
    request = AWSRequest("POST", url, headers=headers, data=json.dumps(content).encode())
    SigV4Auth(Credentials(emulator.ACCOUNT, "local"), "execute-api", stack.aws_region).add_auth(
        request
    )
    return ask(url, request.data, dict(request.headers))


def adjust(stack: Stack, customer: str, points: int, key: str) -> Response:
    """Points added or removed by hand, in the demo shop."""
    hold_request = {"shop": demo.SHOP_DOMAIN, "points": points, "reason": "By hand"}
    path = f"customers/{customer}/adjustments"
    return operate(stack, path, hold_request, **{"Idempotency-Key": key})


def invoke(stack: Stack, function: str) -> dict[str, object]:
    """Run a scheduled function now."""
    client = boto3.client(
        "lambda", endpoint_url=stack.aws_endpoint_url, region_name=stack.aws_region
    )
    answer = client.invoke(FunctionName=stack.functions[function], Payload=b"{}")
    result: dict[str, object] = json.loads(answer["Payload"].read())
    assert answer.get("FunctionError") is None, result
    return result
