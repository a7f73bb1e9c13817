from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pointbook.domain.programme_rules import DiscountKind
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import Answer
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.discounts import Discount, Discounts, differences, discount_input
from tests.fakes.admin_api import (
    BASE_URL,
    BROKEN_OFF,
    Scripted,
    ScriptedCalls,
    StandingClock,
    Tokens,
    answer,
    data,
)

GID = "gid://shopify/DiscountCodeNode/1"
DISCOUNT = Discount(
    code="PTS-BK7J-7FAK-AXGG-ZNDF",
    points=1500,
    amount_minor=1500,
    currency="JPY",
    customer_id="8840734670934",
    starts_at=datetime(2026, 11, 22, 3, 0, 0, 999_000, UTC),
    ends_at=datetime(2026, 11, 22, 3, 10, 0, 999_000, UTC),
    hold_id="0123456789abcdef0123456789abcdef",
    combines_with=(DiscountKind.PRODUCT, DiscountKind.SHIPPING),
)


def kept(**changes: Any) -> dict[str, Any]:
    """The discount as Shopify shows it."""
    amount = {"amount": "1500.0", "currencyCode": "JPY"}
    return {
        "status": "ACTIVE",
        "endsAt": "2026-11-22T03:10:00Z",
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "tags": ["pointbook", "loyalty"],
        "context": {"customers": [{"id": "gid://shopify/Customer/8840734670934"}]},
        "customerGets": {"value": {"amount": amount, "appliesOnEachItem": False}},
    } | changes


def worth(amount: str, currency: str) -> dict[str, Any]:
    return {"value": {"amount": {"amount": amount, "currencyCode": currency}}}


def node(**changes: Any) -> dict[str, Any]:
    return {"id": GID, "codeDiscount": kept(**changes)}


def created(**changes: Any) -> Answer:
    payload = {"codeDiscountNode": node(**changes), "userErrors": []}
    return data("discountCodeBasicCreate", payload)


def found(**changes: Any) -> Answer:
    return data("codeDiscountNodeByCode", node(**changes))


def refused(root: str, code: str) -> Answer:
    error = {"field": ["id"], "message": "no", "code": code}
    return data(root, {"codeDiscountNode": None, "userErrors": [error]})


NOT_FOUND = data("codeDiscountNodeByCode", None)
TAKEN = refused("discountCodeBasicCreate", "TAKEN")
SWITCHED_OFF = data("discountCodeDeactivate", {"codeDiscountNode": {"id": GID}, "userErrors": []})
NO_SUCH = refused("discountCodeDeactivate", "INVALID")


class Shop:
    """A shop's discounts against a script."""

    def __init__(self, *script: Scripted) -> None:
        self.calls = ScriptedCalls(*script)
        clock = StandingClock()
        self.discounts = Discounts(AdminApi(BASE_URL, Tokens(), self.calls, clock))

    def create(self) -> str:
        gid = self.discounts.create(DISCOUNT)
        assert self.calls.done()
        return gid

    def creation_refused(self) -> ShopifyRefused:
        with pytest.raises(ShopifyRefused) as refusal:
            self.create()
        assert self.calls.done()
        return refusal.value

    def deactivate(self) -> bool:
        """Whether there was such a code."""
        existed = self.discounts.deactivate(DISCOUNT.code)
        assert self.calls.done()
        return existed


def test_a_discount_is_written_as_shopify_reads_it() -> None:
    assert discount_input(DISCOUNT) == {
        "title": "1,500 points, hold 0123456789abcdef0123456789abcdef",
        "code": "PTS-BK7J-7FAK-AXGG-ZNDF",
        "startsAt": "2026-11-22T03:00:00+00:00",
        "endsAt": "2026-11-22T03:10:00+00:00",
        "context": {"customers": {"add": ["gid://shopify/Customer/8840734670934"]}},
        "customerGets": {
            "value": {"discountAmount": {"amount": "1500", "appliesOnEachItem": False}},
            "items": {"all": True},
        },
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "combinesWith": {
            "orderDiscounts": False,
            "productDiscounts": True,
            "shippingDiscounts": True,
        },
        "tags": ["loyalty", "pointbook"],
    }


@pytest.mark.parametrize("kinds", [(), (DiscountKind.ORDER,), tuple(DiscountKind)])
def test_a_code_combines_with_what_the_programme_says(kinds: tuple[DiscountKind, ...]) -> None:
    given = discount_input(replace(DISCOUNT, combines_with=kinds))
    allowed = {kind for kind in DiscountKind if given["combinesWith"][f"{kind}Discounts"]}
    assert allowed == set(kinds)


def test_cents_are_written_as_decimals() -> None:
    given = discount_input(replace(DISCOUNT, currency="USD", amount_minor=1999))
    assert given["customerGets"]["value"]["discountAmount"]["amount"] == "19.99"


def test_a_code_never_outlives_its_hold_in_whatever_zone_the_end_is_given() -> None:
    tokyo = timezone(timedelta(hours=9))
    given = discount_input(replace(DISCOUNT, ends_at=DISCOUNT.ends_at.astimezone(tokyo)))
    assert given["endsAt"] == "2026-11-22T03:10:00+00:00"


@pytest.mark.parametrize("customer_id", ["", "0123", "gid://shopify/Customer/1", "1 OR 2"])
def test_only_a_customers_digits_become_a_customer(customer_id: str) -> None:
    with pytest.raises(ValueError, match="are not the digits of a customer id"):
        discount_input(replace(DISCOUNT, customer_id=customer_id))


