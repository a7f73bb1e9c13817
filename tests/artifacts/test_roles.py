"""A function's role allows what the function does, and nothing else."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli import pause
from local import demo
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import FixedDate
from pointbook.services.metafields import requests as metafield_requests
from pointbook.services.privacy import requests as driver
from pointbook.services.privacy import shops
from pointbook.store import keys
from tests.artifacts.built import FUNCTIONS, QUEUES, SCHEDULES, WORKERS
from tests.artifacts.cloud import TABLE
from tests.artifacts.roles import DEAD_LETTERS, Right, allowed, rights
from tests.artifacts.shop import CUSTOMER, OTHER_CUSTOMER, Shop
from tests.support.harness import event

GRANT = "flow_action_grant"
CONSUME = "flow_action_consume"
FLOW = (GRANT, CONSUME)
ADJUSTS = ("adjust_points", "extend_points", "import_points", "staff_adjust_points")
OPERATORS_READ = ("show_account", "account_history", "explain_order")
STAFF_READS = tuple(f"staff_{function}" for function in OPERATORS_READ)
MANAGERS = ("staff_books", "staff_programme", "staff_status")
SETTLES = {"hold_release": 600, "expiry": 400 * 86_400}
"""Sweeps that settle accounts, and after how many seconds there is something to settle."""

TRIED = (
    "health",
    "app_page",
    "order_points",
    *FLOW,
    "get_points",
    "points_history",
    *SETTLES,
    *WORKERS,
    "shopify_webhook",
    "privacy_watch",
    *ADJUSTS,
    *OPERATORS_READ,
    "check_customer",
    "staff_me",
    *STAFF_READS,
    *MANAGERS,
    "staff_create_hold",
    "staff_release_hold",
    "import_runs",
    "import_rows",
    "create_hold",
    "release_hold",
    "switch_off_codes",
    "approve_pending",
    "publish_changes",
    "push_till",
    "flow_action_report",
    "flow_lifecycle",
    "reconcile_orders",
    "reminders",
    "verify_sample",
    "write_heads",
    "refresh_till",
    "till_status",
    "compare_till",
    "write_metafields",
    "write_statements",
)
"""The functions that a test here or in a test_roles_at_….py holds against their roles."""

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
"""Write to CloudWatch Logs: that is all AWS's own policy allows."""


def test_every_role_is_tested() -> None:
    assert sorted(TRIED) == sorted(FUNCTIONS)


