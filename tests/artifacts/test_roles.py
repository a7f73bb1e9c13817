"""A function's role allows what the function does, and nothing else."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo
from pointbook.privacy import desk, shops
from pointbook.publishing import desk as outbox
from tests.artifacts.built import FUNCTIONS, QUEUES, SCHEDULES, WORKERS
from tests.artifacts.cloud import TABLE
from tests.artifacts.roles import Right, rights
from tests.artifacts.shop import CUSTOMER, EveryCode, Shop, flow_event
from tests.functions.harness import event
from tools.make_events_stream import records

GRANT = "flow_action_grant"
CONSUME = "flow_action_consume"
FLOW = (GRANT, CONSUME)
SHOWS = ("get_points", "points_history")
SETTLES = {"hold_release": 600, "expiry": 400 * 86_400}
"""Sweeps that settle books, and after how many seconds there is something to settle."""

TRIED = (
    "health",
    *FLOW,
    *SHOWS,
    *SETTLES,
    *WORKERS,
    "shopify_webhook",
    "privacy_watch",
    "create_hold",
    "release_hold",
    "switch_off_codes",
    "approve_pending",
    "publish_changes",
    "flow_action_report",
    "flow_lifecycle",
    "reminders",
)
"""The functions that a test below holds against their roles."""

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
"""Write to CloudWatch Logs: that is all AWS's own policy allows."""

DEAD_LETTERS: Right = ("sqs:SendMessage", "DeadLetterQueue")

READS_STREAM: set[Right] = {
    ("dynamodb:DescribeStream", "LedgerTable/stream"),
    ("dynamodb:GetRecords", "LedgerTable/stream"),
    ("dynamodb:GetShardIterator", "LedgerTable/stream"),
    ("dynamodb:ListStreams", "LedgerTable/stream/*"),
}
"""What Lambda needs for an event source mapping of a stream (Lambda developer guide)."""


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shop:
    """A shop whose programme nobody has asked for yet; its orders wait 14 days."""
    return Shop(monkeypatch, tmp_path / "clock.json", PROGRAMME_PENDING_DAYS="14")


def allowed(resources: dict[str, Any], function: str) -> set[Right]:
    """What the function itself is allowed; the rest of its role is what Lambda does for it."""
    role = resources[f"{FUNCTIONS[function]}Role"]["Properties"]
    found = rights(role.get("Policies", []))
    assert taken_by_lambda(function) <= found
    return found - taken_by_lambda(function)


def taken_by_lambda(function: str) -> set[Right]:
    """What Lambda does in the name of a function: take what it is to work on, keep what failed."""
    queue = f"{QUEUES[function]}Queue" if function in QUEUES else ""
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    found = {(action, queue) for action in actions if queue}
    if function in SCHEDULES:
        found.add(DEAD_LETTERS)
    return found | READS_STREAM if function == "publish_changes" else found


def test_every_role_is_held_against_its_function() -> None:
    assert sorted(TRIED) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FLOW)
def test_a_flow_action_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """On a shop without programme; refused, carried out, repeated; on a book that was merged."""
    found = shop.needed(lambda: shop.every_sample(function))
    shop.grant()
    found |= shop.needed(lambda: shop.every_sample(function))
    shop.merge()
    shop.forget_what_is_kept()
    found |= shop.needed(lambda: shop.every_sample(function))
    assert found == allowed(resources, function)


