"""On the running stack: a day that is over is on file, closes, and the commands read it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from tests.e2e.calls import DAY, invoke, must_flow, new_customer, pass_time
from tests.e2e.conftest import OwnStack


def test_statement_liability_and_report_of_a_day_on_file(
    own: OwnStack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = own.start()
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))

    def printed(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*arguments, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    before = printed("liability", "--recompute")["outstanding"]
    customer = new_customer()
    must_flow(stack, "grant", customer, points=1_250)
    must_flow(stack, "consume", customer, points=300)
    assert invoke(stack, "write_statements")["differing"] == 0
    pass_time(stack, 2 * DAY)
    result = invoke(stack, "write_statements")
    assert (result["written"], result["differing"], result["complete"]) == (4, 0, True), (
        "two days of two shops"
    )
    tomorrow = printed("statement")
    assert (tomorrow["source"], tomorrow["is_closed"]) == ("files", True)
    assert tomorrow["closing"]["approved"] + tomorrow["closing"]["hold"] >= before + 950
    assert printed("statement", "--recompute")["closing"] == tomorrow["closing"]
    liability = printed("liability")
    assert (liability["source"], liability["is_closed"]) == ("files", True)
    page = tmp_path / "report.html"
    month = tomorrow["last"][:7]
    assert main(["statement", "--month", month, "--report", str(page), "--language", "ja"]) == 0
    assert "ポイント残高報告書" in page.read_text(encoding="utf-8")
