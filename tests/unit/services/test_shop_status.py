"""What is failing is named with a command; what cannot be read is named too, and hides nothing."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pointbook.services import shop_status
from pointbook.services.shop_status import (
    COUNT_MAX,
    NOT_COMPARED_AFTER,
    Part,
    Problem,
    held_back,
    imports,
    orders,
    statements,
    till,
)

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
STATE = {"state": "closed", "kind": None, "since": None, "last_success_at": None, "failures": 0}
NEVER: dict[str, Any] = {"finished_at": None, "totals": None}
RUN = {"import_id": "move", "run_id": "r", "kind": "import", "dry_run": False, "rows": 9}


def shown(**looks: Any) -> dict[str, Any]:
    return shop_status.shop_status("demo.myshopify.com", looks, NOW, "pointbook doctor")


def test_errors_come_before_warnings() -> None:
    def problem(severity: str) -> Part:
        return Part((Problem(severity, None, 1, None, severity, "do"),))

    found = shown(a=lambda: problem("warning"), b=lambda: problem("error"), c=Part)
    assert [one["kind"] for one in found["problems"]] == ["error", "warning"]


def test_a_part_that_fails_or_takes_too_long_hides_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shop_status, "SECONDS_EACH", 0.2)
    ending = threading.Event()

    def slow() -> Part:
        ending.wait(5)
        return Part()

    def fails() -> Part:
        raise RuntimeError

    threading.Timer(0.4, ending.set).start()
    found = shown(slow=slow, broken=fails, till=lambda: Part((), {"till": STATE}))
    subjects = [(one["kind"], one["subject"], one["command"]) for one in found["problems"]]
    assert subjects == [
        ("unreadable", "slow", "pointbook doctor"),
        ("unreadable", "broken", "pointbook doctor"),
    ]
    assert found["till"] == STATE


def test_customers_who_wait_are_counted_up_to_a_limit() -> None:
    assert held_back("triggers_held_back", iter(()), "do").problems == ()
    (found,) = held_back("triggers_held_back", iter("ab"), "do").problems
    assert (found.count, found.severity) == (2, "error")
    (many,) = held_back("triggers_held_back", iter("a" * (COUNT_MAX + 9)), "do").problems
    assert many.count == COUNT_MAX


def test_a_till_that_answers_is_no_problem_and_is_told_all_the_same() -> None:
    found = till(STATE, NEVER, "doctor", "drift")
    assert found.problems == ()
    assert found.facts is not None
    assert found.facts["till"]["comparison"] is None


@pytest.mark.parametrize("state", ["open", "paused"])
def test_a_till_that_fails_is_an_error_by_its_kind(state: str) -> None:
    failing = STATE | {"state": state, "kind": "timeout", "failures": 4, "since": "then"}
    (found,) = till(failing, NEVER, "doctor", "drift").problems
    assert (found.kind, found.subject, found.count, found.since) == (
        *("till_failing", "timeout"),
        *(4, "then"),
    )


def test_members_who_differ_are_a_warning_with_the_command_that_compares() -> None:
    compared = {"finished_at": "then", "totals": {"compared": 9, "differing": 2}}
    (found,) = till(STATE, compared, "doctor", "drift").problems
    assert (found.kind, found.count, found.command) == ("till_drift", 2, "drift")


def test_orders_that_were_not_fed_or_not_compared_are_named() -> None:
    assert orders(None, 0, NOW, "do").problems == ()
    assert orders(NOW - NOT_COMPARED_AFTER, 0, NOW, "do").problems == ()
    late = NOW - NOT_COMPARED_AFTER - timedelta(seconds=1)
    assert [one.kind for one in orders(late, 3, NOW, "do").problems] == [
        "orders_not_fed",
        "orders_not_compared",
    ]


def test_statements_that_do_not_close_are_errors_with_their_last_day() -> None:
    missing, differs = statements(["1", "2"], ["3", "4"], "doctor", "do {day}").problems
    assert (missing.subject, missing.count, missing.severity) == ("1", 2, "warning")
    assert (differs.subject, differs.command, differs.severity) == ("4", "do 4", "error")


def test_imports_are_told_with_their_progress_and_failed_ones_are_problems() -> None:
    going = RUN | {"status": "running", "rows_done": 4, "totals": None}
    failed = RUN | {"status": "failed", "rows_done": 0, "import_id": "other"}
    found = imports([going, failed], "help")
    assert found.facts is not None
    assert [one["rows_done"] for one in found.facts["imports"]] == [4, 0]
    assert [one.subject for one in found.problems] == ["other"]
