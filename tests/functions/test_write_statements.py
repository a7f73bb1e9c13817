"""Each day that is over gets its statement, once, whatever interrupts."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from local import demo
from pointbook.domain.commands import Consume, Grant, PlaceHold
from pointbook.domain.expiry import Days, Never
from pointbook.services import statement_runs, statements
from pointbook.store import keys
from tests.functions.test_privacy_events import redact
from tests.support.book_shop import BookShop
from tests.support.harness import TABLE
from tests.support.logs import logged

SHOP = demo.SHOP_DOMAIN


class Books(BookShop):
    """The functions, and the statements that they have written."""

    def lines(self, day: str) -> list[dict[str, Any]]:
        content = self.statements.objects[f"statements/{SHOP}/{day[:4]}/{day}.jsonl"]
        return [json.loads(line) for line in content.decode().splitlines()]

    def head(self, day: str) -> dict[str, Any]:
        return self.lines(day)[0]

    def days(self) -> list[str]:
        names = [key.rpartition("/")[2] for key in self.statements.objects]
        return sorted(name.removesuffix(".jsonl") for name in names if name.endswith(".jsonl"))


@pytest.fixture
def shop() -> Books:
    """Three customers with points since November 21."""
    books = Books()
    for number in (1, 2, 3):
        books.execute(Grant(100 * number, Never()), str(7_000 + number))
    return books


def test_the_day_before_is_written_and_closes(shop: Books) -> None:
    shop.execute(Consume(30), "7003")
    shop.pass_nights()
    result = shop.write_statements()
    assert (result["written"], result["differing"], result["complete"]) == (1, 0, True)
    head, *records = shop.lines("2026-11-21")
    assert head["is_closed"] is True
    assert head["closing"]["approved"] == 570
    assert not any(head["difference"].values())
    moved = {one["movement"]: one["points"] for one in records if one["record"] == "movement"}
    assert moved == {"granted": 600, "spent": 30}
    assert (
        "7003" not in shop.statements.objects[f"statements/{SHOP}/2026/2026-11-21.jsonl"].decode()
    )


def test_the_table_beside_it_has_the_same_movements(shop: Books) -> None:
    shop.pass_nights()
    shop.write_statements()
    content = shop.statements.objects[f"statements/{SHOP}/2026/2026-11-21.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["movement"] for row in rows] == ["opening", "granted", "closing", "difference"]
    assert [row["approved"] for row in rows] == ["0", "600", "600", "0"]


def test_a_day_is_not_closed_while_it_lasts_nor_half_an_hour_after(shop: Books) -> None:
    shop.now.at = datetime(2026, 11, 21, 15, 29, tzinfo=UTC)
    shop.write_statements()
    assert shop.days() == ["2026-11-20"]
    shop.now.at += timedelta(minutes=1)
    shop.write_statements()
    assert shop.days() == ["2026-11-20", "2026-11-21"]


def test_a_day_is_written_once(shop: Books) -> None:
    shop.pass_nights()
    shop.write_statements()
    written = list(shop.statements.writes)
    assert shop.write_statements()["written"] == 0
    assert shop.statements.writes == written


def test_days_that_were_missed_are_made_up_for(shop: Books) -> None:
    shop.pass_nights()
    shop.write_statements()
    shop.execute(Grant(5, Never()), "7001")
    shop.pass_nights(3)
    assert shop.write_statements()["written"] == 3
    assert shop.days() == ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
    for before, after in (("21", "22"), ("22", "23"), ("23", "24")):
        closing = shop.head(f"2026-11-{before}")["closing"]
        assert shop.head(f"2026-11-{after}")["opening"] == closing


def test_what_is_recorded_a_day_later_is_in_that_day_and_told_apart(shop: Books) -> None:
    shop.execute(Grant(40, Days(1)), "7001")
    shop.pass_nights()
    shop.write_statements()
    first = shop.lines("2026-11-21")
    shop.pass_nights(5)
    shop.execute(Consume(1), "7001")  # nobody has looked since the lot expired
    shop.pass_nights()
    shop.write_statements()
    assert shop.lines("2026-11-21") == first
    moved = {
        one["movement"]: one for one in shop.lines("2026-11-27") if one["record"] == "movement"
    }
    assert (moved["expired"]["points"], moved["expired"]["earlier_points"]) == (40, 40)


def test_a_run_that_is_out_of_time_goes_on_where_it_stopped(
    shop: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "PAGE_ITEMS", 2)
    for number in range(4, 12):
        shop.execute(Grant(100, Never()), str(7_000 + number))
    shop.pass_nights()
    shop.now.tick = 1.0
    runs = 0
    while not shop.write_statements(seconds=8)["complete"]:
        runs += 1
        assert runs < 20, "it makes no headway"
        assert any(key.startswith("progress/") for key in shop.statements.objects)
    assert runs > 1
    head = shop.head("2026-11-21")
    assert (head["accounts"], head["closing"]["approved"]) == (11, 600 + 800)
    assert head["is_closed"]
    assert not any(key.startswith("progress/") for key in shop.statements.objects)


def test_the_sums_are_kept_every_minute_so_that_a_crash_loses_little(
    shop: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_runs, "KEEP_SECONDS", 0.0)
    shop.pass_nights()
    shop.write_statements()
    kept = [key for key in shop.statements.writes if key.startswith("progress/")]
    assert len(kept) == 3


def test_an_edited_account_is_written_as_it_is_named_and_counted(
    shop: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keys.account(SHOP, "7002")
    item = shop.table.get_item(TableName=TABLE, Key=key)["Item"]
    balances = {"L": [{"N": "-250"}, *item["balances"]["L"][1:3], {"N": "250"}]}
    balances["L"] += item["balances"]["L"][4:]
    shop.table.damage(TABLE, {**item, "balances": balances})
    shop.pass_nights()
    capsys.readouterr()
    result = shop.write_statements()
    assert (result["written"], result["differing"]) == (1, 1)
    head = shop.head("2026-11-21")
    assert head["is_closed"] is False
    assert (head["difference"]["approved"], head["difference"]["issued"]) == (50, -50)
    lines = logged(capsys)
    named = {one["customer_id"] for one in lines if one.get("message") == "account_disagrees"}
    assert named == {"7002"}
    assert len([one for one in lines if one.get("message") == "statement_differs"]) == 1
    assert [one["LedgerFaults"] for one in lines if "LedgerFaults" in one] == [[1]]


def test_what_is_wrong_only_while_a_customer_is_being_moved_is_added_up_again(
    shop: Books,
) -> None:
    """One account is gone during the first attempt, and back before the second."""
    shop.pass_nights()
    shop.write_statements()
    at = (keys.customer(SHOP, "7002"), keys.ACCOUNT)
    item = shop.table.items(TABLE)[at]
    shop.table.delete_item(TableName=TABLE, Key=keys.key(*at))
    began: list[str] = []

    def come_back(key: str) -> None:
        began.append(key)
        shop.table.damage(TABLE, item)

    shop.statements.on_write = come_back
    shop.pass_nights()
    assert shop.write_statements()["differing"] == 0
    assert began[0] == f"progress/{SHOP}/2026-11-22.jsonl", "it has begun again"
    assert shop.head("2026-11-22")["closing"]["approved"] == 600


def test_an_account_that_cannot_be_read_is_counted(shop: Books) -> None:
    shop.damage("7002")
    shop.pass_nights()
    assert shop.write_statements()["differing"] == 1
    head = shop.head("2026-11-21")
    assert (head["accounts"], head["unreadable"], head["is_closed"]) == (2, 1, False)


def test_a_day_that_was_changed_after_it_was_closed_is_found(shop: Books) -> None:
    """Account and entries agree: only the file of the day before knows better."""
    shop.pass_nights()
    shop.write_statements()
    for key in (
        keys.account(SHOP, "7002"),
        keys.key(keys.customer(SHOP, "7002"), keys.entry(1)),
    ):
        shop.table.delete_item(TableName=TABLE, Key=key)
    shop.pass_nights(2)
    assert shop.write_statements()["differing"] == 1
    head = shop.head("2026-11-22")
    assert (head["is_closed"], head["changed_since"]["approved"]) == (True, -200)


def test_an_erasure_between_two_statements_changes_no_figure(shop: Books) -> None:
    shop.execute(Grant(100, Never()))
    shop.execute(PlaceHold(10, "h", 3_600, code="C"))
    shop.pass_nights()
    shop.write_statements()
    shop.work("privacy_events", redact())
    shop.pass_nights(2)
    assert shop.write_statements()["differing"] == 0


def test_the_bucket_may_be_down(shop: Books) -> None:
    shop.pass_nights()
    shop.statements.down = 1
    result = shop.write_statements()
    assert (result["stopped"], result["complete"]) == ("files_unavailable", False)
    assert shop.write_statements()["written"] == 1


def test_the_first_statement_is_yesterdays() -> None:
    books = Books()
    books.write_statements()
    assert books.days() == ["2026-11-20"]
    assert date.fromisoformat(books.head("2026-11-20")["first"]) == date(2026, 11, 20)
