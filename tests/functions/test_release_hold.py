"""Held points go back to their customer, never while a code that was given out can be used."""

from pathlib import Path

import pytest

from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from tests.functions.hold_shop import CREATE, RELEASE, HoldShop
from tests.support.harness import event, problem
from tools.make_events import OTHER_CUSTOMER, token


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    """A shop whose customer holds 500 of 1,250 points."""
    found = HoldShop(tmp_path)
    assert found.functions.sample(CREATE, "by_header").status == 201
    return found


def test_a_release_and_its_repetitions_return_the_points_once_and_deactivate_the_code(
    shop: HoldShop,
) -> None:
    for _ in range(3):
        answer = shop.functions.sample(RELEASE, "by_header")
        assert answer.status == 200
        assert answer.body == {
            "figures": {
                "approved": 1250,
                "pending": 0,
                "total": 1250,
                "lifetime": 1250,
                "spent": 0,
                "hold": 0,
            }
        }
    assert shop.codes.usable() == set()
    assert shop.functions.topics().count("points/add/hold") == 1
    assert shop.page()["hold"] is None


def test_a_release_by_post_is_the_same_as_by_delete(shop: HoldShop) -> None:
    by_post = shop.functions.sample(RELEASE, "by_post")
    assert (by_post.status, shop.figures(), shop.codes.usable()) == (200, (1250, 0), set())
    assert shop.functions.sample(RELEASE, "by_header").body == by_post.body


@pytest.mark.parametrize("fault", [ShopifyUnavailable(1), ShopifyRefused("no", ("http_403",))])
def test_points_stay_held_while_the_code_may_be_used(
    shop: HoldShop, fault: ShopifyUnavailable | ShopifyRefused
) -> None:
    shop.codes.fault = fault
    answer = shop.functions.sample(RELEASE, "by_header")
    assert problem(answer) == (503, "hold_releasing")
    assert 1 <= int(answer.headers["Retry-After"]) <= 600
    assert shop.figures() == (750, 500)
    shown = shop.page()["hold"]
    assert (shown["state"], shown["discount_code"]) == ("releasing", None), "not given out again"
    assert shop.functions.sample(RELEASE, "by_header").status == 200
    assert (shop.figures(), shop.codes.usable()) == ((1250, 0), set())


def test_a_hold_whose_time_is_over_is_released(shop: HoldShop) -> None:
    shop.move(600)
    answer = shop.functions.sample(RELEASE, "by_header")
    assert (answer.status, answer.body["figures"]["approved"]) == (200, 1250)
    assert shop.functions.invoke("hold_release", {})["entries"] <= 1
    assert shop.functions.topics().count("points/add/hold") == 1


def test_another_customers_hold_is_no_hold_at_all(shop: HoldShop) -> None:
    request = event(RELEASE, "by_header")
    request["headers"]["authorization"] = f"Bearer {token(OTHER_CUSTOMER)}"
    foreign = shop.functions.request(RELEASE, request)
    unknown = shop.functions.sample(RELEASE, "unknown_hold")
    assert problem(foreign) == problem(unknown) == (404, "hold_not_found")
    assert foreign.body == unknown.body, "no hint whether it exists"
    assert shop.figures() == (750, 500)
    assert len(shop.codes.usable()) == 1


@pytest.mark.parametrize(
    "hold_id",
    ["", " ", "../holds", "0" * 10_000, "\0", "é", "\ud83d", "%2F..", "H#1", "' OR 1=1", "{}"],
)
def test_a_hold_id_may_be_anything(shop: HoldShop, hold_id: str) -> None:
    assert problem(shop.release(hold_id)) == (404, "hold_not_found")


def test_points_that_an_order_has_used_do_not_come_back(shop: HoldShop) -> None:
    shop.capture(shop.page()["hold"]["discount_code"])
    assert shop.page()["figures"]["spent"] == 500
    answer = shop.functions.sample(RELEASE, "by_header")
    assert problem(answer) == (409, "hold_captured")
    assert problem(shop.functions.sample(CREATE, "by_header")) == (409, "hold_captured")
    assert shop.page()["figures"]["spent"] == 500
