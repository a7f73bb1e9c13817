"""How every command ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import __main__ as ops


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("import", "Stopped. To finish, run it again; rows that were booked are not booked twice."),
        ("adjust", "Stopped. To finish, run it again with --key and the key it printed"),
        ("redrive", "Stopped."),
    ],
)
def test_ctrl_c_prints_one_line_that_says_how_to_continue(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    said: str,
) -> None:
    def stopped(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(ops._COMMANDS, command, stopped)
    assert ops.main([command]) == 130
    assert capsys.readouterr().err.strip().startswith(said)


def test_an_unknown_command_lists_the_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ops.main(["give"]) == 2
    assert "adjust|import|privacy" in capsys.readouterr().err


PRINTS = """
import sys
from ops import __main__ as ops

def show(_):
    print("a rule")
    return 0

ops._COMMANDS["programme"] = show
sys.exit(ops.main(["programme"]))
"""


@pytest.mark.parametrize("option", [[], ["-u"]])
def test_a_closed_pipe_ends_a_command_silently(option: list[str]) -> None:
    """Whether a line is written at once, or only when the command ends."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *option, "-c", PRINTS],
        cwd=Path(__file__).resolve().parents[3],
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
    with pytest.raises(SystemExit):
        ops.main([command, "--help"])
    examples = [line for line in capsys.readouterr().out.splitlines() if " --env prod" in line]
    assert len(examples) > 1
    assert all(line.startswith("    ") for line in examples)
