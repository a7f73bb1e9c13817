from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from pointbook.domain.programme_rules import DiscountKind
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import Answer
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.discounts import Discounts, differences, discount_input
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
from tests.support.discounts import DISCOUNT, GID


def shown(**changes: Any) -> dict[str, Any]:
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


def buyers(*gids: str) -> dict[str, Any]:
    return {"context": {"customers": [{"id": gid} for gid in gids]}}


OWNER = "gid://shopify/Customer/8840734670934"
ON_EACH_ITEM = {"value": worth("1500.0", "JPY")["value"] | {"appliesOnEachItem": True}}


def node(**changes: Any) -> dict[str, Any]:
    return {"id": GID, "codeDiscount": shown(**changes)}


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
        (buyers("gid://shopify/Customer/1"), "customer"),
        ({"context": {}}, "customer"),
        (buyers(OWNER, "gid://shopify/Customer/1"), "customer"),
        ({"customerGets": ON_EACH_ITEM}, "amount"),
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
    assert differences(shown(**changes), DISCOUNT) == [differing]
    refusal = Shop(TAKEN, found(**changes)).creation_refused()
    assert refusal.code == "code_taken_by_another"
    assert f"its {differing} differ" in str(refusal)
    assert DISCOUNT.code not in str(refusal), "a code is as good as money"


def test_a_discount_of_another_kind_is_not_adopted() -> None:
    other = data("codeDiscountNodeByCode", {"id": GID, "codeDiscount": {}})
    assert Shop(TAKEN, other).creation_refused().code == "code_taken_by_another"


@pytest.mark.parametrize("before", [[], [TAKEN]])
def test_a_shop_in_another_currency_gets_no_code(before: list[Answer]) -> None:
    """500 yen must not become 500 dollars: the new discount is deactivated."""
    in_dollars = {"customerGets": worth("1500.0", "USD")}
    made = found(**in_dollars) if before else created(**in_dollars)
    shop = Shop(*before, made, SWITCHED_OFF)
    refusal = shop.creation_refused()
    assert refusal.code == "currency_mismatch"
    assert shop.calls.bodies()[-1]["variables"] == {"id": GID}


IN_DOLLARS = created(customerGets=worth("1500.0", "USD"))


@pytest.mark.parametrize(
    "script",
    [
        [TAKEN, NOT_FOUND],
        [TAKEN, answer({}, 403)],  # it may be the very code that an earlier attempt created
        [IN_DOLLARS, *[answer({}, 503)] * 5],  # which cannot be deactivated
        [IN_DOLLARS, answer({}, 403)],
        [BROKEN_OFF, refused("discountCodeBasicCreate", "INVALID")],
        [data("discountCodeBasicCreate", None)],
        [data("discountCodeBasicCreate", {"codeDiscountNode": None, "userErrors": []})],
    ],
)
def test_a_code_that_may_exist_and_cannot_be_used_is_unavailable(script: list[Scripted]) -> None:
    with pytest.raises(ShopifyUnavailable):
        Shop(*script).create()


def test_another_refusal_is_certain() -> None:
    refusal = Shop(refused("discountCodeBasicCreate", "INVALID")).creation_refused()
    assert (refusal.code, refusal.reasons, refusal.certain) == (
        "shopify_refused",
        ("INVALID",),
        True,
    )


# --- deactivating ---------------------------------------------------------------------------------

UNAVAILABLE = [answer({}, 503)] * 5
FORBIDDEN = answer({}, 403)


def test_a_code_is_found_and_deactivated() -> None:
    shop = Shop(found(), SWITCHED_OFF)
    assert shop.deactivate()
    requests = [body["variables"] for body in shop.calls.bodies()]
    assert requests == [{"code": DISCOUNT.code}, {"id": GID}]


@pytest.mark.parametrize(
    ("script", "existed"),
    [
        ([found(status="SCHEDULED"), SWITCHED_OFF], True),
        ([NOT_FOUND], False),
        ([found(status="EXPIRED")], True),
        ([found(), NO_SUCH, NOT_FOUND], True),  # deleted meanwhile
    ],
)
def test_a_code_that_no_checkout_takes_is_inactive(script: list[Answer], existed: bool) -> None:
    assert Shop(*script).deactivate() == existed


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([found(), NO_SUCH, found()], ShopifyRefused),
        ([found(), FORBIDDEN], ShopifyRefused),
        (UNAVAILABLE, ShopifyUnavailable),
        ([found(), *UNAVAILABLE], ShopifyUnavailable),
    ],
)
def test_a_code_that_may_still_be_used_is_not_inactive(
    script: list[Answer], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Shop(*script).deactivate()