def test_order_points_may_read_single_items_and_nothing_else(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Of no order, of one, and of one that belongs to a merged customer."""
    before = shop.needed(lambda: shop.every_sample("order_points"))
    shop.functions.invoke("order_events", event("order_events", "orders_paid"), seconds=60)
    found = before | shop.needed(lambda: shop.every_sample("order_points"))
    shop.merge()
    shop.start_anew()
    found |= shop.needed(lambda: shop.every_sample("order_points"))
    assert found == allowed(resources, "order_points")


@pytest.mark.parametrize("function", ADJUSTS)
def test_what_adjusts_points_is_allowed_what_it_does_and_the_secret_only_to_know_the_staff(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """On a shop without programme; refused, carried out, repeated; on a merged account."""
    grant = Grant(10, FixedDate(date(2099, 12, 31)))
    if function == "extend_points":  # it needs points that expire on the sample's day
        shop.functions.execute(grant)
        shop.start_anew()
    found = shop.needed(lambda: shop.every_sample(function))
    shop.merge()
    shop.start_anew()
    found |= shop.needed(lambda: shop.every_sample(function))
    if function == "extend_points":  # the survivor's points, under the id of the merged
        shop.functions.execute(grant)
        again = event(function, "extend")
        again["headers"]["idempotency-key"] = "after the merge"
        found |= shop.needed(lambda: shop.functions.request(function, again))
    assert found == allowed(resources, function)
    secret = {"AppSecret"} if function == "staff_adjust_points" else set()
    assert {resource for _, resource in found} == {"LedgerTable", *secret}


@pytest.mark.parametrize("function", ["points_history", *OPERATORS_READ, *STAFF_READS])
def test_a_reader_of_accounts_may_read_the_table_and_nothing_else(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """Of nobody; with a hold and pending points; of a merged customer.

    My page's and the staff's also read the secret, which proves who asks.
    """

    def look() -> None:
        shop.start_anew()
        shop.every_sample(function)

    found = shop.needed(look)
    shop.grant()
    shop.functions.sample(CONSUME, "run")
    shop.hold_some()
    pending = event("order_events", "orders_create_pending")
    shop.functions.invoke("order_events", pending, seconds=60)
    shop.functions.invoke("order_events", event("order_events", "orders_paid"), seconds=60)
    found |= shop.needed(look)
    shop.merge()
    found |= shop.needed(look)
    assert found == allowed(resources, function)
    assert {resource for _, resource in found} - {"AppSecret"} == {"LedgerTable"}
    knows_who_asks_by_iam = function in OPERATORS_READ
    assert ("AppSecret" in {resource for _, resource in found}) is not knows_who_asks_by_iam
    assert {action for action, resource in found if resource == "LedgerTable"} <= {
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
    }


def test_staff_me_may_read_single_items_and_nothing_else(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """On a shop without programme; with points that were moved today."""
    found = shop.needed(lambda: shop.every_sample("staff_me"))
    shop.every_sample("staff_adjust_points")
    shop.start_anew()
    found |= shop.needed(lambda: shop.every_sample("staff_me"))
    assert found == allowed(resources, "staff_me")
    assert {action for action, _ in found if action.startswith("dynamodb:")} == {"dynamodb:GetItem"}


@pytest.mark.parametrize("function", MANAGERS)
def test_what_managers_read_is_read_and_nothing_written(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """On a shop without programme; with an import and statements on file."""
    found = shop.needed(lambda: shop.every_sample(function))
    shop.upload("8840734670934,Balance,500,,")
    shop.every_sample("import_runs")
    shop.work_on_samples("write_statements")
    shop.move(86_400)
    shop.work_on_samples("write_statements")
    found |= shop.needed(lambda: shop.every_sample(function))
    assert found == allowed(resources, function)


@pytest.mark.parametrize(
    ("function", "resource_names"),
    [
        ("health", set()),
        ("app_page", {"AppSecret"}),
        ("import_runs", {"ImportsBucket", "ImportsBucket/imports/*", "ImportRowsQueue"}),
        ("shopify_webhook", {"AppSecret", *(f"{name}Queue" for name in QUEUES.values())}),
    ],
)
def test_a_function_without_the_table_is_allowed_what_its_samples_need(
    shop: Shop, resources: dict[str, Any], function: str, resource_names: set[str]
) -> None:
    shop.upload("8840734670934,Balance,500,,")
    found = shop.needed(lambda: shop.every_sample(function))
    assert found == allowed(resources, function)
    assert {resource for _, resource in found} == resource_names


def test_import_rows_may_book_and_undo_rows_and_nothing_else(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Granted, removed and refused; undone, also at a survivor."""
    rows = [f"{CUSTOMER},Balance,{points},," for points in (500, -20)]
    shop.upload(*rows, f"{OTHER_CUSTOMER},Balance,-1,,")

    def work() -> None:
        shop.start_anew()
        for _ in range(2):  # the plan, then its part
            shop.work_on_samples("import_rows")

    found = shop.needed(work)
    shop.merge_only()
    found |= shop.needed(shop.undo)
    assert found == allowed(resources, "import_rows")
    assert shop.functions.approved(OTHER_CUSTOMER) == 0


def test_the_worker_of_privacy_requests_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shops, "SENT_AFTER_MIN", timedelta())  # the samples are of one moment
    monkeypatch.setattr(metafield_requests, "INTERVAL", timedelta())

    def work() -> None:
        shop.start_anew()
        shop.work_on_samples("privacy_events")

    found = shop.needed(work)
    shop.merge()
    found |= shop.needed(work)
    for number, forget in enumerate((Shop.lose_token, Shop.start_anew)):
        other = Shop(monkeypatch, tmp_path / f"{number}.json")
        other.grant()
        other.write_metafields()
        forget(other)
        redact = event("privacy_events", "customers_redact")
        found |= other.needed(partial(other.functions.invoke, "privacy_events", redact, 60))
    assert found == allowed(resources, "privacy_events")


def test_privacy_watch_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(driver, "ONE_MESSAGE_SECONDS", 0)  # so that all is left to it
    monkeypatch.setattr(shops, "SENT_AFTER_MIN", timedelta())  # the samples are of one moment
    monkeypatch.setattr(metafield_requests, "INTERVAL", timedelta())

    def watch(
        observed: Shop, *cases: str, forget: Callable[[Shop], None] = Shop.start_anew
    ) -> set[Right]:
        for case in cases:
            observed.functions.invoke("privacy_events", event("privacy_events", case), seconds=60)
        forget(observed)
        observed.aws.needed.clear()
        assert observed.functions.invoke("privacy_watch", {})["done"] == len(cases)
        return set(observed.aws.needed)

    shop.functions.invoke("privacy_events", event("privacy_events", "app_uninstalled"), seconds=60)
    found = watch(shop, "shop_redact")
    for number, forget in enumerate((Shop.lose_token, Shop.start_anew)):
        other = Shop(monkeypatch, tmp_path / f"{number}.json")
        other.grant()
        other.write_metafields()
        found |= watch(other, "customers_data_request", "customers_redact", forget=forget)
    assert found == allowed(resources, "privacy_watch")


