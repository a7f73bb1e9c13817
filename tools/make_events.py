"""Write `events/`: complete Lambda envelopes, signed with the laptop stack's published secrets.

    make events                            write them
    python -m tools.make_events --check    say which are not as they would be written

One file serves `sam local invoke -e`, the tests and the docs. Every file is the same each time.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from local import demo, signing
from tools.make_events_flow import lifecycle_cases, report_cases
from tools.make_events_holds import hold_cases, staff_hold_id
from tools.make_events_operator import operator_cases
from tools.make_events_staff import staff_cases
from tools.make_events_stream import stream_cases
from tools.make_events_till import till_cases
from tools.make_events_webhooks import WRONG_SECRET, webhook_cases, worker_cases
from tools.shopify_payloads import ORDER

EVENTS = Path(__file__).resolve().parents[1] / "events"

CUSTOMER = "8840734670934"
OTHER_CUSTOMER = "8840734670935"
ISSUED_AT = 1_790_000_000
FAR_FUTURE = 4_102_444_800
"""1 January 2100: these tokens are signed with the public test secret only, so they may last."""

REQUEST_ID = "00000000-0000-4000-8000-000000000001"

REMINDER_HOURS = {"from_hour": 10, "until_hour": 19}
"""What the schedule of reminders sends: the hours of each shop's day in which it sends any."""

SCHEDULE_EVENTS = {"reminders": REMINDER_HOURS, "compare_till": {"every_hours": 24}}
"""What schedules send that send anything."""

type Case = tuple[str, str, Mapping[str, Any]]

SCHEDULED = (
    "hold_release",
    "switch_off_codes",
    "approve_pending",
    "compare_till",
    "expiry",
    "privacy_watch",
    "reconcile_orders",
    "reminders",
    "verify_sample",
    "write_heads",
    "write_metafields",
    "write_statements",
)


def cases() -> Iterator[Case]:
    """Yield function, name of the case, and event."""
    yield from _health()
    yield from _app_page()
    yield from _my_page("get_points", "points", {})
    yield from _till_in_points()
    yield from _my_page("points_history", "points/history", {"limit": "20"})
    yield from _order_points()
    yield from hold_cases(_http, token(CUSTOMER), CUSTOMER, OTHER_CUSTOMER)
    yield from staff_cases(_http, staff_token, token(CUSTOMER), CUSTOMER, staff_hold_id(CUSTOMER))
    yield from operator_cases(_http, CUSTOMER, OTHER_CUSTOMER)
    yield from _flow("flow_action_consume", "consume-points", {"points": 300})
    yield from _flow("flow_action_grant", "grant-points", {"points": 1250})
    yield from _grant_only()
    yield from report_cases(_signed, CUSTOMER)
    yield from lifecycle_cases(_http)
    yield from webhook_cases(_http)
    yield from worker_cases()
    yield from stream_cases()
    yield from till_cases(_http, CUSTOMER)
    for function in SCHEDULED:
        yield function, "schedule", SCHEDULE_EVENTS.get(function, {})
    yield "reminders", "at_once", {}
    yield "compare_till", "at_once", {}
    yield "compare_till", "page", {"shop": demo.SHOP_DOMAIN}
    yield "compare_till", "customers", {"shop": demo.SHOP_DOMAIN, "customers": [CUSTOMER]}
    wanted = {"customer_id": CUSTOMER, "ledger": 1250, "till": 1000}
    repair = {"run": "20261130T090000-5f1c2a", "reason": "The till was restored", "by": "Hanako"}
    yield "compare_till", "repair", {"shop": demo.SHOP_DOMAIN, "push": [wanted], **repair}


def _health() -> Iterator[Case]:
    yield "health", "get", _http("GET", "/v1/health", {}, b"")


