"""`pointbook privacy`: requests, their progress, and which are overdue."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from cli import privacy, target
from cli.app import main
from cli.output import Output
from cli.privacy import show
from pointbook.domain.privacy import Kind, PrivacyRequest
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.commands import failure
from tests.support.engine import opened

NOON = datetime(2026, 11, 22, 3, tzinfo=UTC)
SHOP = "demo.myshopify.com"
TOKYO = ZoneInfo("Asia/Tokyo")


def request(days_ago: int, subject: str = "7001") -> PrivacyRequest:
    return PrivacyRequest(Kind.CUSTOMER, SHOP, subject, NOON - timedelta(days=days_ago))


def test_open_requests_come_first_and_the_oldest_before_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = request(40, "1").counted(entries=7).finished(NOON)
    assert show([request(1, "3"), done, request(2, "2")], NOON, TOKYO, Output()) == 0
    _, *lines, zone = capsys.readouterr().out.splitlines()
    assert [line.split("customers/redact ")[1] for line in lines] == [
        "2: not started",
        "3: not started",
        "1: entries 7",
    ]
    assert [line.split()[0] for line in lines] == ["open", "open", "done"]
    assert lines[0].split()[1:3] == ["2026-11-20", "12:00"]
    assert zone == "Times of Asia/Tokyo."


def test_where_there_is_no_request_a_sentence_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert show([], NOON, TOKYO, Output()) == 0
    assert capsys.readouterr().out == "No privacy requests.\n"


def test_an_overdue_request_is_marked_and_the_command_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show([request(31)], NOON, TOKYO, Output()) == 1
    assert "OVERDUE" in capsys.readouterr().out
    assert show([request(30)], NOON, TOKYO, Output()) == 0


def test_the_reason_of_a_held_request_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show([request(1).held("the shop has an access token")], NOON, TOKYO, Output())
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("held")
    assert line.endswith("(the shop has an access token)")


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("YES ", 0), ("n", 1), ("", 1)])
def test_a_confirmed_shop_is_erased(
    confirmed: list[str], monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert main(["privacy", "--confirm-shop-erasure"]) == status
    assert confirmed == ([SHOP] if status == 0 else [])


def test_without_a_terminal_yes_is_required(
    confirmed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    said = failure("privacy", "--confirm-shop-erasure")
    assert said == "Not a terminal; pass --yes to confirm.\n"
    assert confirmed == []
    assert main(["privacy", "--confirm-shop-erasure", "--yes"]) == 0
    assert confirmed == [SHOP]


def test_nobody_is_asked_where_no_request_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = opened(engines.MEMORY, MemoryDynamoDB())
    table = Table(engine.client, engine.table)
    stack = SimpleNamespace(shop=lambda _: SHOP, table=lambda: table)
    monkeypatch.setattr(target, "target_of", lambda _: stack)
    said = failure("privacy", "--confirm-shop-erasure", "--yes")
    assert said == f"There is no held request to erase {SHOP}.\n"
    assert capsys.readouterr().out == ""


@pytest.fixture
def confirmed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose erasure was confirmed."""
    shops: list[str] = []
    stack = SimpleNamespace(shop=lambda _: SHOP, table=lambda: Table(None, "points"))
    monkeypatch.setattr(target, "target_of", lambda _: stack)
    monkeypatch.setattr(privacy, "held_request", lambda *_: request(1))
    monkeypatch.setattr(privacy, "confirm", lambda _, shop: shops.append(shop))
    return shops
