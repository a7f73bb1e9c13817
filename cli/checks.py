"""The checks of `pointbook doctor`: each looks at one kind of resource and yields what it found."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from cli.aws_errors import AWS_ERRORS, in_words
from cli.redrive import Queue, queue_urls
from cli.stack_secret import StackSecret, value_of
from cli.target import Target
from local.options import ROOT
from pointbook.errors import SettingsError
from pointbook.settings import Secrets, Stage
from pointbook.till.providers import NAMES, check_credentials

_ANSWER_SECONDS = 10
_MISSED_RUNS_MAX = 3
_NO_RUN_WITHIN = timedelta(minutes=10)
"""A run every minute may be late by so much before it counts as missing."""

_PAGES_MAX = 20
_NOT_FOR_THE_ADMIN_API = {"write_app_proxy"}
_OF_THE_TILL = ("RefreshTill", "PushTill", "CompareTill")
"""How the resources of those functions begin that have nothing to do without a till."""


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it."""

    what: str
    state: State
    found: str
    do: str = ""


def all_of(stack: Target) -> Iterator[Finding]:
    """Run every check. One that cannot look, for want of a permission, says so and is wrong."""
    checks: tuple[tuple[str, Callable[[Target], Iterable[Finding]]], ...] = (
        ("secret", secret),
        ("API", api),
        ("queues", queues),
        ("workers", workers),
        ("schedules", schedules),
        ("alarms", alarms),
    )
    for name, check in checks:
        try:
            yield from check(stack)
        except AWS_ERRORS as error:
            yield Finding(name, State.WRONG, f"cannot be checked. {in_words(error)}", _ALLOW)


_ALLOW = 'Allow your role what docs/deploy.md lists under "Checking a stack", or try again.'


def secret(stack: Target) -> Iterator[Finding]:
    """The secret's members, then a token for each shop with them."""
    command, env = "pointbook secret set", _env(stack)
    members, _ = StackSecret(stack).read()
    try:
        secrets = Secrets.from_json(json.dumps(members), stack.settings.stage)
        secrets.hold_code_key()
    except SettingsError as error:
        yield Finding(
            "secret",
            State.WRONG,
            str(error),
            f"Until then every request is answered with an error: {command} MEMBER{env}",
        )
        return
    yield Finding("secret", State.OK, "client_secret and my_page_secret are set")
    for name in ("client_secret_previous", "my_page_secret_previous"):
        if value_of(members, name) and stack.settings.stage is not Stage.LOCAL:
            remove = f"When the rotation is over: pointbook secret remove {name}{env}"
            yield Finding("secret", State.NOTE, f"{name} is still accepted", remove)
    if stack.settings.till_provider != "none":
        yield _till(stack.settings.till_provider, secrets, f"{command} till.MEMBER{env}")
    for shop in stack.settings.shops:
        yield _token(stack, shop, secrets.client_secret)


def _till(provider: str, secrets: Secrets, command: str) -> Finding:
    try:
        check_credentials(provider, secrets.till)
    except SettingsError as error:
        return Finding("till", State.WRONG, str(error), command)
    return Finding("till", State.OK, f"{NAMES[provider]}'s credentials are set")


def _token(stack: Target, shop: str, client_secret: str) -> Finding:
    """Ask the shop for an access token. It is thrown away."""
    settings = stack.settings
    what, local = f"shop {shop}", settings.local_shopify_url
    url = f"{local}/{shop}" if local else f"https://{shop}"
    grant = {
        "client_id": settings.shopify_client_id,
        "client_secret": client_secret,
        "grant_type": "client_credentials",
    }
    try:
        status, text = send("POST", f"{url}/admin/oauth/access_token", json.dumps(grant))
    except BotoCoreError as error:
        return Finding(what, State.WRONG, f"does not answer: {error}", "Try again later.")
    try:
        answer = json.loads(text)
        given = {*str(answer["scope"]).split(",")} if status == 200 else set()
    except (ValueError, KeyError, TypeError):
        answer, given = {}, set()
    if not given:
        reason = answer.get("error", "") if isinstance(answer, dict) else ""
        return Finding(
            what,
            State.WRONG,
            f"gives no access token: {status} {reason}".rstrip(),
            "Install the app in the shop; it must be an app of the shop's own organization. Compare"
            " ShopifyClientId and client_secret with the app's settings in the Dev Dashboard.",
        )
    missing = _scopes() - _implied(given)
    if missing:
        return Finding(
            what,
            State.WRONG,
            f"the app lacks {', '.join(sorted(missing))}",
            "Deploy the app's files (`shopify app deploy`) and accept the new scopes in the shop.",
        )
    return Finding(what, State.OK, "the app is installed and gets access tokens")


