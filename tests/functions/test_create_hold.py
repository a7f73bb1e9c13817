"""Points are held once for each request, and every open hold has a code."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from local import demo
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.shopify.app_proxy import sign_query
from tests.functions.hold_shop import CREATE, HoldShop, hold_request
from tests.support.harness import CUSTOMER, Answer, event, problem


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    """A shop with a customer of 1,250 points."""
    return HoldShop(tmp_path)


def test_points_become_a_code_of_the_same_worth_for_this_customer_alone(shop: HoldShop) -> None:
    held = shop.functions.sample(CREATE, "by_header")
    assert held.status == 201
    assert "Idempotent-Replay" not in held.headers
    (discount,) = shop.codes.made.values()
    assert held.body == {
        "hold_id": discount.hold_id,
        "points": 500,
        "discount_code": discount.code,
        "discount_amount": "500",
        "currency": "JPY",
        "cart_url": f"https://{demo.SHOP_DOMAIN}/discount/{discount.code}?redirect=%2Fcart",
        "expires_at": discount.ends_at.isoformat(timespec="milliseconds"),
        "figures": {
            "approved": 750,
            "pending": 0,
            "total": 750,
            "lifetime": 1250,
            "spent": 0,
            "hold": 500,
        },
    }
    assert (discount.customer_id, discount.amount_minor) == (CUSTOMER, 500)
    assert (discount.ends_at - discount.starts_at).total_seconds() <= 600
    assert datetime.fromisoformat(held.body["expires_at"]).utcoffset() is not None


def test_a_code_is_in_the_programme_s_currency(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_CURRENCY="USD")
    held = shop.hold("a").body
    (discount,) = shop.codes.made.values()
    assert (discount.currency, discount.amount_minor) == ("USD", 500)
    assert (held["currency"], held["discount_amount"]) == ("USD", "5.00")


def test_a_code_combines_with_what_the_programme_says(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_COMBINES_WITH="order")
    assert shop.hold("a").status == 201
    (discount,) = shop.codes.made.values()
    assert discount.combines_with == ("order",)


def test_my_page_shows_the_open_hold_and_the_time_that_is_left(shop: HoldShop) -> None:
    assert shop.page()["holds_offered"] is True
    held = shop.hold("a").body
    shop.move(540)
    shown = shop.page()["hold"]
    assert 55 <= shown.pop("expires_in_seconds") <= 60
    assert shown == {
        "hold_id": held["hold_id"],
        "points": 500,
        "state": "ready",
        "discount_code": held["discount_code"],
        "discount_amount": "500",
        "currency": "JPY",
        "cart_url": held["cart_url"],
        "expires_at": held["expires_at"],
    }
    shop.move(600)
    assert shop.page()["hold"] is None


def test_a_repeated_request_gets_the_same_response_and_holds_nothing_more(shop: HoldShop) -> None:
    first = shop.hold("a")
    shop.functions.sample("flow_action_consume", "run")  # 300 of the points that are left
    for _ in range(3):
        again = shop.hold("a")
        assert (again.status, again.body) == (201, first.body)
        assert again.headers["Idempotent-Replay"] == "true"
    assert len(shop.codes.made) == 1
    assert shop.figures() == (450, 500)
    assert shop.functions.topics().count("points/sub/hold") == 1


def proxied(content_type: str | None, **body: object) -> dict[str, Any]:
    """The event of a request for a hold that came through the shop's app proxy."""
    request = hold_request("unused")
    request["headers"].pop("authorization")
    request["headers"].pop("idempotency-key")
    request["headers"].pop("content-type")
    if content_type is not None:
        request["headers"]["content-type"] = content_type
    query = {
        "shop": demo.SHOP_DOMAIN,
        "logged_in_customer_id": CUSTOMER,
        "path_prefix": "/apps/points",
    }
    query["timestamp"] = str(int(datetime.now(UTC).timestamp()))
    query["signature"] = sign_query(list(query.items()), demo.CLIENT_SECRET)
    return request | {
        "rawQueryString": urlencode(query),
        "body": json.dumps({"points": 500, **body}),
    }


