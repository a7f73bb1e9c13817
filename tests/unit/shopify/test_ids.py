from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.errors import InvalidRequest
from pointbook.shopify.ids import (
    customer_digits,
    customer_digits_in_gid,
    customer_gid,
    is_customer_digits,
)


@pytest.mark.parametrize(
    "form",
    [
        8840734670934,
        "8840734670934",
        "gid://shopify/Customer/8840734670934",
        "gid://shopify/Customer8840734670934",
    ],
)
def test_every_form_of_a_customer_id_means_the_same_customer(form: object) -> None:
    assert customer_digits(form) == "8840734670934"


@pytest.mark.parametrize("form", [1, "1", "9" * 20, int("9" * 20)])
def test_ids_of_one_to_twenty_digits_are_taken(form: object) -> None:
    assert customer_digits(form) == str(form)


@pytest.mark.parametrize(
    "form",
    [
        *(None, True, 42.0, 0, -42, 10**20, 10**400, "", "0", "007", "-42", "+42", "42.0"),
        *("4e2", "1_000", "1" * 21, " 42", "42 ", "42\n", "４２", "٤٢", "me"),
        *("gid://shopify/Customer/", "gid://shopify/Customer//42"),
        *("gid://shopify/Customer/042", "gid://shopify/customer/42"),
        *("GID://shopify/Customer/42", "gid://shopify/Order/42"),
        *("gid://shopify/CustomerSegment/42", "gid://shopify/Customer/42?x=1"),
        *("gid://shopify/Customer/42/43", "gid://shopify/Customer/４２"),
        *("gid://other/Customer/42", "xgid://shopify/Customer/42", "42#ENTRY", "\ud800"),
        *(["42"], {"id": "42"}, b"42"),
    ],
)
def test_whatever_is_no_customer_id_is_refused_by_name_of_its_field(form: Any) -> None:
    with pytest.raises(InvalidRequest, match="Shopify customer id") as refusal:
        customer_digits(form)
    assert refusal.value.code == "invalid_request"
    assert refusal.value.field == "customer_id"
    assert len(str(refusal.value)) < 200


@given(st.integers(min_value=1, max_value=10**20 - 1))
def test_digits_and_gid_are_two_ways_to_write_one_customer(number: int) -> None:
    digits = customer_digits(number)
    assert customer_digits(customer_gid(digits)) == digits
    assert customer_digits_in_gid(customer_gid(digits)) == digits


@given(st.text())
def test_an_accepted_id_ends_with_the_stored_digits(text: str) -> None:
    try:
        digits = customer_digits(text)
    except InvalidRequest:
        assert not is_customer_digits(text)
    else:
        assert is_customer_digits(digits)
        assert text.endswith(digits)


@pytest.mark.parametrize("other", ["42", "gid://shopify/Customer42", 42, None])
def test_only_the_admin_form_counts_as_a_gid(other: object) -> None:
    assert customer_digits_in_gid(other) is None


def test_a_gid_is_not_made_of_anything_but_digits() -> None:
    with pytest.raises(ValueError, match="not the digits"):
        customer_gid("42 OR 1=1")
