"""Shopify's extensions as they are bundled, in a real browser, against the running stack.

A UI extension runs in a frame whose origin is null, as at Shopify, on elements that stand for
Shopify's; the theme's section in a page of the shop, through an app proxy that passes on GET and
POST and no header of ours.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Frame, Page, Route, expect

from local import demo, signing
from local.options import ROOT
from local.stack import Stack
from pointbook.shopify.app_proxy import sign_query
from tests.e2e.calls import figures, must_flow, new_customer, new_order, post, wait_until
from tests.e2e.fake_shopify import FakeShopify
from tests.support.browser import without_script_errors
from tests.support.hold_orders import order_payload

BUNDLES = ROOT / ".local" / "extensions"
EXTENSIONS = ROOT / "shopify" / "extensions"
HOST = (Path(__file__).parent / "extension_host.js").read_text(encoding="utf-8")

PAGE = "customer-account.page.render"
PROFILE = "customer-account.profile.block.render"
ORDER = "customer-account.order-status.block.render"
CHECKOUT = "purchase.checkout.reductions.render-after"
FOLDERS = {
    PAGE: "points-page",
    PROFILE: "points-blocks",
    ORDER: "points-blocks",
    CHECKOUT: "points-checkout",
}


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A page of any origin."""
    with without_script_errors(browser.new_page()) as page:
        page.goto(f"{stack.front_url}/points.css")
        yield page


def texts(folder: str, locale: str) -> dict[str, str]:
    """The extension's own texts, by their whole keys."""
    name = "en.default.json" if locale == "en" else f"{locale}.json"
    content = json.loads((EXTENSIONS / folder / "locales" / name).read_text(encoding="utf-8"))
    nested = {key: part for key, part in content.items() if isinstance(part, dict)}
    inner = {f"{key}.{name}": text for key, part in nested.items() for name, text in part.items()}
    return {key: text for key, text in content.items() if isinstance(text, str)} | inner


@dataclass
class Hosted:
    """An extension of one customer in Shopify's place; `stored` is its storage."""

    page: Page
    stack: Stack
    customer: str

    def show(
        self,
        target: str,
        locale: str = "en",
        stored: dict[str, Any] | None = None,
        **more: Any,
    ) -> Frame:
        """Show the bundled extension in a new frame of the origin null."""
        folder = FOLDERS[target]
        host = {
            "target": target,
            "locale": locale,
            "texts": texts(folder, locale),
            "settings": {"api_url": self.stack.api_url},
            "token": signing.session_token(self.customer),
            "stored": stored or {},
            "customer": {"id": f"gid://shopify/Customer/{self.customer}"},
            **more,
        }
        bundle = (BUNDLES / f"{folder}.js").read_text(encoding="utf-8")
        run = f"HOST.targets[{json.dumps(target)}]()"
        scripts = (f"const HOST = {json.dumps(host)};", HOST, bundle, run)
        escaped = (script.replace("</script", "<\\/script") for script in scripts)
        document = "<!doctype html><body>" + "".join(
            f"<script>{script}</script>" for script in escaped
        )
        self.page.evaluate(
            """(document_) => {
                document.querySelector("iframe")?.remove();
                const frame = document.createElement("iframe");
                frame.sandbox = "allow-scripts";
                frame.srcdoc = document_;
                const loaded = new Promise((resolve) => { frame.onload = resolve; });
                document.documentElement.append(frame);
                return loaded;
            }""",
            document,
        )
        element = self.page.query_selector("iframe")
        assert element is not None
        frame = element.content_frame()
        assert frame is not None
        assert frame.evaluate("origin") == "null"
        return frame


@pytest.fixture
def hosted(page: Page, stack: Stack, customer: str) -> Hosted:
    return Hosted(page, stack, customer)


