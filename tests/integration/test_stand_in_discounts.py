"""What Shopify enforces, the stand-in enforces too: the rest of test_stand_ins.py's promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.stand_ins.server import StandIn
from local.stand_ins.shopify import App, ShopifyService
from local.stand_ins.shopify_schema import SCHEMA_FILE
from tests.integration.test_stand_ins import (
    CREATE,
    CUSTOMER,
    DEACTIVATE,
    DELETE,
    FIND,
    OTHER_SHOP,
    SHOP,
    Admin,
    Serving,
    discount,
)

CODE = "PTS-7K3M9QX2"


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with Serving(ShopifyService(App((SHOP, OTHER_SHOP)), SCHEMA_FILE)) as server:
        yield server


@pytest.fixture
def shopify(server: StandIn) -> Iterator[Admin]:
    admin = Admin(server.url, SHOP)
    yield admin
    admin.reset()
    for kept in requests.get(f"{admin.url}/_discounts", timeout=5).json():
        admin.payload(DELETE, id=kept["id"])


def redeem(shopify: Admin, **order: object) -> requests.Response:
    return requests.post(f"{shopify.url}/_redeem", json=order, timeout=5)


def test_of_many_checkouts_with_one_code_one_gets_it(shopify: Admin) -> None:
    shopify.create()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: shopify.redeem(CODE).status_code, range(24)))
    assert sorted(answers) == [200] + [422] * 23


def test_a_customer_uses_a_code_once_even_if_it_may_be_used_more_often(shopify: Admin) -> None:
    shopify.create(usageLimit=5, context={"all": "ALL"})
    assert shopify.redeem(CODE).status_code == 200
    assert shopify.redeem(CODE).json() == {"message": "the customer has used the code before"}
    assert shopify.redeem(CODE, "gid://shopify/Customer/1").status_code == 200


def test_customers_chosen_in_the_old_way_are_kept_to_as_well(shopify: Admin) -> None:
    chosen = {"customers": {"add": [CUSTOMER]}}
    assert shopify.create(context=..., customerSelection=chosen)["userErrors"] == []
    assert shopify.redeem(CODE, "gid://shopify/Customer/1").status_code == 422
    assert shopify.redeem(CODE).status_code == 200


@pytest.mark.parametrize("context", [{}, {"all": "ALL", "customers": {"add": [CUSTOMER]}}])
def test_buyers_are_of_exactly_one_kind(shopify: Admin, context: dict[str, Any]) -> None:
    answer = shopify.run(CREATE, discount=discount(context=context))
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VARIABLE"]


def test_a_code_is_taken_in_its_own_shop(shopify: Admin) -> None:
    shopify.create()
    elsewhere = redeem(shopify, code=CODE, customer_id=CUSTOMER, shop=OTHER_SHOP)
    assert (elsewhere.status_code, elsewhere.json()) == (422, {"message": "no such code"})
    assert redeem(shopify, code=CODE, customer_id=CUSTOMER, shop=SHOP).status_code == 200


@pytest.mark.parametrize("shop", ["nobody.myshopify.com", ["list"], {"a": 1}, 5])
def test_a_shop_that_is_not_there_is_not_found(shopify: Admin, shop: object) -> None:
    assert redeem(shopify, code=CODE, customer_id=CUSTOMER, shop=shop).status_code == 404


def test_half_a_surrogate_pair_breaks_no_log(shopify: Admin) -> None:
    shopify.post(FIND, {"code": "\ud83d"})
    assert shopify.log()[-1]["variables"] == {"code": "\ud83d"}


def test_a_discount_titled_with_half_a_surrogate_pair_is_listed(shopify: Admin) -> None:
    shopify.create(title="\udc00")
    (kept,) = requests.get(f"{shopify.url}/_discounts", timeout=5).json()
    assert kept["codeDiscount"]["title"] == "\udc00"


def test_who_is_told_to_come_back_later_is_told_when(shopify: Admin) -> None:
    shopify.behave(fail_with=429, times=1)
    answer = shopify.post(FIND, {"code": CODE})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")


def test_a_dropped_reply_of_switching_off_is_done_all_the_same(shopify: Admin) -> None:
    gid = shopify.create()["codeDiscountNode"]["id"]
    shopify.behave(drop_reply=True, times=1)
    with pytest.raises(requests.ConnectionError):
        shopify.post(DEACTIVATE, {"id": gid})
    assert shopify.redeem(CODE).json() == {"message": "the code is EXPIRED"}
