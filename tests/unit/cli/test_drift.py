"""`pointbook drift`: compares page by page, goes on after a stop, draws, and repairs once."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cli import drift, drift_repair, target
from cli.app import main
from cli.drift_picture import LISTED_MAX, picture
from cli.drift_report import Report
from cli.operator_api import Answer
from cli.target import Target
from pointbook.settings import Settings
from pointbook.store.till_comparisons import TillComparisons
from tests.fakes.operator_api import ENVIRONMENT, Api
from tests.support.commands import failure
from tools.make_drift_picture import DRAWN, sample

NAME, PUSH_TILL = "pointbook-dev-CompareTill", "pointbook-dev-PushTill"
FUNCTIONS = {"CompareTillFunction": NAME, "PushTillFunction": PUSH_TILL}
SHOP = "demo.myshopify.com"
PUSHES = {"pushes": True, "expiry": True, "lots": False, "ranks": True}
READS = {"pushes": False, "expiry": False, "lots": False, "ranks": False}
REPAIR = ["--reason", "Recount", "--by", "Hanako"]


def row(number: int, ledger: int, till: int | None, **changes: Any) -> dict[str, Any]:
    kind = "not_registered" if till is None else "equal" if till == ledger else "differs"
    return {
        "customer_id": str(8_840_734_670_000 + number),
        "member_number": str(number),
        "ledger": ledger,
        "till": till,
        "difference": till - ledger if till is not None else 0,
        "kind": kind,
        "why": "check sync" if till is None else "",
        "version": 1,
        "expires_on": None,
        "rank": "gold",
    } | changes


def page(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"till": PUSHES, "rows": list(rows), "position": None, "stopped": None} | changes


class CompareTill:
    """A function that answers from a script, and what customers have now if it is empty."""

    def __init__(self) -> None:
        self.script: list[dict[str, Any] | BaseException] = []
        self.now: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.pushes = 0
        self.on_push: Callable[[], None] = lambda: None

    def client(self, service: str, **_: object) -> "CompareTill":
        assert service == "lambda"
        return self

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's names
        event = json.loads(Payload)
        if FunctionName == PUSH_TILL:
            self.pushes += 1
            self.on_push()
            return {"Payload": io.BytesIO(b'{"due": 1, "failed": 0, "complete": true}')}
        assert FunctionName == NAME
        self.asked.append(event)
        step = self.script.pop(0) if self.script else self._compared(event["customers"])
        if isinstance(step, BaseException):
            raise step
        return {"Payload": io.BytesIO(json.dumps(step).encode())}

    def _compared(self, customers: list[str]) -> dict[str, Any]:
        return page(*(self.now[customer_id] for customer_id in customers))


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CompareTill:
    function = CompareTill()
    stack = Target("pointbook-dev", Settings.from_env(ENVIRONMENT), function, None, {})
    monkeypatch.setattr(Target, "resources", lambda _, kind: FUNCTIONS)
    monkeypatch.setattr(Target, "table", lambda _: None)
    monkeypatch.setattr(TillComparisons, "__init__", lambda *_: None)
    monkeypatch.setattr(TillComparisons, "count", lambda *_: 5)
    monkeypatch.setattr(target, "target_of", lambda _: stack)
    for module in (drift, drift_repair):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))
    return function


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """The exit status, and the document."""
    capsys.readouterr()
    status = main(["drift", "--json", *arguments])
    printed = capsys.readouterr().out
    return status, json.loads(printed) if printed else None


# --- the report -----------------------------------------------------------------------------------


def test_all_pages_are_compared_and_summed_up(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [
        page(row(1, 100, 100), row(2, 100, 70), position=["p", "s"]),
        page(row(3, 100, 105), row(4, 30, None), row(5, 0, None)),
    ]
    status, document = run(capsys)
    assert [one["position"] for one in function.asked] == [None, ["p", "s"]]
    assert status == 1
    assert document["totals"] == {
        "compared": 3,
        "equal": 1,
        "differing": 2,
        "till_less": 1,
        "till_less_points": 30,
        "till_more": 1,
        "till_more_points": 5,
        "sum_of_differences": -25,
        "not_registered": 1,
        "not_registered_without_points": 1,
        "ambiguous": 0,
        "not_compared": 0,
    }
    assert [one["difference"] for one in document["rows"]] == [-30, 5, None], "the largest first"


def test_the_words_say_the_same(function: CompareTill, capsys: pytest.CaptureFixture[str]) -> None:
    function.script = [page(row(1, 2000, 2000), row(2, 2000, 70), row(3, 10, None))]
    assert main(["drift"]) == 1
    printed = capsys.readouterr().out
    assert "2 members compared: 1 equal, 1 differs, by -1,930 points in all." in printed
    assert "The till has less for 1: -1,930 points." in printed
    assert "Not registered at the till: 1 with points, 0 without: check sync." in printed
    assert re.search(r"8840734670002 +differs +2,000 +70 +-1,930", printed), printed
    unknown = next(line for line in printed.splitlines() if "not_registered" in line)
    assert unknown.split() == ["8840734670003", "not_registered", "10", "gold", "check", "sync"]


def test_where_both_agree_the_status_is_0(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(row(1, 100, 100), row(2, 0, None))]
    status, document = run(capsys)
    assert (status, document["rows"]) == (0, []), "and those without points are not listed"


def test_those_without_points_whom_the_till_does_not_know_are_listed_if_asked_for(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(row(1, 100, 100), row(2, 0, None))]
    status, document = run(capsys, "--include-unregistered")
    assert (status, [one["kind"] for one in document["rows"]]) == (0, ["not_registered"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(9)])
def test_after_a_stop_it_goes_on_with_the_next_page(
    function: CompareTill, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    function.script = [page(row(1, 100, 70), position=["p", "s"]), error]
    assert run(capsys)[0] in (130, 9)
    function.script = [page(row(2, 100, 100))]
    status, document = run(capsys)
    assert function.asked[-1]["position"] == ["p", "s"]
    assert (status, document["totals"]["compared"], document["totals"]["differing"]) == (1, 2, 1)
    function.script = [page(row(1, 100, 100))]
    assert run(capsys)[0] == 0
    assert function.asked[-1]["position"] is None, "a finished one starts over"


def test_fresh_begins_anew(function: CompareTill, capsys: pytest.CaptureFixture[str]) -> None:
    function.script = [page(row(1, 100, 70), position=["p", "s"]), KeyboardInterrupt()]
    run(capsys)
    function.script = [page(row(1, 100, 100))]
    assert run(capsys, "--fresh")[0] == 0
    assert function.asked[-1]["position"] is None


def test_while_the_till_fails_it_stops_says_so_and_goes_on_there(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = {"code": "breaker_open", "message": "it fails", "left": ["2", "3"]}
    function.script = [page(row(1, 100, 70), stopped=stopped, position=["p", "s"])]
    assert main(["drift"]) == 3
    said = capsys.readouterr()
    assert "The till cannot be asked now (breaker_open): it fails" in said.err
    assert "1 of 5 members compared; run it again to go on." in said.out
    function.script = [page(row(2, 100, 100))]
    assert run(capsys)[0] == 1
    assert function.asked[-1]["position"] == ["p", "s"]


def test_a_stop_at_the_very_first_member_is_not_taken_for_the_end(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = {"code": "time_up", "message": "the deadline has passed", "left": ["1"]}
    function.script = [page(stopped=stopped), page(row(1, 100, 100))]
    status, document = run(capsys)
    assert (status, document["totals"]["compared"]) == (0, 1)


def test_members_who_were_changing_are_compared_again(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    changing = row(1, 100, 70, kind="not_compared", why="changing", difference=0)
    function.script = [page(changing), page(changing), page(row(1, 70, 70))]
    status, document = run(capsys)
    assert (status, document["totals"]["equal"], document["rows"]) == (0, 1, [])
    assert function.asked[1]["customers"] == [changing["customer_id"]]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"code": "no_till", "message": "This stack has no till.", "retry": False}, 1),
        ({"code": "ledger_unavailable", "message": "Try again.", "retry": True}, 3),
    ],
)
def test_a_refusal_of_the_function_is_said(
    function: CompareTill, capsys: pytest.CaptureFixture[str], answer: Any, status: int
) -> None:
    function.script = [answer]
    assert main(["drift"]) == status
    assert f"{answer['code']}: {answer['message']}" in capsys.readouterr().err


def test_a_release_without_the_function_is_told_apart(
    function: CompareTill, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Target, "resources", lambda _, kind: {})
    assert main(["drift"]) == 1
    assert "has no CompareTillFunction; deploy it again." in capsys.readouterr().err
    assert function.asked == []


# --- files ----------------------------------------------------------------------------------------


def test_the_csv_is_safe_in_a_spreadsheet(
    function: CompareTill, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    evil = row(2, 100, 70, rank='=HYPERLINK("http://evil")', member_number="0012")
    function.script = [page(row(1, 100, 100), evil, row(3, 10, None, rank="+gold"))]
    path = tmp_path / "drift.csv"
    run(capsys, "--csv", str(path))
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel reads UTF-8 by its mark"
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [one["customer_id"] for one in rows] == ["\t8840734670002", "\t8840734670003"]
    assert (rows[0]["member_number"], rows[0]["rank"]) == ("\t0012", "\t" + evil["rank"])
    assert (rows[0]["ledger"], rows[0]["till"], rows[0]["difference"]) == ("100", "70", "-30")
    assert (rows[1]["till"], rows[1]["why"], rows[1]["rank"]) == ("", "check sync", "\t+gold")


def test_columns_are_those_that_the_till_can_fill(
    function: CompareTill, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plain = row(1, 100, 70)
    del plain["expires_on"], plain["rank"]
    function.script = [page(plain, till=READS)]
    path = tmp_path / "drift.csv"
    run(capsys, "--csv", str(path))
    header = path.read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "customer_id,member_number,kind,ledger,till,difference,why"


def report(*rows: dict[str, Any], equal: list[int] | None = None) -> Report:
    made = Report("run", "pointbook-dev", SHOP, "2026-11-30T09:00:00", "2026-11-30T09:05:00")
    made.rows = {one["customer_id"]: one for one in rows}
    made.equal = equal or []
    return made


def drawn(made: Report) -> ET.Element:
    text = picture(made)
    assert not re.search(r"<script|(?:href|src|url)\s*[=(]", text), "it needs nothing else"
    return ET.fromstring(text)  # noqa: S314 - our own


def words(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_has_every_figure_of_the_largest_differences() -> None:
    rows = [row(number, 1_000, 1_000 + number * 50) for number in range(1, 31)]
    root = drawn(report(*rows, equal=[500, 500, 800]))
    found = words(root)
    assert {"33", "3", "30", "+23,250"} <= set(found), "the totals"
    largest = sorted(rows, key=lambda one: -one["difference"])[:LISTED_MAX]
    for one in largest:
        assert {one["customer_id"], f"{one['till']:,}", f"+{one['difference']:,}"} <= set(found)
    assert "+ 15" in found


def test_shapes_tell_who_has_more_without_colours() -> None:
    root = drawn(report(row(1, 100, 150), row(2, 100, 50), equal=[70]))
    kinds = {
        kind: [one.get("class") for one in root.iter(f"{{http://www.w3.org/2000/svg}}{kind}")]
        for kind in ("path", "circle")
    }
    assert kinds == {"path": ["more", "less", "more", "less"], "circle": ["equal"]}
    assert "prefers-color-scheme: dark" in picture(report())


@pytest.mark.parametrize(
    "made",
    [
        report(),
        report(row(1, -50, 3)),
        report(row(1, 0, 1_000_000_000)),
        report(row(1, 5, None)),
        report(equal=[0] * 10_000),
    ],
)
def test_every_report_can_be_drawn(made: Report) -> None:
    root = drawn(made)
    for one in root.iter():
        for name in ("x", "y", "cx", "cy", "x1", "y1"):
            assert -1 <= float(one.get(name, 0)) <= 1_300, ET.tostring(one)


def test_text_of_the_till_is_no_markup_in_the_picture() -> None:
    made = report(row(1, 5, 6))
    made.shop = "<b>&"
    assert "<b>&" in "".join(words(drawn(made)))


def test_the_picture_in_the_docs_is_the_one_that_is_drawn_today() -> None:
    assert DRAWN.read_text(encoding="utf-8") == picture(sample()), "run `make pictures`"


# --- repairs --------------------------------------------------------------------------------------


@pytest.fixture
def two_differ(function: CompareTill, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """A finished report of two members who differ."""
    rows = [row(1, 100, 70), row(2, 100, 105)]
    function.script = [page(*rows, row(3, 9, 9), till=PUSHES)]
    run(capsys)
    function.now = {one["customer_id"]: one for one in rows}
    return rows


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    """The operators' API, which books everything."""
    api = Api([Answer(201, {"entry_id": "e"})])
    monkeypatch.setattr(drift_repair, "post", api.post)
    return api