@pytest.mark.parametrize("function", SHOWS)
def test_what_only_shows_is_allowed_to_read_what_it_shows(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    def look() -> None:
        shop.forget_what_is_kept()
        shop.every_sample(function)

    before = shop.needed(look)
    shop.grant()
    shop.functions.sample(CONSUME, "run")
    shop.hold_some()
    while_held = shop.needed(look)
    shop.merge()
    found = before | while_held | shop.needed(look)
    assert found == allowed(resources, function)
    assert "dynamodb:PutItem" not in {action for action, _ in found}


def test_the_webhooks_entrance_may_fill_the_queues_and_touches_no_points(
    shop: Shop, resources: dict[str, Any]
) -> None:
    found = shop.needed(lambda: shop.every_sample("shopify_webhook"))
    assert found == allowed(resources, "shopify_webhook")
    assert {resource for _, resource in found} == {
        "AppSecret",
        *(f"{name}Queue" for name in QUEUES.values()),
    }


@pytest.mark.parametrize("function", WORKERS)
def test_a_worker_is_allowed_what_it_does_and_its_own_queue(
    shop: Shop, resources: dict[str, Any], function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shops, "SENT_AFTER_MIN", timedelta())  # the samples are of one moment

    def work() -> None:
        shop.forget_what_is_kept()
        shop.work_on_samples(function)

    found = shop.needed(work)
    shop.merge()
    found |= shop.needed(work)
    assert found == allowed(resources, function)


def test_whoever_goes_on_with_privacy_requests_is_allowed_what_they_need(
    shop: Shop, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "ONE_MESSAGE_SECONDS", 0)  # so that all is left to it
    monkeypatch.setattr(shops, "SENT_AFTER_MIN", timedelta())  # the samples are of one moment

    def watched(*cases: str) -> set[Right]:
        for case in cases:
            shop.functions.invoke("privacy_events", event("privacy_events", case), seconds=60)
        shop.aws.needed.clear()
        assert shop.functions.invoke("privacy_watch", {})["done"] == len(cases)
        return set(shop.aws.needed)

    found = watched("customers_data_request", "customers_redact")
    shop.functions.invoke("privacy_events", event("privacy_events", "app_uninstalled"), seconds=60)
    found |= watched("shop_redact")
    assert found == allowed(resources, "privacy_watch")


def test_who_holds_points_for_a_code_is_allowed_to_make_it(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Held, repeated, held already; with a token that is kept; not taken by Shopify; merged."""

    def ask() -> None:
        assert shop.ask_for_hold("too many", 5000).status == 422
        shop.every_sample("create_hold")
        assert shop.ask_for_hold("another", 100).status == 409

    def be_refused() -> None:
        shop.forget_what_is_kept()
        assert shop.ask_for_hold("refused", 100).status == 503

    shop.grant()
    shop.lose_token()
    found = shop.needed(ask)
    shop.move(600)
    shop.shopify.closed = True
    found |= shop.needed(be_refused)
    shop.merge()
    shop.shopify.closed = False
    shop.forget_what_is_kept()
    found |= shop.needed(lambda: shop.ask_for_hold("merged", 100))
    assert found == allowed(resources, "create_hold")


def test_who_gives_held_points_back_is_allowed_to_switch_their_code_off(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """With a token that has to be fetched or is kept; in vain; again; when the book was merged."""

    def give_back(key: str, *, token_is_kept: bool, closed: bool = False) -> set[Right]:
        shop.shopify.closed = False
        hold_id = shop.ask_for_hold(key, 100).body["hold_id"]
        forget = shop.forget_what_is_kept if token_is_kept else shop.lose_token
        forget()
        shop.shopify.closed = closed

        def release() -> None:
            assert shop.release(hold_id).status == (503 if closed else 200)

        return shop.needed(release)

    shop.grant()
    found = shop.needed(lambda: shop.every_sample("release_hold"))
    found |= give_back("first", token_is_kept=True) | give_back("second", token_is_kept=False)
    found |= give_back("third", token_is_kept=False, closed=True)
    shop.merge()
    shop.forget_what_is_kept()
    found |= shop.needed(lambda: shop.every_sample("release_hold"))
    assert found == allowed(resources, "release_hold")


def test_who_switches_codes_off_is_allowed_to_keep_its_list(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """A code that Shopify does not let go of, that is not there yet, and that is."""

    def sweep(*, closed: bool) -> set[Right]:
        shop.forget_what_is_kept()
        shop.shopify.closed = closed

        def run() -> None:
            swept = shop.functions.invoke("switch_off_codes", {})
            assert (swept["due"], swept["failed"]) == (1, int(closed))

        return shop.needed(run)

    shop.grant()
    shop.shopify.closed = True
    assert shop.ask_for_hold("in doubt", 100).status == 503
    shop.aws.let_indexes_lag()
    found = sweep(closed=True) | sweep(closed=False)
    shop.shopify.codes = EveryCode()
    found |= sweep(closed=False)
    assert found == allowed(resources, "switch_off_codes")


def test_health_needs_no_rights(shop: Shop, resources: dict[str, Any]) -> None:
    assert shop.needed(lambda: shop.every_sample("health")) == set()
    assert allowed(resources, "health") == set()


@pytest.mark.parametrize(("function", "seconds"), SETTLES.items())
def test_a_sweep_is_allowed_to_find_and_settle_what_is_due(
    shop: Shop, resources: dict[str, Any], function: str, seconds: int
) -> None:
    """Also what has been settled or merged meanwhile: the index shows it a little longer."""
    shop.grant()
    shop.hold_some()
    shop.move(seconds)
    shop.aws.let_indexes_lag()

    def sweep() -> dict[str, Any]:
        return shop.functions.invoke(function, {})

    found = shop.needed(lambda: check(sweep(), settles=True))
    found |= shop.needed(lambda: check(sweep(), settles=False))
    shop.merge()
    found |= shop.needed(lambda: check(sweep(), settles=False))
    assert found == allowed(resources, function)


def test_who_approves_points_is_allowed_to_book_what_an_order_waits_for(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Due, done meanwhile, and on a book that was merged."""
    shop.functions.invoke("order_events", event("order_events", "orders_paid"), seconds=60)
    shop.move(15 * 86_400)
    shop.aws.let_indexes_lag()

    def sweep(*, settles: bool) -> set[Right]:
        shop.forget_what_is_kept()
        return shop.needed(
            lambda: check(shop.functions.invoke("approve_pending", {}), settles=settles)
        )

    found = sweep(settles=True) | sweep(settles=False)
    shop.merge()
    found |= sweep(settles=False)
    assert found == allowed(resources, "approve_pending")


def check(swept: dict[str, Any], *, settles: bool) -> None:
    """One account was looked at without a fault, and had something due or not."""
    assert (swept["due"], swept["failed"]) == (1, 0)
    assert (swept["entries"] > 0) is settles


def test_who_tells_flow_is_allowed_to_read_entries_and_to_keep_how_far_it_is(
    shop: Shop, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the stream, of books that are there or not; from the list, after Shopify was closed."""

    def wake() -> dict[str, Any]:
        account = shop.functions.table.items(TABLE)[f"S#{demo.SHOP_DOMAIN}#C#{CUSTOMER}", "A"]
        return shop.functions.invoke("publish_changes", records(account))

    def be_refused() -> None:
        shop.shopify.closed = True
        assert wake() == {"batchItemFailures": []}

    def sweep() -> None:
        shop.shopify.closed = False
        assert shop.functions.invoke("publish_changes", {})["due"] == 1

    monkeypatch.setattr(outbox, "PAUSE_FIRST_SECONDS", 0)  # so that all is due at once
    found = shop.needed(lambda: shop.work_on_samples("publish_changes"))
    shop.grant()
    found |= shop.needed(be_refused)
    shop.forget_what_is_kept()
    found |= shop.needed(sweep)
    assert shop.functions.sample(CONSUME, "run").status == 200
    shop.forget_what_is_kept()
    found |= shop.needed(wake)
    assert found == allowed(resources, "publish_changes")


def test_who_reports_to_flow_is_allowed_to_read_a_book_and_to_remember_the_report(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Of nobody, of a customer, repeated; with a token that is kept; of a book that was merged."""

    def report() -> None:
        shop.forget_what_is_kept()
        shop.every_sample("flow_action_report")

    def report_again() -> None:
        shop.forget_what_is_kept()
        anew = flow_event("flow_action_report", {"reason": "another run"})
        assert shop.functions.ask("flow_action_report", anew).status == 200

    found = shop.needed(report)
    shop.grant()
    shop.merge()
    found |= shop.needed(report_again)
    assert found == allowed(resources, "flow_action_report")


def test_who_hears_whether_flow_listens_is_allowed_to_write_it_down(
    shop: Shop, resources: dict[str, Any]
) -> None:
    found = shop.needed(lambda: shop.every_sample("flow_lifecycle"))
    assert found == allowed(resources, "flow_lifecycle")


def test_who_reminds_is_allowed_to_look_ahead_and_to_keep_what_was_said(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Told, told already, and told of with a token that is kept."""
    day = 86_400
    assert shop.functions.sample(GRANT, "days_30").status == 200

    def remind(seconds: int, sent: int) -> set[Right]:
        shop.forget_what_is_kept()
        shop.move(seconds)

        def run() -> None:
            told = shop.functions.invoke("reminders", {})
            assert (told["due"], told["sent"], told["failed"]) == (1, sent, 0)

        return shop.needed(run)

    found = remind(day, sent=1) | remind(2 * day, sent=0) | remind(25 * day, sent=1)
    assert found == allowed(resources, "reminders")


def test_roles_allow_logs_by_aws_own_policy_and_nothing_by_a_wildcard(
    resources: dict[str, Any],
) -> None:
    roles = {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    schedules = [one for one in resources.values() if one["Type"] == "AWS::Scheduler::Schedule"]
    assert len(roles) == len(FUNCTIONS) + len(schedules), "one for each function and schedule"
    for name, role in roles.items():
        policies = json.dumps(role.get("Policies", []))
        for of_ours in ("${PrivacyBucket.Arn}/data-requests/*", "${LedgerTable.Arn}/stream/*"):
            policies = policies.replace(of_ours, "")
        assert "*" not in policies, name
    for function in FUNCTIONS.values():
        assert roles[f"{function}Role"]["ManagedPolicyArns"] == [LOGS]


@pytest.mark.parametrize(("function", "schedule"), SCHEDULES.items())
def test_a_schedule_may_start_its_own_function_and_leave_a_dead_letter(
    resources: dict[str, Any], function: str, schedule: str
) -> None:
    role = resources[f"{FUNCTIONS[function]}{schedule}Role"]["Properties"]
    invoke = ("lambda:InvokeFunction", FUNCTIONS[function])
    assert rights(role["Policies"]) == {invoke, DEAD_LETTERS}


def test_the_secret_and_the_table_are_given_to_nobody_else(resources: dict[str, Any]) -> None:
    policies = [name for name, one in resources.items() if "Policy" in one["Type"]]
    assert policies == ["PrivacyBucketPolicy"]
    (denied,) = resources["PrivacyBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert denied["Effect"] == "Deny"
