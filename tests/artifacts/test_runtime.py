"""Every built function, in Lambda's own runtime, answers as it does in process."""

import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from local import demo
from tests.artifacts.built import FUNCTIONS, ROOT, variables
from tests.artifacts.cloud import TABLE, Cloud
from tests.artifacts.lambda_runtime import running
from tests.artifacts.shop import CUSTOMER, flow_event
from tests.artifacts.stack import Stack, local_environment, response, shopify, values_for
from tests.fakes.locked import LockedClient
from tests.support import harness
from tests.support.harness import EVENTS, Functions, event, memory_table
from tools.make_events_stream import records

GRANT = "flow_action_grant"
CONSUME = "flow_action_consume"
SAMPLES = sorted((path.parent.name, path.stem) for path in EVENTS.rglob("*.json"))

REAL_SECRET = "a-secret-that-only-this-test-knows-0123456789"
DATE_OF_ZIPS = 315_532_800
"""1 January 1980: what files in SAM's zips are dated."""

COMPLAINTS = re.compile(r"Traceback|\[(?:ERROR|WARN)|\"ERROR\"|Warning:|errorType|INIT.*error")
_INSTANT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+\d\d:00"')
_PROGRAMME = re.compile(
    r'"version": (?:null|1)(?:, "since": (?:null|"an instant"), "by": \S+)?(?=,)'
)
"""Whether the programme is stored yet: a process that has cached it does not store it again."""

_LEFT = re.compile(r'"expires_in_seconds": \d+')
_HASH = re.compile(r'"hash": "[0-9a-f]{64}"')
_DURATION = re.compile(r"dur=[\d.]+")


def move(clock: Path, seconds: int) -> None:
    """Move the ledger's clock ahead of the system's."""
    clock.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that moves the clock."""
    return tmp_path_factory.mktemp("clock") / "clock.json"


@pytest.fixture(scope="module")
def without_sources(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build with sources as old as in SAM's zips, that fail when they are compiled anew."""
    copy = tmp_path_factory.mktemp("without-sources") / "build"
    shutil.copytree(build, copy)
    for source in copy.rglob("*.py"):
        source.write_text("raise RuntimeError('compiled anew')\n", encoding="utf-8")
        os.utime(source, (DATE_OF_ZIPS, DATE_OF_ZIPS))
    return copy


@pytest.fixture(scope="module")
def shopifys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two of them: one for the built functions, one for those in process."""
    directory = tmp_path_factory.mktemp("shopify")
    with shopify(directory / "first.log") as first, shopify(directory / "second.log") as second:
        yield first, second


@pytest.fixture(scope="module")
def warm(
    without_sources: Path,
    cloud: Cloud,
    clock: Path,
    shopifys: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The functions, kept running from test to test as Lambda does, on their bytecode alone."""
    with ExitStack() as ending:
        directory = tmp_path_factory.mktemp("functions")
        environment = local_environment(clock, shopifys[0])
        yield Stack(without_sources, cloud, directory, environment, ending)


@pytest.fixture
def stack(warm: Stack, cloud: Cloud, clock: Path, shopifys: tuple[str, str]) -> Stack:
    """The functions with an empty table, no discounts at Shopify and the clock at real time."""
    cloud.empty_table()
    for url in shopifys:  # a hold of the same key would find a code that ends at another time
        requests.post(f"{url}/_delete_discounts", timeout=5).raise_for_status()
    move(clock, 0)
    return warm


@pytest.fixture
def in_process(stack: Stack, shopifys: tuple[str, str]) -> Functions:
    """The same functions from their sources, on a table in memory."""
    environment = variables("health", values_for("local", stack.cloud)) | dict(stack.environment)
    apart = {"TABLE_NAME": harness.TABLE, "LOCAL_SHOPIFY_URL": shopifys[1]}
    return Functions({"dynamodb": LockedClient(memory_table())}, **(environment | apart))


def a_case_of(function: str) -> str:
    """A sample event of a function, of good use where there is such a one."""
    cases = [case for name, case in SAMPLES if name == function]
    return next((case for case in ("run", "by_header", "orders_paid") if case in cases), cases[0])


def timeless(answer: Mapping[str, Any]) -> str:
    """An answer without what differs from call to call: times, hashes, durations, what is left."""
    text = json.dumps(answer, sort_keys=True, ensure_ascii=False)
    text = _INSTANT.sub('"an instant"', text.replace('\\"', '"'))
    text = _PROGRAMME.sub('"the programme"', text)
    text = _HASH.sub('"hash": "some"', text)
    text = _LEFT.sub('"expires_in_seconds": some', text)
    return _DURATION.sub("dur=some", text)


