"""The promises to a shop, seen from outside: through the reverse proxy of the running stack."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from requests import Response

from local import demo, signing
from local.stack import Stack
from tests.e2e.calls import (
    DAY,
    approved,
    bearer,
    call,
    figures,
    flow,
    history,
    invoke,
    must_flow,
    new_customer,
    pass_time,
    points,
    wait_until,
)

TILL_CUSTOMER = "8840734670934"
LAST_YEAR = demo.last_day(12, 31)[:4]
FIGURES = ("approved", "pending", "total", "lifetime", "spent", "hold")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", {"balance": "1,250", "expiry": f"December 31, {LAST_YEAR}", "rank": "Gold Member"}),
        ("ja", {"balance": "1,250", "expiry": f"{LAST_YEAR}年12月31日", "rank": "ゴールド会員"}),
    ],
)
def test_my_page_shows_the_tills_values_in_the_customers_language(
    stack: Stack, locale: str, words: dict[str, str]
) -> None:
    def is_fresh() -> bool:
        return points(stack, TILL_CUSTOMER)["till"]["stale"] is False

    wait_until(is_fresh)  # a view that finds an old value requests a refresh
    found = points(stack, TILL_CUSTOMER, **{"Accept-Language": locale})
    assert found["display"] == words | {"message": None, "action": None, "note": None}
    assert set(found) == {
        *("customer_id", "figures", "expiring", "hold", "holds_offered", "till", "display"),
        *(
            "worth",
            "earning",
            "points_master",
            "rank_percent",
            "time_zone",
            "hold_seconds",
            "expiry",
            "paused",
        ),
    }


def test_another_customers_points_are_nobodys_business(stack: Stack) -> None:
    customer = new_customer()
    must_flow(stack, "grant", customer, points=10)
    answers = [
        call(f"{stack.api_url}/v1/customers/{other}/points", headers=bearer(TILL_CUSTOMER))
        for other in (customer, new_customer())
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.json()["detail"] for answer in answers}) == 1, "no hint whether they exist"


def _token(changed: dict[str, Any], header: dict[str, Any] | None = None, secret: str = "") -> str:
    now = int(time.time())
    claims = {
        "dest": demo.SHOP_DOMAIN,
        "aud": demo.SHOPIFY_CLIENT_ID,
        "sub": f"gid://shopify/Customer/{TILL_CUSTOMER}",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
    } | changed
    claims = {name: value for name, value in claims.items() if value is not ...}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header or {"alg": "HS256", "typ": "JWT"}, claims)
    ]
    key = (secret or demo.CLIENT_SECRET).encode()
    signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    parts.append(base64.urlsafe_b64encode(signature).rstrip(b"="))
    return b".".join(parts).decode()


HOSTILE: dict[str, Callable[[], str]] = {
    "unsigned": lambda: _token({}, {"alg": "none"}).rpartition(".")[0] + ".",
    "alg none with a signature": lambda: _token({}, {"alg": "none"}),
    "RS256": lambda: _token({}, {"alg": "RS256", "typ": "JWT"}),
    "without exp": lambda: _token({"exp": ...}),
    "expired 11 s ago": lambda: _token({"exp": int(time.time()) - 11}),
    "valid in the future only": lambda: _token({"nbf": int(time.time()) + 60}),
    "for another app": lambda: _token({"aud": "another-app"}),
    "of a member of staff": lambda: _token(
        {"sub": "42", "iss": f"https://{demo.SHOP_DOMAIN}/admin"}
    ),
    "without sub": lambda: _token({"sub": ...}),
    "of another shop": lambda: _token({"dest": "other.myshopify.com"}),
    "by another secret": lambda: _token({}, secret="another-secret-0123456789-0123456789"),
    "no token at all": lambda: "not-a-token",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_forged_or_foreign_token_gets_in(stack: Stack, kind: str) -> None:
    url = f"{stack.api_url}/v1/customers/me/points"
    for headers in (
        {"Authorization": f"Bearer {HOSTILE[kind]()}"},
        {"Cookie": f"sessionToken={HOSTILE[kind]()}"},
    ):
        answer = call(url, headers=headers)
        assert answer.status_code == 401, answer.text
        assert answer.json()["code"] in ("token_invalid", "token_expired")
        assert answer.json()["login_url"]


def test_the_token_that_the_hostile_ones_are_made_of_is_good(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {_token({})}"}
    assert call(f"{stack.api_url}/v1/customers/me/points", headers=headers).status_code == 200


def test_all_points_consumed_twenty_times_at_once_is_one_effect(stack: Stack) -> None:
    customer, run = new_customer(), f"run-{uuid.uuid4()}"
    must_flow(stack, "grant", customer, points=1250)

    def consume(amount: int) -> Response:
        return flow(stack, "consume", customer, run, points=amount)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(consume, [1250] * 20))
    assert [answer.status_code for answer in answers] == [200] * 20
    values = [answer.json()["return_value"] for answer in answers]
    assert sum(not value.pop("duplicate") for value in values) == 1
    assert all(value == values[0] for value in values)
    used = {"lifetime": 1250, "spent": 1250}
    assert figures(stack, customer) == dict.fromkeys(FIGURES, 0) | used
    other = consume(1249)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_every_form_of_a_customer_and_points_as_text_are_understood(stack: Stack) -> None:
    customer = new_customer()
    gid = "gid://shopify/Customer"
    forms = [f"{gid}/{customer}", f"{gid}{customer}", customer, int(customer)]
    for form in forms:
        must_flow(stack, "grant", customer, customer_id=form, points="25")
    assert approved(stack, customer) == 100


@pytest.mark.parametrize(
    "bad",
    [
        *({"points": wrong} for wrong in (0, -1, 1.5, "1e3", True, None, 1_000_000_001)),
        {"customer_id": "Taro"},
        {"customer_id": "gid://shopify/Order/1"},
        {"reason": ""},
        {"reason": "x" * 256},
        {"days_to_expire": 0},
        {"days_to_expire": "soon"},
        {"cause_entry_id": "no entry"},
    ],
)
def test_bad_input_is_refused_in_words_and_moves_nothing(
    stack: Stack, bad: dict[str, object]
) -> None:
    customer = new_customer()
    answer = flow(stack, "grant", customer, **({"points": 10} | bad))  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["message"]
    assert figures(stack, customer)["lifetime"] == 0


def test_a_request_that_shopify_did_not_sign_is_refused(stack: Stack) -> None:
    properties = {"customer_id": new_customer(), "points": 10, "reason": "Test"}
    body = signing.flow_request("grant-points", properties, "run")
    url = stack.function_urls["flow_action_grant"]
    assert call(url, body).status_code == 400
    signed = {"X-Shopify-Hmac-Sha256": signing.flow_signature(body)}
    assert call(url, body.replace(b"10", b"99"), signed).status_code == 401
    assert call(url, body, {"X-Shopify-Hmac-Sha256": "é"}).status_code == 401
    assert call(url, headers=signed).status_code == 405


def test_points_for_a_day_do_not_count_the_day_after_before_any_sweep(stack: Stack) -> None:
    customer = new_customer()
    must_flow(stack, "grant", customer, points=100, days_to_expire=1)
    pass_time(stack, 2 * DAY)
    assert approved(stack, customer) == 0
    shown = history(stack, customer)
    assert shown == ["points/sub/expire", "points/add/flow"], "no sweep has written it yet"
    assert invoke(stack, "expiry")["failed"] == 0
    invoke(stack, "expiry")
    assert history(stack, customer) == shown
