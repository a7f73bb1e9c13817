"""docs/hash-chain.md alone is enough to verify a chain, and to see what was changed in it."""

import base64
import copy
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.commands import (
    GRANT_TOPICS,
    BeginRelease,
    CaptureHold,
    Command,
    Consume,
    ExtendExpiry,
    Grant,
    PlaceHold,
    ReleaseHold,
    Remove,
    ReturnSpending,
    Settle,
    SpendOnOrder,
    UpdateOrder,
)
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days, Never
from pointbook.domain.orders import EarningRule, Goods, OrderUpdate, Refund
from pointbook.ledger.instruction import Booked
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.privacy import PrivacyDriver, everything
from tests.reference.chain_by_the_page import Item, Page, digest, quoted, sha256
from tests.simulation.kernel.simulation import Simulation
from tests.support import shopify_files
from tests.support.engine import MEMORY, SHOP, Engine, opened
from tests.support.examples import CUSTOMER, NOON, OTHER
from tests.support.ledgers import LedgerDriver

TEXT = (shopify_files.ROOT / "docs" / "hash-chain.md").read_text(encoding="utf-8")
PAGE = Page.read(TEXT)
FLOW = Cause("flow", "run-é-😀", f"{CUSTOMER}-000000000001", 3)


@pytest.fixture
def engine() -> Engine:
    return opened(MEMORY, MemoryDynamoDB())


def printed(item: dict[str, Any]) -> Item:
    """An item as `aws dynamodb query` prints it."""

    def value(typed: dict[str, Any]) -> dict[str, Any]:
        ((kind, content),) = typed.items()
        match kind:
            case "B":
                return {kind: base64.b64encode(bytes(content)).decode()}
            case "L":
                return {kind: [value(one) for one in content]}
            case "M":
                return {kind: {name: value(one) for name, one in content.items()}}
        return {kind: content}

    return {name: value(typed) for name, typed in item.items()}


