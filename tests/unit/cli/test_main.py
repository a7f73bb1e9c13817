"""How every command ends."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.cells import cell_len

from cli import app as commands
from cli.app import add, main
from cli.output import Output, counted
from pointbook.errors import LedgerUnavailable, StoreRefused

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[..., int]], None]:
    """Adds a command for one test."""
    app = typer.Typer()
    monkeypatch.setattr(commands, "app", app)
    add(app, "other", lambda: 0)
    return lambda name, run: add(app, name, run)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("import", "Stopped. A run that was started goes on: see --status."),
        ("adjust", "Stopped. To finish, run it again with --key and the key it printed"),
        ("redrive", "Stopped."),
    ],
)
def test_ctrl_c_prints_one_line_that_says_how_to_continue(
    added: Callable[[str, Callable[..., int]], None],
    capsys: pytest.CaptureFixture[str],
    command: str,
    said: str,
) -> None:
    def stopped() -> int:
        raise KeyboardInterrupt

    added(command, stopped)
    assert main([command]) == 130
    assert capsys.readouterr().err.strip().startswith(said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreRefused("AccessDeniedException", "User hanako may not"), "Your AWS role may not"),
        (LedgerUnavailable(), "AWS does not answer. Look at the network"),
        (None, "AWS does not answer. Look at the network"),
    ],
)
def test_an_error_of_aws_in_any_command_is_a_sentence_that_says_what_to_do(
    added: Callable[[str, Callable[..., int]], None],
    capsys: pytest.CaptureFixture[str],
    error: Exception | None,
    said: str,
) -> None:
    cause: Exception = EndpointConnectionError(endpoint_url="https://dynamodb")
    if isinstance(error, StoreRefused):
        cause = ClientError({"Error": {"Code": error.aws_code, "Message": "User"}}, "Query")

    def fails() -> int:
        if error is None:
            raise cause
        raise error from cause

    added("fails", fails)
    assert main(["fails"]) == (1 if isinstance(error, StoreRefused) else 3)
    assert said in capsys.readouterr().err


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["give"]) == 2
    assert "No such command 'give'" in capsys.readouterr().err


def test_without_a_command_all_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed = capsys.readouterr()
    for command in ("adjust", "import", "orders", "privacy", "programme", "publish", "redrive"):
        assert f"\n  {command} " in printed.out + printed.err


PRINTS = """
import sys
from cli.app import add, app, main

def show() -> int:
    print("a rule")
    return 0

add(app, "show", show)
sys.exit(main(["show"]))
"""


@pytest.mark.parametrize("option", [[], ["-u"]])
def test_a_closed_pipe_ends_a_command_silently(option: list[str]) -> None:
    """Whether a line is written at once, or only when the command ends."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *option, "-c", PRINTS],
        cwd=ROOT,
        env={},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("command", ["import", "publish", "redrive"])
def test_help_keeps_the_lines_of_its_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    examples = [line for line in lines if line.strip().startswith("pointbook ")]
    assert len(examples) > 1
    assert all(line.startswith("      ") for line in examples)


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 entries"), (1, "1 entry"), (1250, "1,250 entries")]
)
def test_a_number_has_the_right_noun(number: int, said: str) -> None:
    assert counted(number, "entry", "entries") == said


def commands_of(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each command and group of commands."""
    yield path
    for one in group.registered_commands:
        yield (*path, str(one.name))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands_of(inner.typer_instance, (*path, str(inner.name)))


@pytest.mark.parametrize("path", [*commands_of(commands.app)], ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*path, "--help"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if cell_len(line) > 80] == []


def test_with_json_the_document_is_all_there_is_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Output(as_json=True)
    out.say("words")
    out.table(("name", "points"), [("残高", 1250)])
    out.document({"name": "残高"})
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"name": "残高"}
    assert [line.split() for line in printed.err.splitlines()] == [
        ["words"],
        ["name", "points"],
        ["残高", "1,250"],
    ]
