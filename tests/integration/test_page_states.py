"""My page in every state, in a browser, with an API that is made up (tools/page_states.py)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, Route, expect, sync_playwright

from local.options import ROOT
from pointbook.domain.programme import default_programme
from pointbook.page.locale import Locale
from pointbook.page.offer import offer
from tools.make_pictures import CHROMIUM, FLAGS, TAKEN_AT
from tools.page_states import (
    STATES,
    Rows,
    State,
    Till,
    answer_as,
    history,
    hold,
    open_state,
    served_page,
    shown,
)

AXE = ROOT / ".local" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WEIGHT_MAX_BYTES = 30_000
REQUESTS_MAX = 6
ROUND_TRIP_MS = 400
BYTES_PER_SECOND = 50_000
FIRST_TEXT_MAX_MS = 1500


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served_page() as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone; a script error fails the test."""
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 390, "height": 800}, locale="en")
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def visit(page: Page, url: str, state: State, locale: Locale = "en") -> None:
    """Open my page with an API that answers as in this state."""
    answer_as(page, state, locale)
    page.goto(f"{url}/?locale={locale}")


def part(page: Page, name: str) -> Locator:
    return page.locator(f"#points [data-part={name}]")


def violations(page: Page, rule: str = "") -> list[str]:
    """What axe-core finds, by all rules or by one."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    by = {"type": "rule", "values": [rule]} if rule else {"type": "tag", "values": TAGS}
    options = {"runOnly": by}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


# --- every state ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_accessible_in_both_languages_and_fits_the_narrowest_screen(
    page: Page, url: str, name: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    open_state(page, url, name, "en")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    page.emulate_media(color_scheme="light")
    open_state(page, url, name, "ja")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320


# --- the one number -------------------------------------------------------------------------------


def test_the_ledgers_points_come_first_and_what_the_till_says_below(page: Page, url: str) -> None:
    page.clock.set_fixed_time(TAKEN_AT)
    open_state(page, url, "points", "en")
    expect(part(page, "headline")).to_have_text("950")
    expect(part(page, "worth")).to_have_text("¥950 off your next order")
    expect(part(page, "store")).to_have_text(
        "At the store: 1,250 points · valid through March 31, 2027 · Gold Member (1.5× points)"
    )
    expect(part(page, "expiring")).to_have_text("Use 300 of these by December 31, 2026")
    expect(part(page, "pending")).to_have_text(
        "120 points on the way, usable from December 7, 2026"
    )


def test_what_the_till_says_is_left_out_where_it_says_the_same(page: Page, url: str) -> None:
    open_state(page, url, "till-agrees", "en")
    expect(part(page, "store")).to_have_text("Store membership: Gold Member (1.5× points)")
    open_state(page, url, "no-till", "en")
    expect(part(page, "store")).to_be_hidden()
    visit(page, url, State(shown(till=Till(expires_on=None)), history()))
    expect(part(page, "store")).to_contain_text("At the store: 1,250 points")
    open_state(page, url, "till-agrees", "ja")
    expect(part(page, "store")).to_have_text("店舗の会員ランク：ゴールド会員（ポイント1.5倍）")
    open_state(page, url, "points", "ja")
    expect(part(page, "store")).to_contain_text("店舗のポイント：1,250ポイント")


@pytest.mark.parametrize("balance", [-50, 0])
@pytest.mark.parametrize("master", ["ledger", "till"])
def test_where_the_till_has_no_points_no_day_is_told(
    page: Page, url: str, balance: int, master: str
) -> None:
    visit(page, url, State(shown(till=Till(balance=balance, master=master)), history()))
    expect(part(page, "store")).to_be_visible()
    expect(page.locator("#points")).not_to_contain_text("March 31, 2027")
    if master == "ledger":
        said = {-50: "\u221250 points", 0: "0 points"}[balance]
        expect(part(page, "store")).to_have_text(
            f"At the store: {said} · Gold Member (1.5× points)"
        )


def test_no_points_here_and_at_the_store_are_told_once(page: Page, url: str) -> None:
    visit(page, url, State(shown(approved=0, till=Till(balance=0)), history()))
    expect(part(page, "store")).to_have_text("Store membership: Gold Member (1.5× points)")


@pytest.mark.parametrize(
    ("now", "english", "japanese"),
    [
        ("2026-11-30T14:59:59Z", "valid through November 30, 2026", "有効期限 2026年11月30日"),
        (
            "2026-11-30T15:00:00Z",
            "expired on November 30, 2026",
            "有効期限切れ（2026年11月30日）",
        ),
    ],
)
def test_a_day_of_the_till_that_is_over_in_the_shops_zone_is_told_as_over(
    page: Page, url: str, now: str, english: str, japanese: str
) -> None:
    page.clock.set_fixed_time(now)
    till = Till(expires_on=date(2026, 11, 30))
    said: dict[Locale, str] = {"en": english, "ja": japanese}
    for locale, words in said.items():
        visit(page, url, State(shown(till=till), history()), locale)
        expect(part(page, "store")).to_contain_text(words)
    visit(page, url, State(shown(till=replace(till, master="till")), history()))
    capital = english[0].upper() + english[1:]
    expect(part(page, "expiring")).to_have_text(capital)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("till-not-registered", ["Not registered at store"]),
        (
            "till-unavailable",
            ["Currently unavailable", "Temporarily unavailable", "*Can also verify at store"],
        ),
        ("till-timeout", ["Currently unavailable", "Please try again"]),
    ],
)
def test_a_till_that_fails_never_hides_the_ledgers_points(
    page: Page, url: str, name: str, words: list[str]
) -> None:
    open_state(page, url, name, "en")
    expect(part(page, "headline")).to_have_text("950")
    expect(part(page, "hold-form")).to_be_visible()
    for word in words:
        expect(part(page, "store")).to_contain_text(word)
    reload = part(page, "store").get_by_role("button", name="Reload")
    expect(reload).to_have_count(0 if name == "till-not-registered" else 1)


def test_reload_asks_the_till_again_and_keeps_the_focus_in_its_line(page: Page, url: str) -> None:
    open_state(page, url, "till-unavailable", "en")
    answer_as(page, STATES["points"], "en")
    part(page, "store").get_by_role("button", name="Reload").press("Enter")
    expect(part(page, "store")).to_contain_text("1,250")
    expect(part(page, "store")).to_be_focused()
    expect(part(page, "headline")).to_have_text("950")


def test_where_the_till_is_master_its_balance_is_the_number(page: Page, url: str) -> None:
    page.clock.set_fixed_time(TAKEN_AT)
    open_state(page, url, "till-is-master", "en")
    expect(part(page, "headline")).to_have_text("1,250")
    expect(part(page, "where")).to_have_text("Use them at the store.")
    expect(part(page, "store")).to_have_text("Store membership: Gold Member (1.5× points)")
    expect(part(page, "expiring")).to_have_text("Valid through March 31, 2027")
    expect(part(page, "hold-form")).to_have_count(0)
    expect(part(page, "worth")).to_have_count(0)


def test_figures_do_not_wait_for_the_till_whose_line_is_filled_in_later(
    page: Page, url: str
) -> None:
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        waiting.append(route)

    answer_as(page, STATES["till-pending"], "en")
    page.route(re.compile(r"/points\?locale=en$"), wait)
    page.goto(f"{url}/?locale=en")
    expect(part(page, "headline")).to_have_text("950")
    expect(part(page, "store")).to_have_text("At the store: checking …")
    expect(part(page, "hold-form")).to_be_visible()
    expect(part(page, "history").locator("li")).to_have_count(10)
    page.wait_for_timeout(50)
    (route,) = waiting
    route.fulfill(json=STATES["till-pending"].points("en")[1])
    expect(part(page, "store")).to_contain_text("1,250")


def test_a_debt_is_explained_and_nothing_is_offered(page: Page, url: str) -> None:
    open_state(page, url, "debt", "en")
    expect(part(page, "headline")).to_have_text("0")
    expect(part(page, "debt")).to_have_text(
        "You are 50 points short, because points you had already used were taken back, for "
        "example after a return. Your next points make up for it; you don't owe any money."
    )
    expect(part(page, "pending")).to_have_text(
        "120 points on the way, coming December 7, 2026. You will then have 70 points."
    )
    expect(part(page, "hold-form")).to_have_count(0)
    open_state(page, url, "debt", "ja")
    expect(part(page, "debt")).to_have_text(
        "返品などによるポイントの取り消しで、50ポイント不足しています。不足分は、次に獲得する"
        "ポイントから差し引かれます。お客様のお支払いは必要ありません。"
    )


def test_who_has_no_points_yet_learns_how_to_get_some(page: Page, url: str) -> None:
    open_state(page, url, "new-customer", "en")
    expect(page.locator(".pb-summary")).to_contain_text(
        "You earn 1 point for every ¥100 you spend."
    )
    expect(page.locator(".pb-summary")).to_contain_text(
        "You can start using them 7 days after you pay."
    )
    expect(page.locator(".pb-summary")).not_to_contain_text("back")
    expect(page.locator("[data-fold=rules]")).to_contain_text(
        "A discount code works for 10 minutes."
    )
    expect(part(page, "history")).to_contain_text("No activity yet.")


def test_who_has_used_all_points_is_told_how_to_earn_more(page: Page, url: str) -> None:
    open_state(page, url, "nothing-left", "en")
    expect(part(page, "nothing-left")).to_have_text("You have no points to use at the moment.")
    expect(part(page, "pending")).to_contain_text("120 points on the way")
    expect(part(page, "earning")).to_have_text("You earn 1 point for every ¥100 you spend.")
    open_state(page, url, "points", "en")
    expect(part(page, "earning")).to_have_count(0)


def test_reserved_points_are_a_state_and_not_a_loss(page: Page, url: str) -> None:
    open_state(page, url, "hold", "en")
    expect(part(page, "held")).to_have_text("500 points reserved for your order")
    expect(part(page, "worth")).to_have_text("Remaining: ¥450 off a later order")
    row = part(page, "history").locator("li").first
    expect(row).to_contain_text("Reserved for your order")
    expect(row.locator(".pb-number")).to_have_text("500 points")


def test_points_that_come_back_are_not_said_to_be_reserved(page: Page, url: str) -> None:
    open_state(page, url, "hold-releasing", "en")
    expect(part(page, "held")).to_have_text("500 points coming back to you")
    use = page.locator(".pb-use")
    expect(use).to_contain_text(re.compile(r"Your 500 points are coming back, by \d+:\d\d [AP]M"))
    expect(use).to_contain_text("You don't need to do anything.")
    expect(use.get_by_role("button")).to_have_text(["Return them now"])
    expect(page.locator("#points")).not_to_contain_text("500 points reserved")


def test_a_code_that_is_being_made_says_what_becomes_of_the_points(page: Page, url: str) -> None:
    open_state(page, url, "hold-preparing", "en")
    use = page.locator(".pb-use")
    expect(use).to_contain_text("Your discount code is being made")
    expect(use).to_contain_text("If it can't be made, you get your 500 points back automatically")
    buttons = ["Get my code", "Cancel and get my points back"]
    expect(use.get_by_role("button")).to_have_text(buttons)


def test_the_figures_in_detail_add_up(page: Page, url: str) -> None:
    gone = page.locator(".pb-figures > div").filter(has_text="Expired or taken back")
    for name, expected in (("points", "180"), ("hold", "180"), ("debt", "230")):
        open_state(page, url, name, "en")
        page.locator("[data-fold=figures] summary").click()
        expect(gone.locator("dd")).to_have_text(expected)
    visit(page, url, State(shown(so_far=(1400, 450)), history()))
    page.locator("[data-fold=figures] summary").click()
    expect(page.locator(".pb-figures").first).to_contain_text("Earned so far")
    expect(gone).to_have_count(0)


@pytest.mark.parametrize(
    ("rule", "english", "japanese"),
    [
        (
            "months:12:month_end",
            "Points are valid for 12 months, until the end of that month.",
            "ポイントの有効期限は、獲得から12か月後の月末です。",
        ),
        ("days:1", "Points are valid for 1 day.", "ポイントの有効期限は、獲得から1日です。"),
        (
            "days:90:year_end",
            "Points are valid for 90 days, until the end of that year.",
            "ポイントの有効期限は、獲得から90日後の年末です。",
        ),
        (
            "rolling:months:6",
            "Points are valid for 6 months after you last earned or used points.",
            "ポイントの有効期限は、最後に獲得またはご利用になった日から6か月です。",
        ),
        (
            "date:2027-03-31",
            "Points are valid through March 31, 2027.",
            "ポイントの有効期限は、2027年3月31日です。",
        ),
        ("never", "Points don't expire.", "ポイントに有効期限はありません。"),
    ],
)
def test_how_long_points_last_is_told_in_words(
    page: Page, url: str, rule: str, english: str, japanese: str
) -> None:
    page.clock.set_fixed_time(TAKEN_AT)
    answer = shown()("en")[1] | {
        "expiry": offer(default_programme(1, expiry=rule), 0, None)["expiry"]
    }
    expected: dict[Locale, str] = {"en": english, "ja": japanese}
    for locale, words in expected.items():
        visit(page, url, State(lambda _: (200, answer), history()), locale)
        said = [without_joiners(text) for text in rules(page)]
        assert words in said


@pytest.mark.parametrize(
    "answer",
    [
        {"expiry": None},
        {"expiry": {"kind": "day", "day": "2025-03-31", "renewed": False}},
        {"points_master": "till", "till": {"status": "ok", "balance": 1, "stale": False}},
    ],
    ids=["nobody says", "the day is over", "the till's points count"],
)
def test_how_long_points_last_is_left_out_where(
    page: Page, url: str, answer: dict[str, Any]
) -> None:
    whole = shown()("en")[1] | answer
    visit(page, url, State(lambda _: (200, whole), history()))
    said = rules(page)
    assert said[0] == "You earn 1 point for every ¥100 you spend."
    assert not [sentence for sentence in said if "valid" in sentence or "expire" in sentence]


def rules(page: Page) -> list[str]:
    """What the page says of how points work."""
    fold = page.locator("[data-fold=rules]")
    fold.locator("li").first.wait_for(state="attached")
    return fold.locator("li").all_text_contents()


def without_joiners(text: str) -> str:
    """A text with its days as they are read."""
    return text.replace("\u2060", "").replace("\u00a0", " ")


def test_an_outage_is_one_message(page: Page, url: str) -> None:
    open_state(page, url, "outage", "en")
    section = page.locator("#points")
    expect(section).to_contain_text("Temporarily unavailable")
    expect(section).to_contain_text("Your points are safe.")
    expect(section).not_to_contain_text("Currently unavailable")


def test_no_line_ends_within_a_day(page: Page, url: str) -> None:
    open_state(page, url, "points", "en")
    assert "December\u00a031,\u00a02026" in (part(page, "expiring").text_content() or "")
    open_state(page, url, "points", "ja")
    joined = "うち300ポイントは2026年\u206012月\u206031日まで有効"
    assert part(page, "expiring").text_content() == joined


def test_japanese_sentences_have_amounts_as_they_are_read(page: Page, url: str) -> None:
    open_state(page, url, "points", "ja")
    expect(part(page, "worth")).to_have_text("次回のご注文で950円分ご利用いただけます")
    open_state(page, url, "hold", "ja")
    expect(part(page, "worth")).to_have_text("残り450円分は次回以降のご注文でご利用いただけます")
    expect(part(page, "held")).to_have_text("500ポイントをご注文用にお取り置き中")
    expect(part(page, "countdown")).to_have_text(re.compile(r"^残り9分4\d秒（\d+:\d\dまで）$"))
    expect(page.locator(".pb-off")).to_have_text("ご注文金額から500円割引")
    expect(page.locator(".pb-summary h2")).to_have_text("利用可能ポイント")


@pytest.mark.parametrize("width", [320, 390])
def test_no_line_ends_within_a_word_of_a_japanese_sentence(
    page: Page, url: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    seen: list[tuple[str, int]] = []
    for name in ("points", "hold", "debt", "hold-failed-by-setting", "everything-open"):
        open_state(page, url, name, "ja")
        seen += page.evaluate(LINES_OF_WORDS_WHERE_PHRASES_ARE_UNKNOWN)
    assert {lines for _, lines in seen} == {1}
    words = {"お問い合わせください", "お取り置き", "ご利用いただけます", "ご利用", "12か月後"}
    assert words <= {word for word, _ in seen}


LINES_OF_WORDS_WHERE_PHRASES_ARE_UNKNOWN = """() => {
    document.querySelector("#points").style.wordBreak = "normal";
    const words = [...document.querySelectorAll("#points .pb-word")];
    const lines = words.map((word) => [word.textContent, word.getClientRects().length]);
    return lines.filter(([, number]) => number > 0);
}"""


@pytest.mark.parametrize("name", ["points", "hold"])
def test_no_line_begins_or_ends_with_a_dot(page: Page, url: str, name: str) -> None:
    for width in (320, 390, 840):
        page.set_viewport_size({"width": width, "height": 800})
        open_state(page, url, name, "en")
        seen = page.evaluate(DOTS_AT_A_LINES_START)
        assert seen == {"wrong": 0, "right": seen["right"]}
        assert seen["right"] > 0


DOTS_AT_A_LINES_START = """() => {
    const seen = { wrong: 0, right: 0 };
    for (const dot of document.querySelectorAll("#points .pb-dot")) {
        const line = dot.closest(".pb-dotted");
        const [at, whole] = [dot.getBoundingClientRect(), line.getBoundingClientRect()];
        const before = dot.parentElement.previousElementSibling.getBoundingClientRect();
        const begins = before.bottom <= at.top;
        const cut = parseFloat(getComputedStyle(line).clipPath.match(/([\\d.]+)px\\)$/)?.[1] ?? 0);
        const isSeen = at.right > whole.left + cut + 1;
        seen[begins === isSeen ? "wrong" : "right"] += 1;
    }
    return seen;
}"""


# --- using points ---------------------------------------------------------------------------------


def test_what_points_are_worth_is_said_before_they_are_used(page: Page, url: str) -> None:
    open_state(page, url, "no-till", "en")
    form = part(page, "hold-form")
    expect(form.locator("input")).to_have_value("950")
    expect(form).to_contain_text("950 points = ¥950 off")
    limit = (
        "You get a code to apply to your cart or enter at checkout. Complete your order within "
        "10 minutes; points you don't use come back automatically."
    )
    expect(form).to_contain_text(limit)
    assert form.inner_text().index(limit) < form.inner_text().index("Get a discount code")
    form.locator("input").fill("１，２")
    expect(form).to_contain_text("12 points = ¥12 off")
    form.locator("input").fill("951")
    expect(form).not_to_contain_text("off")


def test_a_code_fits_one_line_and_its_link_leads_to_the_cart(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    open_state(page, url, "hold", "en")
    code = part(page, "code")
    expect(code).to_have_text("PTS-MKXG-C85A-PRFE-PGGE")
    assert code.evaluate("code => code.getClientRects().length") == 1
    expect(part(page, "cart-link")).to_have_attribute(
        "href", re.compile(r"/discount/PTS-MKXG-C85A-PRFE-PGGE\?redirect=%2Fcart$")
    )
    expect(page.locator(".pb-ticket")).to_contain_text("¥500 off your order")
    expect(part(page, "countdown")).to_have_text(
        re.compile(r"^9 min 4\d s left, until \d+:\d\d.[AP]M$")
    )


def test_until_when_a_code_works_is_told_by_the_readers_clock(browser: Browser, url: str) -> None:
    page = browser.new_page(timezone_id="Asia/Tokyo")
    page.clock.set_fixed_time("2026-11-30T05:22:12Z")
    open_state(page, url, "hold", "en")
    expect(part(page, "countdown")).to_have_text("9 min 48 s left, until 2:32 PM")
    open_state(page, url, "hold", "ja")
    expect(part(page, "countdown")).to_have_text("残り9分48秒（14:32まで）")
    page.close()


def test_a_shops_own_address_is_where_the_link_leads(page: Page, url: str) -> None:
    answer_as(page, STATES["hold"], "en")
    session = {"name": "Aoi", "session_token": "t", "storefront_url": "https://www.shop.example"}
    page.route("**/_login", lambda route: route.fulfill(json=session))
    page.goto(f"{url}/?locale=en")
    address = "https://www.shop.example/discount/PTS-MKXG-C85A-PRFE-PGGE?redirect=%2Fcart"
    expect(part(page, "cart-link")).to_have_attribute("href", address)


def test_a_wrong_setting_of_the_shop_does_not_read_as_try_again(page: Page, url: str) -> None:
    open_state(page, url, "hold-failed-by-setting", "en")
    expect(part(page, "error")).to_contain_text("Please contact us.")
    expect(part(page, "error").locator("a")).to_have_count(0)
    expect(part(page, "error")).not_to_contain_text(re.compile("try again", re.IGNORECASE))
    for control in part(page, "hold-form").locator("input, button").all():
        expect(control).to_be_disabled()
    expect(part(page, "worth")).to_be_hidden()
    open_state(page, url, "hold-failed", "en")
    expect(part(page, "worth")).to_be_visible()
    expect(part(page, "error")).to_contain_text("Please try again in a moment.")


@pytest.mark.parametrize(
    ("address", "leads_to", "locale"),
    [
        ("https://shop.example/contact", "https://shop.example/contact", "en"),
        ("/pages/contact", "{url}/pages/contact", "ja"),
        ("", None, "ja"),
        ("javascript:alert(1)", None, "en"),
    ],
)
def test_a_shops_contact_page_is_a_link_where_only_the_shop_can_help(
    page: Page, url: str, address: str, leads_to: str | None, locale: Locale
) -> None:
    words = {
        "en": "We're sorry: points can't be used right now. No points were taken. Please contact "
        "us.",
        "ja": "申し訳ございません。ただいまポイントをご利用いただけません。"
        "ポイントは減っていません。お手数ですが、お問い合わせください。",
    }[locale]
    visit(page, url, STATES["hold-failed-by-setting"], locale)
    page.evaluate(
        """([contactUrl, locale]) => import("/points.js").then(({ mountPoints }) => {
            const root = document.createElement("div");
            document.querySelector("#points").replaceWith(root);
            root.id = "points";
            mountPoints(root, { apiUrl: "/api/v1", token: () => "t", locale, contactUrl });
        })""",
        [address, locale],
    )
    part(page, "hold-form").locator(".pb-main").click()
    error = part(page, "error")
    expect(error).to_have_text(words)
    if leads_to is None:
        expect(error.locator("a")).to_have_count(0)
        return
    link = error.get_by_role("link", name={"en": "contact us", "ja": "お問い合わせ"}[locale])
    expect(link).to_have_attribute("href", leads_to.format(url=url))
    assert violations(page) == []
    page.keyboard.press("Tab")
    expect(link).to_be_focused()


def test_points_that_an_order_has_used_meanwhile_are_said_to_be_used(page: Page, url: str) -> None:
    open_state(page, url, "hold", "en")
    answer_as(page, State(shown(approved=450, so_far=(1580, 950)), history()), "en")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow'))")
    expect(part(page, "code")).to_have_count(1)  # it was read a moment ago
    come_back(page)
    expect(page.locator(".pb-use")).to_contain_text("Your points were used on an order.")


def test_a_hold_that_was_given_back_elsewhere_does_not_read_as_a_use(page: Page, url: str) -> None:
    open_state(page, url, "hold", "en")
    answer_as(page, State(shown(approved=950), history()), "en")
    come_back(page)
    expect(page.locator(".pb-use")).to_contain_text("your points are available again")
    expect(part(page, "hold-form")).to_be_visible()


def test_reading_again_leaves_the_focus_where_it_is(page: Page, url: str) -> None:
    open_state(page, url, "hold", "en")
    later = hold() | {"expires_in_seconds": 500}
    answer = STATES["hold"].points("en")[1] | {"hold": later}
    answer_as(page, replace(STATES["hold"], points=lambda _: (200, answer)), "en")
    fold = page.locator("[data-fold=figures] summary")
    fold.press("Enter")
    come_back(page)
    expect(part(page, "countdown")).to_have_text(re.compile(r"^8 min \d\d s left, until "))
    expect(fold).to_be_focused()
    expect(page.locator("[data-fold=figures]")).to_have_attribute("open", "")


def come_back(page: Page) -> None:
    """Come back to the page from another one, after six seconds."""
    page.clock.install()
    page.clock.fast_forward(6000)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow'))")


# --- the history ----------------------------------------------------------------------------------


def test_rows_name_their_order_or_reason_and_say_what_happened_when(page: Page, url: str) -> None:
    visit(page, url, State(shown(), history()))
    rows = part(page, "history").locator("li")
    expect(rows).to_have_count(10)
    said = [re.sub(r"\s+", " ", text) for text in rows.all_inner_texts()]
    assert said == [
        "Order #1009 On the way · Points usable from Dec 7, 2026 120 points",
        "Order #1008 Used · Nov 27, 2026 \u2212300 points",
        "Reserved, then returned Nov 24, 2026 200 points",
        "Coffee beans Used · Nov 21, 2026 \u2212150 points",
        "Review of a product Added by the shop · Nov 18, 2026 +50 points",
        "Order #1006 Removed after a refund · Nov 15, 2026 \u221280 points",
        "Order #1006 Earned with an order · Nov 12, 2026 +680 points",
        "Order #1002 Earned with an order · Dec 20, 2025 +750 points",
        "Expired Dec 1, 2025 \u2212100 points",
        "Welcome bonus Nov 8, 2024 +100 points",
    ]


def test_days_are_the_shops_wherever_the_reader_is(browser: Browser, url: str) -> None:
    page = browser.new_page(timezone_id="America/Los_Angeles")
    late = Rows().add("welcome", 100, 100)
    late.entries[0]["at"] = "2026-11-30T15:30:00.000+00:00"  # the next day in Tokyo
    visit(page, url, State(shown(), history(lambda _: late)))
    expect(part(page, "history").locator("li")).to_contain_text("Dec 1, 2026")
    page.close()


class Pages:
    """A history in pages: what is answered next, and how often it was asked."""

    def __init__(self, page: Page, *answers: Any) -> None:
        self.answers = list(answers)
        answer_as(page, State(shown(), history(cursor="991")), "en")
        page.route(re.compile("cursor="), self._answer)

    def _answer(self, route: Route) -> None:
        answer = self.answers.pop(0)
        if answer is None:
            route.fulfill(status=503, json={"code": "ledger_unavailable"})
        else:
            route.fulfill(json=answer)


def answer_of(rows: Rows, cursor: str | None) -> dict[str, Any]:
    return {"entries": rows.entries, "next_cursor": cursor}


def test_paging_by_keyboard_goes_on_with_what_is_new(page: Page, url: str) -> None:
    Pages(page, answer_of(Rows().add("added", 7, 7, "Older").add("added", 8, 8), None))
    page.goto(f"{url}/?locale=en")
    more = page.get_by_role("button", name="Show more")
    more.press("Enter")
    expect(part(page, "history").locator("li", has_text="Older")).to_be_focused()
    expect(part(page, "history").get_by_role("status")).to_have_text(
        "2 more entries shown. That's everything."
    )
    expect(more).to_be_hidden()


def test_a_page_that_fails_says_so_and_can_be_asked_for_again(page: Page, url: str) -> None:
    Pages(page, None, answer_of(Rows().add("added", 7, 7, "Older"), "5"))
    page.goto(f"{url}/?locale=en")
    more = page.get_by_role("button", name="Show more")
    more.press("Enter")
    expect(part(page, "history").get_by_role("status")).to_have_text(
        "That didn't work. Please try again."
    )
    expect(more).to_be_focused()
    expect(part(page, "history").locator("li")).to_have_count(10)
    more.press("Enter")
    expect(part(page, "history").locator("li")).to_have_count(11)


def test_a_page_without_rows_of_its_own_is_followed_by_the_next_one(page: Page, url: str) -> None:
    hidden = Rows().add("reserved", 1, 0)
    hidden.entries[0]["row"] = None
    Pages(page, answer_of(hidden, "7"), answer_of(Rows().add("added", 7, 7, "Older"), None))
    page.goto(f"{url}/?locale=en")
    page.get_by_role("button", name="Show more").press("Enter")
    expect(part(page, "history").locator("li", has_text="Older")).to_be_focused()


# --- keyboard, colours, weight --------------------------------------------------------------------


def test_the_keyboard_reaches_everything_in_the_order_in_which_it_is_read(
    page: Page, url: str
) -> None:
    open_state(page, url, "points", "en")
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.innerText || document.activeElement.id")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"nobody sees that the focus is on {reached[-1]}"
    assert reached[:8] == [
        "English",
        "日本語",
        "pb-amount",
        "Use all",
        "Get a discount code",
        "Show more",
        "How points work",
        "Points in detail",
    ]
    page.locator("#pb-amount").focus()
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.locator("#pb-amount")).to_be_focused()
    expect(page.locator("#pb-amount")).to_have_accessible_description(
        re.compile("whole number from 1 to 950")
    )


def test_points_are_used_and_given_back_by_keyboard_alone(page: Page, url: str) -> None:
    held = hold(count=950)
    made = {**held, "figures": shown(approved=0, held=held)("en")[1]["figures"]}
    held_state = State(shown(approved=0, held=held), history())
    visit(page, url, State(shown(), history(), hold=lambda _: (201, made)))
    page.locator("[data-locale=ja]").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#pb-amount")).to_be_focused()
    page.route(
        "**/customers/me/points?*", lambda route: route.fulfill(json=held_state.points("en")[1])
    )
    page.keyboard.press("Enter")
    expect(page.get_by_text("950 points reserved for your order").last).to_be_focused()
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.innerText"))
    assert stops == ["Apply it to my cart", "Copy code", "Cancel and get my points back"]
    figures = shown()("en")[1]["figures"]
    page.route("**/customers/me/holds/*", lambda route: route.fulfill(json={"figures": figures}))
    page.unroute("**/customers/me/points?*")
    page.route("**/customers/me/points?*", lambda route: route.fulfill(json=shown()("en")[1]))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your points are back.")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#pb-amount")).to_be_focused()


def colour(where: Locator, name: str) -> str:
    found: str = where.evaluate(f"found => getComputedStyle(found).{name}")
    return found


def test_forced_colours_show_which_language_is_chosen_and_where_a_button_is(
    page: Page, url: str
) -> None:
    page.emulate_media(forced_colors="active")
    open_state(page, url, "hold", "en")
    chosen, other = page.locator("[data-locale=en]"), page.locator("[data-locale=ja]")
    assert colour(chosen, "backgroundColor") != colour(other, "backgroundColor")
    for button in page.locator("#points .pb-button").all():
        assert colour(button, "borderTopWidth") == "1px"
        assert colour(button, "borderTopColor") != colour(
            page.locator("#points"), "backgroundColor"
        )
    assert violations(page) == []


def test_a_shop_gives_the_section_its_own_look_and_may_refuse_dark_colours(
    page: Page, url: str
) -> None:
    page.emulate_media(color_scheme="dark")
    open_state(page, url, "points", "en")
    section = page.locator("#points")
    assert colour(section, "backgroundColor") == "rgb(24, 33, 29)"
    section.evaluate("found => (found.style.colorScheme = 'light')")
    assert colour(section, "backgroundColor") == "rgb(255, 255, 255)"
    section.evaluate("found => (found.style.colorScheme = '')")
    page.evaluate("document.documentElement.style.colorScheme = 'light'")
    assert colour(section, "backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate(
        """() => {
            const shop = document.documentElement.style;
            shop.setProperty("--pointbook-accent", "rgb(120, 0, 60)");
            shop.setProperty("--pointbook-radius", "0px");
            shop.setProperty("--pointbook-font", "Georgia, serif");
        }"""
    )
    button = page.locator("[data-part=hold-form] .pb-main")
    assert colour(button, "backgroundColor") == "rgb(120, 0, 60)"
    assert colour(button, "borderTopLeftRadius") == "0px"
    assert colour(button, "fontFamily").startswith("Georgia")


def test_nothing_moves_for_who_wants_no_motion(page: Page, url: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.route("**/customers/me/**", lambda _: None)
    answer = {"name": "Aoi", "session_token": "t"}
    page.route("**/_login", lambda route: route.fulfill(json=answer))
    page.goto(f"{url}/?locale=en")
    assert colour(page.locator(".pb-bar").first, "animationName") == "none"


def test_without_scripts_the_reader_is_told_so_in_the_look_of_the_page(
    browser: Browser, url: str
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(url)
    notice = page.locator("noscript p").first
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("This page needs JavaScript to show your points.")
    expect(notice).to_have_css("border-top-style", "solid")
    expect(page.locator(".pb-skeleton")).to_be_hidden()
    expect(page.locator("footer")).to_be_hidden()
    page.close()


def test_the_page_is_light_and_asks_nobody_else(page: Page, url: str) -> None:
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    loaded: list[float] = []
    network.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_state(page, url, "points", "en")
    page.wait_for_load_state("networkidle")
    requests = [one for one in asked if not one.startswith("data:")]
    assert len(requests) <= REQUESTS_MAX, requests
    assert all(one.startswith(url) for one in requests)
    assert len([one for one in requests if "/points?" in one]) == 1
    assert 5_000 < sum(loaded) < WEIGHT_MAX_BYTES


def test_on_a_slow_network_there_is_text_at_once(page: Page, url: str) -> None:
    network = page.context.new_cdp_session(page)
    _slow_down(network)
    visit(page, url, STATES["points"])
    expect(part(page, "headline")).to_have_text("950")
    painted = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)"
    )
    assert ROUND_TRIP_MS < painted[0] < FIRST_TEXT_MAX_MS


def _slow_down(network: CDPSession) -> None:
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP_MS,
            "downloadThroughput": BYTES_PER_SECOND,
            "uploadThroughput": BYTES_PER_SECOND,
        },
    )


def test_while_it_loads_the_page_is_accessible(page: Page, url: str) -> None:
    answer_as(page, STATES["points"], "en")
    page.route("**/customers/me/points**", lambda _: None)
    page.goto(f"{url}/?locale=ja")
    expect(page.locator("#points[aria-busy=true]")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert violations(page) == []


def test_the_skeleton_is_text_in_the_page_itself(browser: Browser, url: str) -> None:
    page = browser.new_page()
    page.route("**/page.js", lambda _: None)
    page.goto(url, wait_until="commit")
    expect(page.get_by_role("heading", name="Your points")).to_be_visible()
    page.close()
