"""The fake Shopify enforces Shopify's rules for discount codes; see also test_fakes.py."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.integration.test_fakes import (
    CREATE,
    CUSTOMER,
    FIND,
    OTHER_SHOP,
    SHOP,
    Admin,
    discount,
)

CODE = "PTS-7K3M9QX2"


def redeem(shopify: Admin, **order: object) -> requests.Response:
    return requests.post(f"{shopify.url}/_redeem", json=order, timeout=5)


def test_of_many_concurrent_checkouts_with_one_code_one_succeeds(shopify: Admin) -> None:
    shopify.create()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: shopify.redeem(CODE).status_code, range(24)))
    assert sorted(answers) == [200] + [422] * 23


def test_a_customer_uses_a_code_once_even_if_it_may_be_used_more_often(shopify: Admin) -> None:
    shopify.create(usageLimit=5, context={"all": "ALL"})
    assert shopify.redeem(CODE).status_code == 200
    assert shopify.redeem(CODE).json() == {"message": "the customer has used the code before"}
    assert shopify.redeem(CODE, "gid://shopify/Customer/1").status_code == 200


def test_customer_selection_in_the_deprecated_form_is_enforced(shopify: Admin) -> None:
    chosen = {"customers": {"add": [CUSTOMER]}}
    assert shopify.create(context=..., customerSelection=chosen)["userErrors"] == []
    assert shopify.redeem(CODE, "gid://shopify/Customer/1").status_code == 422
    assert shopify.redeem(CODE).status_code == 200


@pytest.mark.parametrize("context", [{}, {"all": "ALL", "customers": {"add": [CUSTOMER]}}])
def test_buyers_are_of_exactly_one_kind(shopify: Admin, context: dict[str, Any]) -> None:
    answer = shopify.run(CREATE, discount=discount(context=context))
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VARIABLE"]


def test_a_code_is_redeemed_in_its_own_shop_only(shopify: Admin) -> None:
    shopify.create()
    elsewhere = redeem(shopify, code=CODE, customer_id=CUSTOMER, shop=OTHER_SHOP)
    assert (elsewhere.status_code, elsewhere.json()) == (422, {"message": "no such code"})
    assert redeem(shopify, code=CODE, customer_id=CUSTOMER, shop=SHOP).status_code == 200


@pytest.mark.parametrize("shop", ["nobody.myshopify.com", ["list"], {"a": 1}, 5])
def test_an_unknown_shop_is_not_found(shopify: Admin, shop: object) -> None:
    assert redeem(shopify, code=CODE, customer_id=CUSTOMER, shop=shop).status_code == 404


def test_a_lone_surrogate_does_not_break_the_log(shopify: Admin) -> None:
    shopify.post(FIND, {"code": "\ud83d"})
    assert shopify.log()[-1]["variables"] == {"code": "\ud83d"}


def test_a_discount_with_a_lone_surrogate_in_its_title_is_listed(shopify: Admin) -> None:
    shopify.create(title="\udc00")
    (stored,) = requests.get(f"{shopify.url}/_discounts", timeout=5).json()
    assert stored["codeDiscount"]["title"] == "\udc00"


def test_a_429_has_a_retry_after_header(shopify: Admin) -> None:
    shopify.behave(fail_with=429, times=1)
    answer = shopify.post(FIND, {"code": CODE})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")
