"""The app's page: what the app is, where it is found, and whether the shop is connected."""

import re
from html.parser import HTMLParser

import pytest

from pointbook.errors import Unavailable
from pointbook.settings import Secrets
from tests.support.harness import Answer, Functions, event

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")


class Parts(HTMLParser):
    """The language of a page, and its texts, by the `data-part` or the element they are in."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.language = ""
        self.texts: dict[str, list[str]] = {}
        self.elements: set[str] = set()
        self._part = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.language = given.get("lang") or self.language
        self._part = given.get("data-part") or tag
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.setdefault(self._part, []).append(data.strip())


def test_whoever_opens_the_address_reads_what_the_app_is_and_where_it_is_found(
    functions: Functions,
) -> None:
    answer = functions.sample("app_page", "opened")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = Parts(answer)
    assert page.language == "en"
    assert page.texts["h1"] == ["Pointbook"]
    assert page.texts["dt"] == ["Shopify Flow", "My page", "Your engineers"]
    assert not JAPANESE.search(answer.text)
    assert "connected" not in page.texts, "nothing is said of any shop"


@pytest.mark.parametrize("case", ["in_japanese", "launched_in_japanese"])
def test_the_page_is_shown_in_japanese_to_who_reads_japanese(
    functions: Functions, case: str
) -> None:
    page = Parts(functions.sample("app_page", case))
    assert page.language == "ja"
    texts = [text for part in ("p", "h2", "dd") for text in page.texts[part]]
    assert [text for text in texts if not JAPANESE.search(text)] == []


STATUSES = {
    "launched": ("connected", "demo.myshopify.com is connected."),
    "launched_in_japanese": ("connected", "demo.myshopify.com は接続されています。"),
    "previous_secret": ("connected", "demo.myshopify.com is connected."),
    "other_shop": ("other_shop", "ShopDomain"),
    "altered_link": ("wrong_signature", "client secret"),
}


@pytest.mark.parametrize(("case", "status"), STATUSES.items())
def test_whoever_comes_from_the_admin_reads_whether_the_shop_is_connected(
    functions: Functions, case: str, status: tuple[str, str]
) -> None:
    page = Parts(functions.sample("app_page", case))
    part, words = status
    (sentence,) = page.texts[part]
    assert words in sentence


def unreadable() -> Secrets:
    raise Unavailable(5, code="secrets_unavailable", message="later")


def test_a_secret_that_cannot_be_read_is_a_status_and_no_error() -> None:
    functions = Functions({"read_secrets": unreadable})
    page = Parts(functions.sample("app_page", "launched"))
    assert "not ready" in page.texts["not_ready"][0]
    assert functions.sample("app_page", "opened").status == 200


def test_the_page_runs_no_script_and_cannot_be_framed_or_stored(functions: Functions) -> None:
    answer = functions.sample("app_page", "launched")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer", "the address has a signature in it"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script" not in Parts(answer).elements
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("name", ["shop", "locale"])
def test_nothing_of_the_address_becomes_markup(functions: Functions, name: str) -> None:
    payload = event("app_page", "opened")
    query = f"{name}=%3Cscript%3Ealert(1)%3C/script%3E&hmac=00&locale=%3Cb%3E"
    answer = functions.request("app_page", payload | {"rawQueryString": query})
    assert answer.status == 200
    assert "script" not in Parts(answer).elements