def _app_page() -> Iterator[Case]:
    def get(query: dict[str, str], secret: str, **headers: str) -> dict[str, Any]:
        signed = {"host": "YWRtaW4uc2hvcGlmeS5jb20", "timestamp": str(ISSUED_AT), **query}
        message = "&".join(f"{name}={value}" for name, value in sorted(signed.items()))
        digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        return _http("GET", "/", headers, b"", signed | {"hmac": digest})

    function, shop = "app_page", {"shop": demo.SHOP_DOMAIN}
    yield function, "opened", _http("GET", "/", {}, b"")
    japanese = {"accept-language": "ja-JP,ja;q=0.9"}
    yield function, "in_japanese", _http("GET", "/", japanese, b"")
    yield function, "launched", get(shop, demo.CLIENT_SECRET)
    yield function, "launched_in_japanese", get(shop | {"locale": "ja-JP"}, demo.CLIENT_SECRET)
    yield function, "previous_secret", get(shop, demo.CLIENT_SECRET_PREVIOUS)
    yield function, "other_shop", get({"shop": "other.myshopify.com"}, demo.CLIENT_SECRET)
    yield function, "altered_link", get(shop, WRONG_SECRET)


def _my_page(function: str, what: str, query: dict[str, str]) -> Iterator[Case]:
    def get(headers: dict[str, str], customer: str = "me", **more: str) -> dict[str, Any]:
        path = f"/v1/customers/{customer}/{what}"
        event = _http("GET", path, headers, b"", query | more)
        return event | {"pathParameters": {"customer": customer}}

    bearer = {"authorization": f"Bearer {token(CUSTOMER)}"}
    yield function, "by_header", get(bearer)
    yield function, "by_cookie", get({}) | {"cookies": [f"sessionToken={token(CUSTOMER)}"]}
    yield function, "by_cookie_header", get({"cookie": f"sessionToken={token(CUSTOMER)}"})
    yield function, "in_japanese", get(bearer | {"accept-language": "ja-JP,ja;q=0.9"})
    yield function, "by_gid", get(bearer, f"gid%3A%2F%2Fshopify%2FCustomer%2F{CUSTOMER}")
    yield function, "another_customer", get(bearer, OTHER_CUSTOMER)
    yield function, "no_token", get({})
    yield function, "expired_token", get({"authorization": f"Bearer {token(CUSTOMER, ISSUED_AT)}"})
    yield function, "forged_token", get({"authorization": f"Bearer {token(CUSTOMER)[:-4]}AAAA"})


def _till_in_points() -> Iterator[Case]:
    headers = {"authorization": f"Bearer {token(CUSTOMER)}"}
    for case, value in (("till_known", "known"), ("till_unknown_word", "fresh")):
        event = _http("GET", "/v1/customers/me/points", headers, b"", {"till": value})
        yield "get_points", case, event | {"pathParameters": {"customer": "me"}}


def _order_points() -> Iterator[Case]:
    def of(order_id: str, cases: Iterable[Case]) -> Iterator[Case]:
        for function, name, event in cases:
            path = {**event["pathParameters"], "order_id": order_id}
            yield function, name, {**event, "pathParameters": path}

    function, order_id = "order_points", str(ORDER)
    yield from of(order_id, _my_page(function, f"orders/{order_id}/points", {}))
    first = next(_my_page(function, "orders/1/points", {}))[2]
    yield from of("1", [(function, "unknown_order", first)])
    first = next(_my_page(function, "orders/no-number/points", {}))[2]
    yield from of("no-number", [(function, "order_no_number", first)])


def _flow(function: str, handle: str, default: dict[str, Any]) -> Iterator[Case]:
    properties = {
        "customer_id": f"gid://shopify/Customer/{CUSTOMER}",
        "reason": "Welcome",
    } | default

    def post(changed: dict[str, Any], **kind: Any) -> dict[str, Any]:
        return _signed(handle, properties | changed, **kind)

    yield function, "run", post({})
    yield function, "customer_as_digits", post({"customer_id": CUSTOMER})
    yield function, "customer_as_number", post({"customer_id": int(CUSTOMER)})
    yield (
        function,
        "customer_without_slash",
        post({"customer_id": f"gid://shopify/Customer{CUSTOMER}"}),
    )
    yield function, "points_as_text", post({"points": str(default["points"])})
    yield function, "with_key", post({"idempotency_key": "summer-campaign"})
    yield function, "with_cause", post({"cause_entry_id": f"{CUSTOMER}-000000000001"})
    yield function, "previous_secret", post({}, secret=demo.CLIENT_SECRET_PREVIOUS)
    yield function, "base64_body", post({}, base64_body=True)
    yield function, "wrong_signature", post({}, secret=WRONG_SECRET)
    yield function, "not_signed", post({}, secret=None)
    yield function, "points_zero", post({"points": 0})
    yield function, "points_fraction", post({"points": 1.5})
    yield function, "points_too_many", post({"points": 1_000_000_001})
    yield function, "customer_unknown_form", post({"customer_id": "Taro"})
    yield function, "reason_missing", post({"reason": ""})
    yield function, "unknown_shop", post({}, shop="other.myshopify.com")
    yield function, "not_json", _flow_http(b"points=300", demo.CLIENT_SECRET)
    get = _flow_http(b"", demo.CLIENT_SECRET)
    get["requestContext"]["http"]["method"] = "GET"
    yield function, "not_post", get


