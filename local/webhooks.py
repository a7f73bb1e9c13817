"""Post a webhook to the running stack, as Shopify does.

.venv-stack/bin/python -m local webhook events/shopify_webhook/orders_create.json

FILE is a sample event, or a webhook's body, which needs its TOPIC as well. Only topic and body are
read from a sample: it is sent for the running shop with a new signature, so edit it freely. A
sample that is refused for its headers, such as wrong_signature.json, is therefore accepted; to see
the refusal, run .venv-stack/bin/python -m local.invoke shopify_webhook wrong_signature
"""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import signing
from local.problems import LocalProblem
from local.stack import Stack

PATH = "/v1/webhooks/shopify"
_ANSWERS_WITHIN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of the stack."""

    status: int
    body: str


def headers_of(topic: str, body: bytes, shop: str, secret: str) -> dict[str, str]:
    """Return Shopify's headers for the delivery of a new event."""
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop,
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Hmac-Sha256": signing.flow_signature(body, secret),
    }


def post(stack: Stack, topic: str, body: bytes) -> Answer:
    """Sign a body and post it. Raises LocalProblem if the stack does not answer."""
    headers = headers_of(topic, body, stack.shop_domain, stack.shopify_client_secret)
    request = urllib.request.Request(stack.api_url + PATH, body, headers)  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=_ANSWERS_WITHIN_SECONDS) as answer:  # noqa: S310
            return Answer(answer.status, answer.read().decode())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.read().decode())
    except OSError as error:
        raise LocalProblem(f"{stack.api_url} does not answer: {error}") from error


def post_file(stack: Stack, file: Path, topic: str | None = None) -> int:
    """Post the webhook in a file, print the answer, and return the exit status."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LocalProblem(f"{file} cannot be read: {error}") from error
    found, body = _webhook_in(content)
    if (topic or found) is None:
        raise LocalProblem(f"{file} has no topic; pass one after the file, such as orders/create.")
    answer = post(stack, topic or found or "", body)
    print(f"{topic or found}: {answer.status} {answer.body}")
    return 0 if answer.status == 200 else 1


def _webhook_in(content: Mapping[str, Any]) -> tuple[str | None, bytes]:
    """Return topic and body of a sample event; any other JSON is a body without topic."""
    headers = content.get("headers")
    if "requestContext" not in content or not isinstance(headers, dict):
        return None, json.dumps(content, ensure_ascii=False).encode()
    topics = [value for name, value in headers.items() if name.lower().endswith("shopify-topic")]
    return (topics[0] if topics else None), str(content.get("body", "")).encode()
