"""`python -m local`: what it says of itself."""

import os

import pytest

from local.__main__ import main


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands forget AWS's variables: here, those of a copy."""
    monkeypatch.setattr(os, "environ", {})


def test_whoever_asks_for_help_gets_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhook", "--help"]) == 0
    usage, *more = capsys.readouterr().out.splitlines()
    assert usage.startswith("usage: ")
    assert "signed anew" in " ".join(more)
    assert main(["-h"]) == 0
    assert capsys.readouterr().out == f"{usage}\n"


def test_what_is_not_understood_is_answered_with_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["start"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