def _scopes() -> set[str]:
    app = (ROOT / "shopify" / "shopify.app.toml").read_text(encoding="utf-8")
    scopes: str = tomllib.loads(app)["access_scopes"]["scopes"]
    return {*scopes.split(",")} - _NOT_FOR_THE_ADMIN_API


def _implied(given: set[str]) -> set[str]:
    """The scopes, and the right to read what may be written."""
    return given | {one.replace("write_", "read_", 1) for one in given if one.startswith("write_")}


def api(stack: Target) -> Iterator[Finding]:
    """The HTTP API answers, to those who use it from outside."""
    try:
        status, _ = send("GET", f"{stack.api_url}/v1/health")
    except BotoCoreError as error:
        yield Finding("API", State.WRONG, f"{stack.api_url} does not answer: {error}", "Try again.")
        return
    if status == 200:
        yield Finding("API", State.OK, f"{stack.api_url} answers")
    else:
        log = f"Read the log of the function health of {stack.name}."
        yield Finding("API", State.WRONG, f"{stack.api_url} answers {status}", log)


def queues(stack: Target) -> Iterator[Finding]:
    """No dead letters; how many messages wait."""
    sqs, env = stack.client("sqs"), _env(stack)
    for queue in Queue:
        waiting_url, dead_url = queue_urls(stack.outputs, queue)
        dead, waiting = _count(sqs, dead_url), _count(sqs, waiting_url)
        if dead:
            yield Finding(
                f"queue {queue}",
                State.WRONG,
                f"{dead} dead letters, {waiting} waiting",
                f"pointbook redrive {queue} --list{env}; fix the cause; again without --list",
            )
        else:
            yield Finding(f"queue {queue}", State.OK, f"no dead letters, {waiting} waiting")
    lost = _count(sqs, stack.outputs["DeadLetterQueueUrl"])
    if lost:
        advice = "Later runs do the work; read docs/operations.md, DeadLetterAlarm, for the cause."
        yield Finding("schedules and stream", State.WRONG, f"{lost} dead letters", advice)
    else:
        yield Finding("schedules and stream", State.OK, "no dead letters")


def _count(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found.get(name, 0)) for name in names)


def _in_use(stack: Target, kind: str) -> dict[str, str]:
    """The resources of a kind; without a till, those of its functions are switched off."""
    found = stack.resources(kind)
    if stack.settings.till_provider != "none":
        return found
    return {name: one for name, one in found.items() if not name.startswith(_OF_THE_TILL)}


def workers(stack: Target) -> Iterator[Finding]:
    """Queues and stream are read."""
    functions = stack.client("lambda")
    mappings = _in_use(stack, "AWS::Lambda::EventSourceMapping")
    stopped = {
        name: f"{uuid} is {state}"
        for name, uuid in mappings.items()
        if (state := functions.get_event_source_mapping(UUID=uuid)["State"])
        not in ("Enabled", "Enabling", "Updating", "Creating")
    }
    for name, state in stopped.items():
        command = f"aws lambda update-event-source-mapping --enabled --uuid {mappings[name]}"
        yield Finding(f"worker {name}", State.WRONG, state, f"Once it may run again: {command}")
    if not stopped:
        yield Finding("workers", State.OK, f"{len(mappings)} read their queue or stream")