def test_a_new_discount_has_an_id() -> None:
    assert Shop(created()).create() == GID


def test_a_discount_that_is_there_already_is_adopted() -> None:
    assert Shop(TAKEN, found()).create() == GID


def test_a_discount_whose_reply_was_lost_is_adopted() -> None:
    assert Shop(BROKEN_OFF, TAKEN, found()).create() == GID


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"customerGets": worth("1500.01", "JPY")}, "amount"),
        ({"customerGets": worth("odd", "JPY")}, "amount"),
        ({"customerGets": {"value": {}}}, "amount"),
        ({"customerGets": None}, "amount"),
        ({"context": {"customers": [{"id": "gid://shopify/Customer/1"}]}}, "customer"),
        ({"context": {}}, "customer"),
        (
            {
                "context": {
                    "customers": [
                        {"id": "gid://shopify/Customer/8840734670934"},
                        {"id": "gid://shopify/Customer/1"},
                    ]
                }
            },
            "customer",
        ),
        (
            {
                "customerGets": {
                    "value": worth("1500.0", "JPY")["value"] | {"appliesOnEachItem": True}
                }
            },
            "amount",
        ),
        ({"endsAt": "2026-11-22T03:10:01Z"}, "end"),
        ({"endsAt": None}, "end"),
        ({"usageLimit": None}, "usage limit"),
        ({"usageLimit": 2}, "usage limit"),
        ({"tags": ["loyalty"]}, "tags"),
    ],
)
def test_a_code_that_stands_for_something_else_is_not_adopted(
    changes: dict[str, Any], differing: str
) -> None:
    assert differences(kept(**changes), DISCOUNT) == [differing]
    refusal = Shop(TAKEN, found(**changes)).creation_refused()
    assert refusal.code == "code_taken_by_another"
    assert f"its {differing} differ" in str(refusal)
    assert DISCOUNT.code not in str(refusal), "a code is as good as money"


def test_a_discount_of_another_kind_is_not_adopted() -> None:
    other = data("codeDiscountNodeByCode", {"id": GID, "codeDiscount": {}})
    assert Shop(TAKEN, other).creation_refused().code == "code_taken_by_another"


def test_a_taken_code_that_is_not_to_be_found_is_unknown() -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(TAKEN, NOT_FOUND).create()


@pytest.mark.parametrize("before", [[], [TAKEN]])
def test_a_shop_that_reckons_in_another_currency_gets_no_code(before: list[Answer]) -> None:
    """500 yen must not become 500 dollars: what was made is switched off again."""
    in_dollars = {"customerGets": worth("1500.0", "USD")}
    made = found(**in_dollars) if before else created(**in_dollars)
    shop = Shop(*before, made, SWITCHED_OFF)
    refusal = shop.creation_refused()
    assert refusal.code == "currency_mismatch"
    assert shop.calls.bodies()[-1]["variables"] == {"id": GID}


def test_a_code_in_another_currency_that_cannot_be_switched_off_is_unknown() -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(created(customerGets=worth("1500.0", "USD")), *[answer({}, 503)] * 5).create()


def test_a_code_in_another_currency_that_may_not_be_switched_off_is_unknown() -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(created(customerGets=worth("1500.0", "USD")), answer({}, 403)).create()


def test_a_taken_code_that_may_not_be_looked_up_is_unknown() -> None:
    """It may be the very code that an earlier try has made."""
    with pytest.raises(ShopifyUnavailable):
        Shop(TAKEN, answer({}, 403)).create()


@pytest.mark.parametrize("payload", [None, {"codeDiscountNode": None, "userErrors": []}])
def test_a_creation_that_is_neither_made_nor_refused_is_unknown(payload: object) -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(data("discountCodeBasicCreate", payload)).create()


def test_another_refusal_is_certain() -> None:
    refusal = Shop(refused("discountCodeBasicCreate", "INVALID")).creation_refused()
    assert (refusal.code, refusal.reasons) == ("shopify_refused", ("INVALID",))


def test_another_refusal_after_a_lost_reply_is_unknown() -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(BROKEN_OFF, refused("discountCodeBasicCreate", "INVALID")).create()


# --- switching off --------------------------------------------------------------------------------


def test_a_code_is_found_and_switched_off() -> None:
    shop = Shop(found(), SWITCHED_OFF)
    assert shop.deactivate()
    asked = [body["variables"] for body in shop.calls.bodies()]
    assert asked == [{"code": DISCOUNT.code}, {"id": GID}]


def test_a_code_that_has_not_begun_is_switched_off_as_well() -> None:
    assert Shop(found(status="SCHEDULED"), SWITCHED_OFF).deactivate()


def test_a_code_that_is_not_there_is_off() -> None:
    assert not Shop(NOT_FOUND).deactivate()


def test_a_code_that_has_ended_is_off() -> None:
    assert Shop(found(status="EXPIRED")).deactivate()


def test_a_code_that_is_deleted_meanwhile_is_off() -> None:
    assert Shop(found(), NO_SUCH, NOT_FOUND).deactivate()


def test_a_code_that_is_still_there_is_not_off() -> None:
    with pytest.raises(ShopifyRefused):
        Shop(found(), NO_SUCH, found()).deactivate()


def test_a_code_that_may_not_be_switched_off_is_not_off() -> None:
    with pytest.raises(ShopifyRefused):
        Shop(found(), answer({}, 403)).deactivate()


def test_a_code_that_nobody_knows_of_is_not_off() -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(*[answer({}, 503)] * 5).deactivate()
