"""The app's page: every status has a sentence in each language, and no value becomes markup."""

from typing import get_args

import pytest

from pointbook.page.app_page import NOT_READY, TEXTS, app_page
from pointbook.page.locale import Locale
from pointbook.shopify.app_launch import Launch

STATUSES = [*Launch, NOT_READY]


@pytest.mark.parametrize("locale", get_args(Locale))
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_sentence_in_each_language(locale: Locale, status: str) -> None:
    page = app_page(locale, status, "demo.myshopify.com")
    assert f'<html lang="{locale}">' in page
    assert f'data-part="{status}"' in page
    named = status in (Launch.CONNECTED, Launch.OTHER_SHOP)
    assert ("demo.myshopify.com" in page) is named
    assert "{" not in page.partition("</style>")[2], "a placeholder is left"


def test_no_two_statuses_have_the_same_sentence() -> None:
    for texts in TEXTS.values():
        assert len({texts.sentence(status, "") for status in STATUSES}) == len(STATUSES)


def test_a_shops_name_is_shown_as_text() -> None:
    page = app_page("en", Launch.CONNECTED, '<b>"&')
    assert "&lt;b&gt;&quot;&amp; is connected." in page