def test_a_customer_sees_holds_copies_and_returns_points_on_the_page(
    hosted: Hosted, stack: Stack, customer: str
) -> None:
    frame = hosted.show(PAGE)
    expect(frame.locator("#headline")).to_have_text("1,250 points")
    expect(frame.locator("#worth")).to_contain_text("¥1,250")
    expect(frame.locator("#history")).to_contain_text("Welcome")
    frame.get_by_label("Points to use").fill("５００")
    frame.get_by_role("button", name="Get a discount code").click()
    expect(frame.locator("#code")).to_contain_text("PTS-")
    assert (figures(stack, customer)["approved"], figures(stack, customer)["hold"]) == (750, 500)
    code = frame.locator("#code").inner_text()
    expect(frame.locator("#code-worth")).to_contain_text("¥500")
    link = urlsplit(frame.locator("#cart-link").get_attribute("href") or "")
    assert (link.hostname, link.path) == (demo.SHOP_DOMAIN, f"/discount/{code}")
    frame.get_by_role("button", name="Copy code").click()
    assert frame.evaluate("HOST.copied") == code

    frame = hosted.show(PAGE, locale="ja", stored=frame.evaluate("HOST.stored"))  # a reload
    expect(frame.locator("#code")).to_have_text(code)
    expect(frame.locator("#held")).to_contain_text("500ポイント")
    frame.get_by_role("button", name="取り消してポイントを戻す").click()
    expect(frame.locator("#headline")).to_have_text("1,250 ポイント")
    expect(frame.locator("#code")).to_have_count(0)
    assert (figures(stack, customer)["approved"], figures(stack, customer)["hold"]) == (1250, 0)


def test_a_customer_who_comes_back_to_the_page_sees_the_points_as_they_are_now(
    hosted: Hosted, stack: Stack, customer: str
) -> None:
    frame = hosted.show(PAGE)
    expect(frame.locator("#headline")).to_have_text("1,250 points")
    frame.evaluate("shopify.extension.rendered.value = false")
    must_flow(stack, "grant", customer, run="while away", points=100)
    frame.evaluate("shopify.extension.rendered.value = true")
    expect(frame.locator("#headline")).to_have_text("1,350 points")


def test_a_request_that_a_reload_interrupted_is_carried_out_once(
    hosted: Hosted, stack: Stack, customer: str
) -> None:
    frame = hosted.show(PAGE)
    expect(frame.locator("#headline")).to_be_visible()
    pressed = """() => {
        fetch = () => new Promise(() => {});  // the answer never comes
        document.querySelector("#use").shadowRoot.querySelector("button").click();
        return new Promise((resolve) => setTimeout(() => resolve(HOST.stored), 100));
    }"""
    stored = frame.evaluate(pressed)
    for _ in range(2):
        frame = hosted.show(PAGE, stored=stored)
        expect(frame.locator("#code")).to_contain_text("PTS-")
    assert figures(stack, customer)["hold"] == 1250


def test_what_the_shop_cannot_do_is_told_and_points_are_as_before(
    hosted: Hosted, stack: Stack, customer: str
) -> None:
    shopify = FakeShopify(stack)
    frame = hosted.show(PAGE)
    expect(frame.locator("#headline")).to_be_visible()
    shopify.behave(fail_with=503)
    try:
        frame.get_by_role("button", name="Get a discount code").click()
        expect(frame.locator("#message")).to_contain_text("No points were taken")
    finally:
        assert shopify.post("_reset", {}) < 400
    expect(frame.locator("#headline")).to_have_text("1,250 points")
    wait_until(lambda: figures(stack, customer)["hold"] == 0)


def test_the_profile_shows_the_points_and_leads_to_their_page(hosted: Hosted) -> None:
    frame = hosted.show(PROFILE)
    expect(frame.locator("#headline")).to_have_text("1,250 points")
    expect(frame.locator("#page")).to_have_text("Use points and see your history")


def test_an_orders_page_shows_the_points_of_this_order_to_its_customer_alone(
    hosted: Hosted, stack: Stack, customer: str
) -> None:
    order = new_order()
    shown = {"id": f"gid://shopify/Order/{order}"}
    frame = hosted.show(ORDER, order=shown)
    expect(frame.locator("s-section")).to_contain_text("will appear here shortly")
    now_ms = int(time.time() * 1000)
    post(stack, "orders/paid", order_payload(order, "", 0, customer, now_ms, left=2500))
    expect(frame.locator("s-section")).to_contain_text("Earned: 25 points")
    frame = hosted.show(ORDER, locale="ja", order=shown)
    expect(frame.locator("s-section")).to_contain_text("獲得：25ポイント")
    another = Hosted(hosted.page, stack, new_customer())
    must_flow(stack, "grant", another.customer, points=1)
    frame = another.show(ORDER, order=shown)
    expect(frame.locator("s-section")).to_contain_text("will appear here shortly")
    assert "25" not in frame.locator("body").inner_text()


