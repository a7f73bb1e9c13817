"""A customer sees the points of their own orders, and of no other."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from local import demo
from pointbook.domain.chain import Cause
from tests.functions.hold_shop import CREATE, HoldShop
from tests.functions.moved import ClockFile
from tests.support.harness import CUSTOMER, Answer, Functions, event, message, problem
from tools.make_events import OTHER_CUSTOMER, token
from tools.shopify_payloads import ORDER

FUNCTION = "order_points"


def ordered(functions: Functions, name: str = "orders_paid", **changes: Any) -> None:
    """The webhook of an order has been worked on."""
    assert functions.work("order_events", message(name, **changes)) == []


def seen_by(functions: Functions, customer: str, order_id: str = str(ORDER)) -> Answer:
    """What a customer is answered."""
    request = event(FUNCTION, "by_header")
    request["headers"]["authorization"] = f"Bearer {token(customer)}"
    request["pathParameters"]["order_id"] = order_id
    return functions.request(FUNCTION, request)


def test_a_paid_order_says_what_it_earned(functions: Functions) -> None:
    ordered(functions)
    answer = seen_by(functions, CUSTOMER)
    assert answer.status == 200
    earned = functions.sample("get_points", "by_header").body["figures"]["approved"]
    assert earned > 0
    assert answer.body == {
        "order_id": str(ORDER),
        "approved": earned,
        "pending": 0,
        "comes_on": None,
        "used": 0,
        "returned": 0,
    }


def test_an_order_whose_payment_is_outstanding_says_what_is_pending_and_not_when(
    functions: Functions,
) -> None:
    ordered(functions, "orders_create", financial_status="pending")
    shown = seen_by(functions, CUSTOMER).body
    assert (shown["approved"], shown["comes_on"]) == (0, None)
    assert shown["pending"] > 0


def test_pending_points_have_their_day_and_count_once_it_has_come(clock: ClockFile) -> None:
    functions = Functions(LOCAL_CLOCK_FILE=str(clock), PROGRAMME_PENDING_DAYS="7")
    ordered(functions, updated_at=datetime.now(UTC).isoformat())
    shown = seen_by(functions, CUSTOMER).body
    assert (shown["approved"], shown["pending"] > 0) == (0, True)
    paid_on = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    assert date.fromisoformat(shown["comes_on"]) - paid_on in {timedelta(7), timedelta(6)}
    clock.move(days=8)
    later = seen_by(functions, CUSTOMER).body
    assert (later["approved"], later["pending"]) == (shown["pending"], 0)
    assert later["comes_on"] is None


def test_the_day_is_that_of_the_shops_calendar() -> None:
    """Half an hour after midnight in Tokyo it is still the day before in London."""
    functions = Functions(PROGRAMME_PENDING_DAYS="7")
    late = (datetime.now(ZoneInfo("Asia/Tokyo")) - timedelta(days=1)).replace(hour=0, minute=30)
    ordered(functions, updated_at=late.isoformat())
    shown = seen_by(functions, CUSTOMER).body
    assert date.fromisoformat(shown["comes_on"]) == late.date() + timedelta(7)


def test_an_order_says_what_it_used_and_what_came_back(tmp_path: Path) -> None:
    shop = HoldShop(tmp_path)
    code = shop.functions.sample(CREATE, "by_header").body["discount_code"]
    discount = {"code": code, "amount": "500", "type": "fixed_amount"}
    ordered(shop.functions, discount_codes=[discount])
    shown = seen_by(shop.functions, CUSTOMER).body
    assert (shown["used"], shown["returned"]) == (500, 0)
    ordered(
        shop.functions,
        "orders_cancelled",
        discount_codes=[discount],
        updated_at="2099-01-01T00:00:00+09:00",
    )
    shown = seen_by(shop.functions, CUSTOMER).body
    assert (shown["used"], shown["returned"]) == (500, 500)
    assert (shown["approved"], shown["pending"]) == (0, 0)


def test_an_order_of_another_customer_and_one_that_does_not_exist_are_told_in_the_same_words(
    functions: Functions,
) -> None:
    ordered(functions)
    foreign = seen_by(functions, OTHER_CUSTOMER)
    unknown = seen_by(functions, OTHER_CUSTOMER, "1")
    assert problem(foreign) == problem(unknown) == (404, "order_not_found")
    assert foreign.body == unknown.body


def test_an_order_without_a_customer_is_nobodys(functions: Functions) -> None:
    ordered(functions, customer=None)
    assert problem(seen_by(functions, CUSTOMER)) == (404, "order_not_found")


def test_an_order_goes_with_its_customer_into_a_merge(functions: Functions) -> None:
    ordered(functions)
    before = seen_by(functions, CUSTOMER).body
    functions.ledger.merge(demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("test"))
    assert seen_by(functions, OTHER_CUSTOMER).body == before


def test_an_order_may_be_named_by_its_gid(functions: Functions) -> None:
    ordered(functions)
    by_gid = seen_by(functions, CUSTOMER, f"gid://shopify/Order/{ORDER}")
    assert by_gid.body == seen_by(functions, CUSTOMER).body


def test_an_erased_customers_order_is_shown_to_nobody(functions: Functions) -> None:
    ordered(functions)
    redact = message("customers_redact")
    assert functions.work("privacy_events", redact) == []
    assert problem(seen_by(functions, CUSTOMER)) == (404, "order_not_found")
