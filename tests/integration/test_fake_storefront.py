"""The fake shop's own pages: a link puts a discount code into the visitor's cart."""

import pytest
import requests

from tests.integration.test_fakes import CUSTOMER, OTHER_SHOP, SHOP, Admin

CODE = "PTS-7K3M9QX2"


def opened(shopify: Admin, path: str) -> requests.Response:
    """What a visitor with cookies sees in the end."""
    with requests.Session() as visitor:
        return visitor.get(f"{shopify.url}{path}", timeout=5)


def test_the_link_leads_to_a_cart_with_the_discount(shopify: Admin) -> None:
    shopify.create()
    cart = opened(shopify, f"/discount/{CODE}?redirect=%2Fcart")
    assert cart.url == f"{shopify.url}/cart"
    assert cart.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "\u2212¥500" in cart.text
    assert "¥2,500" in cart.text


def test_each_shop_has_its_own_codes(shopify: Admin) -> None:
    shopify.create()
    for shop, shown in ((SHOP, "\u2212¥500"), (OTHER_SHOP, "not valid")):
        with requests.Session() as visitor:
            visitor.get(f"{shopify.url}/{shop}/discount/{CODE}?redirect=%2Fcart", timeout=5)
            assert shown in visitor.get(f"{shopify.url}/{shop}/cart", timeout=5).text


def test_a_code_that_was_used_or_never_was_is_not_valid_in_the_cart(shopify: Admin) -> None:
    shopify.create()
    assert shopify.redeem(CODE, CUSTOMER).status_code == 200
    for code in (CODE, "PTS-UNKNOWN", "%3Cb%3E"):
        cart = opened(shopify, f"/discount/{code}?redirect=/cart").text
        assert "not valid" in cart
        assert "<b>" not in cart


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example"])
def test_the_link_leads_to_no_other_shop(shopify: Admin, target: str) -> None:
    answer = requests.get(
        f"{shopify.url}/discount/{CODE}",
        params={"redirect": target},
        timeout=5,
        allow_redirects=False,
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_cart_without_a_code_has_its_full_price(shopify: Admin) -> None:
    cart = requests.get(f"{shopify.url}/cart", timeout=5).text
    assert "Discount" not in cart
    assert cart.count("¥3,000") == 2
