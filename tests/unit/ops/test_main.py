"""What every command has in common: how it ends."""

import pytest

from ops import __main__ as ops


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("import", "Stopped. Run it again: what was booked is repeated, not booked twice."),
        ("adjust", "Stopped. Run it again with --key and the key it printed"),
        ("redrive", "Stopped."),
    ],
)
def test_ctrl_c_ends_in_one_line_that_says_how_to_go_on(
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


def test_a_command_that_there_is_not_is_answered_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ops.main(["give"]) == 2
    assert "adjust|import|privacy" in capsys.readouterr().err