def accounts(items: list[dict[str, Any]]) -> list[tuple[Item, ...]]:
    """The items of each account that has entries."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item["sk"]["S"] == "ACCOUNT" or item["sk"]["S"].startswith("ENTRY#"):
            found.setdefault(item["pk"]["S"], []).append(printed(item))
    return [tuple(account) for account in found.values() if len(account) > 1]


# --- the page ------------------------------------------------------------------------------------


def test_the_example_verifies_and_each_step_of_it_is_what_the_page_shows() -> None:
    assert PAGE.wrong(PAGE.items) == []
    entries = [item for item in PAGE.items if item["sk"]["S"] != "ACCOUNT"]
    expected: dict[str, str] = {}
    for entry in entries:
        name, line = entry["version"]["N"], PAGE.line(entry, PAGE.items[0]["book"]["S"])
        expected |= {f"line of {name}": line, f"hash of {name}": sha256(line)}
        if "salt" in entry:
            expected[f"digest of {name}"] = digest(entry)
    assert PAGE.printed == expected
    assert len(entries) == 4
    assert len(PAGE.fields) == 16


def test_a_field_that_the_page_misplaces_or_forgets_is_noticed() -> None:
    for number in range(len(PAGE.fields)):
        assert PAGE.without(number).wrong(PAGE.items), PAGE.fields[number]
    for number in range(len(PAGE.fields) - 1):
        assert PAGE.swapped(number).wrong(PAGE.items), PAGE.fields[number]


def changed(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A value of an item with any single part of it changed."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            yield {kind: str(int(content) + 1)}
        case "S":
            yield {kind: content + "x"}
        case "B":
            yield {kind: base64.b64encode(base64.b64decode(content)[:-1] + b"x").decode()}
        case "L":
            parts = dict(enumerate(content))
            for other in changed_parts(parts):
                yield {kind: list(other.values())}
        case "M":
            for other in changed_parts(content):
                yield {kind: other}


def changed_parts[Name](parts: dict[Name, Any]) -> Iterator[dict[Name, Any]]:
    """Named values, any single part of them changed."""
    for name, one in parts.items():
        yield from (parts | {name: other} for other in changed(one))


def test_any_change_in_the_example_is_noticed() -> None:
    for at, item in enumerate(PAGE.items):
        unhashed = {"pk", "sk"} if "salt" in item else {"pk", "sk", "cause"}
        for name, value in item.items():
            for other in changed(dict(value)) if name not in unhashed else ():
                items = list(copy.deepcopy(PAGE.items))
                items[at] = {**item, name: other}
                assert PAGE.wrong(tuple(items)), f"{item['sk']['S']}: {name} as {other}"
    for at in range(1, len(PAGE.items)):
        assert PAGE.wrong(PAGE.items[:at] + PAGE.items[at + 1 :])


def test_texts_are_escaped_as_the_page_shows() -> None:
    assert len(PAGE.samples) == 3
    for text, written in PAGE.samples.items():
        assert quoted(text) == written


# --- what the ledger books -----------------------------------------------------------------------


def make_every_entry(driver: LedgerDriver) -> None:
    """Everything that can happen to points, with texts and without."""

    def execute(command: Command, **more: Any) -> None:
        assert isinstance(driver.say(command, **more), Booked), command

    for number, topic in enumerate(sorted(topic for topic in Topic if "/add/" in topic)):
        if topic in GRANT_TOPICS:
            reason = ("", 'a "reason"\n\\ with 太郎 😀 \x7f\t')[number % 2]
            execute(Grant(100, (Never(), Days(9))[number % 2], topic), reason=reason, cause=FLOW)
    (lot, *_) = driver.ledger.read(SHOP, CUSTOMER).lots
    execute(ExtendExpiry(lot.valid_through, lot.valid_through + timedelta(days=1)), reason="ill")
    rule = EarningRule(1)
    execute(UpdateOrder("900", OrderUpdate(NOON, Goods(30)), rule, Days(40)))
    execute(UpdateOrder("900", OrderUpdate(refunds=(Refund("r1", Goods(20)),)), rule, Never()))
    execute(UpdateOrder("900", OrderUpdate(confirmed_at=NOON), rule, Days(40)), reason="/no/")
    execute(Consume(20), cause=FLOW)
    execute(Remove(5), reason="é")
    execute(SpendOnOrder(6, "900", "till-1"))
    execute(UpdateOrder("900", OrderUpdate(cancelled=True), rule, Never()))
    execute(ReturnSpending("900", "till-1", Days(3)))
    execute(SpendOnOrder(6, "901", "till-1"))
    execute(PlaceHold(50, "h1", 600, code="C1"))
    execute(CaptureHold(30, "h1", "902"))
    execute(PlaceHold(40, "h2", 600, code="C2"))
    execute(BeginRelease("h2"))
    execute(ReleaseHold("h2"))
    driver.clock.pass_time(days=3, hours=13)
    execute(PlaceHold(90, "h3", 600, code="C3"))
    driver.clock.pass_time(days=20)
    execute(Settle())
    execute(CaptureHold(90, "h3", "903"))
    execute(Grant(70, Never()), customer_id=OTHER, reason="theirs")
    assert isinstance(driver.ledger.merge(SHOP, OTHER, CUSTOMER, FLOW), Booked)


def test_every_kind_of_movement_that_the_ledger_books_verifies_by_the_page(engine: Engine) -> None:
    make_every_entry(LedgerDriver(engine))
    found = accounts(everything(engine))
    assert len(found) == 2
    topics = {item["topic"]["S"] for account in found for item in account if "topic" in item}
    assert topics == set(Topic)
    for account in found:
        assert PAGE.wrong(account) == []
        assert PAGE.swapped(7).wrong(account)


def test_the_chain_of_an_erased_customer_verifies_with_the_same_hashes(engine: Engine) -> None:
    driver = LedgerDriver(engine)
    make_every_entry(driver)

    def hashes() -> set[str]:
        items = chain.from_iterable(accounts(everything(engine)))
        return {item["hash"]["B"] for item in items if "hash" in item}

    before = hashes()
    PrivacyDriver(engine, driver.clock).redact(CUSTOMER)
    found = accounts(everything(engine))
    assert hashes() == before
    assert all(account[0]["pk"]["S"].startswith(f"SHOP#{SHOP}#CUSTOMER#0") for account in found)
    assert not any("salt" in item or "reason" in item for account in found for item in account)
    assert [PAGE.wrong(account) for account in found] == [[]] * 2


@pytest.mark.parametrize("seed", range(3))
def test_accounts_of_a_simulation_verify_by_the_page(seed: int) -> None:
    simulation = Simulation(seed)
    simulation.run(60)
    found = accounts(list(simulation.engine.items("ledger").values()))
    assert sum(map(len, found)) >= 30
    assert [wrong for account in found for wrong in PAGE.wrong(account)] == []


TAMPERINGS: dict[str, Callable[[list[Item]], object]] = {
    "another amount": lambda book: book.__setitem__(
        2, {**book[2], "moves": {"M": {"issued": {"N": "-101"}, "approved": {"N": "101"}}}}
    ),
    "another text": lambda book: book.__setitem__(2, {**book[2], "reason": {"S": "nothing"}}),
    "an entry less": lambda book: book.pop(),
    "two entries swapped": lambda book: book.__setitem__(
        slice(1, 3), [{**book[2], "sk": book[1]["sk"]}, {**book[1], "sk": book[2]["sk"]}]
    ),
    "another book id": lambda book: book.__setitem__(0, {**book[0], "book": {"S": "f" * 16}}),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_tampered_with_does_not_verify(engine: Engine, name: str) -> None:
    make_every_entry(LedgerDriver(engine))
    account = max(accounts(everything(engine)), key=len)
    items = sorted(account, key=lambda item: item["sk"]["S"])
    assert PAGE.wrong(tuple(items)) == []
    TAMPERINGS[name](items)
    assert PAGE.wrong(tuple(items))


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/data-model.md",
        "docs/decisions/0006-entries-are-chained-over-a-digest-of-their-text.md",
    ],
)
def test_the_page_is_found(page: str) -> None:
    assert "hash-chain.md)" in (shopify_files.ROOT / page).read_text(encoding="utf-8")
