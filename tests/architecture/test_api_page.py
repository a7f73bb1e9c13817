"""docs/api.html is what the tool makes of docs/openapi.yaml, and needs nothing but itself."""

import re
from html.parser import HTMLParser

import pytest

from tools import make_api_page, openapi

PAGE = make_api_page.PAGE.read_text(encoding="utf-8")
CONTENT = openapi.read()


class Elements(HTMLParser):
    """The elements of the page, the ids and the addresses in them."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


FOUND = Elements()


def test_the_page_is_what_the_tool_writes() -> None:
    assert make_api_page.page() == PAGE, "run: make api-page"


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    assert not FOUND.names & {"script", "img", "link", "iframe", "object"}
    assert not re.search(r"@import|url\(|\son\w+=", PAGE)


def test_every_element_is_closed_and_every_id_is_there_once() -> None:
    assert FOUND.open == []
    assert len(FOUND.ids) == len(set(FOUND.ids))


def test_every_link_leads_somewhere() -> None:
    folder = make_api_page.PAGE.parent
    within = [one.removeprefix("#") for one in FOUND.addresses if one.startswith("#")]
    assert set(within) <= set(FOUND.ids)
    for address in set(FOUND.addresses) - {f"#{one}" for one in within}:
        file, _, heading = address.partition("#")
        text = (folder / file).read_text(encoding="utf-8").lower()
        assert not heading or re.search(rf"(?m)^#+ {heading.replace('-', ' ')}$", text), address


@pytest.mark.parametrize("path", CONTENT["paths"])
def test_every_operation_is_on_the_page_with_its_codes(path: str) -> None:
    for method in CONTENT["paths"][path].keys() & set(openapi.METHODS) - {"options"}:
        operation = openapi.resolved(CONTENT, CONTENT["paths"][path][method])
        start = PAGE.index(f'<article id="{operation["operationId"]}">')
        shown = PAGE[start : PAGE.index("</article>", start)]
        assert operation["summary"].replace("'", "&#x27;") in shown
        for status, response in operation["responses"].items():
            assert f">{status}</b>" in shown
            for media in response.get("content", {}).values():
                for code in openapi.codes(media["schema"]):
                    assert f"<code>{code}</code>" in shown
