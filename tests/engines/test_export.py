"""An export has the ledger as it was, while it moves, and puts it into an empty table again."""

import gzip
import json
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pointbook.domain.orders import EarningRule, Goods
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.store import export_format, keys
from pointbook.store.export_format import ExportDamaged, ExportFile, Header
from pointbook.store.export_restore import ExportRestore, missing, superfluous
from pointbook.store.export_work import ExportWork
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from pointbook.store.table_differences import TableDifferences
from pointbook.store.table_export import ATTEMPTS, TableExport
from tests.engines.grown import grow
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.meanwhile import Meanwhile
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine, items_of, opened
from tests.support.examples import CUSTOMER, HOLD_ID, NOON, ORDER, OTHER
from tests.support.interrupted import CutOff, Interrupted
from tests.support.ledgers import FLOW, LedgerDriver, SetClock
from tests.support.table import table_request
from tests.support.verified import faults_in

both = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)
GONE, LATE = "7010", "7011"
PENDING = EarningRule(unit_minor=100, pending_days=30)
LATER = NOON + timedelta(days=2)


def nothing(_: int) -> None:
    """Report no progress."""


def fresh(engine: Engine) -> Engine:
    """An empty table beside this one."""
    made = Engine(engine.name, engine.client, f"{engine.table}-fresh")
    made.client.create_table(**table_request(made.table))
    return made


def live_a_little(driver: LedgerDriver) -> None:
    """Have a lot of everything: lots, a used hold, an open one, an order, a merge, old requests."""
    driver.grant(1000, key="first")
    driver.consume(300, key="second")
    driver.hold(100)
    driver.capture(100)
    driver.hold(50, hold_id="h2")
    driver.update_order(PENDING, updated_at=NOON, goods=Goods(5_000), confirmed_at=NOON)
    driver.grant(70, customer_id=GONE, key="gone")
    driver.ledger.merge(SHOP, GONE, OTHER, FLOW)
    driver.grant(50, customer_id=OTHER)


def exported(
    engine: Engine, path: Path, client: Any = None, *, customer: str = "", shop: str | None = None
) -> Path:
    """Export to a file, as the command does."""
    table = Table(client or engine.client, engine.table)
    with ExportWork(path.with_suffix(".part")) as work:
        export = TableExport(table, work, SetClock(), LATER)
        if customer:
            export.customer(keys.customer(SHOP, customer))
        else:
            export.scan(shop, nothing)
            export.settle(nothing)
        with path.open("wb") as file:
            header = Header(shops=(SHOP,), began_at="", customer=customer or None)
            export_format.write(file, header, work.texts())
    return path


def restored(engine: Engine, path: Path, client: Any = None) -> None:
    """Put a file into the table, as the command does."""
    restore = ExportRestore(
        ExportFile(path), Table(client or engine.client, engine.table), SetClock()
    )
    with TableDifferences() as found:
        restore.load_file(found, nothing)
        restore.load_table(found, nothing)
        assert list(found.foreign()) == []
        restore.write(found, nothing)
        restore.reopen_erasures(found)
        restore.load_table(found, nothing)
        assert [*missing(found), *superfluous(found)] == []
        assert restore.reopen_erasures(found) == [], "once"


@both
def test_an_empty_table_gets_every_item_as_it_was(
    engine: Engine, driver: LedgerDriver, tmp_path: Path
) -> None:
    live_a_little(driver)
    copy = fresh(engine)
    restored(copy, exported(engine, tmp_path / "ledger.jsonl"))
    assert items_of(copy) == items_of(engine)
    assert faults_in(copy.client, copy.table) == []
    again = LedgerDriver(copy)
    for customer_id in (CUSTOMER, OTHER):
        assert again.account(customer_id) == driver.account(customer_id)
        assert again.findings(customer_id) == []