def test_a_key_in_the_body_is_the_same_key_as_in_the_header(shop: HoldShop) -> None:
    held = shop.functions.sample(CREATE, "key_in_body")
    again = shop.functions.sample(CREATE, "by_header")
    assert (held.status, again.body) == (201, held.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert shop.figures() == (750, 500)


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_a_storefront_holds_points_through_the_app_proxy(shop: HoldShop, content_type: str) -> None:
    for _ in range(2):
        request = proxied(content_type, idempotency_key="key-in-body-only")
        assert shop.functions.request(CREATE, request).status == 201
    assert shop.figures() == (750, 500)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json"]
)
def test_a_form_of_another_page_holds_nothing_through_the_app_proxy(
    shop: HoldShop, content_type: str | None
) -> None:
    """A form can send a body that reads as JSON, but not say that it is JSON."""
    request = proxied(content_type, idempotency_key="k")
    answer = shop.functions.request(CREATE, request)
    assert problem(answer) == (422, "invalid_request")
    assert answer.body["field"] == "content-type"
    assert shop.figures() == (1250, 0)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, 7, None, ["k"], {"k": 1}])
def test_a_key_in_the_body_is_read_as_strictly_as_in_the_header(
    shop: HoldShop, key: object
) -> None:
    answer = shop.functions.request(CREATE, proxied("application/json", idempotency_key=key))
    assert answer.body["code"] in {"idempotency_key_missing", "invalid_request"}
    assert answer.status in {400, 422}
    assert shop.figures() == (1250, 0)


def at_once(shop: HoldShop, requests: list[dict[str, Any]]) -> list[Answer]:
    """Ask all of them at the same time."""
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda one: shop.functions.request(CREATE, one), requests))


def test_one_request_ten_times_at_once_is_one_hold_with_one_code(shop: HoldShop) -> None:
    answers = at_once(shop, [hold_request("a") for _ in range(10)])
    assert [answer.status for answer in answers] == [201] * 10
    assert all(answer.body == answers[0].body for answer in answers)
    assert sum("Idempotent-Replay" not in answer.headers for answer in answers) == 1
    assert shop.codes.usable() == {answers[0].body["discount_code"]}
    assert shop.functions.topics().count("points/sub/hold") == 1


def test_of_ten_requests_at_once_one_is_granted(shop: HoldShop) -> None:
    answers = at_once(shop, [hold_request(f"key {number}", 100) for number in range(10)])
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    assert {answer.body.get("code") for answer in answers} == {None, "hold_open"}
    assert len(shop.codes.made) == 1
    assert shop.figures() == (1150, 100)


def test_more_points_than_there_are_cannot_be_held(shop: HoldShop) -> None:
    assert problem(shop.hold("a", 1251)) == (422, "insufficient_points")
    assert shop.codes.made == {}
    assert shop.functions.invoke("switch_off_codes", {})["due"] == 0
    assert shop.hold("a", 1250).status == 201, "a refusal is not remembered"


@pytest.mark.parametrize("key", ["é", "\ud83d", "\0", "k" * 255, " a", '"a"'])
def test_a_key_may_be_any_text(shop: HoldShop, key: str) -> None:
    first = shop.hold(key)
    assert (first.status, shop.hold(key).body) == (201, first.body)


def test_a_page_that_is_allowed_may_use_the_cookie(tmp_path: Path) -> None:
    page = "https://shop.example"
    shop = HoldShop(tmp_path, ALLOWED_ORIGINS=page)
    request = event(CREATE, "by_cookie_without_origin")
    request["headers"]["origin"] = page
    assert shop.functions.request(CREATE, request).status == 201


def test_where_the_till_is_master_points_are_not_held(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_POINTS_MASTER="till")
    assert shop.page()["holds_offered"] is False
    assert problem(shop.hold("a")) == (409, "holds_not_offered")
    assert (shop.figures(), shop.codes.made) == ((1250, 0), {})


