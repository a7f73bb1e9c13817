"""The cost of a cold start: import and first call, compared with bare boto3 clients.

Each measurement is a fresh process on the interpreter that has only what Lambda's runtime offers.
The two sides take turns and make the same calls to the same local services. Their processor times
are compared, because other load of this machine slows both alike.
"""

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.services import Services
from tests.support.harness import event

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".aws-sam" / "build"
PYTHON = ROOT / ".venv-runtime" / "bin" / "python"
PAIRS = 9

_TIMED = """
import time
started, cpu = time.perf_counter(), time.process_time()
{work}
print(time.process_time() - cpu, time.perf_counter() - started)
"""
_BARE_READ = """
import boto3, os
client = boto3.client("dynamodb")
client.get_item(TableName=os.environ["TABLE_NAME"], Key={"pk": {"S": "x"}, "sk": {"S": "A"}})
"""
_BARE_WRITE = """
import boto3, os, uuid
client, table, name = boto3.client("dynamodb"), os.environ["TABLE_NAME"], uuid.uuid4().hex
client.get_item(TableName=table, Key={"pk": {"S": "x"}, "sk": {"S": "P"}})
keys = [{"pk": {"S": name}, "sk": {"S": sk}} for sk in "AI"]
client.batch_get_item(RequestItems={table: {"Keys": keys}})
puts = [{"Put": {"TableName": table, "Item": {"pk": {"S": name}, "sk": {"S": sk}}}} for sk in "AEI"]
client.transact_write_items(TransactItems=puts)
"""
_BARE_QUEUE = """
import boto3, os
client = boto3.client("sqs")
client.send_message(QueueUrl=os.environ["ORDER_EVENTS_QUEUE_URL"], MessageBody="x" * 700)
"""
_BARE_HOLD = """
import boto3, os, urllib3, uuid
client, table, name = boto3.client("dynamodb"), os.environ["TABLE_NAME"], uuid.uuid4().hex
keys = {sk: {"pk": {"S": name}, "sk": {"S": sk}} for sk in "AEIKPT"}

def put(*sks):
    puts = [{"Put": {"TableName": table, "Item": keys[sk]}} for sk in sks]
    client.transact_write_items(TransactItems=puts)

def read():
    client.get_item(TableName=table, Key=keys["A"])
    client.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": keys["K"]}}])

client.get_item(TableName=table, Key=keys["P"])
client.batch_get_item(RequestItems={table: {"Keys": [keys["A"], keys["I"], keys["K"]]}})
put("A", "E", "I", "K")
read()
client.get_item(TableName=table, Key=keys["T"])
boto3.client("kms").encrypt(KeyId=os.environ["TOKEN_KEY_ID"], Plaintext=b"x" * 40)
urllib3.PoolManager().request("POST", os.environ["LOCAL_SHOPIFY_URL"], body=b"x" * 2000)
client.batch_get_item(RequestItems={table: {"Keys": [keys["A"]]}})
put("A")
read()
"""
_HANDLER = """
import json, os, sys
import app
with open(os.environ["EVENT"]) as file:
    answer = app.handler(json.load(file), None)
assert answer["statusCode"] in (200, 201), answer
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A function with one of its events, and the same calls with bare clients.

    `event` returns the event of each call.
    """

    function: str
    resource: str
    event: Callable[[Services], Mapping[str, Any]]
    bare: str
    at_most: float


def sample(function: str, case: str) -> Callable[[Services], Mapping[str, Any]]:
    """Return a function that returns a sample event, the same for each call."""
    return lambda _: event(function, case)


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Median processor time in milliseconds of both sides, and their ratio pair by pair."""

    case: Case
    bare_ms: float
    ours_ms: float
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(self.ratios)


def measure(case: Case, services: Services) -> ColdStart:
    """Time both sides in turns; the first pair, which fills caches, does not count."""
    pairs = [
        (_run(case.bare, case, services), _run(_HANDLER, case, services)) for _ in range(PAIRS + 1)
    ][1:]
    return ColdStart(
        case=case,
        bare_ms=1000 * statistics.median(bare for bare, _ in pairs),
        ours_ms=1000 * statistics.median(ours for _, ours in pairs),
        ratios=tuple(ours / bare for bare, ours in pairs),
    )


def _run(work: str, case: Case, services: Services) -> float:
    """Return the processor seconds that a fresh process takes for `work`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(case.event(services), file)
        file.flush()
        answer = subprocess.run(
            [PYTHON, "-c", _TIMED.format(work=work.strip())],
            env={
                **services.environ,
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{BUILD / 'CommonLayer' / 'python'}:{BUILD / case.resource}",
                "EVENT": file.name,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert answer.returncode == 0, answer.stderr
    return float(answer.stdout.split()[-2])


CASES = (
    Case(
        "flow_action_grant",
        "FlowActionGrantFunction",
        sample("flow_action_grant", "run"),
        _BARE_WRITE,
        1.30,
    ),
    Case("get_points", "GetPointsFunction", sample("get_points", "by_header"), _BARE_READ, 1.55),
    Case(
        "shopify_webhook",
        "ShopifyWebhookFunction",
        sample("shopify_webhook", "orders_create"),
        _BARE_QUEUE,
        1.15,
    ),
    Case("create_hold", "CreateHoldFunction", Services.hold_request, _BARE_HOLD, 1.60),
)
