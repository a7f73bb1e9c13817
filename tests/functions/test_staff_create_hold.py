"""The shop's staff hold a customer's points for a sale, as the customer would."""

import json
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.domain.chain import Cause
from pointbook.errors import ShopifyUnavailable
from tests.functions.hold_shop import HoldShop
from tests.support.harness import CUSTOMER, event, message, problem

CREATE = "staff_create_hold"
MANAGER, COUNTER, NEWCOMER = demo.STAFF


@pytest.fixture
def shop(tmp_path: Path) -> HoldShop:
    """A shop with a customer of 1,250 points."""
    return HoldShop(tmp_path)


def request(case: str = "sale", **members: object) -> dict[str, Any]:
    asked = event(CREATE, case)
    return asked | {"body": json.dumps(json.loads(asked["body"]) | members)}


def test_points_become_a_code_for_this_customer_and_the_entry_says_who(shop: HoldShop) -> None:
    held = shop.functions.request(CREATE, request("at_the_counter", by=MANAGER))
    assert held.status == 201
    (discount,) = shop.codes.made.values()
    assert (held.body["discount_code"], held.body["points"]) == (discount.code, 500)
    assert (discount.customer_id, discount.amount_minor) == (CUSTOMER, 500)
    assert shop.figures() == (750, 500)
    booked = shop.functions.entries()[0]
    assert booked.cause == Cause("staff", f"staff:{COUNTER} for staff:{MANAGER}")


def test_a_repetition_gets_the_same_code_and_holds_nothing_more(shop: HoldShop) -> None:
    first = shop.functions.sample(CREATE, "sale")
    again = shop.functions.sample(CREATE, "at_the_counter")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert (shop.figures(), len(shop.codes.made)) == ((750, 500), 1)


def test_a_key_of_the_staffs_is_none_of_the_customers(shop: HoldShop) -> None:
    """Whoever knew the other's key could neither get its code nor stand in its way."""
    key = json.loads(event(CREATE, "sale")["body"])["idempotency_key"]
    own = shop.hold(key, 500).body
    answer = shop.functions.sample(CREATE, "sale")
    assert problem(answer) == (409, "hold_open")
    assert answer.body["hold"]["hold_id"] == own["hold_id"]
    shop.release(own["hold_id"])
    held = shop.functions.sample(CREATE, "sale").body
    assert held["discount_code"] != own["discount_code"]


def test_the_customer_sees_the_hold_and_an_order_spends_it_once(shop: HoldShop) -> None:
    held = shop.functions.sample(CREATE, "sale").body
    assert shop.page()["hold"]["discount_code"] == held["discount_code"]
    shop.capture(held["discount_code"])
    assert shop.page()["figures"]["spent"] == 500
    assert problem(shop.functions.sample(CREATE, "sale")) == (409, "hold_captured")


def test_without_a_discount_nothing_is_held_and_the_entries_name_the_staff(shop: HoldShop) -> None:
    shop.codes.fault = ShopifyUnavailable(1)
    assert problem(shop.functions.sample(CREATE, "sale")) == (503, "hold_failed")
    assert shop.figures() == (1250, 0)
    assert [one.cause.source for one in shop.functions.entries()[:2]] == ["staff", "staff"]
    assert shop.functions.sample("points_history", "by_header").body["entries"][0]["row"] is None


def test_a_customers_data_has_the_hold_and_does_not_name_the_staff(shop: HoldShop) -> None:
    shop.functions.sample(CREATE, "sale")
    assert shop.functions.work("privacy_events", message("customers_data_request")) == []
    (file,) = shop.functions.bucket.objects.values()
    assert "points/sub/hold" in str(file)
    assert MANAGER not in str(file)
