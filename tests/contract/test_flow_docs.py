"""What merchants read about Flow, in both languages, is what the code and the extensions say."""

import re

import pytest

from pointbook.domain.account import Account, HourlyCount
from pointbook.domain.commands import Consume, Grant
from pointbook.domain.decide import decide
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days
from pointbook.domain.refusal import Refusal
from pointbook.domain.state import State
from pointbook.errors import InvalidRequest
from pointbook.services.flow_actions import TOO_DEEP
from pointbook.services.publishing.reports import REJECTED, reported_too_often
from pointbook.shopify.flow_action import GRANT_POINTS
from tests.contract.runs import ACTIONS, properties, read
from tests.support import shopify_files
from tests.support.domain import NOW
from tests.support.forge import CUSTOMER

DOCS = ["flow.md", "flow.ja.md"]

REFUSAL_ROW = re.compile(r"^\| (`[a-z_]+`)? ?\| ([^|]*) \|", re.MULTILINE)


def text(name: str) -> str:
    return (shopify_files.ROOT / "docs" / name).read_text(encoding="utf-8")


def variable(key: str) -> str:
    """The Liquid variable that Flow makes of a trigger's field."""
    first, *others = key.split()
    return "{{ " + first.lower() + "".join(others) + " }}"


@pytest.mark.parametrize("name", DOCS)
def test_every_action_and_trigger_is_there_under_its_name_and_handle(name: str) -> None:
    for handle in ACTIONS + shopify_files.of_type("flow_trigger"):
        assert f"`{handle}`" in text(name)
        assert shopify_files.extension(handle)["name"] in text(name)


@pytest.mark.parametrize("name", DOCS)
def test_every_field_is_there_with_its_variable(name: str) -> None:
    for handle in shopify_files.of_type("flow_trigger"):
        for field in shopify_files.fields(handle):
            if "key" in field:
                row = rf"^\|[^|]*( \| )?{field['key']} \|[^\n]*{re.escape(variable(field['key']))}"
                assert re.search(row, text(name), re.MULTILINE), field["key"]
    for handle in ACTIONS:
        for field in shopify_files.fields(handle):
            if "key" in field:
                assert f"`{field['key']}`" in text(name)


@pytest.mark.parametrize("name", DOCS)
def test_the_topics_are_those_that_are_sent(name: str) -> None:
    documented = re.findall(r"^\| `(points/[a-z_/]+)` \|", text(name), re.MULTILINE)
    assert sorted(documented) == sorted(
        topic for topic in Topic if topic.startswith(("points/add/", "points/sub/"))
    )


def refused(given: dict[str, str]) -> str:
    with pytest.raises(InvalidRequest) as refusal:
        read(GRANT_POINTS, properties(GRANT_POINTS) | given)
    return refusal.value.message


def without(key: str) -> str:
    with pytest.raises(InvalidRequest) as refusal:
        read(GRANT_POINTS, {k: v for k, v in properties(GRANT_POINTS).items() if k != key})
    return refusal.value.message


def not_enough() -> str:
    granted = decide(State(Account(CUSTOMER)), Grant(120, Days(30)), NOW)
    assert not isinstance(granted, Refusal)
    refusal = decide(State(granted.account), Consume(500), NOW)
    assert isinstance(refusal, Refusal)
    return refusal.message


def too_often() -> str:
    hour = int(NOW.timestamp()) // 3600
    full = Account(CUSTOMER, flow_count=HourlyCount(hour, 500))
    refusal = decide(State(full), Grant(1, Days(30), flow_per_hour=500), NOW)
    assert isinstance(refusal, Refusal)
    return refusal.message


def test_the_sentences_of_refusals_are_what_the_code_says() -> None:
    sentences = [
        not_enough(),
        refused({"points": "500.0"}),
        without("reason"),
        refused({"days_to_expire": "0"}),
        without("customer_id"),
        refused({"cause_entry_id": "order-1"}),
        refused({"origin": "pos"}),
        TOO_DEEP.message,
        too_often(),
        reported_too_often(500).message,
        REJECTED.message,
    ]
    for name in DOCS:
        assert [sentence for sentence in sentences if f"| {sentence} |" not in text(name)] == []


def test_the_refusals_are_the_same_in_both_languages() -> None:
    rows = [REFUSAL_ROW.findall(text(name)) for name in DOCS]
    assert len(rows[0]) > 8
    assert rows[0] == rows[1]


@pytest.mark.parametrize("name", DOCS)
def test_links_lead_somewhere(name: str) -> None:
    """Headings become anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text(name), re.MULTILINE)
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }
    links = re.findall(r"\]\(([^)]+)\)", text(name))
    assert links
    for link in links:
        file, _, anchor = link.partition("#")
        if file:
            assert (shopify_files.ROOT / "docs" / file).exists(), link
        else:
            assert anchor in anchors, link