def _grant_only() -> Iterator[Case]:
    properties = {"customer_id": CUSTOMER, "points": 100, "reason": "Birthday"}
    for days in (1, "30", ""):
        name = f"days_{days}" if days else "days_empty"
        yield (
            "flow_action_grant",
            name,
            _signed("grant-points", properties | {"days_to_expire": days}),
        )


def _signed(
    handle: str,
    properties: Mapping[str, Any],
    *,
    secret: str | None = demo.CLIENT_SECRET,
    shop: str = demo.SHOP_DOMAIN,
    base64_body: bool = False,
) -> dict[str, Any]:
    """Return one run of an action; equal input has an equal run id, and so is a repetition."""
    digest = hashlib.sha256(f"{handle} {json.dumps(properties)}".encode()).hexdigest()
    body = signing.flow_request(handle, properties, f"{REQUEST_ID}-30892-{digest[:12]}")
    body = body.replace(demo.SHOP_DOMAIN.encode(), shop.encode())
    event = _flow_http(body, secret)
    if base64_body:
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event


def _flow_http(body: bytes, secret: str | None) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    if secret is not None:
        headers["x-shopify-hmac-sha256"] = signing.flow_signature(body, secret)
    return _http("POST", "/", headers, body)


def token(customer_id: str, expires_at: int = FAR_FUTURE) -> str:
    """Return a session token; deterministic, so that the files do not change."""
    claims = {"iss": f"https://{demo.SHOP_DOMAIN}", "dest": demo.SHOP_DOMAIN}
    return _token(claims, f"gid://shopify/Customer/{customer_id}", expires_at)


def staff_token(staff_id: str, *, expired: bool = False) -> str:
    """Return the token of a member of the staff; deterministic as well."""
    shop = f"https://{demo.SHOP_DOMAIN}"
    claims = {"iss": f"{shop}/admin", "dest": shop}
    return _token(claims, staff_id, ISSUED_AT if expired else FAR_FUTURE)


def _token(issuer: Mapping[str, str], subject: str, expires_at: int) -> str:
    claims = {
        **issuer,
        "aud": demo.SHOPIFY_CLIENT_ID,
        "sub": subject,
        "iat": ISSUED_AT - 60,
        "nbf": ISSUED_AT - 60,
        "exp": expires_at,
        "jti": REQUEST_ID,
    }
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    digest = hmac.new(demo.CLIENT_SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(digest)}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _http(
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return an event of payload version 2.0, as the HTTP API and function URLs send it."""
    query = query or {}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "queryStringParameters": dict(query),
        "headers": {"host": "localhost", "x-forwarded-proto": "https", **headers},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "pointbook-sample",
            },
            "requestId": REQUEST_ID,
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_262_400_000,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def files() -> dict[Path, str]:
    """Return the content of every event file, by path."""
    return {
        EVENTS / function / f"{name}.json": json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        for function, name, event in cases()
    }


def differences() -> list[str]:
    """Return the files that are missing, outdated or unknown."""
    chosen = files()
    found = {path: path.read_text(encoding="utf-8") for path in EVENTS.rglob("*.json")}
    return sorted(
        str(path.relative_to(EVENTS))
        for path in chosen.keys() | found.keys()
        if chosen.get(path) != found.get(path)
    )


def main() -> int:
    """Write the files, or check them with --check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        for name in differences():
            print(f"events/{name} is outdated; run `make events`.")
        return 1 if differences() else 0
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files())} events written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
