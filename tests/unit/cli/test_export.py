"""`pointbook export`: the ledger, its entries and its balances, into files of three formats."""

import csv
import gzip
import importlib.util
import io
import json
import stat
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from cli import export_files, export_rows, target
from cli.app import main
from pointbook.domain.expiry import Never
from pointbook.store import keys
from pointbook.store.export_format import ExportFile
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, NOON, OTHER
from tests.support.ledgers import LedgerDriver, SetClock

SECOND = "second.myshopify.com"
ROOT = Path(__file__).resolve().parents[3]
HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None


class S3:
    """Uploads, by bucket and key."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.is_down = False

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        if self.is_down:
            raise EndpointConnectionError(endpoint_url="http://s3")
        self.files[bucket, key] = Path(path).read_bytes()


class Stack:
    """A stack with two customers: one granted 1,000 and used 300, the other granted 5."""

    name = "pointbook-test"

    def __init__(self) -> None:
        self.engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=3))
        programme = SimpleNamespace(time_zone="Asia/Tokyo")
        self.settings = SimpleNamespace(
            table_name=self.engine.table, shops=(SHOP, SECOND), default_programme=lambda: programme
        )
        self.s3, self.now = S3(), SetClock()
        self.driver = LedgerDriver(self.engine)
        self.driver.grant(1000, reason="=1+1")
        self.driver.clock.pass_time(days=1)
        self.driver.consume(300, key="once")
        self.driver.grant(5, customer_id=OTHER, expiry=Never())

    def client(self, service: str) -> Any:
        return {"dynamodb": self.engine.client, "s3": self.s3}[service]

    def items(self) -> int:
        return 0

    def clock(self) -> SetClock:
        return self.now

    def shop(self, name: str | None) -> str:
        return name or SHOP


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    monkeypatch.chdir(tmp_path)
    return found


def rows(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(Path(path).read_text(encoding="utf-8-sig"))))


def test_the_ledger_is_exported_whole_for_its_owner_alone(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "ledger.jsonl"]) == 0
    found = list(ExportFile(Path("ledger.jsonl")).items())
    assert {keys_of(one) for one in found} == set(stack.engine.client.items(stack.engine.table))
    assert ExportFile(Path("ledger.jsonl")).header.shops == (SHOP, SECOND)
    words = capsys.readouterr().out
    assert words.startswith("ledger.jsonl: 2 accounts, 3 entries, 1 idempotency records.")
    assert stat.S_IMODE(Path("ledger.jsonl").stat().st_mode) == 0o600
    assert [one.name for one in Path().iterdir()] == ["ledger.jsonl"], "no work file is left"


def keys_of(item: Any) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def test_a_compressed_export_is_the_same(stack: Stack) -> None:
    assert main(["export", "ledger.jsonl"]) == 0
    assert main(["export", "ledger.jsonl.gz"]) == 0
    assert (
        gzip.decompress(Path("ledger.jsonl.gz").read_bytes()) == Path("ledger.jsonl").read_bytes()
    )


def test_json_says_what_is_in_the_file(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "ledger.jsonl", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"accounts": 2, "entries": 3, "idempotency records": 1}
    assert (document["file"], document["what"], document["read_again"]) == (
        "ledger.jsonl",
        "ledger",
        2,
    )
    assert document["read_units"] > 0


def test_entries_are_rows_that_a_person_reads(stack: Stack) -> None:
    assert main(["export", "entries.csv"]) == 0
    first, second, third = rows("entries.csv")
    assert (first["customer_id"], first["version"], first["topic"]) == (
        CUSTOMER,
        "1",
        "points/add/flow",
    )
    assert (first["approved_change"], first["issued_change"], first["approved"]) == (
        "1000",
        "-1000",
        "1000",
    )
    assert first["recorded_at"] == "2026-11-21T12:00:00.000+09:00"
    assert (second["approved_change"], second["spent"]) == ("-300", "300")
    assert second["previous_hash"] == first["hash"] != ""
    assert third["customer_id"] == OTHER
    assert tuple(first) == export_rows.ENTRIES


def test_no_text_is_a_formula_in_a_spreadsheet(stack: Stack) -> None:
    assert main(["export", "entries.csv"]) == 0
    assert rows("entries.csv")[0]["reason"] == "'=1+1"


def test_balances_are_as_of_now_with_what_expires_next(stack: Stack) -> None:
    assert main(["export", "balances.csv", "--what", "balances"]) == 0
    first, second = rows("balances.csv")
    assert (first["approved"], first["spent"], first["expiring"]) == ("700", "300", "700")
    assert first["expires_on"] == (NOON + timedelta(days=30)).date().isoformat()
    assert (second["approved"], second["expires_on"], second["expiring"]) == ("5", "", "0")
    stack.now.pass_time(days=60)
    assert main(["export", "later.csv", "--what", "balances"]) == 0
    assert [one["approved"] for one in rows("later.csv")] == ["0", "5"]


def test_a_period_begins_at_its_first_instant_and_ends_before_its_last(stack: Stack) -> None:
    day = timedelta(days=1)
    begin, end = NOON.isoformat(), (NOON + day).isoformat()
    assert main(["export", "1.csv", "--since", begin, "--until", end]) == 0
    assert [one["version"] for one in rows("1.csv")] == ["1"]
    assert main(["export", "2.csv", "--since", end]) == 0
    assert [one["approved_change"] for one in rows("2.csv")] == ["-300", "5"]
    assert main(["export", "3.jsonl", "--until", end]) == 0
    (item,) = ExportFile(Path("3.jsonl")).items()
    assert keys_of(item)[1] == keys.entry(1)


def test_one_customer_by_any_form_of_the_id(stack: Stack) -> None:
    assert main(["export", "one.csv", "--customer", f"gid://shopify/Customer/{OTHER}"]) == 0
    assert [one["customer_id"] for one in rows("one.csv")] == [OTHER]
    assert "has no account of customer 7999" in failure("export", "2.csv", "--customer", "7999")
    assert "customer" in failure("export", "2.csv", "--customer", "Taro", status=2)
    assert [one.name for one in Path().iterdir()] == ["one.csv"]


def test_only_the_shop_that_is_named(stack: Stack) -> None:
    assert main(["export", "second.csv", "--shop", SECOND]) == 0
    assert rows("second.csv") == []
    assert main(["export", "second.jsonl", "--shop", SECOND]) == 0
    assert ExportFile(Path("second.jsonl")).header.shops == (SECOND,)


def test_a_run_that_was_cut_off_goes_on_and_another_one_is_refused(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, pages = stack.engine.client.scan, list[Any]()

    def cut(**request: Any) -> Any:
        pages.append(request.get("ExclusiveStartKey"))
        if len(pages) == 2:
            raise KeyboardInterrupt
        return scan(**request)

    monkeypatch.setattr(stack.engine.client, "scan", cut)
    assert "run it again; it goes on there" in failure("export", "ledger.jsonl", status=130)
    assert not Path("ledger.jsonl").exists()
    words = failure("export", "ledger.jsonl", "--shop", SHOP)
    assert "is of another export that is not finished" in words
    assert main(["export", "ledger.jsonl"]) == 0
    assert pages[2] == pages[1] is not None, "where it was"
    assert len(list(ExportFile(Path("ledger.jsonl")).items())) == 6


def test_a_file_that_exists_is_not_written_over(stack: Stack) -> None:
    Path("ledger.jsonl").write_text("mine")
    assert "exists already" in failure("export", "ledger.jsonl")
    assert Path("ledger.jsonl").read_text() == "mine"
    Path("other.jsonl.part").write_text("no work file, and long enough not to be taken for one" * 9)
    assert "cannot be written: file is not a database" in failure("export", "other.jsonl")
    assert "no folder nowhere" in failure("export", "nowhere/ledger.jsonl", status=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ledger.xlsx"],
        ["entries.parquet.gz"],
        ["entries.csv", "--what", "ledger"],
        ["ledger.jsonl", "--what", "entries"],
        ["balances.csv", "--what", "balances", "--since", "2026-01-01"],
        ["entries.csv", "--since", "yesterday"],
        ["1.csv", "--since", "2026-12-02", "--until", "2026-11-01"],
        ["1.csv", "--since", "2026-12-02", "--until", "2026-12-02"],
    ],
)
def test_what_makes_no_sense_is_wrong_use(stack: Stack, arguments: list[str]) -> None:
    failure("export", *arguments, status=2)
    assert list(Path().iterdir()) == []


def test_an_entry_that_cannot_be_read_is_named_and_exported_as_it_is(stack: Stack) -> None:
    key = keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(2))
    client, table = stack.engine.client, stack.engine.table
    item = client.get_item(TableName=table, Key=key)["Item"]
    del item["figures"]
    client.put_item(TableName=table, Item=item)
    words = failure("export", "entries.csv")
    assert f"ENTRY#000000000002 of customer {CUSTOMER} of {SHOP} cannot be read" in words
    assert not Path("entries.csv").exists()
    assert main(["export", "ledger.jsonl"]) == 0
    assert item in ExportFile(Path("ledger.jsonl")).items()


def test_an_export_to_s3_leaves_nothing_here(stack: Stack) -> None:
    assert main(["export", "s3://books/2026/entries.csv"]) == 0
    content = stack.s3.files["books", "2026/entries.csv"]
    assert content.startswith(b"\xef\xbb\xbfshop,customer_id,")
    assert list(Path().iterdir()) == []


def test_what_s3_does_not_take_stays_here(stack: Stack) -> None:
    stack.s3.is_down = True
    words = failure("export", "s3://books/entries.csv", status=3)
    assert "entries.csv is whole, but could not be put into s3://books/entries.csv" in words
    assert len(rows("entries.csv")) == 3


def test_without_pyarrow_it_is_said_how_to_install_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "`make setup`" in failure("export", "entries.parquet")
    assert list(Path().iterdir()) == [], "before anything is read"


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow is not installed: run `make setup`")
def test_parquet_has_the_same_rows_with_types(stack: Stack) -> None:
    parquet = export_files.pyarrow("pyarrow.parquet")
    assert main(["export", "entries.csv"]) == 0
    assert main(["export", "entries.parquet"]) == 0
    table = parquet.read_table("entries.parquet")
    assert tuple(table.column_names) == export_rows.ENTRIES
    found = table.to_pylist()
    assert [one["hash"] for one in found] == [one["hash"] for one in rows("entries.csv")]
    assert found[0]["approved_change"] == 1000
    assert found[0]["recorded_at"] == NOON
    assert found[0]["reason"] == "=1+1"
    assert main(["export", "balances.parquet", "--what", "balances"]) == 0
    (first, second) = parquet.read_table("balances.parquet").to_pylist()
    assert (first["approved"], second["approved"]) == (700, 5)


def test_the_docs_have_every_column() -> None:
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    for column in {*export_rows.ENTRIES, *export_rows.BALANCES}:
        name = "<bucket>_change" if column.endswith("_change") else column
        assert f"`{name}`" in page, column


def test_the_docs_show_a_first_line_as_it_is_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    line = next(one for one in page.splitlines() if one.startswith('{"Header"'))
    path = tmp_path / "ledger.jsonl"
    path.write_text(f"{line}\n")
    assert ExportFile(path).header.shops == (SHOP,)
    by_hand = next(one for one in page.splitlines() if one.startswith("printf '%s' '{"))
    assert by_hand.split("'")[3] == line.rpartition(',"Check"')[0]