def test_verify_sample_may_read_the_table_and_nothing_else(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """On sound accounts, then on a damaged one."""
    shop.grant()
    shop.hold_some()
    found = shop.needed(lambda: shop.functions.invoke("verify_sample", {}))
    key = keys.hold(demo.SHOP_DOMAIN, "hold-1")
    shop.functions.table.delete_item(TableName=TABLE, Key=key)
    found |= shop.needed(lambda: shop.functions.invoke("verify_sample", {}))
    assert found == allowed(resources, "verify_sample")


def test_write_heads_may_read_accounts_and_add_files_and_delete_none(
    shop: Shop, resources: dict[str, Any]
) -> None:
    shop.grant()
    shop.move(0)

    def write() -> None:
        assert shop.functions.invoke("write_heads", {}, 60)["days"] == 1

    found = shop.needed(write)
    shop.move(86_400)
    found |= shop.needed(write)
    assert found == allowed(resources, "write_heads")
    assert {action for action, _ in found if action.startswith("s3:")} == {
        "s3:ListBucket",
        "s3:GetObject",
        "s3:PutObject",
    }


def test_write_statements_may_read_the_table_and_write_its_files(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Out of time, then to the end, then on an account whose entries are missing."""
    shop.grant()
    found = shop.needed(lambda: shop.functions.invoke("write_statements", {}, 5))
    found |= shop.needed(lambda: shop.functions.invoke("write_statements", {}, 60))
    key = keys.key(keys.customer(demo.SHOP_DOMAIN, CUSTOMER), keys.entry(1))
    shop.functions.table.delete_item(TableName=TABLE, Key=key)
    shop.move(86_400)
    found |= shop.needed(lambda: shop.functions.invoke("write_statements", {}, 60))
    assert found == allowed(resources, "write_statements")


def test_a_restore_lets_those_functions_go_on_that_have_no_right_to_the_table(
    resources: dict[str, Any],
) -> None:
    without = {
        logical_id
        for function, logical_id in FUNCTIONS.items()
        if not any(action.startswith("dynamodb:") for action, _ in allowed(resources, function))
    }
    assert without == pause.WITHOUT_TABLE
    assert set(FUNCTIONS.values()) >= pause.PUBLISHERS


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


def test_approve_pending_is_allowed_to_approve_points(
    shop: Shop, resources: dict[str, Any]
) -> None:
    """Due, done meanwhile, and on a merged account, of which another order is due later."""
    paid = event("order_events", "orders_paid")
    shop.functions.invoke("order_events", paid, seconds=60)
    shop.move(15 * 86_400)
    later = json.dumps(paid).replace("8209829119461545", "8209829119461546")
    shop.functions.invoke("order_events", json.loads(later.replace("2026", "2036")), seconds=60)
    shop.aws.let_indexes_lag()

    def sweep(*, settles: bool) -> set[Right]:
        shop.start_anew()
        return shop.needed(
            lambda: check(shop.functions.invoke("approve_pending", {}), settles=settles)
        )

    found = sweep(settles=True) | sweep(settles=False)
    shop.merge()
    found |= sweep(settles=False)
    shop.move(60 * 86_400)
    found |= shop.needed(lambda: shop.functions.invoke("approve_pending", {}))
    assert found == allowed(resources, "approve_pending")


def check(result: dict[str, Any], *, settles: bool) -> None:
    """One account was looked at without a fault, and had something due or not."""
    assert (result["due"], result["failed"]) == (1, 0)
    assert (result["entries"] > 0) is settles


def test_roles_have_awss_policy_for_logs_and_no_other_wildcard(
    resources: dict[str, Any],
) -> None:
    roles = {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role" and name != "BackupRole"
    }
    schedules = [one for one in resources.values() if one["Type"] == "AWS::Scheduler::Schedule"]
    assert len(roles) == len(FUNCTIONS) + len(schedules), "one for each function and schedule"
    for name, role in roles.items():
        policies = json.dumps(role.get("Policies", []))
        ours = (
            "PrivacyBucket.Arn}/data-requests",
            "PrivacyBucket.Arn}/account-names",
            "HeadsBucket.Arn}/heads",
            "HeadsBucket.Arn}/manifests",
            "StatementsBucket.Arn}/statements",
            "StatementsBucket.Arn}/progress",
            "ImportsBucket.Arn}/imports",
            "LedgerTable.Arn}/stream",
        )
        for of_ours in (f"${{{one}/*" for one in ours):
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


def test_no_other_resource_has_access_to_secret_or_table(resources: dict[str, Any]) -> None:
    policies = [name for name, one in resources.items() if "Policy" in one["Type"]]
    names = ("Privacy", "Heads", "Statements", "Imports")
    buckets = [f"{name}BucketPolicy" for name in names]
    assert policies == [*buckets, "OperatorReadPolicy", "OperatorPolicy"]
    for name in buckets:
        (denied,) = resources[name]["Properties"]["PolicyDocument"]["Statement"]
        assert denied["Effect"] == "Deny"
