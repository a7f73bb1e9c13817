"""`pointbook import --catch-up`: what differs is reported and booked, and nothing on a guess."""

import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import catch_up, target
from cli.app import main
from cli.catch_up import COLUMNS
from cli.operator_api import Answer
from cli.target import Target
from pointbook.domain.commands import Grant, ReverseImport
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import FixedDate
from pointbook.domain.lots import Lot
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.operator_api import a_target
from tests.support import engine as engines
from tests.support.engine import opened
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver

MOVE = "2026-12-move"
DAY = datetime.now(UTC).date() + timedelta(days=100)
HEADER = "customer_id,title,point,expired_at,created_at"
BOOKED = Answer(201, {"entry_id": "1-1"})


class Shell:
    """An engineer at a stack in which two customers have 100 points each of the import."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self.answers: dict[str, list[Answer | None]] = {}
        self.sent: list[tuple[str, int, str]] = []
        self.engine = opened(engines.MEMORY, MemoryDynamoDB())
        driver = LedgerDriver(self.engine)
        for customer_id in (CUSTOMER, OTHER):
            driver.say(
                Grant(100, FixedDate(DAY), Topic.ADD_IMPORT, f"{MOVE}#1"), customer_id=customer_id
            )

    def post(self, _: Target, path: str, content: Any, headers: dict[str, str]) -> Answer | None:
        customer_id = path.split("/")[-2]
        self.sent.append((customer_id, content["points"], headers["Idempotency-Key"]))
        assert content["import_id"] == headers["Idempotency-Key"]
        answers = self.answers.get(customer_id, [])
        return answers.pop(0) if answers else BOOKED

    def file(self, *rows: str) -> str:
        file = self._folder / "later.csv"
        file.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
        return str(file)

    def run(self, file: str, *options: str, import_id: str = MOVE) -> tuple[int, str]:
        """The exit status and what was printed."""
        status = main(["import", file, "--id", import_id, "--catch-up", *options])
        printed = self._capsys.readouterr()
        return status, printed.out + printed.err


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    shell = Shell(tmp_path, capsys)
    stack = a_target()
    stack = replace(stack, settings=replace(stack.settings, table_name=shell.engine.table))
    monkeypatch.setattr(target, "target_of", lambda _: stack)
    monkeypatch.setattr(Target, "client", lambda _, __: shell.engine.client)
    monkeypatch.setattr(Target, "items", lambda _: 0)
    monkeypatch.setattr(catch_up, "post", shell.post)
    return shell


def row(customer_id: str, points: object, day: date = DAY) -> str:
    return f"{customer_id},移行分,{points},{day},"


def test_a_difference_is_booked_under_a_key_of_its_own(shell: Shell) -> None:
    status, said = shell.run(shell.file(row(CUSTOMER, 130), row(OTHER, 70)))
    assert status == 0
    key = f"{MOVE}.1.{DAY}"
    assert sorted(shell.sent) == [(CUSTOMER, 30, key), (OTHER, -30, key)]
    assert "2 of 2 customers differ: 30 points to add, 30 to remove." in said


def test_a_dry_run_says_what_differs_and_books_nothing(shell: Shell) -> None:
    status, said = shell.run(shell.file(row(CUSTOMER, 130), row(OTHER, 100)), "--dry-run")
    assert (status, shell.sent) == (1, [])
    assert "to book" in said
    status, said = shell.run(shell.file(row(CUSTOMER, 100), row(OTHER, 100)), "--dry-run")
    assert (status, shell.sent) == (0, [])
    assert "2 customers: nothing differs." in said


def test_what_a_spreadsheet_has_done_to_a_row_is_said(shell: Shell) -> None:
    status, said = shell.run(shell.file(row("8.84073E+12", 100)))
    assert (status, shell.sent) == (1, [])
    assert "A spreadsheet has rounded it, and its last digits are lost" in said
    status, said = shell.run(shell.file(row(CUSTOMER, '"1,250"'), row(OTHER, 100)), "--dry-run")
    assert "Leave out the separators." in said


def test_customers_of_the_import_who_are_not_in_the_file_are_counted(shell: Shell) -> None:
    status, said = shell.run(shell.file(row(CUSTOMER, 100)), "--dry-run")
    assert (status, shell.sent) == (1, [])
    assert "1 of 2 customers differs: 0 points to add, 100 to remove." in said
    assert "1 customer is not in the file: their points of this import are removed." in said


def test_the_first_differences_are_shown_and_how_many_more_there_are(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catch_up, "LISTED_MAX", 1)
    file = shell.file(row(CUSTOMER, 130), row(OTHER, 70))
    _, said = shell.run(file, "--dry-run")
    assert [CUSTOMER, str(DAY), "100", "130", "30", "to", "book"] in map(
        str.split, said.split("\n")
    )
    assert "... and 1 more; --differences FILE lists all." in said
    _, said = shell.run(file, "--dry-run", "--differences", str(tmp_path / "all.csv"))
    assert "more; --differences" not in said


def test_the_report_lists_every_difference_and_what_became_of_it(
    shell: Shell, tmp_path: Path
) -> None:
    refusal = {"code": "insufficient_points", "detail": "There are 20 points."}
    shell.answers = {OTHER: [Answer(422, refusal)], CUSTOMER: [Answer(201, {}, repeated=True)]}
    report = tmp_path / "differences.csv"
    file = shell.file(row(CUSTOMER, 130), row(OTHER, 70))
    status, said = shell.run(file, "--differences", str(report))
    assert status == 1
    with report.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows == [
        list(COLUMNS),
        [CUSTOMER, str(DAY), "100", "130", "30", "repeated", ""],
        [
            *(OTHER, str(DAY), "100", "70", "-30", "refused"),
            "insufficient_points: There are 20 points.",
        ],
    ]
    assert f"customer {OTHER}, -30 points: insufficient_points: There are 20 points." in said


def test_the_document_has_the_totals(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    file = shell.file(row(CUSTOMER, 130), row(OTHER, 70))
    assert main(["import", file, "--id", MOVE, "--catch-up", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "import_id": MOVE,
        "dry_run": False,
        "customers": 2,
        "differences": 2,
        "added": 30,
        "removed": 30,
        "results": {"booked": 2},
        "refused": 0,
        "absent": 0,
    }


def test_an_import_that_was_undone_is_not_caught_up(shell: Shell) -> None:
    undo = ReverseImport(100, (Lot(DAY, 100),), f"{MOVE}#1", was_removal=False)
    LedgerDriver(shell.engine).say(undo)
    status, said = shell.run(shell.file(row(CUSTOMER, 100), row(OTHER, 100)), "--yes")
    assert (status, shell.sent) == (1, [])
    assert f"The import {MOVE} was undone: import the export under another id." in said


def test_an_import_of_which_nothing_is_booked_is_not_caught_up(shell: Shell) -> None:
    """A typo in the id would give everybody their points once more."""
    status, said = shell.run(shell.file(row(CUSTOMER, 100)), import_id="2026-12-mov")
    assert (status, shell.sent) == (1, [])
    assert "has no points of an import 2026-12-mov" in said


def test_a_row_of_an_unknown_customer_stops_everything(shell: Shell) -> None:
    """Whoever it is of would look like a customer without points."""
    file = shell.file(row(CUSTOMER, 130), row("7.002E+3", 100))
    status, said = shell.run(file, "--yes")
    assert (status, shell.sent) == (1, [])
    assert "Correct the file first" in said
    assert "line 3" in said


def test_a_customer_with_another_wrong_row_is_left_alone_and_reported(shell: Shell) -> None:
    file = shell.file(row(CUSTOMER, 130), row(OTHER, 60), row(OTHER, "1.5"))
    status, said = shell.run(file)
    assert status == 1
    assert [customer_id for customer_id, _, _ in shell.sent] == [CUSTOMER]
    assert f"customer {OTHER}, no points: invalid_request: point is '1.5'" in said


def test_an_export_that_lacks_many_customers_is_not_taken_for_the_whole(shell: Shell) -> None:
    file = shell.file(row(CUSTOMER, 100))
    status, said = shell.run(file)
    assert (status, shell.sent) == (1, [])
    assert "pass --yes" in said
    assert shell.run(file, "--dry-run")[0] == 1
    assert shell.run(file, "--yes")[0] == 0
    assert shell.sent == [(OTHER, -100, f"{MOVE}.1.rule")]


def test_no_answer_is_asked_for_again_and_then_the_command_can_be_run_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "PAUSES_SECONDS", (0, 0, 0))
    file = shell.file(row(CUSTOMER, 130), row(OTHER, 100))
    shell.answers = {CUSTOMER: [None, Answer(503, {}), BOOKED]}
    assert shell.run(file)[0] == 0
    assert [customer_id for customer_id, _, _ in shell.sent] == [CUSTOMER] * 3
    shell.answers = {CUSTOMER: [None] * 9}
    status, said = shell.run(file)
    assert (status, len(shell.sent)) == (3, 3 + 4)
    assert "Run it again; what is booked counts once." in said


def test_two_catch_ups_at_a_time_do_not_book_both(shell: Shell) -> None:
    shell.answers = {CUSTOMER: [Answer(422, {"code": "idempotency_mismatch", "detail": "…"})]}
    status, said = shell.run(shell.file(row(CUSTOMER, 130), row(OTHER, 100)))
    assert status == 1
    assert "another catch-up has booked this step meanwhile; run it again" in said


def test_who_may_not_write_is_told_so_once(shell: Shell) -> None:
    denied = Answer(403, {"message": "User is not authorized"})
    shell.answers = {CUSTOMER: [denied], OTHER: [denied]}
    status, said = shell.run(shell.file(row(CUSTOMER, 130), row(OTHER, 30)))
    assert status == 1
    assert "403: User is not authorized" in said


def test_an_id_that_is_too_long_is_refused_before_anything_is_read(shell: Shell) -> None:
    status, said = shell.run(shell.file(row(CUSTOMER, 130)), import_id="m" * 41)
    assert (status, shell.sent) == (2, [])
    assert "up to 40 characters" in said


def test_a_report_that_cannot_be_written_is_said(shell: Shell, tmp_path: Path) -> None:
    file = shell.file(row(CUSTOMER, 130), row(OTHER, 100))
    status, said = shell.run(file, "--differences", str(tmp_path / "none" / "x.csv"))
    assert (status, shell.sent) == (2, []), "known before anything is booked"
    assert "There is no folder" in said
    status, said = shell.run(file, "--differences", str(tmp_path))
    assert status == 1
    assert "cannot be written" in said