def test_without_yes_a_repair_is_only_shown(
    two_differ: list[dict[str, Any]], api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    status, document = run(capsys, "--repair", "entry", *REPAIR)
    assert (status, document["dry_run"], document["repaired"], api.sent) == (1, True, 0, [])
    assert [one["outcome"] for one in document["members"]] == ["would_repair"] * 2
    assert main(["drift", "--repair", "entry", *REPAIR]) == 1
    printed = capsys.readouterr().out
    assert "Nothing has been changed; --yes carries it out." in printed
    assert re.search(r"8840734670001 +100 +70 +-30 +would be repaired", printed), printed


def test_an_entry_books_the_tills_points_with_reason_and_name_under_a_key_of_its_own(
    two_differ: list[dict[str, Any]], api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    status, document = run(capsys, "--repair", "entry", *REPAIR, "--yes")
    assert (status, document["repaired"]) == (0, 2)
    by_customer = {path.split("/")[4]: (body, headers) for path, body, headers in api.sent}
    body, headers = by_customer[two_differ[0]["customer_id"]]
    assert body == {
        "shop": SHOP,
        "points": -30,
        "reason": "Recount",
        "origin": "till",
        "by": "Hanako",
    }
    key = f"drift:{document['run']}:{two_differ[0]['customer_id']}"
    assert headers == {"Idempotency-Key": key}


def test_what_is_repaired_is_not_repaired_again(
    function: CompareTill,
    two_differ: list[dict[str, Any]],
    api: Api,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(capsys, "--repair", "entry", *REPAIR, "--yes")
    function.now = {one["customer_id"]: one | {"kind": "equal"} for one in two_differ}
    status, document = run(capsys, "--repair", "entry", *REPAIR, "--yes")
    assert (status, document["repaired"], len(api.sent)) == (0, 2, 2)
    assert main(["drift", "--repair", "entry", *REPAIR, "--yes"]) == 0
    printed = capsys.readouterr().out
    assert "nothing to repair, all of its 2 members agree by now." in printed


def test_a_report_without_differences_leaves_nothing_to_repair(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(row(1, 100, 100))]
    run(capsys)
    assert main(["drift", "--repair", "entry", *REPAIR]) == 0
    assert "nothing to repair, it found no difference." in capsys.readouterr().out


def test_members_who_have_changed_since_the_report_are_left_alone(
    function: CompareTill,
    two_differ: list[dict[str, Any]],
    api: Api,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = (one["customer_id"] for one in two_differ)
    function.now[first] = row(1, 120, 70)
    function.now[second] = row(2, 105, 105)
    status, document = run(capsys, "--repair", "entry", *REPAIR, "--yes")
    assert (status, api.sent) == (1, [])
    assert {one["customer_id"]: one["outcome"] for one in document["members"]} == {
        first: "changed",
        second: "agrees",
    }


def test_a_lost_answer_is_said_and_the_next_run_sends_the_same_key(
    two_differ: list[dict[str, Any]], api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answers = [None, Answer(201, {"entry_id": "e"}, repeated=True)]
    assert main(["drift", "--repair", "entry", *REPAIR, "--yes"]) == 3
    assert "Run it again: each is repaired once." in capsys.readouterr().err
    assert run(capsys, "--repair", "entry", *REPAIR, "--yes")[0] == 0
    keys = [headers["Idempotency-Key"] for _, _, headers in api.sent]
    assert (keys[0], len(set(keys))) == (keys[1], 2)


def test_a_refused_member_stops_nobody_else(
    two_differ: list[dict[str, Any]], api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answers = [Answer(422, {"code": "insufficient_points"}), Answer(201, {"entry_id": "e"})]
    status, document = run(capsys, "--repair", "entry", *REPAIR, "--yes")
    outcomes = [one["outcome"] for one in document["members"]]
    assert (status, outcomes) == (1, ["insufficient_points", "repaired"])


def test_whoever_may_not_adjust_is_told_at_once(
    two_differ: list[dict[str, Any]], api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answers = [Answer(403, {"message": "Forbidden"})]
    assert main(["drift", "--repair", "entry", *REPAIR, "--yes"]) == 1
    assert "403: Forbidden" in capsys.readouterr().err
    assert len(api.sent) == 1


def test_a_push_is_asked_for_with_the_figures_of_the_report_and_awaited(
    function: CompareTill, two_differ: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    first = two_differ[0]
    outcomes = {one["customer_id"]: "queued" for one in two_differ}
    function.script = [page(*two_differ), {"outcomes": outcomes}]

    def arrive() -> None:
        function.now[first["customer_id"]] = first | {"kind": "equal"}

    function.on_push = arrive
    status, document = run(capsys, "--repair", "push", *REPAIR, "--yes")
    assert (status, [one["outcome"] for one in document["members"]]) == (0, ["repaired", "queued"])
    asked = next(one for one in function.asked if "push" in one)
    assert asked == {
        "shop": SHOP,
        "push": [
            {"customer_id": one["customer_id"], "ledger": one["ledger"], "till": one["till"]}
            for one in two_differ
        ],
        "run": document["run"],
        "reason": "Recount",
        "by": "Hanako",
    }
    assert function.pushes == len(drift_repair.PAUSES_SECONDS), "the second is waited for"


def test_a_till_that_can_only_be_read_is_not_pushed_to(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(row(1, 100, 70), till=READS)]
    run(capsys)
    assert main(["drift", "--repair", "push", *REPAIR]) == 1
    assert "This till can only be read; use --repair entry." in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--repair", "entry"],
        ["--repair", "entry", "--reason", " ", "--by", "Hanako"],
        ["--repair", "both", *REPAIR],
        ["--repair", "entry", *REPAIR, "--csv", "a.csv"],
        ["--yes"],
        REPAIR,
    ],
)
def test_options_that_do_not_go_together_are_refused(
    function: CompareTill, arguments: list[str]
) -> None:
    assert main(["drift", *arguments]) == 2
    assert function.asked == []


@pytest.mark.parametrize("option", ["--reason", "--by"])
def test_reason_and_name_are_one_line_each(function: CompareTill, option: str) -> None:
    given = {"--reason": "Recount", "--by": "Hanako"} | {option: "two\nlines"}
    arguments = [word for one in given.items() for word in one]
    assert f"{option} has a line break" in failure(
        "drift", "--repair", "entry", *arguments, status=2
    )


def test_there_is_nothing_to_repair_before_a_report_is_finished(
    function: CompareTill, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", "--repair", "entry", *REPAIR]) == 1
    assert "There is no finished report" in capsys.readouterr().err
    function.script = [page(row(1, 100, 70), position=["p", "s"]), KeyboardInterrupt()]
    run(capsys)
    assert main(["drift", "--repair", "entry", *REPAIR]) == 1
    assert "There is no finished report" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--csv", "--picture"])
def test_a_file_in_no_folder_is_refused_before_anything_is_compared(
    tmp_path: Path, option: str
) -> None:
    said = failure("drift", option, str(tmp_path / "no" / "x"), status=2)
    assert "There is no folder" in said