def test_one_press_in_the_checkout_makes_a_code_and_applies_it(
    hosted: Hosted, stack: Stack, customer: str
) -> None:
    frame = hosted.show(CHECKOUT, subtotal={"amount": 800, "currencyCode": "JPY"})
    frame.get_by_role("button", name="Use 800 points").click()
    expect(frame.locator("#applied")).to_have_text("800 points are used on this order.")
    (added,) = frame.evaluate("HOST.changes")
    assert figures(stack, customer)["hold"] == 800
    (discount,) = FakeShopify(stack).discounts(customer)
    assert (added["type"], added["code"]) == ("addDiscountCode", discount["code"])
    frame.get_by_role("button", name="Don't use points").click()
    wait_until(lambda: figures(stack, customer)["hold"] == 0)
    expect(frame.get_by_role("button", name="Use 800 points")).to_be_enabled()
    assert frame.evaluate("HOST.changes")[1:] == [{"type": "removeDiscountCode", **_code(added)}]


def _code(change: dict[str, str]) -> dict[str, str]:
    return {"code": change["code"]}


# --- the theme's section --------------------------------------------------------------------------


@dataclass
class Proxy:
    """Shopify's app proxy, as it has to be expected: GET and POST, and no header of the page's."""

    stack: Stack
    customer: str
    calls: list[str]

    def __call__(self, route: Route) -> None:
        """Sign who is logged in, and pass the request on."""
        request = route.request
        self.calls.append(request.method)
        if request.method not in {"GET", "POST"}:
            route.fulfill(status=405)
            return
        asked = urlsplit(request.url)
        query = [
            *parse_qsl(asked.query),
            ("shop", demo.SHOP_DOMAIN),
            ("logged_in_customer_id", self.customer),
            ("path_prefix", "/apps/points"),
            ("timestamp", str(int(time.time()))),
        ]
        signed = [*query, ("signature", sign_query(query, demo.CLIENT_SECRET))]
        path = asked.path.removeprefix("/apps/points")
        answer = requests.request(
            request.method,
            f"{self.stack.api_url}/v1{path}?{urlencode(signed)}",
            data=request.post_data_buffer,
            headers={"Content-Type": request.headers.get("content-type", "")},
            timeout=30,
        )
        route.fulfill(status=answer.status_code, body=answer.content)


def test_the_themes_section_works_through_an_app_proxy_with_get_and_post_alone(
    page: Page, stack: Stack, customer: str
) -> None:
    assets = EXTENSIONS / "points-section" / "assets"
    script, style = ((assets / f"points.{kind}").read_text("utf-8") for kind in ("js", "css"))
    section = '<div data-pointbook="/apps/points" data-locale="en"></div>'
    head = f"<!doctype html><title>Shop</title><style>{style}</style>"
    document = f"{head}{section}<script>{script}</script>"
    proxy = Proxy(stack, customer, [])
    page.route(
        "**/pages/points", lambda route: route.fulfill(body=document, content_type="text/html")
    )
    page.route("**/apps/points/**", proxy)
    page.goto(f"{stack.front_url}/pages/points")
    expect(page.locator("[data-part=headline]")).to_contain_text("1,250")
    page.get_by_role("button", name="Get a discount code").click()
    expect(page.locator("[data-part=code]")).to_contain_text("PTS-")
    link = page.locator("[data-part=cart-link]").get_attribute("href") or ""
    assert link.startswith(f"{stack.front_url}/discount/"), "the shop that the customer is in"
    assert figures(stack, customer)["hold"] == 1250
    page.get_by_role("button", name="Cancel and get my points back").click()
    expect(page.get_by_role("button", name="Get a discount code")).to_be_visible()
    assert figures(stack, customer)["hold"] == 0
    assert set(proxy.calls) == {"GET", "POST"}
