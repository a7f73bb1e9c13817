"""The shop's staff release a customer's hold when a sale is given up."""

from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from tests.functions.hold_shop import HoldShop
from tests.support.harness import event, problem

RELEASE = "staff_release_hold"
MANAGER, COUNTER, NEWCOMER = demo.STAFF


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    """A shop with a customer of 1,250 points."""
    return HoldShop(tmp_path)


def release(hold_id: str, case: str = "given_up", customer: str = "") -> dict[str, Any]:
    request = event(RELEASE, case)
    request["pathParameters"]["hold_id"] = hold_id
    request["pathParameters"] |= {"customer": customer} if customer else {}
    return request


def test_a_sale_that_is_given_up_brings_the_points_back_once(shop: HoldShop) -> None:
    held = shop.functions.sample("staff_create_hold", "sale").body
    for _ in range(2):
        answer = shop.functions.sample(RELEASE, "given_up")
        assert (answer.status, answer.body["figures"]["approved"]) == (200, 1250)
    assert shop.codes.off == {held["discount_code"]}
    assert shop.functions.topics().count("points/add/hold") == 1
    assert shop.functions.entries()[0].cause == Cause("staff", f"staff:{MANAGER}")


def test_who_pressed_is_named_and_a_body_is_not_needed(shop: HoldShop) -> None:
    shop.functions.sample("staff_create_hold", "sale")
    assert shop.functions.sample(RELEASE, "pressed_by_another").status == 200
    actor = f"staff:{MANAGER} for staff:{COUNTER}"
    assert shop.functions.entries()[0].cause.actor == actor
    without_body = event(RELEASE, "given_up") | {"body": None}
    assert shop.functions.request(RELEASE, without_body).status == 200


def test_a_hold_that_the_customer_took_is_released_too(shop: HoldShop) -> None:
    held = shop.hold("my page").body
    assert shop.functions.request(RELEASE, release(held["hold_id"])).status == 200
    assert shop.figures() == (1250, 0)


def test_the_customer_releases_what_the_staff_holds(shop: HoldShop) -> None:
    held = shop.functions.sample("staff_create_hold", "sale").body
    assert shop.release(held["hold_id"]).status == 200
    assert shop.functions.sample(RELEASE, "given_up").status == 200
    assert shop.functions.topics().count("points/add/hold") == 1


def test_another_customers_hold_is_not_found(shop: HoldShop) -> None:
    held = shop.functions.sample("staff_create_hold", "sale").body
    request = release(held["hold_id"], customer="8840734670935")
    assert problem(shop.functions.request(RELEASE, request)) == (404, "hold_not_found")
    assert shop.figures() == (750, 500)