def schedules(stack: Target) -> Iterator[Finding]:
    """Every schedule is enabled, and what it starts has run lately."""
    scheduler, logs, now = stack.client("scheduler"), stack.client("logs"), datetime.now(UTC)
    groups = stack.resources("AWS::Logs::LogGroup")
    for logical, name in sorted(_in_use(stack, "AWS::Scheduler::Schedule").items()):
        # Of an event of a function SAM makes a schedule that is called as both.
        function = logical.partition("Function")[0]
        schedule = scheduler.get_schedule(Name=name)
        what, window = f"schedule {name}", _window(schedule["ScheduleExpression"])
        if schedule["State"] != "ENABLED" and function == "WriteHeads":
            do = "Deploy it with HeadsLock=governance or compliance to record them."
            yield Finding(what, State.NOTE, "is disabled: no heads of chains are recorded", do)
        elif schedule["State"] != "ENABLED":
            yield Finding(what, State.WRONG, "is disabled", "Enable it in EventBridge Scheduler.")
        elif _ran(logs, groups[f"{function}LogGroup"], now - window):
            yield Finding(what, State.OK, "is enabled and has run lately")
        elif now - max(schedule["CreationDate"], stack.started_at) < window:
            yield Finding(what, State.OK, "is enabled and has not had to run yet")
        else:
            yield Finding(
                what,
                State.WRONG,
                f"has not run within {_hours(window)}",
                f"Read the log group {groups[f'{function}LogGroup']} and the dead letters.",
            )


def _window(expression: str) -> timedelta:
    """Within which a schedule must have run."""
    rate = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
    if rate is None:
        return timedelta(hours=26)  # some hours of each day
    return max(_NO_RUN_WITHIN, _MISSED_RUNS_MAX * timedelta(minutes=int(rate[1])))


def _hours(window: timedelta) -> str:
    minutes = round(window.total_seconds() / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def _ran(logs: Any, group: str, since: datetime) -> bool:
    """Whether a log group has a line since then. Pages may be empty before one is found."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(since.timestamp() * 1000),
        PaginationConfig={"MaxItems": 1, "PageSize": 1},
    )
    return any(page["events"] for _, page in zip(range(_PAGES_MAX), pages, strict=False))


def alarms(stack: Target) -> Iterator[Finding]:
    """Alarms reach somebody, and none is raised."""
    if stack.settings.stage is not Stage.LOCAL:
        yield _subscription(stack)
    found = stack.client("cloudwatch").get_paginator("describe_alarms")
    pages = found.paginate(AlarmNamePrefix=f"{stack.name}-", StateValue="ALARM")
    raised = [alarm for page in pages for alarm in page["MetricAlarms"]]
    for alarm in raised:
        yield Finding(
            f"alarm {alarm['AlarmName']}",
            State.WRONG,
            f"is raised: {alarm.get('AlarmDescription', '')}",
            "docs/operations.md says what each alarm means and what to do.",
        )
    if not raised:
        yield Finding("alarms", State.OK, "none is raised")


def _subscription(stack: Target) -> Finding:
    pages = stack.client("sns").get_paginator("list_subscriptions_by_topic")
    topic = stack.outputs["OperatorTopicArn"]
    found = [one for page in pages.paginate(TopicArn=topic) for one in page["Subscriptions"]]
    pending = [one["Endpoint"] for one in found if not one["SubscriptionArn"].startswith("arn:")]
    if not found:
        advice = "Set OperatorEmail in samconfig.toml and deploy, or subscribe to the topic."
        state = State.NOTE if stack.settings.stage is Stage.DEV else State.WRONG
        return Finding("alarms' e-mail", state, "nobody is told of alarms", advice)
    if len(pending) == len(found):
        advice = 'Open AWS\'s e-mail "Subscription Confirmation" and follow its link.'
        return Finding("alarms' e-mail", State.WRONG, f"{pending[0]} is not confirmed", advice)
    return Finding("alarms' e-mail", State.OK, f"{len(found) - len(pending)} confirmed")


def send(method: str, url: str, body: str = "") -> tuple[int, str]:
    """Send a request; return status and text of the answer."""
    headers = {"Content-Type": "application/json"} if body else {}
    request = AWSRequest(method, url, headers=headers, data=body.encode())
    answer = URLLib3Session(timeout=_ANSWER_SECONDS).send(request.prepare())
    return answer.status_code, answer.text


def _env(stack: Target) -> str:
    return f" --env {stack.env}" if stack.env else ""
