"""A customer uses points on my page, in a real browser on the running stack."""

import re
import time
import uuid
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from local import signing
from local.stack import Stack
from tests.e2e.calls import (
    bearer,
    figures,
    must_flow,
    new_order,
    pass_time,
    post,
    wait_until,
)
from tests.e2e.fake_shopify import CREATE, FakeShopify
from tests.support.browser import picture, without_script_errors
from tests.support.hold_orders import order_payload

CODE = re.compile(r"PTS(-[2-9A-Z]{4}){4}")
LEFT = re.compile(r"^(9 min \d\d|10 min 00) s left, until \d+:\d\d.[AP]M$")
HOLDS = re.compile(r"/customers/me/holds")
AFTER_AN_UNPAID_ORDER = {
    "approved": 750,
    "pending": 60,
    "total": 810,
    "lifetime": 1250,
    "spent": 500,
    "hold": 0,
}


@pytest.fixture(scope="module")
def context(browser: Browser, stack: Stack) -> BrowserContext:
    """A browser whose clipboard may be used."""
    context = browser.new_context(viewport={"width": 1000, "height": 1250}, locale="en")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.front_url)
    return context


@pytest.fixture
def customer(stack: Stack, customer: str) -> str:
    """Somebody with 1,250 points, here and at the till, whom no other test knows."""
    register(stack, customer, 1250)
    return customer


def register(stack: Stack, customer: str, balance: int) -> None:
    """The till knows the customer with so many points."""
    member = {"member_number": customer, "balance": balance}
    member |= {"expires_on": "2027-03-31", "rank": "gold"}
    answer = requests.post(f"{stack.till_stand_in_url}/_member", json=member, timeout=5)
    answer.raise_for_status()


@pytest.fixture
def page(context: BrowserContext, stack: Stack, customer: str) -> Iterator[Page]:
    """My page of this customer."""

    def log_in(route: Route) -> None:
        session = {"name": "Aoi Sato", "session_token": signing.session_token(customer)}
        route.fulfill(json=session | {"storefront_url": stack.shopify_stand_in_url})

    with without_script_errors(context.new_page()) as page:
        page.route("**/_login", log_in)
        page.goto(stack.front_url)
        yield page


@pytest.fixture
def shopify(stack: Stack) -> Iterator[FakeShopify]:
    """The fake Shopify, which behaves again afterwards."""
    found = FakeShopify(stack)
    yield found
    assert found.post("_reset", {}) < 400


def held(stack: Stack, customer: str) -> tuple[int, int]:
    """What is available, and what is held."""
    found = figures(stack, customer)
    return found["approved"], found["hold"]


def status(page: Page, words: str) -> Locator:
    """A message to the customer, apart from what only screen readers get."""
    return page.locator(".pb-use").get_by_text(words)


def use(page: Page, amount: str) -> None:
    """Ask for a discount code."""
    page.get_by_label("Points to use").fill(amount)
    page.get_by_role("button", name="Get a discount code").click()


def code_of(page: Page) -> str:
    """The code that the page shows."""
    expect(page.locator(".pb-code")).to_have_text(CODE)
    return page.locator(".pb-code").inner_text()


def figure(page: Page, label: str) -> Locator:
    return page.locator(".pb-figures > div", has_text=label).locator("dd")


def entry(page: Page, words: str) -> Locator:
    """Entries of the history that are called so."""
    return page.locator(".pb-what").get_by_text(words, exact=True)


def lines(where: Locator) -> int:
    """On how many lines a text stands."""
    found: int = where.evaluate(
        """found => {
            const text = document.createRange();
            text.selectNodeContents(found);
            return new Set([...text.getClientRects()].map((line) => line.top)).size;
        }"""
    )
    return found


def statuses(stack: Stack, customer: str) -> list[str]:
    """The statuses of the customer's discounts."""
    found = FakeShopify(stack).discounts(customer)
    return [one["codeDiscount"]["status"] for one in found]


