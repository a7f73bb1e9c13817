"""What a cold start costs: import and first call, against a bare `boto3.client("dynamodb")`.

Each measurement is a fresh process on the interpreter that has only what Lambda's runtime offers.
The two sides take turns, make the same calls to the same local DynamoDB, and are compared by the
processor time they take; the other load of this machine hits both alike.
"""

import json
import os
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import demo

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
_HANDLER = """
import json, os, sys
import app
with open(os.environ["EVENT"]) as file:
    answer = app.handler(json.load(file), None)
assert answer["statusCode"] == 200, answer
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A function with one of its sample events, beside the same calls without it."""

    function: str
    resource: str
    event: str
    bare: str
    at_most: float


CASES = (
    Case("flow_action_grant", "FlowActionGrantFunction", "run", _BARE_WRITE, 1.30),
    Case("get_points", "GetPointsFunction", "by_header", _BARE_READ, 1.55),
)


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


def measure(case: Case, url: str, table: str) -> ColdStart:
    """Time both sides in turns; the first pair, which fills caches, does not count."""
    pairs = [
        (_run(case.bare, case, url, table), _run(_HANDLER, case, url, table))
        for _ in range(PAIRS + 1)
    ][1:]
    return ColdStart(
        case=case,
        bare_ms=1000 * statistics.median(bare for bare, _ in pairs),
        ours_ms=1000 * statistics.median(ours for _, ours in pairs),
        ratios=tuple(ours / bare for bare, ours in pairs),
    )


def _run(work: str, case: Case, url: str, table: str) -> float:
    """Processor seconds that a fresh process takes for `work`."""
    answer = subprocess.run(
        [PYTHON, "-c", _TIMED.format(work=work.strip())],
        env=_environment(case, url, table),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return float(answer.stdout.split()[-2])


def _environment(case: Case, url: str, table: str) -> Mapping[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{BUILD / 'CommonLayer' / 'python'}:{BUILD / case.resource}",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "STAGE": "local",
        "TABLE_NAME": table,
        "SECRETS_NAME": "unused",
        "SHOP_DOMAIN": demo.SHOP_DOMAIN,
        "SHOPIFY_CLIENT_ID": demo.SHOPIFY_CLIENT_ID,
        "LOCAL_SECRETS": json.dumps({"client_secret": demo.CLIENT_SECRET}),
        "EVENT": str(ROOT / "events" / case.function / f"{case.event}.json"),
    }
