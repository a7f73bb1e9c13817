"""What a function keeps between its calls, and for how long."""

import pytest

from pointbook import environment


def test_what_is_kept_is_read_anew_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a rotated secret or a changed programme is noticed by functions that go on running."""
    now = [0.0]
    monkeypatch.setattr(environment, "_memory", {})
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    values = iter("ab")
    seen = []
    for now[0] in (0.0, 59.9, 60.0):
        seen.append(environment.kept("a name", lambda: next(values)))
    assert seen == ["a", "a", "b"]
