"""`pointbook statement`: days and months from files or the ledger, the journal, and the verdict."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli import target
from cli.app import main
from pointbook.domain.commands import Consume, Grant, PlaceHold
from pointbook.domain.expiry import Never
from pointbook.store import keys
from tests.support.book_shop import BookShop, BookStack
from tests.support.commands import failure
from tests.support.harness import TABLE

SHOP = "demo.myshopify.com"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> BookShop:
    """Grants on November 21, something used on the 22nd, a hold on the 23rd; it is the 24th."""
    shop = BookShop()
    for number in (1, 2):
        shop.execute(Grant(1_000 * number, Never()), str(7_000 + number))
    shop.pass_nights()
    shop.execute(Consume(300), "7001")
    shop.pass_nights()
    shop.execute(PlaceHold(200, "h", 86_400, code="C"), "7002")
    shop.pass_nights()
    monkeypatch.setattr(target, "target_of", lambda _: BookStack(shop))
    return shop


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["statement", *arguments, "--json"]) == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def moved(document: dict[str, Any]) -> dict[str, int]:
    return {one["movement"]: one["points"] for one in document["movements"]}


def test_yesterday_is_the_default(shop: BookShop, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys)
    assert (found["first"], found["last"]) == ("2026-11-23", "2026-11-23")
    assert moved(found) == {"held": 200}
    assert (found["opening"]["approved"], found["closing"]["approved"]) == (2_700, 2_500)
    assert found["closing"]["hold"] == 200
    assert found["is_closed"] is True


def test_a_day_on_file_is_read_and_equals_the_ledger(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    computed = printed(capsys, "--day", "2026-11-23")
    assert computed["source"] == "ledger"
    shop.write_statements()
    read = printed(capsys, "--day", "2026-11-23")
    assert read["source"] == "files"
    again = printed(capsys, "--day", "2026-11-23", "--recompute")
    assert {**read, "source": ""} == {**computed, "source": ""} == {**again, "source": ""}


def test_a_month_of_files_is_their_sum(shop: BookShop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.now.at = shop.now.at.replace(day=1)  # so the first statement is November 1's
    shop.write_statements()
    shop.now.at = shop.now.at.replace(month=12, day=1)
    shop.write_statements()
    found = printed(capsys, "--month", "2026-11")
    assert found["source"] == "files"
    assert moved(found) == {"granted": 3_000, "held": 200, "spent": 300}
    assert (found["opening"]["approved"], found["closing"]["approved"]) == (0, 2_500)
    whole = printed(capsys, "--month", "2026-11", "--recompute")
    assert {**whole, "source": ""} == {**found, "source": ""}


def test_a_month_under_way_is_computed_so_far(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["statement", "--month", "2026-11"]) == 0
    words = capsys.readouterr().out
    assert "November 1, 2026 to November 23, 2026 (so far), Asia/Tokyo" in words
    assert "Closes: the accounts are what the entries add up to." in words
    assert "2 accounts, 4 entries; from the ledger." in words
    assert [line.split() for line in words.splitlines() if line.startswith("Used")] == [
        ["Used", "1", "−300", "0", "−300", "0"]
    ]


def test_an_edited_account_does_not_close_and_says_what_to_do(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keys.key(keys.customer(SHOP, "7002"), keys.entry(1))
    shop.table.delete_item(TableName=TABLE, Key=key)
    assert main(["statement", "--day", "2026-11-23"]) == 1
    words = capsys.readouterr().out
    assert "DOES NOT CLOSE" in words
    assert "The accounts differ from the entries: issued −2,000, approved +2,000" in words
    assert "not what their entries add up to: 7002." in words
    assert "pointbook verify" in words
    assert printed(capsys, status=1)["is_closed"] is False


def test_a_day_that_begins_elsewhere_than_the_day_before_ended_is_named(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.now.at = shop.now.at.replace(day=1)
    shop.write_statements()
    shop.now.at = shop.now.at.replace(month=12, day=1)
    shop.write_statements()
    file = f"statements/{SHOP}/2026/2026-11-22.jsonl"
    lines = shop.statements.objects[file].decode()
    shop.statements.objects[file] = lines.replace('"approved": 3000', '"approved": 3001').encode()
    found = printed(capsys, "--month", "2026-11", status=1)
    assert found["changed_days"] == ["2026-11-22"]
    assert main(["statement", "--month", "2026-11"]) == 1
    assert "do not begin where the day before ended: 2026-11-22" in capsys.readouterr().out


def test_the_journal_is_a_file_for_spreadsheets_in_japanese(
    shop: BookShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "journal.csv"
    arguments = ["--month", "2026-11", "--journal", str(file), "--language", "ja"]
    assert main(["statement", *arguments, "--worth", "0.85"]) == 0
    text = file.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff日付,借方科目,借方金額,貸方科目,貸方金額,ポイント数,摘要\r\n")
    rows = list(csv.reader(text.splitlines()))[1:]
    assert rows == [
        [
            "2026-11-23",
            "売上高",
            "2550",
            "契約負債",
            "2550",
            "3000",
            f"ポイント: 付与 ({SHOP})（途中）",
        ],
        [
            "2026-11-23",
            "契約負債",
            "255",
            "売上高",
            "255",
            "300",
            f"ポイント: 利用 ({SHOP})（途中）",
        ],
    ]
    shop.now.at = shop.now.at.replace(month=12, day=1)
    assert main(["statement", *arguments, "--worth", "0.85"]) == 0
    over = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))[1:]
    assert {row[0] for row in over} == {"2026-11-30"}
    assert not [row for row in over if "途中" in row[-1]]


def test_the_journal_names_the_accounts_of_the_practice(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(capsys, "--month", "2026-11", "--booked-as", "provision")
    lines = [(one["debit"], one["credit"]) for one in found["journal"]["lines"]]
    assert lines == [
        ("provision_expense", "provision_for_points"),
        ("provision_for_points", "sales"),
    ]


def test_the_days_are_a_file_for_spreadsheets(shop: BookShop, tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    assert main(["statement", "--month", "2026-11", "--csv", str(file)]) == 0
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["day"], row["movement"]) for row in rows] == [
        ("2026-11-01", "opening"),
        ("2026-11-21", "granted"),
        ("2026-11-22", "spent"),
        ("2026-11-23", "held"),
        ("2026-11-23", "closing_so_far"),
        ("2026-11-23", "difference"),
    ]
    shop.now.at = shop.now.at.replace(month=12, day=1)
    assert main(["statement", "--month", "2026-11", "--csv", str(file)]) == 0
    last = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))[-2:]
    assert [(row["day"], row["movement"]) for row in last] == [
        ("2026-11-30", "closing"),
        ("2026-11-30", "difference"),
    ]


def test_on_its_first_day_a_month_has_that_day_so_far(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.now.at = shop.now.at.replace(month=12, day=1)
    found = printed(capsys, "--month", "2026-12")
    assert (found["first"], found["last"], found["is_over"]) == ("2026-12-01", "2026-12-01", False)


@pytest.mark.parametrize("is_right", [True, False])
def test_in_japanese_all_words_are(
    shop: BookShop, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_right: bool
) -> None:
    if not is_right:
        key = keys.key(keys.customer(SHOP, "7002"), keys.entry(1))
        shop.table.delete_item(TableName=TABLE, Key=key)
    file = tmp_path / "1.html"
    arguments = ["--month", "2026-11", "--language", "ja", "--report", str(file)]
    assert main(["statement", *arguments]) == (0 if is_right else 1)
    words = capsys.readouterr().out
    for name in (str(file), SHOP, "Asia/Tokyo", "pointbook verify"):
        words = words.replace(name, "")
    assert re.findall("[A-Za-z]+", words) == []


def test_the_report_is_written(shop: BookShop, tmp_path: Path) -> None:
    file = tmp_path / "november.html"
    assert main(["statement", "--month", "2026-11", "--report", str(file)]) == 0
    title = "Points statement, November 1, 2026 to November 23, 2026 (so far)"
    assert title in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--day", "yesterday"], "--day is 'yesterday', but must be a day"),
        (["--month", "2026-13"], "--month is '2026-13', but must be a month"),
        (["--day", "2026-11-23", "--month", "2026-11"], "Give --day or --month"),
        (["--day", "2026-11-25"], "has not begun"),
        (["--worth", "much"], "--worth is 'much', but must be an amount"),
        (["--worth=-1"], "--worth is '-1', but must be an amount"),
        (["--booked-as", "gift"], "gift"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    shop: BookShop, arguments: list[str], said: str
) -> None:
    assert said in " ".join(failure("statement", *arguments, status=2).split())


def test_a_file_that_cannot_be_written_is_said(shop: BookShop, tmp_path: Path) -> None:
    said = failure("statement", "--report", str(tmp_path / "no" / "report.html"), status=2)
    assert "There is no folder" in said
    assert "cannot be written" in failure("statement", "--report", str(tmp_path))


def test_a_bucket_that_is_down_is_not_reachable(shop: BookShop) -> None:
    shop.statements.down = 1
    failure("statement", status=3)


def test_a_stack_without_the_bucket_is_computed(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.write_statements()
    shop.outputs.clear()
    assert printed(capsys)["source"] == "ledger"
