"""Which language a customer gets."""

import pytest

from pointbook.page.locale import Locale, choose_locale


@pytest.mark.parametrize(
    ("requested", "accepted", "locale"),
    [
        (None, None, "en"),
        ("ja", "en", "ja"),
        ("ja-JP", None, "ja"),
        ("EN_gb", "ja", "en"),
        ("fr", "ja", "ja"),
        ("", "ja", "ja"),
        (None, "ja", "ja"),
        (None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, "en;q=0.5, ja;q=0.9", "ja"),
        (None, "fr, ja;q=0.3", "ja"),
        (None, "en, ja", "en"),
        (None, "ja, en", "ja"),
        (None, "ja;q=0, fr", "en"),
        (None, "*, ja;q=0.5", "en"),
        (None, "*;q=0.1, ja;q=0.5", "ja"),
        (None, "jan, jav", "en"),
    ],
)
def test_the_language_that_the_customer_chose_decides(
    requested: str | None, accepted: str | None, locale: Locale
) -> None:
    assert choose_locale(requested, accepted, "en") == locale


@pytest.mark.parametrize("accepted", [None, "", "fr", "*", "en;q=0"])
def test_without_a_supported_language_the_default_is_shown(accepted: str | None) -> None:
    assert choose_locale("fr", accepted, "ja") == "ja"
    assert choose_locale("en", accepted, "ja") == "en"


@pytest.mark.parametrize(
    "nonsense", ["ja;q=x", "ja;q=2", "ja;q=-1", "ja;q=nan", "ja;x=1", ";;;", ",,,", "\x00"]
)
def test_an_unreadable_language_is_ignored(nonsense: str) -> None:
    assert choose_locale(None, nonsense, "en") == "en"


def test_only_the_beginning_of_an_endless_header_is_read() -> None:
    assert choose_locale(None, "fr," * 100_000 + "ja", "en") == "en"