@pytest.mark.parametrize(("function", "case"), SAMPLES)
def test_a_sample_event_is_answered_as_by_the_function_in_process(
    stack: Stack, in_process: Functions, function: str, case: str
) -> None:
    """Twice, on the same account; then both show the same account."""
    calls = [
        (GRANT, flow_event(GRANT, {"points": 500, "days_to_expire": 30})),
        (function, event(function, case)),
        (function, event(function, case)),
        ("get_points", event("get_points", "in_japanese")),
        ("points_history", event("points_history", "by_header")),
    ]
    for name, payload in calls:
        assert timeless(stack.invoke(name, payload)) == timeless(in_process.invoke(name, payload))


def test_points_are_granted_once_and_consumed_as_far_as_there_are_any(stack: Stack) -> None:
    granted = stack.sample(GRANT, "run")
    assert granted == {
        "status": 200,
        "return_value": {
            "entry_id": f"{CUSTOMER}-000000000001",
            "duplicate": False,
            "approved": 1250,
            "pending": 0,
            "total": 1250,
            "lifetime": 1250,
            "spent": 0,
            "hold": 0,
        },
    }
    again = stack.sample(GRANT, "run")["return_value"]
    assert again == granted["return_value"] | {"duplicate": True}
    consumed = stack.sample(CONSUME, "run")["return_value"]
    assert (consumed["approved"], consumed["spent"]) == (950, 300)
    too_many = response(stack.invoke(CONSUME, flow_event(CONSUME, {"points": 951})))
    assert (too_many["status"], too_many["code"]) == (422, "insufficient_points")


@pytest.mark.parametrize(
    ("function", "case", "status"),
    [
        (GRANT, "wrong_signature", 401),
        (GRANT, "unknown_shop", 422),
        (CONSUME, "not_signed", 400),
        (CONSUME, "not_post", 405),
        ("get_points", "forged_token", 401),
        ("get_points", "expired_token", 401),
        ("get_points", "another_customer", 403),
        ("points_history", "no_token", 401),
    ],
)
def test_an_unauthorized_request_is_refused(
    stack: Stack, function: str, case: str, status: int
) -> None:
    assert stack.sample(function, case)["status"] == status


def test_japanese_arrives_and_leaves_as_it_is(stack: Stack) -> None:
    reason = "夏のキャンペーン 🎁 ｱｲｳ"
    granted = stack.invoke(GRANT, flow_event(GRANT, {"points": 12, "reason": reason}))
    assert granted["statusCode"] == 200
    history = stack.sample("points_history", "by_header")
    assert [entry["reason"] for entry in history["entries"]] == [reason]
    expiry = stack.sample("get_points", "in_japanese")["display"]["expiry"]
    assert re.fullmatch(r"\d{4}年\d{1,2}月\d{1,2}日", expiry)


def test_expired_holds_and_lots_are_settled(stack: Stack, clock: Path) -> None:
    stack.invoke(GRANT, flow_event(GRANT, {"points": 500, "days_to_expire": 1}))
    stack.invoke(GRANT, flow_event(GRANT, {"points": 100, "days_to_expire": 30}))
    assert response(stack.invoke("create_hold", hold_request(50)))["status"] == 201

    nothing = {"due": 0, "entries": 0, "failed": 0, "complete": True}
    one = {"due": 1, "entries": 1, "failed": 0, "complete": True}
    assert stack.invoke("hold_release", {}) == nothing
    move(clock, 600)
    assert stack.invoke("hold_release", {}) == one
    assert stack.invoke("expiry", {}) == nothing
    move(clock, 3 * 86_400)
    assert stack.invoke("expiry", {}) == one
    assert stack.invoke("expiry", {}) == nothing
    assert stack.sample("get_points", "by_header")["figures"]["approved"] == 100


def test_a_holds_code_is_deactivated_before_its_points_come_back(
    stack: Stack, shopifys: tuple[str, str]
) -> None:
    stack.sample(GRANT, "run")
    request = hold_request(500)
    held = response(stack.invoke("create_hold", request))
    assert (held["status"], held["figures"]["hold"]) == (201, 500)
    assert response(stack.invoke("create_hold", request)) == held
    assert codes(shopifys[0])[held["discount_code"]] == "ACTIVE"
    release = event("release_hold", "by_header")
    release["pathParameters"]["hold_id"] = held["hold_id"]
    released = response(stack.invoke("release_hold", release))
    assert (released["status"], released["figures"]["approved"]) == (200, 1250)
    assert codes(shopifys[0])[held["discount_code"]] == "EXPIRED"
    assert stack.invoke("switch_off_codes", {})["due"] == 0