@both
def test_a_request_of_before_is_a_duplicate_and_life_goes_on(
    engine: Engine, driver: LedgerDriver, tmp_path: Path
) -> None:
    live_a_little(driver)
    copy = fresh(engine)
    restored(copy, exported(engine, tmp_path / "ledger.jsonl"))
    again = LedgerDriver(copy)
    before = again.consume(300, key="second")
    merged = again.grant(70, customer_id=GONE, key="gone")
    new = again.consume(10, key="third")
    for answer, duplicate in ((before, True), (merged, True), (new, False)):
        assert isinstance(answer, Booked)
        assert answer.duplicate is duplicate
    assert faults_in(copy.client, copy.table) == []


def test_two_exports_of_the_same_ledger_are_the_same_bytes(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB(page_items=3))
    live_a_little(LedgerDriver(engine))
    first = exported(engine, tmp_path / "first.jsonl").read_bytes()
    assert exported(engine, tmp_path / "second.jsonl").read_bytes() == first


def test_only_its_owner_can_read_the_work_file(tmp_path: Path) -> None:
    with ExportWork(tmp_path / "ledger.part"):
        mode = (tmp_path / "ledger.part").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


STEPS: dict[str, Callable[[LedgerDriver], object]] = {
    "consume": lambda driver: driver.consume(1, key="meanwhile"),
    "request under a merged id": lambda driver: driver.grant(5, customer_id=GONE, key="more"),
    "end of a hold": lambda driver: driver.release("h2"),
    "order": lambda driver: driver.update_order(
        PENDING, updated_at=LATER, goods=Goods(9_000), confirmed_at=NOON
    ),
    "new customer": lambda driver: driver.grant(9, customer_id=LATE, key="new"),
    "merge": lambda driver: driver.ledger.merge(SHOP, OTHER, CUSTOMER, FLOW),
}
"""What others do while a table is read. Done once more, none of it moves a point."""


def do(driver: LedgerDriver, *steps: str) -> None:
    """Take steps two days after the beginning."""
    driver.clock.at = LATER
    for step in steps:
        STEPS[step](driver)


