"""Every built function, in Lambda's own runtime, answers what its tests say that it answers."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local import demo, signing
from pointbook.clock import SystemClock
from pointbook.domain.chain import Cause
from pointbook.domain.commands import TakeHold
from pointbook.instruction import Booked, Instruction
from pointbook.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from tests.artifacts.built import FUNCTIONS, ROOT, function_property, variables
from tests.artifacts.cloud import SECRET, TABLE, Cloud
from tests.artifacts.lambda_runtime import RunningFunction, running
from tests.functions import harness
from tests.functions.harness import EVENTS, SECRETS, Functions, event

CUSTOMER = "8840734670934"
GRANT = "flow_action_grant"
CONSUME = "flow_action_consume"
SWEEPS = ("hold_release", "expiry")
SAMPLES = sorted((path.parent.name, path.stem) for path in EVENTS.rglob("*.json"))

REAL_SECRET = "a-secret-that-only-this-test-knows-0123456789"
DATE_OF_ZIPS = 315_532_800
"""1 January 1980: what files in SAM's zips are dated."""

COMPLAINTS = re.compile(r"Traceback|\[(?:ERROR|WARN)|\"ERROR\"|Warning:|errorType|INIT.*error")
_INSTANT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"')
_DURATION = re.compile(r"dur=[\d.]+")


