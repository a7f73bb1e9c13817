"""`pointbook import` and `undo`: upload, start, wait, and show what became of the rows."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import import_runs, target
from cli.app import main
from cli.import_runs import STALLED_SECONDS
from cli.operator_api import Answer
from cli.target import Target
from local import demo
from pointbook.services.bulk_imports.csv_file import COLUMNS
from pointbook.services.bulk_imports.parts import PartResult
from pointbook.services.bulk_imports.runs import Run, json_bytes
from tests.fakes.operator_api import Api, a_target
from tests.fakes.privacy import IMPORTS_BUCKET, MemoryBucket
from tests.support.commands import failure

ID = "8840734670934"


class Stack:
    """A stack that plans a run when it is started, and does a part of it at each look."""

    def __init__(self) -> None:
        self.bucket = MemoryBucket()
        self.api = Api([Answer(202, {})])
        self.slept = 0.0
        self.result = PartResult(2, {"booked": {"rows": 2, "added": 800, "removed": 0}})  # type: ignore[dict-item]
        self.problem: dict[str, str] = {}
        self.stands_still = False
        self._run: Run | None = None

    def target(self) -> Target:
        bucket = {"ImportsBucketName": IMPORTS_BUCKET}
        found = replace(a_target(), outputs=bucket)
        object.__setattr__(found.session, "client", lambda *_, **__: self.bucket)
        return found

    def post(self, stack: Target, path: str, content: Any, headers: dict[str, str]) -> Any:
        answer = self.api.post(stack, path, content, headers)
        if answer is not None and answer.status == 202:
            members = dict(content) | {"actor": "hanako"}
            self._run = Run.from_json(members | {"import_id": path.split("/")[4]})
            self.bucket.objects[self._run.key("run.json")] = json_bytes(self._run.as_json())
        return answer

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self._run is None or self.stands_still:
            return
        if self.problem:
            self.bucket.objects[self._run.key("failed.json")] = json_bytes(self.problem)
        elif self._run.key("plan.json") not in self.bucket.objects:
            plan = {"parts": [2], "rows": 2, "hints": [], "digest": ""}
            plan["valid"] = {"rows": 2, "added": 800, "removed": 0}
            self.bucket.objects[self._run.key("plan.json")] = json_bytes(plan)
            self.bucket.objects[self._run.done_key(0)] = PartResult().text()
        else:
            self.bucket.objects[self._run.done_key(1)] = self.result.text()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stack:
    found = Stack()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_runs, "post", found.post)
    monkeypatch.setattr("cli.import_runs.time.sleep", found.sleep)
    monkeypatch.setattr(target, "target_of", lambda _: found.target())
    return found


def write(*lines: str) -> str:
    Path("balances.csv").write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="utf-8")
    return "balances.csv"


def refuse(stack: Stack, status: str, code: str, message: str) -> None:
    row = {"line": 3, "customer_id": ID, "point": 300, "left": 300, "code": code}
    totals = {"rows": 1, "added": 300, "removed": 0}
    stack.result = PartResult(2, {status: totals}, [row | {"message": message}])  # type: ignore[dict-item]


def test_a_file_is_uploaded_started_and_waited_for(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(f"{ID},残高,500,,", "9,Balance,300,,", ",,,,")
    assert main(["import", file, "--id", "2026-11-move"]) == 0
    ((path, content, _),) = stack.api.sent
    assert path == "/v1/operator/imports/2026-11-move/runs"
    assert (content["shop"], content["kind"], content["dry_run"]) == (
        demo.SHOP_DOMAIN,
        "import",
        False,
    )
    key = f"imports/{demo.SHOP_DOMAIN}/2026-11-move/{content['run_id']}/file.csv"
    assert stack.bucket.objects[key] == Path(file).read_bytes()
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("2026-11-move: 2 rows of balances.csv")
    assert said[1] == "1 empty row skipped."
    table = [line.split() for line in said]
    assert ["file,", "readable", "rows", "2", "800", "0"] in table
    assert ["booked", "2", "800", "0"] in table


def test_a_dry_run_says_so_and_json_has_the_whole_report(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", write(f"{ID},a,5,,"), "--id", "move", "--dry-run", "--json"]) == 0
    assert stack.api.sent[0][1]["dry_run"] is True
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["status"], report["rows_done"]) == ("done", 2)
    assert report["totals"]["booked"] == {"rows": 2, "added": 800, "removed": 0}
    assert "to book" in said.err
    assert "This was a dry run: nothing was booked." in said.err
    assert main(["import", "--id", "move", "--status"]) == 0
    assert "This was a dry run: nothing was booked." in capsys.readouterr().out


def test_of_many_refused_rows_it_is_said_how_many_are_not_shown(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(stack, "refused", "day_past", "past")
    stack.result.listed *= 23
    assert main(["import", write(f"{ID},a,5,,"), "--id", "move"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert len([line for line in said if line.startswith("line 3, ")]) == 20
    assert said[-2:] == [
        "... and 3 more, in the file.",
        "23 rows refused: move.rows-to-look-at.csv",
    ]


def test_an_id_that_can_never_be_caught_up_is_said(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    for length, count in ((40, 0), (41, 1)):
        assert main(["import", write(f"{ID},a,5,,"), "--id", "m" * length]) == 0
        assert capsys.readouterr().out.count("can never be caught up") == count


@pytest.mark.parametrize(("import_id", "said"), [(ID, 1), ("20261130", 0), ("2026-11-move", 0)])
def test_an_id_that_looks_like_a_customers_is_said(
    stack: Stack, capsys: pytest.CaptureFixture[str], import_id: str, said: int
) -> None:
    assert main(["import", write(f"{ID},a,5,,"), "--id", import_id, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("looks like a customer's id") == said


def test_refused_rows_are_shown_and_written_to_a_file_with_line_and_reason(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(stack, "refused", "day_past", "2020-12-31 is past, 残高")
    assert main(["import", write(f"{ID},a,5,,"), "--id", "move"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert f"line 3, {ID}: 2020-12-31 is past, 残高" in said
    assert said[-1] == "1 row refused: move.rows-to-look-at.csv"
    with Path("move.rows-to-look-at.csv").open(encoding="utf-8-sig", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["line"], row["customer_id"], row["code"]) == ("3", ID, "day_past")
    assert row["message"] == "2020-12-31 is past, 残高"


def test_a_file_that_is_refused_is_not_uploaded(stack: Stack) -> None:
    file = Path(write())
    file.write_bytes(f"{','.join(COLUMNS)}\n{ID},残高,5,,\n".encode("cp932"))
    assert "Line 2 is in Shift_JIS" in failure("import", str(file), "--id", "move")
    said = failure("import", "missing.csv", "--id", "move", status=2)
    assert said == "There is no file missing.csv.\n"
    assert "is a folder" in failure("import", ".", "--id", "move", status=2)
    assert (stack.api.sent, stack.bucket.objects) == ([], {})


def test_a_file_that_the_stack_refuses_is_reported_with_its_reason(stack: Stack) -> None:
    stack.problem = {"code": "file_refused", "message": "Rows are missing."}
    said = failure("import", write(f"{ID},a,5,,"), "--id", "move")
    assert "Rows are missing. Nothing was booked." in said


@pytest.mark.parametrize("arguments", [["--id", "move"], ["balances.csv", "--id", "m", "--status"]])
def test_a_file_or_status_has_to_be_given(stack: Stack, arguments: list[str]) -> None:
    assert "either a file to import or --status" in failure("import", *arguments, status=2)


def test_an_invalid_import_id_is_refused_before_anything_is_sent(stack: Stack) -> None:
    file = write(f"{ID},a,5,,")
    said = failure("import", file, "--id", "November move", status=2)
    assert said.startswith("--id is 'November move'")
    assert failure("undo", "November move", "--yes", status=2).startswith("IMPORT is 'November")
    assert (stack.api.sent, stack.bucket.objects) == ([], {})


def test_status_shows_how_far_the_latest_run_has_come(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Nothing is kept" in failure("import", "--id", "move", "--status")
    main(["import", write(f"{ID},a,5,,"), "--id", "move"])
    capsys.readouterr()
    assert main(["import", "--id", "move", "--status"]) == 0
    assert ["booked", "2", "800", "0"] in [x.split() for x in capsys.readouterr().out.splitlines()]
    done = next(key for key in stack.bucket.objects if key.endswith("done/00001.json"))
    del stack.bucket.objects[done]
    assert main(["import", "--id", "move", "--status"]) == 0
    assert "0 of 2 rows done." in capsys.readouterr().out


def test_a_start_without_an_answer_is_sent_again_as_the_same_run(stack: Stack) -> None:
    stack.api.answers = [None, Answer(503, {"message": "later"}), Answer(202, {})]
    assert main(["import", write(f"{ID},a,5,,"), "--id", "move"]) == 0
    assert len({content["run_id"] for _, content, _ in stack.api.sent}) == 1
    assert len(stack.api.sent) == 3


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (None, 3, "no answer. Run it again."),
        (Answer(403, {"message": "Forbidden"}), 1, "Not started. 403: Forbidden"),
    ],
)
def test_a_start_that_fails_says_why(
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    answer: Answer | None,
    status: int,
    said: str,
) -> None:
    stack.api.answers = [answer]
    assert main(["import", write(f"{ID},a,5,,"), "--id", "move"]) == status
    assert said in capsys.readouterr().err


def test_a_run_that_stands_still_is_given_up_with_what_to_do(stack: Stack) -> None:
    stack.stands_still = True
    said = failure("import", write(f"{ID},a,5,,"), "--id", "move")
    assert "redrive import_rows" in said
    assert stack.slept >= STALLED_SECONDS


def test_a_stack_without_the_bucket_says_what_to_do(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "target_of", lambda _: a_target())
    assert "deploy it again" in failure("import", write(f"{ID},a,5,,"), "--id", "move")


# --- undo -----------------------------------------------------------------------------------------


def test_an_import_is_undone_and_what_could_not_be_is_listed(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(stack, "left", "points_not_there", "300 of 500 points are not there.")
    assert main(["undo", "move", "--yes"]) == 1
    ((path, content, _),) = stack.api.sent
    assert (path, content["kind"]) == ("/v1/operator/imports/move/runs", "undo")
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "1 row not undone in full: move.not-undone.csv"
    assert "300 of 500 points" in Path("move.not-undone.csv").read_text(encoding="utf-8-sig")


def test_a_dry_run_of_undoing_needs_no_confirmation(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.result = PartResult(2, {"undone": {"rows": 2, "added": 800, "removed": 0}})  # type: ignore[dict-item]
    assert main(["undo", "move", "--dry-run"]) == 0
    assert stack.api.sent[0][1]["dry_run"] is True
    assert "to undo" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "sent"), [("y", 1), ("", 0), ("n", 0)])
def test_undoing_asks_first(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, answer: str, sent: int
) -> None:
    ask: Callable[[str], str] = lambda _: answer  # noqa: E731
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ask)
    assert main(["undo", "move"]) == 1 - sent
    assert len(stack.api.sent) == sent


def test_without_a_terminal_undoing_needs_yes(stack: Stack) -> None:
    assert "pass --yes" in failure("undo", "move")
    assert stack.api.sent == []
