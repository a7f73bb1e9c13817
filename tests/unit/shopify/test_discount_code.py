import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.settings import Secrets
from pointbook.shopify.discount_code import derive_code, hold_id_of, is_our_code
from pointbook.shopify.projection import OUR_CODE

SECRET = b"0123456789abcdef0123456789abcdef"
SHOP = "demo.myshopify.com"
CUSTOMER = "8840734670934"
CODE = derive_code(SECRET, SHOP, CUSTOMER, "checkout-1")

requests_made = st.tuples(
    st.sampled_from([SHOP, "other.myshopify.com"]),
    st.from_regex("[1-9][0-9]{0,19}", fullmatch=True),
    st.text(max_size=64),
)


def test_a_code_is_the_same_in_every_release() -> None:
    """A repetition after a deployment has to find the code that was given out before."""
    assert CODE == "PTS-BK7J-7FAK-AXGG-ZNDF"
    assert hold_id_of(CODE) == "a5bd8becd6020ca8c2882630966b5462"


@given(requests_made)
def test_a_code_has_its_shape_and_no_look_alikes(made: tuple[str, str, str]) -> None:
    code = derive_code(SECRET, *made)
    assert re.fullmatch("PTS(-[2-9A-HJKMNP-TV-Z]{4}){4}", code)
    assert code == derive_code(SECRET, *made)
    assert is_our_code(code)
    assert is_our_code(code.lower())


@given(requests_made, requests_made)
def test_other_requests_have_other_codes(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    same = derive_code(SECRET, *one) == derive_code(SECRET, *other)
    assert same == (one == other)


def test_another_secret_gives_another_code() -> None:
    assert derive_code(SECRET + b"x", SHOP, CUSTOMER, "checkout-1") != CODE


def test_what_is_joined_cannot_be_shifted() -> None:
    assert derive_code(SECRET, SHOP, "12", "3") != derive_code(SECRET, SHOP, "1", "23")
    assert derive_code(SECRET, SHOP, "1", "2\x003") != derive_code(SECRET, SHOP, "1", "2")
    with pytest.raises(ValueError, match="no zero bytes"):
        derive_code(SECRET, SHOP, "1\x002", "3")


def test_without_a_secret_there_is_no_code() -> None:
    with pytest.raises(ValueError, match="the secret is empty"):
        derive_code(b"", SHOP, CUSTOMER, "checkout-1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PTS",
        "PTS-",
        CODE[:-1],
        CODE + "X",
        CODE + "\n",
        " " + CODE,
        CODE.replace("PTS", "PTZ"),
        CODE.replace("-", ""),
        CODE.replace("-", "–"),
        CODE[:-1] + "0",
        CODE[:-1] + "O",
        CODE[:-1] + "\u017f",  # an s to Python's IGNORECASE
        CODE[:-1] + "\u212a",  # the Kelvin sign, a k to it
        "SUMMER-SALE",
    ],
)
def test_what_has_another_shape_is_not_ours(text: str) -> None:
    assert not is_our_code(text)


def test_a_hold_is_found_by_its_code_in_any_case() -> None:
    assert re.fullmatch("[0-9a-f]{32}", hold_id_of(CODE))
    assert hold_id_of(CODE.lower()) == hold_id_of(CODE)
    assert hold_id_of(CODE[:-1]) != hold_id_of(CODE)


def test_the_code_passes_through_a_webhooks_projection() -> None:
    assert OUR_CODE.read(CODE) == CODE


def test_the_key_of_the_codes_is_not_the_secret_that_it_comes_from() -> None:
    secret = "a-my-page-secret-of-0123456789abcdef"
    key = Secrets(client_secret="x", my_page_secret=secret).hold_code_key()
    assert len(key) == 32
    assert key not in secret.encode()
    assert key != Secrets(client_secret="x", my_page_secret=secret + "x").hold_code_key()