@pytest.mark.parametrize("all_began", [NOON, LATER], ids=["long before", "just before"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_is_written_at_whatever_moment_the_copy_is_whole(
    step: str, all_began: datetime, tmp_path: Path
) -> None:
    """What was done is known as done in the copy too: nothing counts twice, nothing is missing.

    Accounts that were written just before the export are read again, so that is interrupted too.
    """
    calls = at = 0
    while at <= calls:
        engine = opened(MEMORY, MemoryDynamoDB(page_items=2))
        driver = LedgerDriver(engine)
        driver.clock.at = all_began
        live_a_little(driver)
        client = Meanwhile(engine, at, partial(do, driver, step))
        path = exported(engine, tmp_path / f"{at}.jsonl", client)
        calls, copy = client.calls, fresh(engine)
        restored(copy, path)
        assert faults_in(copy.client, copy.table) == [], at
        again = LedgerDriver(copy)
        for one in (driver, again):
            do(one, *STEPS)
        for name in (CUSTOMER, OTHER, GONE, LATE):
            assert again.figures(name) == driver.figures(name), at
        assert faults_in(copy.client, copy.table) == [], at
        at += 1
    assert calls > 10


def test_an_account_that_never_rests_is_named(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    driver.clock.at = LATER
    driver.grant(1000)

    class Restless:
        def __getattr__(self, operation: str) -> Any:
            if operation == "query":
                driver.consume(1)
            return getattr(engine.client, operation)

    with pytest.raises(LedgerUnavailable, match=f"Customer {CUSTOMER} is written all the time"):
        exported(engine, tmp_path / "ledger.jsonl", Restless())
    assert driver.figures()["spent"] >= ATTEMPTS


@pytest.mark.parametrize("customer", ["", GONE])
@pytest.mark.parametrize("at", [NOON, LATER])
def test_an_export_that_is_cut_off_anywhere_is_finished_by_another_run(
    at: datetime, customer: str, tmp_path: Path
) -> None:
    engine = opened(MEMORY, MemoryDynamoDB(page_items=3))
    driver = LedgerDriver(engine)
    driver.clock.at = at
    live_a_little(driver)
    whole = exported(engine, tmp_path / "whole.jsonl", customer=customer).read_bytes()
    for calls in range(1, 100):
        path = tmp_path / f"{calls}.jsonl"
        try:
            exported(engine, path, Interrupted(engine.client, calls), customer=customer)
        except CutOff:
            assert not path.exists()
            assert exported(engine, path, customer=customer).read_bytes() == whole
            continue
        break
    assert calls > 5


def test_a_restore_that_is_cut_off_anywhere_is_finished_by_another_run(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    live_a_little(driver)
    for number in range(60):
        driver.grant(1, key=f"more-{number}")
    path, copy = exported(engine, tmp_path / "ledger.jsonl"), fresh(engine)
    for calls in range(1, 100):
        try:
            restored(copy, path, Interrupted(copy.client, calls))
        except CutOff:
            continue
        break
    assert calls >= 5
    assert items_of(copy) == items_of(engine)


def test_a_table_with_other_points_is_named_as_such(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    live_a_little(LedgerDriver(engine))
    path, copy = exported(engine, tmp_path / "ledger.jsonl"), fresh(engine)
    restored(copy, path)
    LedgerDriver(copy).grant(1, customer_id=LATE)
    LedgerDriver(copy).consume(1)
    restore = ExportRestore(ExportFile(path), Table(copy.client, copy.table), SetClock())
    with TableDifferences() as found:
        restore.load_file(found, nothing)
        restore.load_table(found, nothing)
        accounts = [keys.parse(pk)[1] for pk, sk in found.foreign() if sk == keys.ACCOUNT]
    assert accounts == [CUSTOMER, LATE]


def test_a_new_stack_s_own_programme_and_tokens_do_not_make_a_table_full(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    live_a_little(LedgerDriver(engine))
    shop = keys.shop(SHOP)

    def put(into: Engine, pk: str, sk: str, value: str) -> None:
        item = {**keys.key(pk, sk), "value": {"S": value}}
        into.client.put_item(TableName=into.table, Item=item)

    for sk in (keys.PROGRAMME, "PROGRAMME#000001", keys.ACCESS_TOKEN, f"{keys.TRIGGER}changed"):
        put(engine, shop, sk, "old")
    put(engine, keys.TILL, keys.TILL_TOKEN, "old")
    copy = fresh(engine)
    for sk in (keys.PROGRAMME, "PROGRAMME#000001", "PROGRAMME#000002", keys.ACCESS_TOKEN):
        put(copy, shop, sk, "new")
    put(copy, shop, f"{keys.TRIGGER}changed", "new")
    put(copy, keys.customer(SHOP, OTHER), keys.TILL_MEMBER, "new")
    restored(copy, exported(engine, tmp_path / "ledger.jsonl"))
    found = {sk: item["value"]["S"] for (pk, sk), item in items_of(copy).items() if pk == shop}
    assert found == {
        keys.PROGRAMME: "old",
        "PROGRAMME#000001": "old",
        keys.ACCESS_TOKEN: "new",
        f"{keys.TRIGGER}changed": "new",
    }
    assert (keys.TILL, keys.TILL_TOKEN) not in items_of(copy)


def test_who_the_new_stack_knows_as_erased_is_erased_again(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    driver.update_order(PENDING, updated_at=NOON, goods=Goods(5_000), confirmed_at=NOON)
    before = PrivacyRequest(Kind.CUSTOMER, SHOP, OTHER, NOON, customer_id=OTHER)
    since = PrivacyRequest(Kind.CUSTOMER, SHOP, CUSTOMER, NOON, customer_id=CUSTOMER)

    def erase(into: Engine, request: PrivacyRequest) -> PrivacyRequests:
        requests = PrivacyRequests(Table(into.client, into.table))
        saved = requests.save(request)
        assert saved is not None
        requests.save(saved.finished(NOON))
        return requests

    erase(engine, before)
    path, copy = exported(engine, tmp_path / "ledger.jsonl"), fresh(engine)
    requests = erase(copy, since)
    restored(copy, path)
    reopened, done = (requests.find(Kind.CUSTOMER, SHOP, one) for one in (CUSTOMER, OTHER))
    assert reopened is not None
    assert (reopened.state, reopened.order_ids) == (State.OPEN, (ORDER,))
    assert done is not None
    assert done.state is State.DONE


def test_one_customer_comes_with_orders_holds_and_whom_they_were_merged_with(
    tmp_path: Path,
) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    live_a_little(driver)
    driver.grant(1, customer_id=LATE)
    first = {pk for pk, _ in _keys(exported(engine, tmp_path / "1.jsonl", customer=CUSTOMER))}
    holds = {keys.hold(SHOP, one)["pk"]["S"] for one in (HOLD_ID, "h2")}
    assert keys.customer(SHOP, CUSTOMER) in first
    assert keys.order(SHOP, ORDER)["pk"]["S"] in first
    assert holds <= first
    assert {keys.customer(SHOP, OTHER), keys.customer(SHOP, LATE)} & first == set()
    second = {pk for pk, _ in _keys(exported(engine, tmp_path / "2.jsonl", customer=GONE))}
    assert second == {keys.customer(SHOP, OTHER), keys.customer(SHOP, GONE)}


def test_a_long_history_is_exported_whole(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    account = grow(engine.store(), 1_200)
    found = _keys(exported(engine, tmp_path / "ledger.jsonl", customer=CUSTOMER))
    entries = [sk for _, sk in found if sk.startswith(keys.ENTRY)]
    assert entries == [keys.entry(number) for number in range(1, account.version + 1)]


def test_only_the_shop_that_is_named(tmp_path: Path) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    live_a_little(LedgerDriver(engine))
    assert _keys(exported(engine, tmp_path / "1.jsonl", shop="other.myshopify.com")) == []
    erasure = keys.key(keys.SHOP_ERASURES, f"{keys.PRIVACY_REQUEST}shop/redact#{SHOP}")
    engine.client.put_item(TableName=engine.table, Item=erasure)
    found = _keys(exported(engine, tmp_path / "2.jsonl", shop=SHOP))
    assert set(found) == set(items_of(engine))


def _keys(path: Path) -> list[tuple[str, str]]:
    return [(item["pk"]["S"], item["sk"]["S"]) for item in ExportFile(path).items()]


# --- damaged files -------------------------------------------------------------------------------


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    """The lines of a file."""
    engine = opened(MEMORY, MemoryDynamoDB())
    live_a_little(LedgerDriver(engine))
    path = exported(engine, tmp_path / "ledger.jsonl")
    return path.read_bytes().splitlines(keepends=True)


def _rewritten(lines: list[bytes]) -> list[bytes]:
    """The lines with new checks, as somebody writes who knows how."""
    check, found = "", list[bytes]()
    for line in lines:
        body = line.rpartition(b',"Check":"')[0]
        check = export_format.check_of(check, body)
        found.append(body + b',"Check":"' + check.encode() + b'"}\n')
    return found


type Damage = tuple[Callable[[list[bytes]], list[bytes]], int, str]


def _put(lines: list[bytes], place: int, line: bytes) -> list[bytes]:
    return [*lines[:place], line, *lines[place:]]


DAMAGES: dict[str, Damage] = {
    "cut within a line": (lambda all_of: [*all_of[:4], all_of[4][:30]], 5, "is not whole"),
    "cut between lines": (lambda all_of: all_of[:-1], -1, "is missing: the file was cut off"),
    "a point more": (
        lambda all_of: [line.replace(b'"N":"300"', b'"N":"301"') for line in all_of],
        0,
        "does not match its check",
    ),
    "a line twice": (lambda all_of: _put(all_of, 5, all_of[4]), 6, "is line 5 once more"),
    "a line is missing": (lambda all_of: all_of[:5] + all_of[6:], 6, "does not match its check"),
    "two lines changed places": (
        lambda all_of: [*all_of[:5], all_of[6], all_of[5], *all_of[7:]],
        6,
        "does not match its check",
    ),
    "no export": (lambda _: [b"customer_id,title\n"], 1, "is not that of an export"),
    "empty": (lambda _: [], 1, "is missing"),
    "spreadsheet's line ends": (
        lambda all_of: [line.replace(b"\n", b"\r\n") for line in all_of],
        1,
        "is not that of an export",
    ),
    "something behind the end": (lambda all_of: [*all_of, b"{}\n"], -2, "comes after the last"),
    "a double with a new check": (
        lambda all_of: _rewritten(_put(all_of, 5, all_of[4])),
        6,
        "has the key of line 5",
    ),
    "out of order with new checks": (
        lambda all_of: _rewritten([*all_of[:5], all_of[6], all_of[5], *all_of[7:]]),
        7,
        "is out of order",
    ),
    "another shop's with a new check": (
        lambda all_of: _rewritten(
            [all_of[0], *(one.replace(b"SHOP#demo", b"SHOP#other") for one in all_of[1:])]
        ),
        2,
        "is of shop other.myshopify.com",
    ),
    "a line less with new checks": (
        lambda all_of: _rewritten(all_of[:5] + all_of[6:]),
        -1,
        "counts",
    ),
    "no item": (
        lambda all_of: _rewritten(_put(all_of, 1, b'{"Item":{"pk":"x"},"Check":"')),
        2,
        "is no item of the table",
    ),
    "not JSON": (
        lambda all_of: _rewritten(_put(all_of, 1, b'{"Item":{"pk",},"Check":"')),
        2,
        "is not JSON",
    ),
    "another kind of line": (
        lambda all_of: _rewritten(_put(all_of, 1, b'{"Note":{},"Check":"')),
        2,
        "is none of Item, End",
    ),
    "another format": (
        lambda all_of: _rewritten([all_of[0].replace(b"pointbook-", b""), *all_of[1:]]),
        1,
        "is not that of a pointbook-export",
    ),
    "a later version": (
        lambda all_of: _rewritten([all_of[0].replace(b'version":1', b'version":2'), *all_of[1:]]),
        1,
        "has version 2 of the format, but this release reads 1",
    ),
    "a header without shops": (
        lambda all_of: _rewritten([all_of[0].replace(b'"shops"', b'"stores"'), *all_of[1:]]),
        1,
        "lacks what was exported",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused_with_line_and_reason(
    name: str, lines: list[bytes], tmp_path: Path
) -> None:
    damage, line, reason = DAMAGES[name]
    damaged = damage(lines)
    assert damaged != lines
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(b"".join(damaged))
    with pytest.raises(ExportDamaged, match=reason) as refused:
        list(ExportFile(path).items())
    expected = {-1: len(lines) - (name != "cut between lines" and 1), -2: len(damaged)}
    if line:
        assert refused.value.line == expected.get(line, line)
    else:
        changed = zip(lines, damaged, strict=True)
        assert refused.value.line == 1 + [one == two for one, two in changed].index(False)


def test_a_compressed_file_is_read_as_it_is_and_one_that_was_cut_is_refused(
    lines: list[bytes], tmp_path: Path
) -> None:
    content = gzip.compress(b"".join(lines))
    path = tmp_path / "ledger.jsonl.gz"
    path.write_bytes(content)
    assert len(list(ExportFile(path).items())) == len(lines) - 2
    path.write_bytes(content[:-200])
    with pytest.raises(ExportDamaged, match="cannot be read"):
        list(ExportFile(path).items())


def test_a_line_is_the_item_as_dynamodb_writes_it_in_json(lines: list[bytes]) -> None:
    found = [json.loads(line) for line in lines]
    entry = next(one["Item"] for one in found[1:-1] if one["Item"]["sk"]["S"].startswith("ENTRY"))
    assert entry["topic"] == {"S": "points/add/flow"}
    assert entry["previous_hash"] == {"B": ""}
    assert found[0]["Header"]["shops"] == [SHOP]
    assert found[-1]["End"]["items"] == len(lines) - 2
