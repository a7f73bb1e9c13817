"""The shop's staff learn who they are to the ledger, and what they may do."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local import demo
from pointbook.domain.staff import Right
from tests.functions.moved import ClockFile
from tests.support.harness import Functions, event, problem

ME = "staff_me"
MANAGER, COUNTER, NEWCOMER = demo.STAFF


@pytest.mark.parametrize(
    ("case", "rights"),
    [("manager", [*Right]), ("counter", [Right.LOOK, Right.HOLD]), ("newcomer", [Right.LOOK])],
)
def test_everybody_is_told_what_they_may_do(
    functions: Functions, case: str, rights: list[Right]
) -> None:
    answer = functions.sample(ME, case)
    assert answer.status == 200
    assert answer.body["may"] == {right: right in rights for right in Right}
    assert (answer.body["limits"] is not None) is (Right.ADJUST in rights)


def test_a_shop_that_has_set_nothing_lets_its_staff_look_only() -> None:
    functions = Functions(
        PROGRAMME_STAFF_ADJUST="", PROGRAMME_STAFF_HOLD="", PROGRAMME_STAFF_MANAGE=""
    )
    answer = functions.sample(ME, "manager")
    assert answer.body == {
        "staff_id": MANAGER,
        "shop": demo.SHOP_DOMAIN,
        "may": {"look": True, "adjust": False, "hold": False, "manage": False},
        "limits": None,
        "time_zone": "Asia/Tokyo",
        "worth": {"point_amount": "1", "currency": "JPY"},
    }


def test_what_is_left_today_is_said_until_the_shops_midnight(tmp_path: Path) -> None:
    clock = ClockFile(tmp_path)
    functions = Functions(LOCAL_CLOCK_FILE=str(clock))
    functions.sample("staff_adjust_points", "add")
    functions.sample("staff_adjust_points", "remove")
    limits = functions.sample(ME, "manager").body["limits"]
    resets_at = datetime.fromisoformat(limits.pop("resets_at"))
    left = {"points_per_action": 1000, "points_per_day": 5000, "points_left_today": 4600}
    assert limits == left
    assert (resets_at.utcoffset(), resets_at.hour) == (timedelta(hours=9), 0)
    clock.move(days=1)
    after = functions.sample(ME, "manager").body["limits"]
    assert after["points_left_today"] == 5000
    assert datetime.fromisoformat(after["resets_at"]) - resets_at == timedelta(days=1)


def test_a_page_of_any_origin_may_ask_with_a_token_and_none_with_a_cookie() -> None:
    page = "https://extensions.shopifycdn.com"
    functions = Functions(ALLOWED_ORIGINS=page)
    for origin in (page, "null", "https://admin.shopify.com"):
        request = event(ME, "manager")
        request["headers"]["origin"] = origin
        answer = functions.request(ME, request)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        request = event(ME, "by_cookie")
        request["headers"]["origin"] = origin
        assert problem(functions.request(ME, request)) == (401, "token_missing")


def test_a_preflight_is_answered_without_a_token(functions: Functions) -> None:
    for function in (
        *(ME, "staff_show_account", "staff_account_history", "staff_explain_order"),
        *("staff_adjust_points", "staff_create_hold", "staff_release_hold"),
    ):
        request = event(function, "no_token")
        request["requestContext"]["http"]["method"] = "OPTIONS"
        answer = functions.request(function, request)
        assert answer.status == 204
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_a_signature_of_the_app_proxy_proves_no_staff(functions: Functions) -> None:
    request = event(ME, "no_token")
    request["rawQueryString"] = f"shop={demo.SHOP_DOMAIN}&logged_in_customer_id=1&signature=00"
    assert problem(functions.request(ME, request)) == (401, "token_missing")


def test_a_staff_token_opens_nothing_of_my_page(functions: Functions) -> None:
    """Neither in the header nor in the cookie, not even where a customer has the staff's number."""
    token = event(ME, "manager")["headers"]["authorization"]
    for function in ("get_points", "points_history", "order_points", "create_hold", "release_hold"):
        for customer in ("me", MANAGER):
            request = event(function, "by_header")
            request["headers"]["authorization"] = token
            request["pathParameters"]["customer"] = customer
            assert problem(functions.request(function, request)) == (401, "token_invalid")
            request["headers"].pop("authorization")
            request["cookies"] = [f"sessionToken={token.removeprefix('Bearer ')}"]
            assert problem(functions.request(function, request)) == (401, "token_invalid")