def test_points_become_a_code_stay_one_after_a_reload_and_come_back(
    page: Page, stack: Stack, customer: str
) -> None:
    use(page, "500")
    code = code_of(page)
    expect(page.locator("#points")).to_contain_text("¥500 off your order")
    expect(status(page, "500 points reserved for your order")).to_be_focused()
    expect(figure(page, "Available")).to_have_text("750")
    expect(figure(page, "Reserved")).to_have_text("500")
    expect(page.get_by_role("timer")).to_have_text(LEFT)
    (created,) = FakeShopify(stack).discounts(customer)
    discount = created["codeDiscount"]
    assert discount["codes"]["nodes"][0]["code"] == code
    assert discount["customerGets"]["value"]["amount"]["amount"] == "500"
    assert (discount["status"], discount["usageLimit"]) == ("ACTIVE", 1)
    picture(page, "my-page-hold-en")

    page.get_by_role("button", name="Copy code").click()
    expect(page.locator(".pb-ticket")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == code

    page.reload()
    assert code_of(page) == code
    expect(page.locator("#points")).to_contain_text("¥500 off your order")
    page.get_by_role("button", name="日本語").click()
    expect(status(page, "ご注文用に500ポイントをお取り置きしました")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^残り\d+分\d\d秒（\d+:\d\dまで）$"))
    picture(page, "my-page-hold-ja")
    page.get_by_role("button", name="English").click()

    page.get_by_role("button", name="Cancel and get my points back").click()
    expect(status(page, "Your points are back.")).to_be_focused()
    expect(figure(page, "Available")).to_have_text("1,250")
    expect(figure(page, "Reserved")).to_have_text("0")
    assert statuses(stack, customer) == ["EXPIRED"]
    assert held(stack, customer) == (1250, 0)


def test_a_shop_that_cannot_be_reached_leaves_all_points_and_the_next_try_is_a_new_one(
    page: Page, stack: Stack, customer: str, shopify: FakeShopify
) -> None:
    shopify.behave(fail_with=503)
    use(page, "500")
    expect(status(page, "No points were taken.")).to_be_focused()
    assert (held(stack, customer), shopify.discounts(customer)) == ((1250, 0), [])
    shopify.behave()
    use(page, "500")
    code_of(page)
    assert held(stack, customer) == (750, 500)


def test_a_code_that_cannot_be_deactivated_keeps_its_points(
    page: Page, stack: Stack, customer: str, shopify: FakeShopify
) -> None:
    use(page, "500")
    code_of(page)
    shopify.behave(fail_with=503)
    page.get_by_role("button", name="Cancel and get my points back").click()
    expect(status(page, "couldn't be canceled yet")).to_be_visible()
    expect(page.locator(".pb-code")).to_have_count(0)
    assert held(stack, customer) == (750, 500)
    page.reload()
    expect(status(page, "Your 500 points are coming back")).to_be_visible()
    shopify.behave()
    page.get_by_role("button", name="Return them now").click()
    expect(figure(page, "Available")).to_have_text("1,250")


def test_an_invalid_amount_is_explained_beside_the_field(page: Page) -> None:
    for wrong in ("", "0", "-1", "1.5", "many", "1251", "9" * 30):
        use(page, wrong)
        field = page.get_by_label("Points to use")
        expect(field).to_be_focused()
        expect(field).to_have_accessible_description(re.compile("whole number from 1 to 1,250"))


def test_full_width_digits_commas_and_all_points_are_understood(
    page: Page, stack: Stack, customer: str
) -> None:
    page.get_by_label("Points to use").fill("１，０００")
    page.get_by_label("Points to use").press("Enter")
    code_of(page)
    expect(figure(page, "Reserved")).to_have_text("1,000")
    page.get_by_role("button", name="Cancel and get my points back").click()
    page.get_by_role("button", name="Use all").click()
    expect(page.get_by_label("Points to use")).to_have_value("1250")
    page.get_by_role("button", name="Get a discount code").click()
    code_of(page)
    assert held(stack, customer) == (0, 1250)


def test_points_that_were_spent_meanwhile_are_refused_in_words(
    page: Page, stack: Stack, customer: str
) -> None:
    expect(page.get_by_label("Points to use")).to_be_visible()
    must_flow(stack, "consume", customer, points=1000, reason="At the counter")
    use(page, "500")
    expect(status(page, "You no longer have that many points.")).to_be_visible()
    expect(page.locator("#points")).to_contain_text("From 1 to 250.")
    assert FakeShopify(stack).discounts(customer) == []


def test_a_hold_of_another_device_is_shown_in_place_of_a_second_one(
    page: Page, stack: Stack, customer: str
) -> None:
    expect(page.get_by_label("Points to use")).to_be_visible()
    answer = requests.post(
        f"{stack.api_url}/v1/customers/me/holds",
        json={"points": 200},
        headers=bearer(customer) | {"Idempotency-Key": str(uuid.uuid4())},
        timeout=30,
    )
    use(page, "500")
    expect(status(page, "You already have points reserved.")).to_be_visible()
    assert code_of(page) == answer.json()["discount_code"]
    assert held(stack, customer) == (1050, 200)


def test_a_lost_response_and_a_reload_repeat_the_same_request(
    page: Page, stack: Stack, customer: str
) -> None:
    keys: list[str] = []

    def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) < 3:
            route.abort()
        else:
            route.continue_()

    page.route(HOLDS, lose_the_answer)
    use(page, "500")
    expect(status(page, "No response.")).to_be_visible()
    expect(page.get_by_label("Points to use")).to_have_value("500")
    page.get_by_role("button", name="Get a discount code").click()
    expect(status(page, "No response.")).to_be_focused()
    page.reload()
    code_of(page)
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert held(stack, customer) == (750, 500)


@pytest.mark.parametrize(
    ("seconds", "words", "japanese"),
    [(42, "in 42 seconds.", "42秒後に"), (1501, "in 26 minutes.", "26分後に")],
)
def test_a_rate_limited_customer_is_told_in_how_long_to_try_again(
    page: Page, stack: Stack, customer: str, seconds: int, words: str, japanese: str
) -> None:
    def limit(route: Route) -> None:
        headers = {"Retry-After": str(seconds)}
        route.fulfill(status=429, headers=headers, json={"code": "rate_limited"})

    page.route(HOLDS, limit)
    use(page, "500")
    expect(status(page, f"Please try again {words}")).to_be_visible()
    page.get_by_role("button", name="日本語").click()
    expect(status(page, japanese)).to_be_visible()
    page.unroute(HOLDS)
    page.reload()
    expect(page.locator("#pb-amount")).to_be_visible()
    assert held(stack, customer) == (1250, 0), "a reload does not ask for them again"


def test_while_one_request_is_under_way_there_is_no_second(
    page: Page, stack: Stack, customer: str, shopify: FakeShopify
) -> None:
    shopify.behave(latency_ms=3000, match=CREATE, times=1)
    use(page, "500")
    expect(status(page, "Making your discount code")).to_be_focused()
    expect(page.get_by_role("button", name="Get a discount code")).to_be_disabled()
    page.get_by_role("button", name="日本語").click()
    expect(status(page, "クーポンコードを発行しています")).to_be_visible()
    expect(page.locator(".pb-use button:enabled")).to_have_count(0)
    code_of(page)
    assert len(shopify.discounts(customer)) == 1


def test_when_the_time_is_over_the_points_are_back_without_a_word_from_anybody(
    page: Page, stack: Stack, customer: str
) -> None:
    use(page, "500")
    code_of(page)
    pass_time(stack, 594)
    page.reload()
    expect(page.get_by_role("timer")).to_have_text(re.compile("^[1-6] s left, until "))
    expect(status(page, "Time ran out. Points")).to_be_visible()
    expect(figure(page, "Available")).to_have_text("1,250")
    expect(page.get_by_label("Points to use")).to_be_visible()
    assert statuses(stack, customer) == ["EXPIRED"]


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_a_narrow_screen_shows_all_of_it(page: Page, locale: str) -> None:
    use(page, "500")
    code_of(page)
    page.set_viewport_size({"width": 320, "height": 1500})
    name = {"en": "English", "ja": "日本語"}[locale]
    page.get_by_role("button", name=name).click()
    expect(page.locator("html")).to_have_attribute("lang", locale)
    code_of(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for button in page.locator("[data-locale]").all():
        assert lines(button) == 1
    picture(page, f"my-page-hold-narrow-{locale}")


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_ten_digits_fit_a_narrow_screen_and_less_than_nothing_has_a_minus_sign(
    page: Page, stack: Stack, customer: str, locale: str
) -> None:
    for action, moved in (("grant", 1_000_000_000), ("consume", 1_000_000)):
        must_flow(stack, action, customer, points=moved, reason="Much")
    page.set_viewport_size({"width": 320, "height": 1500})
    page.goto(f"{stack.front_url}/?locale={locale}")
    expect(page.locator("[data-part=headline]")).to_have_text("999,001,250")
    page.locator("[data-fold=figures] summary").click()
    unit = {"en": " points", "ja": "ポイント"}[locale]
    expect(page.locator(".pb-number", has_text=f"\u22121,000,000{unit}")).to_be_visible()
    expect(page.locator(".pb-number", has_text=f"+1,000,000,000{unit}")).to_be_visible()
    for number in page.locator(".pb-figures dd, .pb-number").all():
        assert lines(number) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    picture(page, f"my-page-long-numbers-{locale}")


def test_an_order_that_moves_no_available_points_is_shown_in_words(
    page: Page, stack: Stack, customer: str
) -> None:
    use(page, "500")
    now_ms = int(time.time() * 1000)
    order = order_payload(new_order(), code_of(page), 500, customer, now_ms, left=6000)
    post(stack, "orders/create", order | {"financial_status": "pending"})
    wait_until(lambda: figures(stack, customer) == AFTER_AN_UNPAID_ORDER)
    page.goto(f"{stack.front_url}/?locale=en")
    expect(entry(page, "Used")).to_have_count(1)
    expect(entry(page, "Points usable once the order is confirmed")).to_have_count(1)
    expect(page.locator(".pb-rows li")).to_have_count(3)
    page.get_by_role("button", name="日本語").click()
    expect(entry(page, "ポイントのご利用")).to_have_count(1)
    expect(entry(page, "ご注文の確定後に利用可能")).to_have_count(1)


def test_who_has_no_points_is_offered_nothing(page: Page, stack: Stack, customer: str) -> None:
    must_flow(stack, "consume", customer, points=1250, reason="All of them")
    page.reload()
    expect(figure(page, "Available")).to_have_text("0")
    expect(page.get_by_label("Points to use")).to_have_count(0)
    expect(page.get_by_text("Use points")).to_be_hidden()


def test_one_tap_puts_the_code_into_the_cart_and_back_on_my_page_it_is_still_there(
    page: Page, stack: Stack, customer: str
) -> None:
    page.get_by_role("button", name="Get a discount code").click()
    code = code_of(page)
    link = page.locator("[data-part=cart-link]")
    expect(link).to_have_attribute("href", re.compile(rf"/discount/{code}\?redirect=%2Fcart$"))
    link.click()
    expect(page.get_by_role("heading", name="Cart")).to_be_visible()
    expect(page.locator("[data-part=code]")).to_have_text(code)
    expect(page.locator("[data-part=discount]")).to_have_text("\u2212¥1,250")
    expect(page.locator("[data-part=total]")).to_have_text("¥1,750")
    page.go_back()
    assert code_of(page) == code
    page.get_by_role("button", name="Cancel and get my points back").click()
    expect(status(page, "Your points are back.")).to_be_visible()
    page.goto(f"{stack.shopify_stand_in_url}/cart")
    expect(page.locator("[data-part=discount]")).to_have_text("not valid")


def test_a_second_device_shows_the_same_code_what_it_is_worth_and_the_time_that_is_left(
    page: Page, context: BrowserContext, stack: Stack, customer: str
) -> None:
    use(page, "500")
    code = code_of(page)
    other = context.new_page()
    session = {"name": "Aoi Sato", "session_token": signing.session_token(customer)}
    other.route("**/_login", lambda route: route.fulfill(json=session))
    other.goto(stack.front_url)
    assert code_of(other) == code
    expect(other.locator(".pb-ticket")).to_contain_text("¥500 off your order")
    expect(other.locator("[data-part=countdown]")).to_have_text(LEFT)
    expect(other.locator("[data-part=cart-link]")).to_be_visible()
    expect(other.locator("[data-part=headline]")).to_have_text("750")
    other.close()


def test_a_hold_and_its_end_are_one_row_of_the_history(page: Page, customer: str) -> None:
    use(page, "500")
    code_of(page)
    expect(entry(page, "Reserved for your order")).to_have_count(1)
    page.get_by_role("button", name="Cancel and get my points back").click()
    expect(entry(page, "Reserved, then returned")).to_have_count(1)
    expect(page.locator(".pb-rows li")).to_have_count(2)
