"""`python -m local`: usage and help."""

import os

import pytest

from local.__main__ import main


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands forget AWS's variables: here, those of a copy."""
    monkeypatch.setattr(os, "environ", {})


def test_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhook", "--help"]) == 0
    usage, *more = capsys.readouterr().out.splitlines()
    assert usage.startswith("usage: ")
    assert "a new signature" in " ".join(more)
    assert main(["-h"]) == 0
    assert capsys.readouterr().out == f"{usage}\n"


def test_unknown_arguments_print_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
