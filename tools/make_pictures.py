"""Take pictures of my page: every state in each language, on a phone and a desktop, light and dark.

    make pictures

All of them go to `.local/pictures/my-page`, with an `index.html` that shows them side by side, and
those of the documentation to `docs/pictures`. The states are made up (`tools/page_states.py`), so
no stack has to run.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from local.options import ROOT
from pointbook.page.locale import Locale
from tools.page_states import STATES, open_state, served_page

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TAKEN_AT = "2026-11-30T03:50:12Z"
ALL = ROOT / ".local" / "pictures" / "my-page"
DOCUMENTED = ROOT / "docs" / "pictures"


@dataclass(frozen=True, slots=True)
class Device:
    """A screen."""

    name: str
    width: int
    scale: float = 1


PHONE = Device("phone", 390)
DESKTOP = Device("desktop", 840)
PRINTED = Device("printed", 840, 1.5)

type Scheme = Literal["light", "dark"]

LOCALES: tuple[Locale, ...] = ("en", "ja")
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

IN_DOCS: Mapping[str, tuple[str, Locale]] = {
    "my-page-en": ("points", "en"),
    "my-page-ja": ("points", "ja"),
    "my-page-hold-en": ("hold", "en"),
    "my-page-hold-ja": ("hold", "ja"),
}


def main() -> None:
    """Take all pictures."""
    ALL.mkdir(parents=True, exist_ok=True)
    with served_page() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for number, state in enumerate(STATES, start=1):
            print(f"{number} of {len(STATES)}: {state}", flush=True)
            for locale, device, scheme in product(LOCALES, (PHONE, DESKTOP), SCHEMES):
                name = _name(state, locale, device, scheme)
                take(browser, url, state, locale, device, scheme, ALL / f"{name}.png")
        for name, (state, locale) in IN_DOCS.items():
            take(browser, url, state, locale, PRINTED, "light", DOCUMENTED / f"{name}.png")
        browser.close()
    (ALL / "index.html").write_text("\n".join(_index()), encoding="utf-8")
    print(f"Look at {ALL / 'index.html'}")


def take(
    browser: Browser,
    url: str,
    state: str,
    locale: Locale,
    device: Device,
    scheme: Scheme,
    path: Path,
) -> None:
    """Take one picture."""
    page = browser.new_page(
        viewport={"width": device.width, "height": 700},
        device_scale_factor=device.scale,
        locale=locale,
        color_scheme=scheme,
    )
    page.clock.set_fixed_time(TAKEN_AT)  # the countdown stands still
    open_state(page, url, state, locale)
    _shoot(page, device, path)
    page.close()


def _shoot(page: Page, device: Device, path: Path) -> None:
    """Take the picture without the switch of demo customers below the page."""
    page.evaluate("scrollTo(0, 0)")
    footer = page.locator("footer").bounding_box()
    assert footer is not None
    clip: FloatRect = {"x": 0, "y": 0, "width": device.width, "height": footer["y"]}
    page.screenshot(path=os.fspath(path), full_page=True, clip=clip)


def _name(state: str, locale: str, device: Device, scheme: str) -> str:
    return f"{state}-{locale}-{device.name}-{scheme}"


def _index() -> Iterator[str]:
    """A page that shows the pictures of each state side by side."""
    yield "<!doctype html><meta charset=utf-8><title>My page</title>"
    yield "<style>body{font:1rem sans-serif;background:#888}div{display:flex;gap:1rem}</style>"
    for state in STATES:
        yield f"<h2>{escape(state)}</h2><div>"
        for locale, device, scheme in product(LOCALES, (PHONE, DESKTOP), SCHEMES):
            name = _name(state, locale, device, scheme)
            yield f'<img loading=lazy src="{name}.png" alt="{name}" width={device.width // 2}>'
        yield "</div>"


if __name__ == "__main__":
    main()
