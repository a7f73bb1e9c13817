"""template.yaml: schedules, queues, the stream, alarms."""

import json
import re
from typing import Any

import pytest

from pointbook.entrypoints.queue import ONE_MESSAGE_SECONDS
from pointbook.errors import MessageTooLarge
from pointbook.services.bulk_imports.parts import WORKERS as IMPORT_WORKERS
from pointbook.services.message import MESSAGE_BYTES_MAX
from pointbook.services.till_refresher import REFRESH_SECONDS
from pointbook.settings import Settings
from pointbook.shopify import customers, webhook
from pointbook.store import keys
from tests.artifacts.built import (
    FUNCTIONS,
    IMPORT_QUEUE,
    QUEUE_URLS,
    QUEUES,
    RESOURCES,
    SCHEDULES,
    TEMPLATE,
    WORKERS,
    function_property,
    of_type,
    properties,
    variables,
)
from tests.artifacts.given import RESOLVED, overrides
from tests.support.harness import event

MINUTE = 60
EVERY_SECONDS = {
    "hold_release": MINUTE,
    "switch_off_codes": MINUTE,
    "publish_changes": MINUTE,
    "push_till": MINUTE,
    "refresh_till": MINUTE,
    "write_metafields": MINUTE,
    "privacy_watch": 5 * MINUTE,
    "approve_pending": 15 * MINUTE,
    "expiry": 15 * MINUTE,
    "reminders": 60 * MINUTE,
    "compare_till": 60 * MINUTE,
    "write_heads": 60 * MINUTE,
    "write_statements": 60 * MINUTE,
    "reconcile_orders": 24 * 60 * MINUTE,
    "verify_sample": 24 * 60 * MINUTE,
}
"""Functions on schedule, and the seconds from run to run."""

LAMBDA_SECONDS_MAX = 900
DAY = 86_400
DEAD_LETTERS = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
STREAM = {"Fn::GetAtt": ["LedgerTable", "StreamArn"]}
ONLY_WITH_A_TILL = {"Fn::If": ["HasTill", "ENABLED", "DISABLED"]}
UNLESS_SWITCHED_OFF = {"Fn::If": ["LocksHeads", "ENABLED", "DISABLED"]}
VISIBLE, AGE = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"


# --- schedules ------------------------------------------------------------------------------------


def test_these_functions_run_on_schedule_and_no_others() -> None:
    assert SCHEDULES.keys() == EVERY_SECONDS.keys()


@pytest.mark.parametrize("function", SCHEDULES)
def test_a_schedule_retries_and_has_a_dead_letter_queue(function: str) -> None:
    event = properties(FUNCTIONS[function])["Events"][SCHEDULES[function]]["Properties"]
    assert _seconds_between(event["ScheduleExpression"]) == EVERY_SECONDS[function]
    assert event["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert event["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}
    assert event.get("State", "ENABLED") in ("ENABLED", ONLY_WITH_A_TILL, UNLESS_SWITCHED_OFF)


@pytest.mark.parametrize("function", SCHEDULES)
def test_a_failed_run_leaves_a_dead_letter_and_is_not_retried(function: str) -> None:
    config = properties(FUNCTIONS[function])["EventInvokeConfig"]
    assert config["MaximumRetryAttempts"] == 0
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == DEAD_LETTERS


