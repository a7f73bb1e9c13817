"""Chromium for tests, and what they look for on every page."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.options import ROOT
from tools.make_pictures import CHROMIUM, FLAGS

TIMEOUT_MS = 20_000
"""How long something may take to appear: a first call starts a function."""

PICTURES = ROOT / ".local" / "pictures"
AXE = ROOT / ".local" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as the pictures of the documentation are taken with."""
    assert Path(CHROMIUM).exists(), "Chromium is missing: run `make browser`"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=TIMEOUT_MS)
        yield chromium
        expect.set_options(timeout=None)
        chromium.close()


@contextmanager
def without_script_errors(page: Page) -> Iterator[Page]:
    """The page, which is closed afterwards; a script error fails the test."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(TIMEOUT_MS)
    yield page
    page.close()
    assert errors == []


def violations(page: Page, rule: str = "") -> list[str]:
    """What axe-core finds, by all rules or by one."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    by = {"type": "rule", "values": [rule]} if rule else {"type": "tag", "values": TAGS}
    options = {"runOnly": by}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


def picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=os.fspath(PICTURES / f"{name}.png"))
