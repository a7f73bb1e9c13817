"""Seeds the demo customers' points the way a shop would: with signed requests of Shopify Flow.

Each request has a constant idempotency key, so seeding a stack with persisted state changes
nothing. The first demo customer starts without points, to try things out.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from local import demo, signing

_GRANTS: tuple[Mapping[str, object], ...] = (
    {"customer_id": "8840734670935", "points": 2500, "reason": "Opening balance"},
    {
        "customer_id": "8840734670935",
        "points": 300,
        "reason": "Birthday present",
        "days_to_expire": 40,
    },
    {"customer_id": "8840734670936", "points": 120, "reason": "Thank you for signing up"},
)
_CONSUMES: tuple[Mapping[str, object], ...] = (
    {"customer_id": "8840734670935", "points": 1000, "reason": "Coffee beans"},
)
_TILL_MEMBERS: tuple[Mapping[str, object], ...] = (
    {
        "member_number": "8840734670934",
        "balance": 1250,
        "expires_on": demo.last_day(12, 31),
        "rank": "gold",
    },
    {
        "member_number": "8840734670935",
        "balance": 1800,
        "expires_on": demo.last_day(3, 31),
        "rank": "silver",
    },
)
"""The third demo customer is not registered at the till."""

_ANSWER_WITHIN_SECONDS = 30


def seed_ledger(function_urls: Mapping[str, str]) -> Iterator[str]:
    """Grant and consume through the function URLs. Yields a message for each refusal.

    A stack with persisted state or another programme may rightly refuse: a customer was erased, or
    points would lapse at once. Raises OSError if a function fails or does not answer.
    """
    for handle, function, requests in (
        ("grant-points", "flow_action_grant", _GRANTS),
        ("consume-points", "flow_action_consume", _CONSUMES),
    ):
        for number, properties in enumerate(requests):
            why = _run_action(function_urls[function], handle, properties, number)
            if why is not None:
                customer, points = properties["customer_id"], properties["points"]
                yield f"{handle} of {points} for demo customer {customer} was refused: {why}"


def seed_till(till_url: str) -> None:
    """Register demo customers at the fake till. Raises OSError."""
    for member in _TILL_MEMBERS:
        _post(f"{till_url}/_member", json.dumps(member).encode(), {})


def _run_action(url: str, handle: str, properties: Mapping[str, object], number: int) -> str | None:
    """Return why it was refused; None if it was done, now or earlier."""
    key = f"demo-{handle}-{number}"
    body = signing.flow_request(handle, {**properties, "idempotency_key": key}, key)
    try:
        _post(url, body, {"X-Shopify-Hmac-Sha256": signing.flow_signature(body)})
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.UNPROCESSABLE_CONTENT:
            raise
        return str(json.loads(error.read())["message"])
    return None


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310 (an address of this stack)
        url, data=body, headers={"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_SECONDS):  # noqa: S310
        pass