@pytest.mark.parametrize("function", SCHEDULES)
def test_a_run_that_waited_for_as_long_as_runs_are_apart_is_given_up(function: str) -> None:
    """Lambda keeps throttled calls for six hours otherwise, and then makes them all at once."""
    age_seconds = properties(FUNCTIONS[function])["EventInvokeConfig"]["MaximumEventAgeInSeconds"]
    assert MINUTE <= age_seconds <= EVERY_SECONDS[function]
    event = properties(FUNCTIONS[function])["Events"][SCHEDULES[function]]["Properties"]
    assert event["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 5 * MINUTE


@pytest.mark.parametrize("function", SCHEDULES)
def test_a_run_is_over_before_the_next_one_begins(function: str) -> None:
    timeout_seconds = function_property(function, "Timeout")
    assert timeout_seconds < EVERY_SECONDS[function]
    assert timeout_seconds <= LAMBDA_SECONDS_MAX


def test_heads_are_written_unless_they_are_switched_off() -> None:
    event = properties("WriteHeadsFunction")["Events"][SCHEDULES["write_heads"]]["Properties"]
    assert event["State"] == UNLESS_SWITCHED_OFF
    off = {"Fn::Not": [{"Fn::Equals": [{"Ref": "HeadsLock"}, "off"]}]}
    assert TEMPLATE["Conditions"]["LocksHeads"] == off


def test_reminders_run_every_hour_and_name_the_hours_of_a_shops_day() -> None:
    given = properties("RemindersFunction")["Events"][SCHEDULES["reminders"]]["Properties"]
    assert given["ScheduleExpression"] == "cron(0 * * * ? *)"
    assert json.loads(given["Input"]) == {"from_hour": 10, "until_hour": 19}
    assert json.loads(given["Input"]) == event("reminders", "schedule")


def _seconds_between(expression: str) -> int:
    """What is between two runs of a rate, or of a cron schedule on every full hour or day."""
    if expression == "rate(1 day)":
        return DAY
    rate = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
    if rate:
        return int(rate[1]) * MINUTE
    if re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", expression):
        return DAY
    assert expression == "cron(0 * * * ? *)", expression
    return 60 * MINUTE


# --- queues ---------------------------------------------------------------------------------------


def test_every_queue_of_what_must_not_be_lost_keeps_it_for_two_weeks_and_encrypted() -> None:
    queues = of_type("AWS::SQS::Queue")
    names = (QUEUES | IMPORT_QUEUE).values()
    waiting = {f"{name}Queue" for name in names}
    dead = {f"{name}DeadLetterQueue" for name in names}
    assert queues.keys() == {"DeadLetterQueue", "TillRefreshesQueue"} | waiting | dead
    for name, queue in queues.items():
        assert queue["MessageRetentionPeriod"] == (
            MINUTE if name == "TillRefreshesQueue" else 14 * DAY
        )
        assert queue["SqsManagedSseEnabled"] is True


def test_a_request_to_refresh_a_member_is_forgotten_soon_and_leaves_no_dead_letter() -> None:
    queue = properties("TillRefreshesQueue")
    assert "RedrivePolicy" not in queue
    assert queue["VisibilityTimeout"] > function_property("refresh_till", "Timeout")
    assert function_property("refresh_till", "Timeout") > REFRESH_SECONDS + 5


def test_parts_of_imports_are_tried_eight_times_by_as_many_workers_as_share_the_pace() -> None:
    queue, mapping = properties("ImportRowsQueue"), properties("ImportRowsMapping")
    dead_letters = {"Fn::GetAtt": ["ImportRowsDeadLetterQueue", "Arn"]}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 8}
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": IMPORT_WORKERS}


@pytest.mark.parametrize("name", ["PushTill", "RefreshTill"])
def test_without_a_till_nothing_is_pushed_or_refreshed(name: str) -> None:
    condition = {"Fn::Not": [{"Fn::Equals": [{"Ref": "TillProvider"}, "none"]}]}
    assert TEMPLATE["Conditions"]["HasTill"] == condition
    schedule = properties(f"{name}Function")["Events"]["EveryMinute"]["Properties"]
    assert schedule["State"] == ONLY_WITH_A_TILL
    assert properties(f"{name}Mapping")["Enabled"] == {"Fn::If": ["HasTill", True, False]}


@pytest.mark.parametrize(("worker", "name"), QUEUES.items())
def test_a_failing_webhook_is_retried_and_then_a_dead_letter(worker: str, name: str) -> None:
    waiting = properties(f"{name}Queue")
    assert waiting["MaximumMessageSize"] == MESSAGE_BYTES_MAX
    assert waiting["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"{name}DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 8,
    }
    assert waiting["VisibilityTimeout"] >= 6 * function_property(worker, "Timeout")


@pytest.mark.parametrize("name", QUEUES.values())
def test_a_webhook_survives_half_an_hour_without_shopify(name: str) -> None:
    """Between the first try and the last."""
    waiting = properties(f"{name}Queue")
    pauses = waiting["RedrivePolicy"]["maxReceiveCount"] - 1
    assert pauses * waiting["VisibilityTimeout"] >= 30 * MINUTE


