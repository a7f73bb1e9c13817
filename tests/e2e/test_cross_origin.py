"""Pages of other origins call the API of the running stack, in a real browser.

The stack has two addresses here: its own, which `AllowedOrigins` names, and a relay on another
port, which it does not. Ports make origins different, but not sites: the browser sends a cookie of
127.0.0.1 to both, as it sends one of a shop's domain to every host below it.
"""

import threading
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from local import signing
from local.relay import Relay
from local.stack import Stack
from tests.e2e.calls import points
from tests.support.ports import free_port

BLANK = "/points.css"
"""A document without scripts."""

CALL = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        const requestId = answer.headers.get("X-Request-Id");
        return { origin, status: answer.status, body: await answer.json(), requestId };
    } catch (error) {
        return { origin, refused: error.name };
    }
}"""

REFUSED_BY_THE_BROWSER = {"refused": "TypeError"}


@pytest.fixture(scope="module")
def other_url(stack: Stack) -> Iterator[str]:
    """The address of the same stack under another origin."""
    port = free_port()
    own = urlsplit(stack.front_url)
    assert own.hostname is not None
    assert own.port is not None
    with Relay(("127.0.0.1", port), (own.hostname, own.port)) as relay:
        thread = threading.Thread(target=relay.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        relay.shutdown()
        thread.join()


@pytest.fixture
def context(browser: Browser, stack: Stack, customer: str) -> Iterator[BrowserContext]:
    """A browser in which the customer is logged in by cookie."""
    context = browser.new_context()
    token = signing.session_token(customer)
    context.add_cookies([{"name": "sessionToken", "value": token, "url": stack.front_url}])
    yield context
    context.close()


def page_of(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url + BLANK)
    return page


def sandbox(page: Page) -> Frame:
    """A frame whose origin is null, as that of Shopify's extensions."""
    page.evaluate(
        """() => {
            const frame = document.createElement("iframe");
            frame.sandbox = "allow-scripts";
            frame.srcdoc = "<p>An extension</p>";
            const loaded = new Promise((resolve) => { frame.onload = resolve; });
            document.documentElement.append(frame);
            return loaded;
        }"""
    )
    element = page.query_selector("iframe")
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    return frame


def call(where: Page | Frame, url: str, **options: Any) -> dict[str, Any]:
    """What a script gets."""
    answer: dict[str, Any] = where.evaluate(
        CALL, [f"{url}/api/v1/customers/me{_path(options)}", options]
    )
    return answer


def _path(options: dict[str, Any]) -> str:
    return str(options.pop("path", "/points"))


def hold(where: Page | Frame, url: str, **options: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    headers |= options.pop("headers", {})
    body = '{"points": 500}'
    return call(where, url, path="/holds", method="POST", headers=headers, body=body, **options)


def reads_and_writes(where: Page | Frame, url: str, origin: str, **options: Any) -> None:
    """Read the points, hold some and give them back."""
    read = call(where, url, **options)
    assert (read["origin"], read["status"]) == (origin, 200)
    assert read["body"]["figures"]["approved"] == 1250
    assert read["requestId"], "a header that scripts may read"
    held = hold(where, url, **options)
    assert (held["status"], held["body"]["figures"]["hold"]) == (201, 500)
    path = f"/holds/{held['body']['hold_id']}"
    released = call(where, url, path=path, method="DELETE", **options)
    assert (released["status"], released["body"]["figures"]["hold"]) == (200, 0)


def test_a_page_that_is_allowed_reads_and_writes_with_its_customers_cookie(
    context: BrowserContext, stack: Stack, other_url: str
) -> None:
    page = page_of(context, stack.front_url)
    reads_and_writes(page, other_url, stack.front_url, credentials="include")


def test_my_pages_script_sends_the_cookie_to_another_origin_if_it_is_told_to(
    context: BrowserContext, stack: Stack, other_url: str
) -> None:
    page = page_of(context, stack.front_url)
    script = """async ([url, cookie]) => {
        const { pointsApi } = await import("/points-api.js");
        const asked = pointsApi(url, undefined, cookie ?? undefined).points("en");
        return asked.then((points) => points.figures.approved, (problem) => problem.code);
    }"""
    url = f"{other_url}/api/v1"
    assert page.evaluate(script, [url, "include"]) == 1250
    assert page.evaluate(script, [url, None]) == "token_missing"


def test_a_page_without_an_origin_reads_and_writes_with_a_session_token(
    context: BrowserContext, stack: Stack, other_url: str, customer: str
) -> None:
    bearer = {"Authorization": f"Bearer {signing.session_token(customer)}"}
    for url in (stack.front_url, other_url):
        frame = sandbox(page_of(context, stack.front_url))
        reads_and_writes(frame, url, "null", credentials="omit", headers=bearer)


@pytest.mark.parametrize("sandboxed", [False, True])
def test_any_other_page_gets_nothing_by_cookie(
    context: BrowserContext, stack: Stack, other_url: str, customer: str, *, sandboxed: bool
) -> None:
    page = page_of(context, other_url)
    where = sandbox(page) if sandboxed else page
    foreign = "null" if sandboxed else other_url
    refused = {"origin": foreign, **REFUSED_BY_THE_BROWSER}
    assert call(where, stack.front_url, credentials="include") == refused
    assert hold(where, stack.front_url, credentials="include") == refused
    assert points(stack, customer)["hold"] is None


def test_a_form_of_another_page_is_sent_with_the_cookie_and_refused(
    context: BrowserContext, stack: Stack, other_url: str, customer: str
) -> None:
    """A form needs no preflight, and its answer can be looked at; its page cannot read it."""
    page = page_of(context, other_url)
    page.evaluate(
        """(url) => {
            const form = document.createElement("form");
            Object.assign(form, { action: url, method: "post", enctype: "text/plain" });
            document.documentElement.append(form);
            form.submit();
        }""",
        f"{stack.front_url}/api/v1/customers/me/holds",
    )
    page.wait_for_url(f"{stack.front_url}/api/**")
    expect(page.locator("body")).to_contain_text("origin_not_allowed")
    assert points(stack, customer)["hold"] is None


def test_a_page_that_is_not_allowed_reads_with_a_session_token(
    context: BrowserContext, stack: Stack, other_url: str, customer: str
) -> None:
    bearer = {"Authorization": f"Bearer {signing.session_token(customer)}"}
    page = page_of(context, other_url)
    reads_and_writes(page, stack.front_url, other_url, credentials="omit", headers=bearer)
