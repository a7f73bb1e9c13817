"""Take the pictures of my page in `docs/pictures/`: in each language, with and without a hold.

    make pictures                PORT=8090 if another stack is running

On a stack of its own, which begins empty, so that its clock may pass days between the entries.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Browser, FloatRect, Page, Route, expect, sync_playwright

from local import signing
from local.options import ROOT
from local.stack import Stack

PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"

WIDTH = 840
TIMEOUT_SECONDS = 30
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Person:
    """A customer whose page is pictured; `reasons` are those of `HAPPENED`, in their language."""

    customer_id: str
    locale: str
    name: str
    reasons: tuple[str, ...]
    hold_button: str


PEOPLE = (
    Person(
        "8840734671001",
        "en",
        "Aoi Sato",
        ("Welcome", "Order #1001", "Exchanged for a mug", "Review of a product"),
        "Get a discount code",
    ),
    Person(
        "8840734671002",
        "ja",
        "佐藤 葵",
        ("ご入会特典", "ご注文 #1001", "マグカップとの交換", "商品レビューの投稿"),
        "クーポンコードを発行する",
    ),
)

HAPPENED: tuple[tuple[str, Mapping[str, object], float], ...] = (
    ("grant", {"points": 100}, 2.9),
    ("grant", {"points": 1400}, 5.9),
    ("consume", {"points": 300}, 3.8),
    ("grant", {"points": 50, "days_to_expire": 60}, 0.1),
)
"""Action, its properties, and the days that pass after it."""

AVAILABLE_POINTS = 1250
HELD_POINTS = 500


def main() -> None:
    """Start a stack, take the pictures and stop it."""
    with own_stack() as stack, sync_playwright() as playwright:
        live(stack)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for person in PEOPLE:
            take(browser, stack, person)
        browser.close()


@contextlib.contextmanager
def own_stack() -> Iterator[Stack]:
    """Run an empty stack in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "DETACH": "1", "LOCAL_DIRECTORY": directory}
        try:
            _local("run", environment)
            yield Stack.read(Path(directory) / "stack.json")
        finally:
            _local("stop", environment)


def live(stack: Stack) -> None:
    """Create the history that the pages show."""
    for person in PEOPLE:
        member = {
            "member_number": person.customer_id,
            "balance": AVAILABLE_POINTS,
            "expires_on": "2027-12-31",
            "rank": "gold",
        }
        _post(f"{stack.till_stand_in_url}/_member", member)
    offset_seconds = 0
    for number, (action, properties, days) in enumerate(HAPPENED):
        for person in PEOPLE:
            whose = {"customer_id": person.customer_id, "reason": person.reasons[number]}
            run_action(stack, action, {**whose, **properties})
        offset_seconds += int(days * DAY_SECONDS)
        _post(f"{stack.front_url}/_clock", {"offset_seconds": offset_seconds})


def run_action(stack: Stack, action: str, properties: Mapping[str, object]) -> None:
    """Run the action `grant` or `consume` as Flow does."""
    body = signing.flow_request(f"{action}-points", properties, str(uuid.uuid4()))
    signed = {"X-Shopify-Hmac-Sha256": signing.flow_signature(body)}
    url = stack.function_urls[f"flow_action_{action}"]
    requests.post(url, data=body, headers=signed, timeout=TIMEOUT_SECONDS).raise_for_status()


def take(browser: Browser, stack: Stack, person: Person) -> None:
    """Take both pictures of one customer's page."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": 900},
        device_scale_factor=1.5,
        locale=person.locale,
        timezone_id="Asia/Tokyo",
    )
    expect.set_options(timeout=TIMEOUT_SECONDS * 1000)

    def log_in(route: Route) -> None:
        token = signing.session_token(person.customer_id)
        route.fulfill(json={"name": person.name, "session_token": token})

    page.route("**/_login", log_in)
    page.goto(stack.front_url)
    expect(page.locator(".pb-figures dd").first).to_have_text(f"{AVAILABLE_POINTS:,}")
    picture(page, f"my-page-{person.locale}")
    page.locator(".pb-input").fill(str(HELD_POINTS))
    page.get_by_role("button", name=person.hold_button).click()
    expect(page.locator(".pb-code")).to_have_text(re.compile("PTS-"))
    # Until the points are read again, the page counts down by the browser's clock, not the stack's.
    expect(page.get_by_role("timer")).to_have_text(re.compile("^(09|10):..$"))
    expect(page.locator(".pb-what")).to_have_count(len(HAPPENED) + 1)
    page.evaluate("document.activeElement.blur()")
    picture(page, f"my-page-hold-{person.locale}")
    page.close()


def picture(page: Page, name: str) -> None:
    """Take a picture of the page without the switch of demo customers below it."""
    height = page.locator("footer").bounding_box()
    assert height is not None
    clip: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": height["y"]}
    page.screenshot(path=os.fspath(PICTURES / f"{name}.png"), full_page=True, clip=clip)


def _local(command: str, environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "local", command], cwd=ROOT, env=environment, check=True)


def _post(url: str, content: Mapping[str, object]) -> None:
    requests.post(url, json=content, timeout=TIMEOUT_SECONDS).raise_for_status()


if __name__ == "__main__":
    main()