@pytest.mark.parametrize("worker", WORKERS)
def test_calls_to_shopify_leave_a_message_most_of_its_time(worker: str) -> None:
    assert 2 * customers.BUDGET_SECONDS < ONE_MESSAGE_SECONDS < function_property(worker, "Timeout")


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_reads_its_own_queue_with_limited_concurrency(worker: str) -> None:
    mapping = properties(f"{QUEUES[worker]}Mapping")
    assert mapping["FunctionName"] == {"Ref": FUNCTIONS[worker]}
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [f"{QUEUES[worker]}Queue", "Arn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10
    assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 5


def test_shopify_webhook_has_the_url_of_every_queue() -> None:
    settings = Settings.from_env(variables("shopify_webhook", overrides("prod") | RESOLVED))
    urls = {queue: settings.queue_url(queue) for queue in {*webhook.QUEUES.values()}}
    assert urls == {queue: QUEUE_URLS[f"{name}Queue"] for queue, name in QUEUES.items()}


def test_reconcile_orders_has_the_url_of_the_queues_that_it_feeds() -> None:
    settings = Settings.from_env(variables("reconcile_orders", overrides("prod") | RESOLVED))
    for queue in (webhook.ORDERS, webhook.CUSTOMERS):
        assert settings.queue_url(queue) == QUEUE_URLS[f"{QUEUES[queue]}Queue"]


def test_a_comparison_that_fails_on_two_days_has_an_alarm() -> None:
    (alarm,) = [
        one for one in _alarms("Pointbook") if one["MetricName"] == "ReconciliationFailures"
    ]
    assert alarm["Period"] == EVERY_SECONDS["reconcile_orders"]


# --- the stream -----------------------------------------------------------------------------------


def test_only_the_queues_and_the_stream_have_event_source_mappings() -> None:
    mappings = of_type("AWS::Lambda::EventSourceMapping")
    workers = {f"{name}Mapping" for name in QUEUES.values()}
    assert mappings.keys() == workers | {
        "ImportRowsMapping",
        "PublishChangesMapping",
        "PushTillMapping",
        "RefreshTillMapping",
    }
    events = [
        event["Type"]
        for function in FUNCTIONS.values()
        for event in properties(function).get("Events", {}).values()
    ]
    assert set(events) == {"HttpApi", "ScheduleV2"}


@pytest.mark.parametrize("name", ["PublishChanges", "PushTill"])
def test_a_failing_batch_of_the_stream_is_bisected_and_finally_dropped_to_the_dead_letters(
    name: str,
) -> None:
    mapping = properties(f"{name}Mapping")
    assert mapping["FunctionName"] == {"Ref": f"{name}Function"}
    assert mapping["EventSourceArn"] == STREAM
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 1 <= mapping["MaximumRetryAttempts"] <= 100
    assert mapping["MaximumRecordAgeInSeconds"] <= DAY, "the stream holds no more"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == DEAD_LETTERS


def test_the_streams_right_to_its_dead_letters_is_the_functions_own_policy() -> None:
    """SAM grants the same because of `EventInvokeConfig`; that one may go without the other."""
    (policy,) = properties("PublishChangesFunction")["Policies"]
    own = [one for one in policy["Statement"] if one["Resource"] == DEAD_LETTERS]
    assert own == [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": DEAD_LETTERS}]


def test_the_stream_invokes_the_publisher_for_accounts_only() -> None:
    (one,) = properties("PublishChangesMapping")["FilterCriteria"]["Filters"]
    assert json.loads(one["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"sk": {"S": [keys.ACCOUNT]}}},
    }


# --- alarms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_every_alarm_notifies_operators_and_but_one_tolerates_missing_data(name: str) -> None:
    alarm = properties(name)
    assert alarm["AlarmActions"] == [{"Ref": "OperatorTopic"}]
    assert alarm.get("OKActions", [{"Ref": "OperatorTopic"}]) == [{"Ref": "OperatorTopic"}]
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    fires_without_data = name == "OldestDueAlarm"
    assert alarm["TreatMissingData"] == ("breaching" if fires_without_data else "notBreaching")
    assert alarm["AlarmDescription"]


def test_dead_letters_and_old_messages_have_alarms() -> None:
    alarms = {
        (alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0], alarm["MetricName"]): alarm
        for alarm in _alarms("AWS/SQS")
    }
    dead = {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetterQueue")}
    waiting = {f"{name}Queue" for name in QUEUES.values()}
    assert alarms.keys() == {(one, VISIBLE) for one in dead} | {(one, AGE) for one in waiting}
    for (_, metric), alarm in alarms.items():
        assert alarm["Threshold"] == (0 if metric == VISIBLE else 15 * MINUTE)
        assert (alarm["Statistic"], alarm["EvaluationPeriods"]) == ("Maximum", 1)


def test_an_old_stream_position_has_an_alarm() -> None:
    (alarm,) = [one for one in _alarms("AWS/Lambda") if one["MetricName"] == "IteratorAge"]
    assert alarm["Dimensions"][0]["Value"] == {"Ref": "PublishChangesFunction"}
    assert alarm["Threshold"] == 15 * MINUTE * 1000


def test_errors_and_throttles_of_all_functions_have_one_alarm_each() -> None:
    """Without dimensions: the metrics of the whole account, which cost nothing."""
    found = {one["MetricName"]: one for one in _alarms("AWS/Lambda") if "Dimensions" not in one}
    assert found.keys() == {"Errors", "Throttles"}
    assert {one["Statistic"] for one in found.values()} == {"Sum"}


def test_answers_5xx_of_the_api_have_an_alarm() -> None:
    (alarm,) = _alarms("AWS/ApiGateway")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("5xx", "Sum")
    assert alarm["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "PointsApi"}}]


def test_requests_that_are_not_served_have_alarms_by_the_code_of_the_answer() -> None:
    found = {
        alarm["Dimensions"][1]["Value"]: (alarm["Threshold"], alarm["Period"])
        for alarm in _alarms("Pointbook")
        if alarm["MetricName"] == "RequestsNotServed"
    }
    assert found == {
        "internal_error": (0, 5 * MINUTE),
        "ledger_unavailable": (4, 5 * MINUTE),
        MessageTooLarge(1, 0).code: (0, MINUTE),
        "queue_unavailable": (4, 5 * MINUTE),
        "secrets_unavailable": (4, 5 * MINUTE),
        "signature_missing": (20, 60 * MINUTE),
        "signature_wrong": (4, 60 * MINUTE),
        "unknown_shop": (0, 5 * MINUTE),
    }


def test_metrics_that_need_a_person_have_alarms() -> None:
    assert {
        alarm["MetricName"]: (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"])
        for alarm in _alarms("Pointbook")
        if alarm["MetricName"] != "RequestsNotServed"
    } == {
        "DiscountsNotMade": ("Sum", 4, 1),
        "KeptValuesNotRenewed": ("Sum", 4, 1),
        "LedgerFaults": ("Sum", 0, 1),
        "LoopsRefused": ("Sum", 0, 1),
        "LostWebhooks": ("Sum", 0, 1),
        "TillDrift": ("Sum", 0, 1),
        "OldestDueSeconds": ("Maximum", 60 * MINUTE, 2),
        "OrderAlarms": ("Sum", 0, 1),
        "OrdersWithoutCustomer": ("Average", 0.95, 2),
        "OrphanedCodesNotSwitchedOff": ("Sum", 0, 2),
        "RateLimited": ("Sum", 20, 3),
        "PrivacyRequestAge": ("Maximum", 7 * DAY, 1),
        "PrivacyRequestFailures": ("Maximum", 0, 1),
        "PrivacyRequestsHeld": ("Maximum", 0, 1),
        "ReconciliationFailures": ("Sum", 0, 2),
        "RemindersHeldBack": ("Sum", 0, 2),
        "SweepFailures": ("Sum", 0, 2),
        "TillBreakerOpen": ("Minimum", 0, 1),
        "TillPushWaitedSeconds": ("Maximum", 60 * MINUTE, 1),
        "TillReadsFailed": ("Average", 0.5, 2),
        "MetafieldsHeldBack": ("Sum", 0, 3),
        "TriggersHeldBack": ("Sum", 0, 3),
        "TriggersRefused": ("Sum", 0, 1),
    }
    stage = {"Name": "Stage", "Value": {"Ref": "Stage"}}
    more = {"RateLimited": [{"Name": "Pace", "Value": "shop"}]}
    for alarm in _alarms("Pointbook"):
        own = more.get(alarm["MetricName"], [])
        if alarm["MetricName"] == "RequestsNotServed":
            own = [{"Name": "Code", "Value": alarm["Dimensions"][1]["Value"]}]
        assert alarm["Dimensions"] == [stage, *own]


def test_alarms_are_mailed_only_if_there_is_an_address() -> None:
    assert RESOURCES["OperatorSubscription"]["Condition"] == "OperatorHasEmail"
    assert properties("OperatorSubscription")["TopicArn"] == {"Ref": "OperatorTopic"}


def test_staging_and_prod_are_not_deployed_without_an_address() -> None:
    rule = TEMPLATE["Rules"]["AlarmsOfStagesInUseAreMailed"]
    assert rule["RuleCondition"] == {"Fn::Contains": [["staging", "prod"], {"Ref": "Stage"}]}
    (assertion,) = rule["Assertions"]
    empty = {"Fn::Equals": [{"Ref": "OperatorEmail"}, ""]}
    assert assertion["Assert"] == {"Fn::Not": [empty]}
    assert "OperatorEmail" in assertion["AssertDescription"]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_placeholder_of_the_address_cannot_be_deployed(environment: str) -> None:
    """CloudFormation itself refuses it by the parameter's pattern."""
    given = overrides(environment)["OperatorEmail"]
    assert given.startswith("your-")
    assert not re.fullmatch(TEMPLATE["Parameters"]["OperatorEmail"]["AllowedPattern"], given)


def _alarms(namespace: str) -> list[dict[str, Any]]:
    found = of_type("AWS::CloudWatch::Alarm").values()
    return [alarm for alarm in found if alarm["Namespace"] == namespace]
