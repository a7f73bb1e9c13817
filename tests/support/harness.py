"""Runs a function's handler on an in-memory table, with the laptop stack's settings."""

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import demo
from pointbook import environment, wiring
from pointbook.aws import kms, queues, topics
from pointbook.settings import QUEUES
from pointbook.store import files
from tests.fakes.cipher import PlainCipher
from tests.fakes.guarded import GuardedDynamo
from tests.fakes.privacy import BUCKET, MemoryBucket, Operator
from tests.support.table import table_request
from tools.make_events_webhooks import sqs_event

EVENTS = Path(__file__).resolve().parents[2] / "events"
TABLE = "points"

SECRETS = {
    "client_secret": demo.CLIENT_SECRET,
    "client_secret_previous": demo.CLIENT_SECRET_PREVIOUS,
    "my_page_secret": demo.MY_PAGE_SECRET,
}
_ENVIRONMENT = {
    "STAGE": "local",
    "TABLE_NAME": TABLE,
    "SECRETS_NAME": "unused",
    "SHOP_DOMAIN": demo.SHOP_DOMAIN,
    "SHOPIFY_CLIENT_ID": demo.SHOPIFY_CLIENT_ID,
    "TOKEN_KEY_ID": "alias/tokens",
    "PRIVACY_BUCKET": BUCKET,
    "OPERATOR_TOPIC_ARN": "operator",
    "LOCAL_SECRETS": json.dumps(SECRETS),
    "PROGRAMME_SIGN_UP_POINTS": demo.PARAMETERS["SignUpPoints"],
}
_ENVIRONMENT |= {f"{queue.upper()}_QUEUE_URL": queue for queue in QUEUES}
_CACHED = {
    environment: ("settings", "clock"),
    wiring: ("store", "ledger", "first_programme", "_client"),
}


@dataclass(slots=True)
class Answer:
    """What a handler answered over HTTP."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def event(function: str, case: str) -> dict[str, Any]:
    """A sample event."""
    path = EVENTS / function / f"{case}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


class Functions:
    """The functions of one stack: they share a table and the environment."""

    def __init__(self, patch: pytest.MonkeyPatch, **variables: str) -> None:
        self.queued: list[tuple[str, str]] = []
        self.bucket = MemoryBucket()
        self.operator = Operator()
        self.table = GuardedDynamo()
        self.table.create_table(**table_request(TABLE))
        for name, value in {**_ENVIRONMENT, **variables}.items():
            patch.setenv(name, value)
        patch.setattr(wiring, "connect", lambda: self.table)
        patch.setattr(kms, "KmsCipher", PlainCipher)
        patch.setattr(topics, "OperatorTopic", lambda _: self.operator)
        patch.setattr(files, "connect_files", lambda: self.bucket)
        patch.setattr(queues, "send_message", lambda queue, text: self.queued.append((queue, text)))
        patch.setattr(environment, "_memory", {})
        patch.setattr(wiring, "_parts", {})
        for module, names in _CACHED.items():
            for name in names:
                getattr(module, name).cache_clear()

    def handler(self, function: str) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        """The handler, started anew as Lambda would."""
        module = f"functions.{function}.app"
        sys.modules.pop(module, None)
        found: Callable[[dict[str, Any], Any], dict[str, Any]] = importlib.import_module(
            module
        ).handler
        return found

    def invoke(self, function: str, payload: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        """What the handler returns to Lambda."""
        context = SimpleNamespace(
            aws_request_id="request", get_remaining_time_in_millis=lambda: int(seconds * 1000)
        )
        return self.handler(function)(payload, context)

    def work(self, queue: str, *texts: str, seconds: float = 60) -> list[str]:
        """Hand messages to the worker of a queue; the texts of those that come again."""
        given = sqs_event(queue, *texts)
        answer = self.invoke(queue, given, seconds)
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        return [one["body"] for one in given["Records"] if one["messageId"] in failed]

    def ask(self, function: str, payload: dict[str, Any]) -> Answer:
        """What an HTTP client gets."""
        answer = self.invoke(function, payload)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def sample(self, function: str, case: str) -> Answer:
        """What a sample event is answered."""
        return self.ask(function, event(function, case))
