"""Operators start and report imports of files; a start that is repeated is the same run."""

import json

from tests.functions.import_api import IMPORT_ID, ImportApi, put_file
from tests.support.harness import CUSTOMER, Functions, event, problem
from tools.make_events_operator import RUN_ID

ROW = f"{CUSTOMER},Balance,500,,"


def test_a_run_is_planned_runs_and_is_done() -> None:
    api = ImportApi()
    run_id = api.send(ROW)
    assert api.report() == {
        "import_id": IMPORT_ID,
        "run_id": run_id,
        "kind": "import",
        "dry_run": False,
        "status": "planning",
        "rows": 0,
        "rows_done": 0,
        "totals": None,
        "listed": None,
        "hints": [],
        "problem": None,
    }
    (planned,) = api.messages()
    assert api.functions.work("import_rows", planned) == []
    running = api.report()
    assert (running["status"], running["rows"], running["rows_done"]) == ("running", 1, 0)
    api.work()
    assert api.report()["status"] == "done"


def test_a_start_that_is_repeated_is_the_same_run_and_books_once() -> None:
    functions = Functions()
    put_file(functions, RUN_ID, ROW)
    api = ImportApi(functions)
    for _ in range(2):
        assert functions.sample("import_runs", "start").status == 202
    api.work()
    assert functions.approved() == 500
    assert functions.sample("import_runs", "start").body["status"] == "done"
    api.work()
    assert functions.approved() == 500


def test_a_run_cannot_become_another() -> None:
    functions = Functions()
    put_file(functions, RUN_ID, ROW)
    assert functions.sample("import_runs", "dry_run").status == 202
    answer = functions.sample("import_runs", "start")
    assert problem(answer) == (422, "invalid_request")
    assert "take a new one" in answer.body["detail"]


def test_a_run_is_reported_by_its_id_and_else_the_latest() -> None:
    api = ImportApi()
    first = api.send(ROW, dry_run=True)
    api.work()
    second = api.run(ROW)["run_id"]
    assert first < second == api.report()["run_id"]
    request = event("import_runs", "report") | {"rawQueryString": f"run_id={first}"}
    assert api.functions.request("import_runs", request).body["dry_run"] is True
    request = event("import_runs", "report") | {"rawQueryString": f"run_id={first[:-1]}0"}
    assert problem(api.functions.request("import_runs", request)) == (404, "import_not_found")


def test_an_import_of_which_only_a_dry_run_is_kept_cannot_be_undone() -> None:
    api = ImportApi()
    api.run(ROW, dry_run=True)
    request = event("import_runs", "undo")
    assert problem(api.functions.request("import_runs", request)) == (404, "import_not_found")
    assert json.loads(request["body"])["kind"] == "undo"
