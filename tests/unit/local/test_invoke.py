"""`local.invoke` lists functions and cases, and reports a missing stack."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from local import invoke
from local.invoke import main
from local.stack import Stack


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "functions: account_history, "),
        (["nope", "by_header"], "no function 'nope'; functions: account_history, "),
        (["get_points"], "cases of get_points: another_customer, by_cookie, "),
        (["get_points", "nope"], "no case 'nope'; cases of get_points: another_customer, "),
        (["get_points", "by_header", "again"], "cases of get_points: another_customer, "),
    ],
)
def test_an_unknown_function_or_case_lists_those_that_exist(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(arguments) == 2
    usage, choice = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: ")
    assert choice.startswith(said)


def test_a_missing_stack_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(invoke, "ROOT", tmp_path)
    assert main(["get_points", "by_header"]) == 1
    assert "no stack is running here" in capsys.readouterr().err
    nobody = SimpleNamespace(
        aws_endpoint_url="http://127.0.0.1:1",
        aws_region="ap-northeast-1",
        functions={"get_points": "GetPoints"},
    )
    monkeypatch.setattr(Stack, "read", lambda _: nobody)
    assert main(["get_points", "by_header"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The local stack does not answer: ")
