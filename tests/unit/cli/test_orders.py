"""`pointbook orders`: asks the function page by page and says what was or would be fed."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cli import target
from cli.app import main
from cli.target import Target
from pointbook.settings import Settings
from tests.fakes.operator_api import ENVIRONMENT
from tests.support.commands import failure
from tests.support.ledgers import SetClock

NAME = "pointbook-dev-ReconcileOrders"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def order(number: int, **changes: Any) -> dict[str, Any]:
    at = "2026-11-28T01:00:00+00:00"
    return {
        "order_id": str(number),
        "why": "unknown",
        "updated_at": at,
        "known_at": None,
        "fed": True,
        "code": "",
        "till_points_unread": False,
    } | changes


def page(*orders: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "compared": 25,
        "orders": list(orders),
        "merges": [],
        "failed": 0,
        "position": "2026-11-28T02:00:00+00:00",
        "cursor": None,
        "cut": False,
    } | changes


class Lambda:
    """A function that answers from a script."""

    def __init__(self) -> None:
        self.script: list[dict[str, Any] | BaseException] = []
        self.asked: list[dict[str, Any]] = []
        self.error = ""

    def client(self, service: str, **_: object) -> "Lambda":
        assert service == "lambda"
        return self

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's names
        assert FunctionName == NAME
        self.asked.append(json.loads(Payload))
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        answer: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(step).encode())}
        return answer | ({"FunctionError": self.error} if self.error else {})


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    function = Lambda()
    settings = Settings.from_env(ENVIRONMENT)
    stack = Target("pointbook-dev", settings, function, None, {})
    monkeypatch.setattr(Target, "resources", lambda _, kind: {"ReconcileOrdersFunction": NAME})
    monkeypatch.setattr(Target, "clock", lambda _: SetClock(NOW))
    monkeypatch.setattr(target, "target_of", lambda _: stack)
    return function


def test_all_pages_are_asked_for_and_summed_up(
    function: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    older = order(2, why="older", known_at="2026-11-27T01:00:00+00:00")
    function.script = [page(order(1), older, cursor="c"), page(order(3))]
    assert main(["orders", "--since", "2026-11-28", "--until", "2026-11-29T12:00:00Z"]) == 0
    assert [one["cursor"] for one in function.asked] == [None, "c"]
    assert (function.asked[0]["since"], function.asked[0]["until"]) == (
        "2026-11-28T00:00:00+09:00",
        "2026-11-29T12:00:00+00:00",
    )
    assert (function.asked[0]["dry_run"], function.asked[0]["merges"]) == (False, False)
    printed = capsys.readouterr().out
    assert "50 orders compared: 1 older, 2 unknown." in printed
    assert "Fed 3, failed 0." in printed
    assert "2      older" in printed


def test_without_a_period_it_is_the_last_day(function: Lambda) -> None:
    function.script = [page()]
    assert main(["orders"]) == 0
    (asked,) = function.asked
    assert asked["since"][11:] == asked["until"][11:]
    assert asked["since"] < asked["until"]


def test_json_is_one_document(function: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    function.script = [page(order(1), compared=4)]
    assert main(["orders", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["compared"], document["found"], document["fed"]) == (4, {"unknown": 1}, 1)
    assert (document["failed"], document["dry_run"]) == (0, False)
    assert document["orders"] == [order(1)]


def test_a_dry_run_that_finds_something_says_what_and_ends_with_1(
    function: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(order(1, fed=False)), page()]
    assert main(["orders", "--dry-run"]) == 1
    printed = capsys.readouterr().out
    assert "would be fed" in printed
    assert "Would feed 1." in printed
    assert main(["orders", "--dry-run"]) == 0
    assert all(one["dry_run"] for one in function.asked)


def test_what_could_not_be_fed_is_named_and_ends_with_1(
    function: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(order(1, fed=False, code="queue_unavailable"))]
    assert main(["orders"]) == 1
    assert "queue_unavailable" in capsys.readouterr().out
    function.script = [page(failed=1)]
    assert main(["orders"]) == 1


def test_points_of_a_till_that_were_not_read_are_said(
    function: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    function.script = [page(order(1, till_points_unread=True))]
    assert main(["orders"]) == 0
    assert "fed without the points of the till" in capsys.readouterr().out


def test_a_suspected_merge_is_named_and_fed_only_if_asked_for(
    function: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    merge = {"order_id": "1", "gone": "7001", "kept": "7002", "fed": False}
    function.script = [page(merges=[merge]), page(merges=[merge | {"fed": True}])]
    assert main(["orders"]) == 1
    assert "7001 is gone at Shopify" in capsys.readouterr().out
    assert main(["orders", "--merges"]) == 0
    assert [one["merges"] for one in function.asked] == [False, True]


def test_a_page_that_was_cut_off_is_asked_for_again(function: Lambda) -> None:
    cut = page(order(1), cursor="c", cut=True, compared=0)
    function.script = [page(cursor="c"), cut, page(order(1), order(2))]
    assert main(["orders"]) == 0
    assert [one["cursor"] for one in function.asked] == [None, "c", "c"]


def test_ctrl_c_says_how_far_it_came(function: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    function.script = [page(cursor="c"), KeyboardInterrupt()]
    assert main(["orders"]) == 130
    printed = capsys.readouterr()
    assert "Compared up to 2026-11-28T02:00:00+00:00; continue with --since" in printed.out
    assert "orders that were fed are not fed twice" in printed.err


@pytest.mark.parametrize(
    ("step", "status", "said"),
    [
        ({"code": "shopify_unavailable", "message": "down", "retry": True}, 3, "down"),
        ({"code": "invalid_request", "message": "60 days", "retry": False}, 1, "60 days"),
        (EndpointConnectionError(endpoint_url="http://x"), 3, "cannot be called"),
        (ClientError({"Error": {"Code": "X"}}, "Invoke"), 3, "cannot be called"),
    ],
)
def test_a_failure_says_what_is_wrong(
    function: Lambda,
    capsys: pytest.CaptureFixture[str],
    step: dict[str, Any] | BaseException,
    status: int,
    said: str,
) -> None:
    function.script = [step]
    assert main(["orders"]) == status
    assert said in capsys.readouterr().err


def test_a_function_that_crashed_is_named(
    function: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    function.error, function.script = "Unhandled", [{"errorMessage": "Task timed out"}]
    assert main(["orders"]) == 1
    assert "Task timed out" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_time_that_is_none_is_a_usage_error(function: Lambda, option: str) -> None:
    assert main(["orders", option, "yesterday"]) == 2
    assert function.asked == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "2026-12-02", "--until", "2026-12-01"], "must be before --until, 2026-12-01."),
        (["--since", "2020-01-01"], "--since is 2020-01-01, but Shopify shows orders of the last"),
    ],
)
def test_a_period_that_makes_no_sense_is_named_by_its_options(
    function: Lambda, options: list[str], said: str
) -> None:
    assert said in " ".join(failure("orders", *options, status=2).split())
    assert function.asked == []


def test_a_stack_from_before_this_function_is_to_be_deployed_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Target("pointbook-dev", Settings.from_env(ENVIRONMENT), Lambda(), None, {})
    monkeypatch.setattr(target, "target_of", lambda _: stack)
    monkeypatch.setattr(Target, "resources", lambda _, kind: {})
    assert main(["orders"]) == 1
    assert "deploy it again" in capsys.readouterr().err
