"""A launch of the app: only Shopify's signature shows that it comes from a shop's admin."""

import dataclasses
import hashlib
import hmac

import pytest

from pointbook.shopify.app_keys import AppKeys
from pointbook.shopify.app_launch import Launch, is_launch, sign_launch, verify_launch
from tests.support.forge import KEYS, OTHER_SHOP, PREVIOUS_SECRET, SECRET, SHOP, STRANGERS_SECRET

type Query = list[tuple[str, str]]

PLAIN: Query = [("shop", SHOP), ("timestamp", "1337178173"), ("host", "YWRtaW4")]
SPECIAL: Query = [*PLAIN, ("session", "a b/c=d&e"), ("locale", "ja")]


def signed(query: Query, message: str, secret: str = SECRET) -> Query:
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return [*query, ("hmac", digest)]


def launched(secret: str = SECRET, shop: str = SHOP) -> Query:
    query = [("timestamp", "1337178173"), ("shop", shop)]
    return signed(query, f"shop={shop}&timestamp=1337178173", secret)


def test_the_signature_is_the_one_of_shopifys_documentation() -> None:
    query = [
        ("code", "0907a61c0c8d55e99db179b68161bc00"),
        ("hmac", "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20"),
        ("shop", "some-shop.myshopify.com"),
        ("timestamp", "1337178173"),
    ]
    assert sign_launch(query, "hush") == dict(query)["hmac"]


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS_SECRET])
@pytest.mark.parametrize("shop", [SHOP, OTHER_SHOP])
def test_a_signed_launch_of_a_shop_of_the_stack_is_connected(secret: str, shop: str) -> None:
    assert verify_launch(launched(secret, shop), KEYS) == (Launch.CONNECTED, shop)


def test_a_shop_that_the_stack_does_not_serve_is_named_as_such() -> None:
    shop = "stranger.myshopify.com"
    assert verify_launch(launched(shop=shop), KEYS) == (Launch.OTHER_SHOP, shop)


@pytest.mark.parametrize(
    "message",
    [
        f"host=YWRtaW4&locale=ja&session=a+b%2Fc%3Dd%26e&shop={SHOP}&timestamp=1337178173",
        f"host=YWRtaW4&locale=ja&session=a b/c=d&e&shop={SHOP}&timestamp=1337178173",
    ],
)
def test_special_characters_may_be_signed_encoded_or_decoded(message: str) -> None:
    assert verify_launch(signed(SPECIAL, message), KEYS) == (Launch.CONNECTED, SHOP)


@pytest.mark.parametrize(
    "query",
    [
        launched(STRANGERS_SECRET),
        [*PLAIN, ("hmac", "")],
        [*PLAIN, ("hmac", "é")],
        [("shop", OTHER_SHOP), *launched()[0:1], *launched()[2:]],
        [*launched(), ("shop", SHOP)],
        [*launched(), ("hmac", "00")],
        [*launched(), ("added", "1")],
        [(name, value.upper() if name == "hmac" else value) for name, value in launched()],
    ],
)
def test_what_shopify_did_not_sign_proves_no_shop(query: Query) -> None:
    assert verify_launch(query, KEYS) == (Launch.WRONG_SIGNATURE, "")


def test_without_a_secret_nothing_is_signed() -> None:
    empty: AppKeys = dataclasses.replace(KEYS, client_secret="", client_secret_previous="")
    assert verify_launch(launched(), empty) == (Launch.WRONG_SIGNATURE, "")


def test_only_a_signature_makes_an_address_a_launch() -> None:
    assert is_launch(launched())
    assert not is_launch(PLAIN)
