from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from pointbook.domain.money import decimal_text, exponent, minor_of

CURRENCIES = ["JPY", "KRW", "USD", "EUR", "TWD", "KWD"]


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("JPY", 0), ("KRW", 0), ("ISK", 0), ("USD", 2), ("EUR", 2), ("HUF", 2), ("KWD", 3)],
)
def test_a_currency_has_the_decimals_that_iso_4217_gives_it(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize(
    "currency",
    [
        *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"),
        *("XAF", "XOF", "XPF", "BHD", "JOD", "KWD", "LYD", "OMR", "TND", "CHF", "GBP", "SGD"),
    ],
)
def test_another_library_counts_the_same_decimals(currency: str) -> None:
    assert exponent(currency) == get_currency_precision(currency)


@pytest.mark.parametrize("currency", ["", "jpy", "JP", "JPYX", "¥", "JPY\n"])
def test_what_is_no_currency_is_named_with_an_example(currency: str) -> None:
    with pytest.raises(ValueError, match="give a code such as JPY"):
        exponent(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1980", "JPY", 1980),
        ("1980.00", "JPY", 1980),
        ("19.80", "USD", 1980),
        ("19.8", "USD", 1980),
        ("1.234", "KWD", 1234),
        ("0.5", "JPY", 1),
        ("0.4999", "JPY", 0),
        ("-0.5", "JPY", -1),
        ("19.805", "USD", 1981),
        ("-19.805", "USD", -1981),
        ("2.5", "JPY", 3),
        (Decimal("33.3") + Decimal("33.3") + Decimal("33.4"), "JPY", 100),
        (Decimal("1E+3"), "JPY", 1000),
    ],
)
def test_an_amount_is_rounded_once_and_a_half_counts_as_one(
    amount: Decimal | str, currency: str, minor: int
) -> None:
    assert minor_of(amount, currency) == minor


@pytest.mark.parametrize(
    "amount",
    [
        *("", "1,980", " 1", "1e3", "NaN", "Infinity", "+1", ".5", "5.", "１", "1" * 16, "1\n"),
        *(19.8, None, 5, True),
        *(Decimal("NaN"), Decimal("-Infinity"), Decimal(10**15)),
    ],
)
def test_what_is_no_amount_is_refused_with_what_to_give(amount: Any) -> None:
    with pytest.raises(ValueError, match="is not an amount; give"):
        minor_of(amount, "JPY")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (500, "JPY", "500"),
        (500, "USD", "5.00"),
        (5, "USD", "0.05"),
        (0, "USD", "0.00"),
        (-5, "USD", "-0.05"),
        (1234, "KWD", "1.234"),
        (-7, "JPY", "-7"),
    ],
)
def test_minor_units_are_written_as_shopify_reads_them(
    minor: int, currency: str, text: str
) -> None:
    assert decimal_text(minor, currency) == text


@given(st.integers(-(10**12), 10**12), st.sampled_from(CURRENCIES))
def test_what_is_written_is_read_as_the_same_amount(minor: int, currency: str) -> None:
    assert minor_of(decimal_text(minor, currency), currency) == minor
