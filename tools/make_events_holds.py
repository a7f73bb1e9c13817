"""Sample events of holds: `release_hold` ends the hold that `create_hold/by_header` makes.

`another_key` requests the next one: after so many within an hour the answer is 429.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local import demo
from pointbook.settings import Secrets, Stage
from pointbook.shopify.discount_code import derive_code, hold_id_of
from tools.make_events_staff import KEY as STAFF_KEY

KEY = "6f1f9a3c-6c0e-4f7e-9a53-2f7d3f2a8c10"
OTHER_KEY = "f2c1d7be-3a44-4c0f-8a59-5d1f2b6e7c90"

type Case = tuple[str, str, Mapping[str, Any]]
type Http = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]


def hold_cases(http: Http, token: str, customer: str, other_customer: str) -> Iterator[Case]:
    """Function, name of the case, event; `token` is the customer's, `http` makes the event."""
    bearer = {"authorization": f"Bearer {token}"}
    yield from _create(http, bearer, token, other_customer)
    yield from _release(http, bearer, token, customer, other_customer)


def _create(http: Http, bearer: dict[str, str], token: str, other: str) -> Iterator[Case]:
    def post(
        content: object, headers: dict[str, str], customer: str = "me", key: str | None = KEY
    ) -> dict[str, Any]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = {"content-type": "application/json", **headers}
        sent |= {"idempotency-key": key} if key is not None else {}
        event = http("POST", f"/v1/customers/{customer}/holds", sent, body)
        return event | {"pathParameters": {"customer": customer}}

    function, request = "create_hold", {"points": 500}
    yield function, "by_header", post(request, bearer)
    cookie = {"cookie": f"sessionToken={token}"}
    yield function, "another_key", post(request, bearer, key=OTHER_KEY)
    keyed = request | {"idempotency_key": KEY}
    yield function, "key_in_body", post(keyed, bearer, key=None)
    yield function, "key_in_body_blank", post(request | {"idempotency_key": " "}, bearer, key=None)
    yield function, "key_in_body_no_text", post(request | {"idempotency_key": 7}, bearer, key=None)
    yield function, "key_in_body_and_another", post(keyed, bearer, key=OTHER_KEY)
    yield function, "by_cookie_without_origin", post(request, cookie)
    yield function, "by_cookie_of_a_strange_page", post(request, cookie | {"origin": "null"})
    yield function, "no_token", post(request, {})
    yield function, "another_customer", post(request, bearer, other)
    yield function, "no_key", post(request, bearer, key=None)
    yield function, "blank_key", post(request, bearer, key=" ")
    yield function, "long_key", post(request, bearer, key="k" * 256)
    yield function, "points_missing", post({}, bearer)
    yield function, "points_zero", post({"points": 0}, bearer)
    yield function, "points_fraction", post({"points": 1.5}, bearer)
    yield function, "points_too_many", post({"points": 1_000_000_001}, bearer)
    yield function, "not_json", post(b"points=500", bearer)


def _release(
    http: Http, bearer: dict[str, str], token: str, customer: str, other: str
) -> Iterator[Case]:
    def delete(hold_id: str, headers: dict[str, str], customer: str = "me") -> dict[str, Any]:
        event = http("DELETE", f"/v1/customers/{customer}/holds/{hold_id}", headers, b"")
        return event | {"pathParameters": {"customer": customer, "hold_id": hold_id}}

    def by_post(hold_id: str, headers: dict[str, str]) -> dict[str, Any]:
        sent = {"content-type": "application/json", **headers}
        event = http("POST", f"/v1/customers/me/holds/{hold_id}/release", sent, b"{}")
        return event | {"pathParameters": {"customer": "me", "hold_id": hold_id}}

    function, hold_id = "release_hold", _hold_id(customer)
    yield function, "by_header", delete(hold_id, bearer)
    cookie = {"cookie": f"sessionToken={token}"}
    yield function, "by_cookie_without_origin", delete(hold_id, cookie)
    yield function, "by_post", by_post(hold_id, bearer)
    yield function, "by_post_by_cookie_without_origin", by_post(hold_id, cookie)
    yield function, "no_token", delete(hold_id, {})
    yield function, "another_customer", delete(hold_id, bearer, other)
    yield function, "unknown_hold", delete("0" * 32, bearer)


def staff_hold_id(customer: str) -> str:
    """The id of the hold that the staff takes for a customer under its sample key."""
    key = hmac.digest(_code_key(), b"staff", hashlib.sha256)
    return hold_id_of(derive_code(key, demo.SHOP_DOMAIN, customer, STAFF_KEY))


def _hold_id(customer: str) -> str:
    return hold_id_of(derive_code(_code_key(), demo.SHOP_DOMAIN, customer, KEY))


def _code_key() -> bytes:
    secrets = json.dumps(
        {"client_secret": demo.CLIENT_SECRET, "my_page_secret": demo.MY_PAGE_SECRET}
    )
    return Secrets.from_json(secrets, Stage.LOCAL).hold_code_key()
