"""The app's page in a real browser, at the address that Shopify opens from the admin."""

import hashlib
import hmac

import pytest
from playwright.sync_api import Browser, expect

from local import demo
from local.stack import Stack
from tests.support.browser import picture


def address(stack: Stack, secret: str) -> str:
    """Where Shopify sends a browser of the demo shop's admin."""
    query = f"host=YWRtaW4&shop={demo.SHOP_DOMAIN}&timestamp=1790000000"
    digest = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{stack.api_url}/?{query}&hmac={digest}"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "is connected"), ("ja", "接続されています")]
)
def test_a_merchant_who_opens_the_app_reads_that_the_shop_is_connected(
    browser: Browser, stack: Stack, language: str, words: str
) -> None:
    page = browser.new_page(locale=language)
    answer = page.goto(address(stack, demo.CLIENT_SECRET))
    assert answer is not None
    assert answer.status == 200
    expect(page.locator("[data-part=connected]")).to_contain_text(words)
    picture(page, f"app-page-{language}")
    page.close()


def test_a_client_secret_of_another_app_is_seen_at_once(browser: Browser, stack: Stack) -> None:
    page = browser.new_page(locale="en")
    page.goto(address(stack, "the-secret-of-another-app-0123456789"))
    expect(page.locator("[data-part=wrong_signature]")).to_contain_text("client secret")
    page.close()
