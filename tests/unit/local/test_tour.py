"""The tour ends with a one-line message if it cannot run."""

import io
from pathlib import Path
from typing import Any

import pytest
import requests

from local import tour
from tests.unit.local.stacks import noted_stack


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The note of a running stack, at an address where nobody answers."""
    monkeypatch.setattr(tour, "ROOT", tmp_path)
    file = tmp_path / ".local" / "stack.json"
    file.parent.mkdir()
    nobody = "http://127.0.0.1:1"
    noted_stack(nobody, nobody, "flow_action_grant", "flow_action_consume").write(file)
    return file


def said(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_missing_stack_is_reported(running: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tour.main() == 1
    assert said(capsys).startswith("The local stack does not answer: ")
    running.unlink()
    assert tour.main() == 1
    assert said(capsys) == f"{running} is missing: no stack is running here."


def test_a_refusal_is_reported_as_received(
    running: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = requests.Response()
    refusal.status_code, refusal.url = 422, "http://127.0.0.1/fn/flow_action_grant/"
    refusal.raw = io.BytesIO(b'{"code": "customer_erased"}')

    def post(*_: object, **__: Any) -> requests.Response:
        return refusal

    monkeypatch.setattr(requests, "post", post)
    assert tour.main() == 1
    assert said(capsys) == f'{refusal.url} answers 422: {{"code": "customer_erased"}}'