@dataclass(slots=True)
class Stack:
    """The built functions on one table; each is started when it is first called."""

    build: Path
    cloud: Cloud
    directory: Path
    environment: Mapping[str, str]
    ending: ExitStack
    started: dict[str, RunningFunction] = field(default_factory=dict)

    def function(self, name: str) -> RunningFunction:
        """A function, running."""
        if name not in self.started:
            self.started[name] = self.ending.enter_context(
                running(
                    self.build / FUNCTIONS[name],
                    self.build / "CommonLayer" / "python",
                    {
                        **variables(name, values_for(self.environment["STAGE"])),
                        **self.environment,
                        "AWS_ENDPOINT_URL": self.cloud.url,
                    },
                    self.directory / f"{name}.log",
                    function_property(name, "Timeout"),
                )
            )
        return self.started[name]

    def invoke(self, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What a function returns; an HTTP answer is checked to be one."""
        answer: dict[str, Any] = self.function(name).invoke(payload)
        if name not in SWEEPS:
            check_http_answer(answer)
        return answer

    def sample(self, name: str, case: str) -> dict[str, Any]:
        """The status and the body by which a sample event is answered."""
        return told(self.invoke(name, event(name, case)))


def values_for(stage: str) -> dict[str, str]:
    """The template's parameters and resources, as the demo shop of a stage has them."""
    return {
        "Stage": stage,
        "LedgerTable": TABLE,
        "AppSecret": SECRET,
        "ShopDomain": demo.SHOP_DOMAIN,
        "ShopifyClientId": demo.SHOPIFY_CLIENT_ID,
    }


def local_environment(clock: Path) -> dict[str, str]:
    """What the laptop stack adds."""
    return {
        "STAGE": "local",
        "LOCAL_SECRETS": json.dumps(SECRETS),
        "LOCAL_CLOCK_FILE": str(clock),
    }


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
def warm(
    without_sources: Path, cloud: Cloud, clock: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The functions, kept running from test to test as Lambda does, on their bytecode alone."""
    with ExitStack() as ending:
        directory = tmp_path_factory.mktemp("functions")
        yield Stack(without_sources, cloud, directory, local_environment(clock), ending)


@pytest.fixture
def stack(warm: Stack, cloud: Cloud, clock: Path) -> Stack:
    """The functions with an empty table and the clock at real time."""
    cloud.empty_table()
    move(clock, 0)
    return warm


@pytest.fixture
def in_process(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """The same functions from their sources, on a table in memory."""
    environment = variables("health", values_for("local")) | dict(stack.environment)
    return Functions(monkeypatch, **environment | {"TABLE_NAME": harness.TABLE})


def a_case_of(function: str) -> str:
    """A sample event of a function."""
    return next(case for name, case in SAMPLES if name == function)


def check_http_answer(answer: dict[str, Any]) -> None:
    """What an HTTP API or a function URL accepts (payload version 2.0)."""
    assert answer.keys() <= {"statusCode", "headers", "body", "cookies", "isBase64Encoded"}, answer
    assert isinstance(answer["statusCode"], int)
    assert 200 <= answer["statusCode"] < 600
    assert all(isinstance(value, str) for value in answer["headers"].values())
    assert isinstance(answer["body"], str)
    assert answer.get("isBase64Encoded", False) is False


def told(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Status and body, as an object."""
    return {"status": answer["statusCode"], **json.loads(answer["body"])}


def timeless(answer: Mapping[str, Any]) -> str:
    """An answer without what differs from call to call: times of day and durations."""
    text = json.dumps(answer, sort_keys=True, ensure_ascii=False)
    text = _INSTANT.sub('"an instant"', text.replace('\\"', '"'))
    return _DURATION.sub("dur=some", text)


def flow_event(
    function: str, properties: Mapping[str, Any], secret: str = demo.CLIENT_SECRET
) -> dict[str, Any]:
    """An action's event with other properties."""
    payload = event(function, "run")
    handle = json.loads(payload["body"])["handle"]
    body = signing.flow_request(
        handle, {"customer_id": CUSTOMER, "reason": "test", **properties}, f"run {properties}"
    )
    headers = payload["headers"] | {"x-shopify-hmac-sha256": signing.flow_signature(body, secret)}
    return payload | {"body": body.decode(), "headers": headers}


@pytest.mark.parametrize(("function", "case"), SAMPLES)
def test_a_sample_event_is_answered_as_by_the_function_in_process(
    stack: Stack, in_process: Functions, function: str, case: str
) -> None:
    """Twice, on the same book; then both show the same book."""
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
    too_many = told(stack.invoke(CONSUME, flow_event(CONSUME, {"points": 951})))
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
def test_who_has_no_right_is_refused(stack: Stack, function: str, case: str, status: int) -> None:
    assert stack.sample(function, case)["status"] == status


def test_japanese_arrives_and_leaves_as_it_is(stack: Stack) -> None:
    reason = "夏のキャンペーン 🎁 ｱｲｳ"
    granted = stack.invoke(GRANT, flow_event(GRANT, {"points": 12, "reason": reason}))
    assert granted["statusCode"] == 200
    history = stack.sample("points_history", "by_header")
    assert [entry["reason"] for entry in history["entries"]] == [reason]
    expiry = stack.sample("get_points", "in_japanese")["display"]["expiry"]
    assert re.fullmatch(r"\d{4}年\d{1,2}月\d{1,2}日", expiry)


def test_holds_and_lots_are_written_down_when_they_are_over(stack: Stack, clock: Path) -> None:
    stack.invoke(GRANT, flow_event(GRANT, {"points": 500, "days_to_expire": 1}))
    stack.invoke(GRANT, flow_event(GRANT, {"points": 100, "days_to_expire": 30}))
    held = Ledger(DynamoStore(stack.cloud.dynamodb, TABLE), SystemClock()).execute(
        Instruction(
            shop=demo.SHOP_DOMAIN,
            customer_id=CUSTOMER,
            command=TakeHold(50, "hold-1", 600),
            cause=Cause("test"),
            code="PTS-1",
        )
    )
    assert isinstance(held, Booked)

    nothing = {"accounts": 0, "entries": 0, "failed": 0, "complete": True}
    one = {"accounts": 1, "entries": 1, "failed": 0, "complete": True}
    assert stack.invoke("hold_release", {}) == nothing
    move(clock, 600)
    assert stack.invoke("hold_release", {}) == one
    assert stack.invoke("expiry", {}) == nothing
    move(clock, 3 * 86_400)
    assert stack.invoke("expiry", {}) == one
    assert stack.invoke("expiry", {}) == nothing
    assert stack.sample("get_points", "by_header")["figures"]["approved"] == 100


def test_no_function_complains_while_it_starts_and_works(stack: Stack) -> None:
    for function in FUNCTIONS:
        stack.invoke(function, event(function, a_case_of(function)))
        assert COMPLAINTS.findall(stack.function(function).log) == []


def test_a_deployed_function_takes_its_secret_from_secrets_manager(
    build: Path, cloud: Cloud, tmp_path: Path
) -> None:
    """With the environment that the template gives it, and nothing of the laptop's."""
    cloud.empty_table()
    cloud.keep_secret(json.dumps({"client_secret": REAL_SECRET}))
    with ExitStack() as ending:
        prod = Stack(build, cloud, tmp_path, {"STAGE": "prod"}, ending)
        granted = told(prod.invoke(GRANT, flow_event(GRANT, {"points": 7}, REAL_SECRET)))
        assert granted["return_value"]["approved"] == 7
        assert prod.sample(GRANT, "run")["status"] == 401, "everybody knows this secret"


def test_a_deployed_function_does_not_start_with_what_is_the_laptops(
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
