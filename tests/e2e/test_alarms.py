"""The stack's alarms, and the metrics that the running functions write for them."""

import json
import time
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import deployment, webhooks
from local.deployment import STACK_NAME
from local.options import ROOT
from local.stack import Stack
from tests.e2e.calls import aws, call, invoke, wait_until
from tests.e2e.log_lines import log_lines
from tests.support.alarms import Alarm, alarm, declared
from tools import shopify_payloads
from tools.make_events_webhooks import body_of


@pytest.fixture
def logs(stack: Stack) -> Any:
    return aws(stack, "logs")


def fired(logs: Any, function: str, watching: Alarm, since_ms: int) -> bool:
    """Whether what a function has written makes an alarm fire."""
    value = watching.value(written(logs, function, watching, since_ms))
    return value is not None and value > watching.threshold


def written(logs: Any, function: str, watching: Alarm, since_ms: int) -> str:
    """The lines of a function that have the name of an alarm's metric."""
    group = f"/pointbook/{STACK_NAME}/{function}"
    return "\n".join(log_lines(logs, group, watching.metric, since_ms))


def test_the_stack_has_every_alarm_of_the_template(stack: Stack) -> None:
    found = aws(stack, "cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    deployed = sorted((one["Namespace"], one["MetricName"], one["Threshold"]) for one in found)
    assert deployed == sorted(
        (one["Namespace"], one["MetricName"], one["Threshold"]) for _, one in declared()
    )
    stages = {
        one["Value"] for each in found for one in each["Dimensions"] if one["Name"] == "Stage"
    }
    assert stages == {"local"}


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_cloudformation_refuses_a_stage_in_use_whose_alarms_go_to_nobody(
    stack: Stack, stage: str
) -> None:
    template = deployment.read_template(ROOT)
    rules = {
        "Parameters": {name: template["Parameters"][name] for name in ("Stage", "OperatorEmail")},
        "Rules": template["Rules"],
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    given = [{"ParameterKey": "Stage", "ParameterValue": stage}]
    with pytest.raises(ClientError, match="OperatorEmail is missing"):
        aws(stack, "cloudformation").create_stack(
            StackName=f"rules-{stage}", TemplateBody=json.dumps(rules), Parameters=given
        )


def test_requests_of_a_stranger_are_written_as_the_alarm_watches_them(
    stack: Stack, logs: Any
) -> None:
    since_ms, watching = int(time.time() * 1000) - 1, alarm("SignaturesWrongAlarm")
    wrong = {"X-Shopify-Hmac-Sha256": "stranger", "X-Shopify-Topic": "orders/create"}
    targets = {
        "shopify_webhook": f"{stack.api_url}{webhooks.PATH}",
        "flow_action_consume": stack.function_urls["flow_action_consume"],
        "flow_lifecycle": f"{stack.api_url}/v1/flow/lifecycle",
    }
    for function, url in targets.items():
        for _ in range(int(watching.threshold) + 1):
            assert call(url, b"{}", wrong).status_code == 401
        wait_until(partial(fired, logs, function, watching, since_ms))


def test_a_shop_that_the_stack_does_not_serve_is_written_as_the_alarm_watches_it(
    stack: Stack, logs: Any
) -> None:
    since_ms, watching = int(time.time() * 1000) - 1, alarm("UnknownShopAlarm")
    body = body_of(shopify_payloads.customer(7))
    headers = webhooks.headers_of(
        "customers/create", body, "other.myshopify.com", stack.shopify_client_secret
    )
    answer = call(f"{stack.api_url}{webhooks.PATH}", body, headers)
    assert (answer.status_code, json.loads(answer.text)["code"]) == (403, "unknown_shop")
    wait_until(lambda: watching.value(written(logs, "shopify_webhook", watching, since_ms)) == 1)


def test_a_sweep_writes_how_old_the_oldest_of_its_work_is(stack: Stack, logs: Any) -> None:
    since_ms, watching = int(time.time() * 1000) - 1, alarm("OldestDueAlarm")
    invoke(stack, "hold_release")
    wait_until(
        lambda: watching.value(written(logs, "hold_release", watching, since_ms)) is not None
    )