def test_a_change_is_published_once_and_expiring_points_are_reminded_of(
    stack: Stack, shopifys: tuple[str, str], clock: Path
) -> None:
    before = len(triggers(shopifys[0]))
    stack.sample(GRANT, "days_30")
    key = {"pk": {"S": f"SHOP#{demo.SHOP_DOMAIN}#CUSTOMER#{CUSTOMER}"}, "sk": {"S": "ACCOUNT"}}
    account = stack.cloud.dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    for _ in range(2):
        assert stack.invoke("publish_changes", records(account)) == {"batchItemFailures": []}
    move(clock, 86_400)
    assert [stack.invoke("reminders", {})["sent"] for _ in range(2)] == [1, 0]
    said = triggers(shopifys[0])[before:]
    assert [one["handle"] for one in said] == [
        "points-approved-changed",
        "points-changed",
        "points-expiring",
    ]
    assert {str(one["payload"]["customer_id"]) for one in said} == {CUSTOMER}


def hold_request(points: int) -> dict[str, Any]:
    """The event of a request to hold points, another one each time."""
    request = event("create_hold", "by_header")
    request["headers"]["idempotency-key"] = str(uuid.uuid4())
    return request | {"body": json.dumps({"points": points})}


def codes(shopify_url: str) -> dict[str, str]:
    """The codes that a shop has, and whether they can be used."""
    listed = requests.get(f"{shopify_url}/_discounts", timeout=5).json()
    return {one["code"]: one["codeDiscount"]["status"] for one in listed}


def triggers(shopify_url: str) -> list[dict[str, Any]]:
    """The triggers that Flow got, the oldest first."""
    found: list[dict[str, Any]] = requests.get(f"{shopify_url}/_triggers", timeout=5).json()
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_and_works_without_warnings(
    stack: Stack, function: str, tmp_path: Path
) -> None:
    with ExitStack() as ending:
        anew = replace(stack, directory=tmp_path, ending=ending, started={})
        anew.invoke(function, event(function, a_case_of(function)))
        log = anew.function(function).log
    assert COMPLAINTS.findall(log) == [], log


def test_a_deployed_function_reads_its_secret_from_secrets_manager(
    build: Path, cloud: Cloud, tmp_path: Path
) -> None:
    """With the environment that the template gives it, and nothing of the laptop's."""
    cloud.empty_table()
    cloud.keep_secret(json.dumps({"client_secret": REAL_SECRET}))
    with ExitStack() as ending:
        prod = Stack(build, cloud, tmp_path, {"STAGE": "prod"}, ending)
        granted = response(prod.invoke(GRANT, flow_event(GRANT, {"points": 7}, REAL_SECRET)))
        assert granted["return_value"]["approved"] == 7
        assert prod.sample(GRANT, "run")["status"] == 401, "everybody knows this secret"


def test_a_deployed_function_does_not_start_with_the_laptops_variables(
    build: Path, cloud: Cloud, tmp_path: Path, clock: Path
) -> None:
    with ExitStack() as ending:
        environment = {"STAGE": "prod", "LOCAL_CLOCK_FILE": str(clock)}
        prod = Stack(build, cloud, tmp_path, environment, ending)
        answer = prod.function("health").invoke(event("health", "get"))
    assert answer["errorType"] == "SettingsError"
    assert "LOCAL_CLOCK_FILE" in answer["errorMessage"]


def test_no_function_writes_bytecode_or_anything_else(
    stack: Stack, build: Path, without_sources: Path
) -> None:
    before = contents(without_sources)
    for function in FUNCTIONS:
        answer = stack.invoke(function, event(function, a_case_of(function)))
        assert "errorType" not in answer, answer
    assert contents(without_sources) == before
    built = {path.relative_to(build) for path in contents(build)}
    assert built == {path.relative_to(without_sources) for path in before}


def contents(directory: Path) -> dict[Path, tuple[int, bytes]]:
    """Date and content of every file."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


PROBE = """
import importlib, sys

def handler(event, context):
    where = {name: importlib.import_module(name).__file__ for name in event["modules"]}
    return {"where": where, "version": list(sys.version_info[:2])}
"""


def test_the_layer_brings_what_it_needs_and_lambda_brings_boto3(
    layer: Path, tmp_path: Path
) -> None:
    """Also where both have a package: the layer stands first."""
    (tmp_path / "app.py").write_text(PROBE, encoding="utf-8")
    pins = (ROOT / "layers/common/python/requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w-]+)==", pins, re.MULTILINE)
    ours = ["pointbook", *(name.replace("-", "_") for name in pinned)]
    runtimes = ["boto3", "botocore", "awslambdaric"]
    with running(tmp_path, layer, {}, tmp_path / "log", 15) as probe:
        answer = probe.invoke({"modules": ours + runtimes})
    assert answer["version"] == list(sys.version_info[:2])
    from_layer = {name for name, file in answer["where"].items() if file.startswith(str(layer))}
    assert from_layer == set(ours)