@pytest.mark.parametrize("made", [True, False])
def test_a_code_that_may_exist_after_all_is_switched_off(shop: HoldShop, made: bool) -> None:
    shop.codes.fault, shop.codes.does_it_first = ShopifyUnavailable(1), made
    assert problem(shop.hold("a")) == (503, "hold_failed")
    assert shop.figures() == (1250, 0)
    shop.move(60)
    assert shop.functions.invoke("switch_off_codes", {})["due"] == 1
    assert shop.codes.usable() == set()
    assert len(shop.codes.off) == 1


def test_an_interrupted_request_is_continued_by_a_retry(shop: HoldShop) -> None:
    shop.codes.fault, shop.codes.does_it_first = KeyboardInterrupt(), True
    with pytest.raises(KeyboardInterrupt):
        shop.hold("a")
    preparing = shop.page()["hold"]
    assert (preparing["state"], preparing["discount_amount"]) == ("preparing", "500")
    assert preparing["discount_code"] is preparing["cart_url"] is None
    answer = shop.hold("a")
    assert answer.status == 201
    assert answer.body["hold_id"] == preparing["hold_id"]
    assert shop.codes.usable() == {answer.body["discount_code"]}
    assert shop.figures() == (750, 500)


def test_repeating_a_request_after_its_hold_expired_is_refused(shop: HoldShop) -> None:
    first = shop.hold("a").body
    shop.move(600)
    assert problem(shop.hold("a")) == (409, "hold_ended")
    second = shop.hold("b").body
    assert second["hold_id"] != first["hold_id"]
    assert len(shop.codes.made) == 2
    assert shop.figures() == (750, 500)


def test_after_an_hours_holds_the_refusal_says_when_to_retry(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_HOLDS_PER_HOUR="1")
    first = shop.hold("first")
    assert first.status == 201
    assert shop.release(first.body["hold_id"]).status == 200
    limited = shop.hold("second")
    assert problem(limited) == (429, "rate_limited")
    assert 1 <= int(limited.headers["Retry-After"]) <= 3600
    assert (shop.figures(), len(shop.codes.made)) == ((1250, 0), 1)
    assert shop.hold("first").body["code"] == "hold_ended", "a repetition is answered as it was"


def test_beyond_the_shops_pace_nothing_is_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_HOLD_CALLS_PER_MINUTE="1")
    first = shop.hold("first")
    assert first.status == 201
    capsys.readouterr()
    limited = shop.release(first.body["hold_id"])
    assert problem(limited) == (429, "rate_limited")
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert '"RateLimited": [1]' in capsys.readouterr().out
    shop.move(60)
    assert shop.release(first.body["hold_id"]).status == 200
    assert problem(shop.hold("second")) == (429, "rate_limited")
    assert shop.figures() == (1250, 0)


def test_an_open_hold_says_what_it_is_worth_and_how_it_gets_into_the_cart(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_POINT_WORTH_MINOR="3")
    made = shop.hold("a").body
    shown = shop.page()["hold"]
    assert (shown["discount_amount"], shown["currency"]) == ("1500", "JPY")
    address = f"https://{demo.SHOP_DOMAIN}/discount/{made['discount_code']}?redirect=%2Fcart"
    assert made["cart_url"] == shown["cart_url"] == address
    other = shop.hold("b")
    assert problem(other) == (409, "hold_open")
    assert {**other.body["hold"], "expires_in_seconds": 0} == {**shown, "expires_in_seconds": 0}


@pytest.mark.parametrize(
    ("fault", "may_be_retried"),
    [
        (ShopifyUnavailable(1), True),
        (ShopifyRefused("no scope", ("ACCESS_DENIED",)), False),
        (ShopifyRefused("dollars", (), "currency_mismatch"), False),
        (ShopifyRefused("another's", ("TAKEN",), "code_taken_by_another"), True),
    ],
)
def test_a_wrong_setting_of_the_shop_is_not_told_as_try_again(
    shop: HoldShop, fault: Exception, may_be_retried: bool
) -> None:
    shop.codes.fault = fault
    answer = shop.hold("a")
    assert problem(answer) == (503, "hold_failed")
    assert answer.body["may_be_retried"] is may_be_retried
    assert ("does not help" in answer.body["detail"]) is not may_be_retried
    assert shop.figures() == (1250, 0)
