"""The staff's screens in a real browser, on the laptop's stand-in for Shopify's admin and POS.

The bundles are those that Shopify gets; `s-*` elements, `shopify` and the login are the laptop's.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from local import demo
from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import (
    approved,
    figures,
    history,
    must_flow,
    new_customer,
    new_order,
    post,
    wait_until,
)
from tests.e2e.fake_shopify import FakeShopify
from tests.support.browser import violations, without_script_errors
from tests.support.hold_orders import order_payload

MANAGER, COUNTER, NEWCOMER = demo.STAFF

type Show = Callable[..., Page]


@pytest.fixture
def show(browser: Browser, stack: Stack) -> Iterator[Show]:
    """Show an extension."""
    viewed = browser.new_page(viewport={"width": 1000, "height": 900})
    with without_script_errors(viewed) as page:

        def shown(target: str = "admin.app.home.render", **query: str) -> Page:
            page.goto(f"{stack.front_url}/staff?{urlencode({'target': target, **query})}")
            return page

        yield shown


@pytest.fixture
def customer(stack: Stack) -> str:
    """Somebody with 1,000 points whom no other test knows, named and known to Shopify."""
    found = new_customer()
    must_flow(stack, "grant", found, points=1000, reason="Welcome")
    named = {"id": found, "display_name": f"Tester {found}"}
    assert FakeShopify(stack).post("_customer", named) == 200
    return found


def press(page: Page, name: str) -> None:
    page.locator(f"#{name} button").click()


def fill(page: Page, name: str, text: str) -> None:
    page.locator(f"#{name} input").fill(text)


def find(page: Page, text: str, name: str) -> None:
    """Search, and open what is found."""
    fill(page, "search", text)
    press(page, "search-act")
    page.get_by_role("button", name=name).click()


def adjust(page: Page, points: str, reason: str, *, remove: bool = False) -> None:
    """Fill in the form, preview, and confirm with a double click."""
    press(page, "adjust")
    if remove:
        page.get_by_label("Remove").check()
    fill(page, "points", points)
    fill(page, "reason", reason)
    press(page, "main")
    expect(page.locator("#preview")).to_be_visible()
    page.locator("#main button").dblclick()
    expect(page.locator("#booked")).to_be_visible()
    press(page, "adjust-back")


def newest_is(stack: Stack, customer: str, topic: str) -> bool:
    """Whether the last entries, of one order, have this topic among them."""
    return topic in history(stack, customer)[:2]


def order(stack: Stack, customer: str, code: str = "", used: int = 0) -> str:
    """Deliver a paid order, twice, as Shopify may; its number."""
    number = new_order()
    payload = order_payload(number, code, used, customer, int(time.time() * 1000), left=2500)
    for _ in range(2):
        post(stack, "orders/paid", payload)
    return number


def test_a_customer_is_found_by_name_looked_at_and_given_points_once(
    show: Show, stack: Stack, customer: str
) -> None:
    page = show()
    find(page, f"tester {customer}", f"Tester {customer}")
    expect(page.locator("#available")).to_have_text("1,000 points")
    expect(page.locator("#history")).to_contain_text("Added by a workflow")
    adjust(page, "200", "Sorry for the delay")
    expect(page.locator("#available")).to_have_text("1,200 points")
    expect(page.locator("#history")).to_contain_text("Sorry for the delay")
    assert approved(stack, customer) == 1200, "a double click books once"
    adjust(page, "200", "Given to the wrong customer", remove=True)
    expect(page.locator("#available")).to_have_text("1,000 points")
    assert approved(stack, customer) == 1000


def test_an_order_is_explained_on_the_customers_page_and_on_its_own(
    show: Show, stack: Stack, customer: str
) -> None:
    number = order(stack, customer)
    wait_until(lambda: approved(stack, customer) == 1025)
    page = show()
    fill(page, "search", customer)
    press(page, "search-act")
    expect(page.locator("#history")).to_contain_text("Earned with an order")
    page.get_by_role("button", name="Why?").first.click()
    explanation = page.locator("#history").locator("#order-rule")
    expect(explanation).to_contain_text("1 point for every ¥100")
    page.get_by_role("button", name="Close").click()
    expect(explanation).to_have_count(0)
    show("admin.order-details.block.render", id=number)
    expect(page.locator("#order-earned")).to_contain_text("25 points")


def test_an_order_is_found_by_its_name_and_leads_to_its_customer(
    show: Show, stack: Stack, customer: str
) -> None:
    number = new_order()
    name = f"#A-{number[-6:]}"
    payload = order_payload(number, "", 0, customer, int(time.time() * 1000), left=2500)
    assert FakeShopify(stack).post("_order", payload | {"name": name}) == 200
    post(stack, "orders/paid", payload | {"name": name})
    wait_until(lambda: approved(stack, customer) == 1025)
    page = show()
    find(page, name, f"Order {name}")
    expect(page.locator("#order-earned")).to_contain_text("25 points")
    press(page, "to-customer")
    expect(page.locator("#available")).to_have_text("1,025 points")
    expect(page.locator("#extension")).to_contain_text(f"Tester {customer}")


def test_a_code_used_on_two_orders_is_explained_by_both(
    show: Show, stack: Stack, customer: str
) -> None:
    page = at_the_counter(show, customer, subtotal="300")
    press(page, "use-all")
    expect(page.locator("#in-cart")).to_be_visible()
    (code,) = codes(page)
    for name, topic in (("#9001", "points/hold/spent"), ("#9002", "points/sub/hold")):
        payload = order_payload(new_order(), code, 300, customer, int(time.time() * 1000))
        post(stack, "orders/paid", payload | {"name": name})
        wait_until(partial(newest_is, stack, customer, topic))
    page = show()
    fill(page, "search", customer)
    press(page, "search-act")
    shown = page.locator("#history")
    expect(shown).to_contain_text("Held points used on an order")
    expect(shown).to_contain_text("Taken for an order that used the code")
    expect(shown).to_contain_text("Order #9001")
    expect(shown).to_contain_text("Order #9002")


def test_a_past_state_is_shown_and_a_day_to_come_is_not(show: Show, customer: str) -> None:
    page = show()
    fill(page, "search", customer)
    press(page, "search-act")
    fill(page, "as-of", "2026-01-31 09:00")
    press(page, "as-of-act")
    expect(page.locator("#as-of-shown")).to_be_visible()
    expect(page.locator("#available")).to_have_text("0 points")
    fill(page, "as-of", "2099-01-31")
    press(page, "as-of-act")
    expect(page.locator("#as-of")).to_contain_text("that are past")


def test_a_change_of_the_programme_is_tried_without_changing_anything(show: Show) -> None:
    page = show()
    press(page, "nav-programme")
    fill(page, "new-value", "2")
    press(page, "try")
    expect(page.locator("#sample-before")).to_contain_text("100 points")
    expect(page.locator("#sample-after")).to_contain_text("200 points")
    expect(page.locator("#command")).to_contain_text("pointbook programme change rules.toml")
    fill(page, "new-value", "many")
    press(page, "try")
    expect(page.locator("#errors")).to_contain_text("Points per unit: 'many'")
    expect(page.locator("#rule-points_per_unit")).to_contain_text("1")


def test_the_shops_state_and_books_are_there_for_managers_only(show: Show) -> None:
    page = show()
    press(page, "nav-state")
    expect(page.locator("#check")).to_be_visible()
    press(page, "nav-shop")
    expect(page.locator("#month-act")).to_be_visible()
    show(staff=NEWCOMER)
    expect(page.locator("#search")).to_be_visible()
    expect(page.locator("#nav")).to_have_count(0)


def test_who_may_only_look_has_no_form_and_a_customer_may_be_unknown(
    show: Show, customer: str
) -> None:
    page = show(staff=NEWCOMER)
    find(page, f"tester {customer}", f"Tester {customer}")
    expect(page.locator("#available")).to_have_text("1,000 points")
    expect(page.locator("#adjust")).to_have_count(0)
    press(page, "back")
    fill(page, "search", "nobody of this name")
    press(page, "search-act")
    expect(page.locator("#nobody")).to_be_visible()


def test_the_block_on_a_customers_page_opens_the_action(
    show: Show, stack: Stack, customer: str
) -> None:
    page = show("admin.customer-details.block.render", id=customer)
    expect(page.locator("#available")).to_have_text("1,000 points")
    press(page, "adjust")
    fill(page, "points", "50")
    fill(page, "reason", "Sorry")
    press(page, "main")
    press(page, "main")
    expect(page.locator("#booked")).to_be_visible()
    assert approved(stack, customer) == 1050


def test_an_ended_session_says_what_to_do(show: Show) -> None:
    sample = json.loads((ROOT / "events" / "staff_me" / "expired_token.json").read_text("utf-8"))
    ended = sample["headers"]["authorization"].removeprefix("Bearer ")

    def log_in(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(json={"session_token": ended})
        else:
            route.continue_()

    page = show()
    page.route("**/_staff", log_in)
    page.reload()
    expect(page.locator("#problem")).to_contain_text("The session has ended. Open this page again.")
    expect(page.locator("#search")).to_have_count(0)


def test_without_bundles_the_page_says_how_they_are_made(show: Show) -> None:
    page = show()
    page.route("**/extensions/*.js", lambda route: route.abort())
    page.reload()
    expect(page.locator("#extension")).to_contain_text("make build-extensions")


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_on_a_narrow_screen_nothing_is_cut_off(show: Show, customer: str, locale: str) -> None:
    page = show(locale=locale)
    page.set_viewport_size({"width": 390, "height": 844})
    fill(page, "search", customer)
    press(page, "search-act")
    expect(page.locator("#history")).not_to_be_empty()
    for view, there in (
        ("find", "as-of"),
        ("shop", "month-act"),
        ("programme", "try"),
        ("state", "check"),
    ):
        press(page, f"nav-{view}")
        expect(page.locator(f"#{there}")).to_be_visible()
        assert violations(page) == [], view
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_axe_finds_nothing_on_any_of_the_screens(show: Show, customer: str, locale: str) -> None:
    page = show(locale=locale)
    expect(page.locator("#search")).to_be_visible()
    assert violations(page) == []
    fill(page, "search", customer)
    press(page, "search-act")
    expect(page.locator("#history")).not_to_be_empty()
    press(page, "adjust")
    assert violations(page) == []
    for view, there in (("shop", "month-act"), ("programme", "try"), ("state", "check")):
        press(page, f"nav-{view}")
        expect(page.locator(f"#{there}")).to_be_visible()
        assert violations(page) == [], view
    show("pos.home.modal.render", locale=locale, id=customer, subtotal="800")
    expect(page.locator("#use-all")).to_be_visible()
    assert violations(page) == []


def test_everything_can_be_done_by_keyboard(show: Show, stack: Stack, customer: str) -> None:
    page = show()
    expect(page.locator("#search")).to_be_visible()
    page.locator("#search input").focus()
    page.keyboard.type(customer)
    page.keyboard.press("Enter")
    expect(page.locator("#available")).to_have_text("1,000 points")
    page.locator("#adjust button").focus()
    page.keyboard.press("Enter")
    page.locator("#points input").focus()
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#main button")).to_be_enabled()
    page.locator("#main button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#booked")).to_be_visible()
    assert approved(stack, customer) == 1007


# --- at the counter -------------------------------------------------------------------------------


def at_the_counter(show: Show, customer: str, **more: str) -> Page:
    sale = {"id": customer, "subtotal": "800", "staff": COUNTER}
    return show("pos.home.modal.render", **(sale | more))


def codes(page: Page) -> list[str]:
    """The codes in the cart."""
    found: list[str] = page.evaluate(
        "shopify.cart.current.value.cartDiscounts.map((one) => one.discountDescription)"
    )
    return found


def test_a_sale_with_the_code_spends_exactly_once(show: Show, stack: Stack, customer: str) -> None:
    page = at_the_counter(show, customer)
    page.locator("#use-all button").dblclick()
    expect(page.locator("#in-cart")).to_contain_text("800 points")
    (code,) = codes(page)
    assert figures(stack, customer)["hold"] == 800
    order(stack, customer, code, 800)
    wait_until(lambda: figures(stack, customer)["spent"] == 800)
    assert (approved(stack, customer), figures(stack, customer)["hold"]) == (225, 0)


def test_a_sale_that_is_given_up_gives_the_points_back(
    show: Show, stack: Stack, customer: str
) -> None:
    page = at_the_counter(show, customer)
    press(page, "use-all")
    expect(page.locator("#in-cart")).to_be_visible()
    (code,) = codes(page)
    press(page, "give-back")
    expect(page.locator("#use-all")).to_be_visible()
    assert codes(page) == []
    assert approved(stack, customer) == 1000
    (discount,) = FakeShopify(stack).discounts(customer)
    assert (discount["code"], discount["codeDiscount"]["status"]) == (code, "EXPIRED")


def test_without_network_the_last_balance_is_shown_and_nothing_can_be_used(
    show: Show, customer: str
) -> None:
    page = at_the_counter(show, customer)
    expect(page.locator("#available")).to_have_text("1,000 points")
    at_the_counter(show, customer, offline="1")
    expect(page.locator("#last-seen")).to_contain_text("1,000 points")
    expect(page.locator("#use-all")).to_have_count(0)


def test_who_may_not_hold_sees_the_points_only(show: Show, customer: str) -> None:
    page = show("pos.home.modal.render", id=customer, subtotal="800", staff=NEWCOMER)
    expect(page.locator("#may-not")).to_be_visible()
    expect(page.locator("#use-all")).to_have_count(0)
