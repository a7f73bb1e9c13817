"""`pointbook smoke`: right answers pass, a wrong one is named, and no point is left unsaid."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from cli import checks, operator_api, target
from cli.app import main
from cli.operator_api import Answer

API = "https://api.example.com"
GRANT = "https://grant.example.com/"
MISSING = json.dumps({"code": "signature_missing"})
RIGHT = {
    f"{API}/v1/health": (200, '{"status": "ok"}'),
    f"{API}/v1/customers/me/points": (401, '{"code": "token_missing"}'),
    f"{API}/v1/staff/me": (401, '{"code": "token_missing"}'),
    f"{API}/v1/webhooks/shopify": (401, MISSING),
    f"{API}/v1/operator/till": (403, '{"message": "Forbidden"}'),
    GRANT: (400, MISSING),
}

type Run = Callable[..., tuple[int, dict[str, str]]]


class Stack:
    """A stack that answers rightly; tests make an answer wrong."""

    name, api_url, function_urls = "pointbook-prod", API, {"flow_action_grant": GRANT}
    shops = ("demo.myshopify.com",)

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str] | Exception] = dict(RIGHT)
        self.signed = Answer(200, {})
        self.booked: list[int] = []
        self.booked_at_most = 99
        self.first: dict[str, Answer] = {}
        self.repeats = True

    def shop(self, _: str | None) -> str:
        return self.shops[0]

    def send(self, _: str, url: str, body: str = "") -> tuple[int, str]:
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, _: Any, path: str, content: Any, headers: dict[str, str]) -> Answer | None:
        assert path == "/v1/operator/customers/8840734670934/adjustments"
        key = headers["Idempotency-Key"]
        if self.repeats and key in self.first:
            return replace(self.first[key], repeated=True)
        if len(self.booked) == self.booked_at_most:
            return Answer(503, {"code": "ledger_unavailable", "detail": "Later."})
        self.booked.append(content["points"])
        self.first[key] = Answer(201, {"figures": {"approved": 7 + sum(self.booked)}})
        return self.first[key]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    monkeypatch.setattr(checks, "send", found.send)
    monkeypatch.setattr(operator_api, "get", lambda *_: found.signed)
    monkeypatch.setattr(operator_api, "post", found.post)
    return found


@pytest.fixture
def smoke(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*options: str) -> tuple[int, dict[str, str]]:
        """The status, and the wrong answers."""
        status = main(["smoke", "--json", *options])
        printed = capsys.readouterr()
        if not printed.out:
            return status, {"": printed.err}
        found = json.loads(printed.out)["requests"]
        return status, {one["what"]: one["answer"] for one in found if not one["right"]}

    return run


def test_a_stack_that_answers_rightly_passes(smoke: Run) -> None:
    assert smoke() == (0, {})


@pytest.mark.parametrize("url", RIGHT)
def test_an_answer_that_is_not_as_it_should_be_is_named(stack: Stack, smoke: Run, url: str) -> None:
    stack.answers[url] = (500, "<html>Bad</html>")
    status, wrong = smoke()
    assert (status, list(wrong.values())) == (1, ["500 <html>Bad</html>"])


def test_whoever_needs_no_login_is_wrong(stack: Stack, smoke: Run) -> None:
    stack.answers[f"{API}/v1/staff/me"] = (200, '{"staff_id": "1"}')
    assert smoke() == (1, {"staff without a login": "200"})


def test_an_operator_without_the_right_is_wrong(stack: Stack, smoke: Run) -> None:
    stack.signed = Answer(403, {"message": "Forbidden"})
    status, wrong = smoke()
    assert (status, list(wrong)) == (1, ["an operator's read, signed"])
    assert "403: Forbidden. Log in to AWS again" in wrong["an operator's read, signed"]


def test_a_stack_that_does_not_answer_is_not_reachable(stack: Stack, smoke: Run) -> None:
    stack.answers[f"{API}/v1/health"] = EndpointConnectionError(endpoint_url=API)
    status, printed = smoke()
    assert status == 3
    assert "does not answer" in printed[""]


def test_a_test_customer_gets_a_point_once_and_loses_it_again(stack: Stack, smoke: Run) -> None:
    assert smoke("--customer", "8840734670934") == (0, {})
    assert stack.booked == [1, -1]


def test_a_stack_that_books_a_repetition_again_is_wrong(stack: Stack, smoke: Run) -> None:
    stack.repeats = False
    status, wrong = smoke("--customer", "8840734670934")
    assert (status, wrong["the same again: the same answer"]) == (1, "201")


def test_a_point_that_cannot_be_removed_again_is_said_with_the_command(
    stack: Stack, smoke: Run
) -> None:
    stack.booked_at_most = 1
    status, printed = smoke("--customer", "8840734670934")
    assert status == 1
    assert "pointbook adjust 8840734670934 --points -1" in printed[""]


def test_what_is_no_customer_is_refused_before_anything_is_sent(stack: Stack, smoke: Run) -> None:
    stack.answers.clear()
    assert smoke("--customer", "somebody")[0] == 2
