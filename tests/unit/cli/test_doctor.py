"""`pointbook doctor`: a healthy stack passes; whatever is wrong is named with what to do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cli import checks, target
from cli.app import main
from pointbook.settings import Stage

SECRET = {
    "client_secret": "a-client-secret-0123456789-abcdefghij",
    "my_page_secret": "the-secret-of-my-page-0123456789-abcdefghij",
    "till": {"contract_id": "sb_1", "client_id": "id", "client_secret": "s"},
}
SCOPES = "read_customer_merge,read_orders,write_app_proxy,write_customers,write_discounts"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CONFIRMED = {"SubscriptionArn": "arn:aws:sns:1", "Endpoint": "team@example.com"}


class Stack:
    """A healthy stack; tests make something wrong in it."""

    name = "pointbook-prod"
    env = "prod"
    api_url = "https://api.example.com"
    started_at = LONG_AGO

    def __init__(self) -> None:
        self.settings = SimpleNamespace(
            stage=Stage.PROD,
            secrets_name="the-secret",
            shops=("demo.myshopify.com", "second.myshopify.com"),
            till_provider="smaregi",
            local_shopify_url=None,
            shopify_client_id="client-id",
        )
        self.outputs = {
            f"{queue}{kind}QueueUrl": f"{queue}{kind}"
            for queue in ("OrderEvents", "CustomerEvents", "PrivacyEvents", "ImportRows")
            for kind in ("", "DeadLetter")
        } | {"DeadLetterQueueUrl": "DeadLetter", "OperatorTopicArn": "topic"}
        self.secret: dict[str, Any] = dict(SECRET)
        self.letters: dict[str, int] = {}
        self.mapping = "Enabled"
        self.schedule: dict[str, Any] = {
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 minute)",
            "CreationDate": LONG_AGO,
        }
        self.ran_at = datetime.now(UTC)
        self.raised: list[str] = []
        self.subscriptions: list[dict[str, str]] = [CONFIRMED]
        self.answers: dict[str, tuple[int, str] | Exception] = {}
        self.denied = ""
        self.more: dict[str, dict[str, str]] = {}

    def client(self, service: str) -> "Stack":
        if service == self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, service)
        return self

    def resources(self, kind: str) -> dict[str, str]:
        return {
            "AWS::Lambda::EventSourceMapping": {"OrderEventsMapping": "uuid-1"},
            "AWS::Logs::LogGroup": {"HoldReleaseLogGroup": "/pointbook/prod/hold_release"},
            "AWS::Scheduler::Schedule": {"HoldReleaseFunctionEveryMinute": "prod-hold-release"},
        }[kind] | self.more.get(kind, {})

    def send(self, _: str, url: str, body: str = "") -> tuple[int, str]:
        answer = self.answers.get(url.split("/")[2], (200, json.dumps({"scope": SCOPES})))
        if isinstance(answer, Exception):
            raise answer
        return answer

    # --- what AWS answers ------------------------------------------------------------------------

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": json.dumps(self.secret), "VersionId": "v1"}

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.letters.get(QueueUrl, 0))}}

    def get_event_source_mapping(self, **_: str) -> dict[str, str]:
        return {"State": self.mapping}

    def get_schedule(self, **_: str) -> dict[str, Any]:
        return self.schedule

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, operation))

    def filter_log_events(self, startTime: int, **_: Any) -> Any:  # noqa: N803
        found = self.ran_at.timestamp() * 1000 >= startTime
        return iter([{"events": []}, {"events": [{"message": "START"}] if found else []}])

    def describe_alarms(self, **_: str) -> Any:
        return [{"MetricAlarms": [{"AlarmName": one} for one in self.raised]}]

    def list_subscriptions_by_topic(self, **_: str) -> Any:
        return [{"Subscriptions": self.subscriptions}]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    monkeypatch.setattr(checks, "send", found.send)
    return found


type Printed = pytest.CaptureFixture[str]


def test_a_healthy_stack_passes(stack: Stack, capsys: Printed) -> None:
    assert main(["doctor", "--env", "prod", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["stack"], printed["wrong"]) == ("pointbook-prod", 0)
    assert {one["state"] for one in printed["checks"]} == {"ok"}
    assert [one["what"] for one in printed["checks"]] == [
        "secret",
        "till",
        "shop demo.myshopify.com",
        "shop second.myshopify.com",
        "API",
        "queue order_events",
        "queue customer_events",
        "queue privacy_events",
        "queue import_rows",
        "schedules and stream",
        "workers",
        "schedule prod-hold-release",
        "alarms' e-mail",
        "alarms",
    ]


def test_without_a_till_its_functions_are_not_missed(stack: Stack, capsys: Printed) -> None:
    stack.more = {
        "AWS::Lambda::EventSourceMapping": {"RefreshTillMapping": "uuid-2"},
        "AWS::Scheduler::Schedule": {"RefreshTillFunctionEveryMinute": "prod-refresh-till"},
        "AWS::Logs::LogGroup": {"RefreshTillLogGroup": "/pointbook/prod/refresh_till"},
    }
    assert main(["doctor", "--env", "prod", "--json"]) == 0
    assert "schedule prod-refresh-till" in capsys.readouterr().out
    stack.settings.till_provider = "none"
    assert main(["doctor", "--env", "prod", "--json"]) == 0
    assert "schedule prod-refresh-till" not in capsys.readouterr().out


def fresh(stack: Stack) -> None:
    stack.secret = {"client_secret": "", "my_page_secret": SECRET["my_page_secret"]}


def tillless(stack: Stack) -> None:
    stack.secret = {**SECRET, "till": {"contract_id": "sb_1"}}


def squareless(stack: Stack) -> None:
    stack.settings.till_provider = "square"


def of_another_make(stack: Stack) -> None:
    stack.settings.till_provider = "airregi"


def wrong_secret(stack: Stack) -> None:
    stack.answers["second.myshopify.com"] = (400, '{"error": "invalid_client"}')


def not_installed(stack: Stack) -> None:
    stack.answers["demo.myshopify.com"] = (404, "<html>")


def narrow(stack: Stack) -> None:
    stack.answers["demo.myshopify.com"] = (200, '{"scope": "read_orders,write_discounts"}')


def shop_down(stack: Stack) -> None:
    stack.answers["demo.myshopify.com"] = EndpointConnectionError(endpoint_url="https://demo")


def api_down(stack: Stack) -> None:
    stack.answers["api.example.com"] = (500, "")


def letters(stack: Stack) -> None:
    stack.letters["OrderEventsDeadLetter"] = 2


def lost_runs(stack: Stack) -> None:
    stack.letters["DeadLetter"] = 1


def stopped_worker(stack: Stack) -> None:
    stack.mapping = "Disabled"


def disabled_schedule(stack: Stack) -> None:
    stack.schedule["State"] = "DISABLED"


def no_runs(stack: Stack) -> None:
    stack.ran_at = datetime.now(UTC) - timedelta(minutes=11)


def raised(stack: Stack) -> None:
    stack.raised = ["pointbook-prod-OrderEventsDeadLetterAlarm"]


def nobody(stack: Stack) -> None:
    stack.subscriptions = []


def unconfirmed(stack: Stack) -> None:
    stack.subscriptions = [{**CONFIRMED, "SubscriptionArn": "PendingConfirmation"}]


def no_permission(stack: Stack) -> None:
    stack.denied = "scheduler"


def test_heads_that_are_switched_off_are_a_note(stack: Stack, capsys: Printed) -> None:
    disabled_schedule(stack)
    stack.more = {
        "AWS::Scheduler::Schedule": {"WriteHeadsFunctionEveryHour": "prod-write-heads"},
        "AWS::Logs::LogGroup": {"WriteHeadsLogGroup": "/pointbook/prod/write_heads"},
    }
    assert main(["doctor", "--env", "prod", "--json"]) == 1
    checks = {one["what"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["schedule prod-hold-release"]["state"] == "wrong"
    note = checks["schedule prod-write-heads"]
    assert (note["state"], note["found"]) == (
        "note",
        "is disabled: no heads of chains are recorded",
    )


@pytest.mark.parametrize(
    ("spoil", "what", "found", "do"),
    [
        (fresh, "secret", "client_secret", "pointbook secret set MEMBER --env prod"),
        (tillless, "till", "till.client_id", "secret set till.MEMBER --env prod"),
        (squareless, "till", "till.access_token", "secret set till.MEMBER --env prod"),
        (of_another_make, "till", "TILL_PROVIDER", "secret set till.MEMBER --env prod"),
        (wrong_secret, "shop second.myshopify.com", "400 invalid_client", "own organization"),
        (not_installed, "shop demo.myshopify.com", "404", "Install the app"),
        (narrow, "shop demo.myshopify.com", "lacks read_customer_merge, read_cust", "app deploy"),
        (shop_down, "shop demo.myshopify.com", "does not answer", "Try again"),
        (api_down, "API", "answers 500", "log of the function health"),
        (letters, "queue order_events", "2 dead letters", "redrive order_events --list --env prod"),
        (lost_runs, "schedules and stream", "1 dead letters", "DeadLetterAlarm"),
        (stopped_worker, "worker OrderEventsMapping", "is Disabled", "--uuid uuid-1"),
        (disabled_schedule, "schedule prod-hold-release", "is disabled", "Enable it"),
        (no_runs, "schedule prod-hold-release", "within 10 minutes", "/prod/hold_release"),
        (raised, "alarm pointbook-prod-OrderEventsDead", "is raised", "docs/operations.md"),
        (nobody, "alarms' e-mail", "nobody is told", "OperatorEmail"),
        (unconfirmed, "alarms' e-mail", "team@example.com is not confirmed", "Confirmation"),
        (no_permission, "schedules", "cannot be checked", "Allow your role"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    stack: Stack,
    capsys: Printed,
    spoil: Callable[[Stack], None],
    what: str,
    found: str,
    do: str,
) -> None:
    spoil(stack)
    assert main(["doctor", "--env", "prod", "--json"]) == 1
    printed = capsys.readouterr()
    wrong = [one for one in json.loads(printed.out)["checks"] if one["state"] == "wrong"]
    assert len(wrong) == 1, wrong
    assert wrong[0]["what"].startswith(what)
    assert found in wrong[0]["found"]
    assert do in wrong[0]["do"]
    assert do in printed.err, "people are told too"
    for value in (SECRET["client_secret"], SECRET["my_page_secret"]):
        assert str(value) not in printed.out + printed.err


def test_a_schedule_of_a_new_stack_has_not_had_to_run_yet(stack: Stack) -> None:
    no_runs(stack)
    stack.schedule["CreationDate"] = datetime.now(UTC) - timedelta(minutes=5)
    assert main(["doctor"]) == 0


def test_a_stack_on_a_laptop_that_was_just_started_is_not_blamed_for_the_night(
    stack: Stack,
) -> None:
    no_runs(stack)
    stack.started_at = datetime.now(UTC)
    assert main(["doctor"]) == 0


def test_a_rotation_that_was_never_ended_is_noted(stack: Stack, capsys: Printed) -> None:
    stack.secret["client_secret_previous"] = "the-one-before-0123456789-abcdefghij"
    assert main(["doctor", "--env", "prod"]) == 0
    printed = capsys.readouterr().out
    assert "client_secret_previous is still accepted" in printed
    assert "pointbook secret remove client_secret_previous --env prod" in printed


@pytest.mark.parametrize("expression", ["rate(15 minutes)", "cron(0 10-19 * * ? *)"])
def test_a_schedule_that_runs_less_often_may_rest_longer(stack: Stack, expression: str) -> None:
    no_runs(stack)
    stack.schedule["ScheduleExpression"] = expression
    assert main(["doctor"]) == 0
    stack.ran_at = LONG_AGO
    assert main(["doctor"]) == 1
