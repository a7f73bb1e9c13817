"""Take pictures of the staff's screens, for the documentation, on the stack that runs here.

    make run DETACH=1 && make build-extensions && .venv/bin/python -m tools.make_staff_pictures

`docs/pictures/staff-<locale>.png` is the app's own page with a customer, `pos-<locale>.png` a sale.
"""

import os
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from local import demo
from local.options import Options
from local.stack import Stack
from tools.make_pictures import CHROMIUM, DOCUMENTED, FLAGS, LOCALES

_CUSTOMER = list(demo.CUSTOMERS)[1]
_WAIT_MS = 20_000


def main() -> None:
    """Take all of them."""
    stack = Stack.read(Options.from_env(os.environ).stack_file)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for locale in LOCALES:
            page = browser.new_page(viewport={"width": 760, "height": 900})
            page.set_default_timeout(_WAIT_MS)
            _customer(page, stack, locale)
            page.screenshot(path=DOCUMENTED / f"staff-{locale}.png", full_page=True)
            _sale(page, stack, locale)
            page.screenshot(path=DOCUMENTED / f"pos-{locale}.png", full_page=True)
            page.close()
        browser.close()


def _open(page: Page, stack: Stack, **query: str) -> None:
    page.goto(f"{stack.front_url}/staff?{urlencode(query)}")


def _customer(page: Page, stack: Stack, locale: str) -> None:
    _open(page, stack, locale=locale)
    page.locator("#search input").fill(demo.CUSTOMERS[_CUSTOMER])
    page.locator("#search-act button").click()
    page.locator("#found button").first.click()
    page.locator("#history s-text").first.wait_for()


def _sale(page: Page, stack: Stack, locale: str) -> None:
    target = "pos.home.modal.render"
    _open(page, stack, locale=locale, target=target, id=_CUSTOMER, subtotal="300")
    page.locator("#use-all").wait_for()


if __name__ == "__main__":
    main()
