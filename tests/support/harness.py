"""Runs the functions' handlers with a container of fakes and the laptop stack's settings."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import demo, signing
from pointbook.container import Container, Parts
from pointbook.domain.chain import BookedEntry, Cause
from pointbook.domain.commands import Command
from pointbook.domain.lots import Lots
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.settings import DEAD_LETTERS, IMPORT_ROWS, QUEUES, TILL_REFRESHES, Settings
from tests.fakes.buckets import BUCKET as STATEMENTS_BUCKET
from tests.fakes.buckets import MemoryS3, StatementBucket
from tests.fakes.cipher import PlainCipher
from tests.fakes.guarded import GuardedDynamoDB
from tests.fakes.locked import LockedClient
from tests.fakes.privacy import BUCKET, IMPORTS_BUCKET, MemoryBucket, Operator
from tests.fakes.record_files import HEADS, MemoryRecords
from tests.support.api_description import check_answer, operation_of
from tests.support.table import table_request
from tools.make_events_webhooks import messages, sqs_event

EVENTS = Path(__file__).resolve().parents[2] / "events"
TABLE = "points"
CUSTOMER = "8840734670934"
"""The customer of the sample events."""

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
    "HEADS_BUCKET": HEADS,
    "STATEMENTS_BUCKET": STATEMENTS_BUCKET,
    "OPERATOR_TOPIC_ARN": "operator",
    "IMPORTS_BUCKET": IMPORTS_BUCKET,
    "IMPORT_ROWS_PER_SECOND": "1000000",
    "LOCAL_SECRETS": json.dumps(SECRETS),
    "PROGRAMME_SIGN_UP_POINTS": demo.PARAMETERS["SignUpPoints"],
    "PROGRAMME_STAFF_ADJUST": demo.PARAMETERS["StaffAdjust"],
    "PROGRAMME_STAFF_HOLD": demo.PARAMETERS["StaffHold"],
    "PROGRAMME_STAFF_MANAGE": demo.PARAMETERS["StaffManage"],
}
_ENVIRONMENT |= {
    f"{queue.upper()}_QUEUE_URL": queue
    for queue in (*QUEUES, TILL_REFRESHES, IMPORT_ROWS, *DEAD_LETTERS)
}


@dataclass(slots=True)
class Answer:
    """What a handler answered over HTTP; `text` is the body as it was sent."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""


def event(function: str, case: str) -> dict[str, Any]:
    """A sample event."""
    path = EVENTS / function / f"{case}.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def message(case: str, **payload: Any) -> str:
    """The text of a sample message on a queue, with changed members of its payload."""
    members = json.loads(messages()[case][1])
    return json.dumps(members | {"payload": members["payload"] | payload})


def problem(answer: Answer) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, answer.body["code"]


def handler(function: str) -> Callable[..., dict[str, Any]]:
    """The handler of a function, with the container of a laptop."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        found: Callable[..., dict[str, Any]] = importlib.import_module(
            f"functions.{function}.app"
        ).handler
    return found


class MemoryQueues:
    """SQS in memory. While there is an `error`, it takes nothing."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - SQS's names
        if self.error is not None:
            raise self.error
        self.sent.append((QueueUrl, MessageBody))

    def get_queue_attributes(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - same
        AttributeNames: list[str],  # noqa: N803 - same
    ) -> dict[str, dict[str, str]]:
        if self.error is not None:
            raise self.error
        waiting = sum(queue == QueueUrl for queue, _ in self.sent)
        return {"Attributes": dict(zip(AttributeNames, (str(waiting), "0"), strict=False))}


def memory_table() -> GuardedDynamoDB:
    """DynamoDB in memory, with the functions' table."""
    table = GuardedDynamoDB()
    table.create_table(**table_request(TABLE))
    return table


class Functions:
    """The functions of one stack: they share a container with fakes, and so the table.

    `parts` replace parts of the container, `variables` those of the environment.
    """

    container_class: type[Container] = Container

    def __init__(self, parts: Parts | None = None, **variables: str) -> None:
        self.queues = MemoryQueues()
        self.bucket = MemoryBucket()
        self.statements = StatementBucket()
        self.operator = Operator()
        fakes: Parts = {
            "dynamodb": LockedClient(memory_table()),  # views look the till's member up beside
            "s3": MemoryS3(
                privacy=self.bucket,
                imports=self.bucket,
                statements=self.statements,
                heads=MemoryRecords(),
            ),
            "sqs": self.queues,
            "cipher": PlainCipher(),
            "operator": self.operator,
            **(parts or {}),
        }
        self.table = fakes["dynamodb"]
        settings = Settings.from_env({**_ENVIRONMENT, **variables})
        self.container = self.container_class(settings, **fakes)

    def _container_of(self, found: Callable[..., Any]) -> Container:
        """The same container, as the class that a handler has: all parts are shared."""
        kind = type((found.__defaults__ or (self.container,))[-1])
        if isinstance(self.container, kind):
            return self.container
        assert issubclass(kind, Container), "other containers are its bases"
        other: Container = kind.__new__(kind)
        other.__dict__ = self.container.__dict__
        return other

    @property
    def ledger(self) -> Ledger:
        """The ledger, for a look at what the functions have done, and for what precedes it."""
        return self.container.ledger

    def invoke(self, function: str, payload: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        """What the handler returns to Lambda."""
        context = SimpleNamespace(
            aws_request_id="request", get_remaining_time_in_millis=lambda: int(seconds * 1000)
        )
        found = handler(function)
        answer: dict[str, Any] = found(payload, context, self._container_of(found))
        return answer

    def work(self, queue: str, *texts: str, seconds: float = 60) -> list[str]:
        """Hand messages to the worker of a queue; the texts of those that come again."""
        given = sqs_event(queue, *texts)
        answer = self.invoke(queue, given, seconds)
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        return [one["body"] for one in given["Records"] if one["messageId"] in failed]

    def request(self, function: str, payload: dict[str, Any]) -> Answer:
        """What an HTTP client gets. It has to be one of the described answers."""
        answer = self.invoke(function, payload)
        text, headers = answer["body"], answer["headers"]
        body = json.loads(text) if "json" in headers.get("Content-Type", "") else {}
        found = Answer(answer["statusCode"], body, headers, text)
        if operation := operation_of(function, payload):
            check_answer(operation, found)
        return found

    def sample(self, function: str, case: str) -> Answer:
        """What a sample event is answered."""
        return self.request(function, event(function, case))

    def flow(self, action: str, run: str, **properties: object) -> Answer:
        """What Flow is answered when it runs an action: grant, consume or report points."""
        body = signing.flow_request(f"{action}-points", properties, run)
        payload = event(f"flow_action_{action}", "run")
        payload["headers"]["x-shopify-hmac-sha256"] = signing.flow_signature(body)
        return self.request(f"flow_action_{action}", payload | {"body": body.decode()})

    def execute(
        self, command: Command, customer_id: str = CUSTOMER, shop: str = demo.SHOP_DOMAIN
    ) -> Booked:
        """Execute a command, which must not be refused."""
        cause = Cause("flow", "run")
        booked = self.ledger.execute(Instruction(shop, customer_id, command, cause, reason="Hi"))
        assert isinstance(booked, Booked), booked
        return booked

    def erase(self) -> None:
        """Shopify asks to erase the customer, and the worker does."""
        text = event("privacy_events", "customers_redact")["Records"][0]["body"]
        assert self.work("privacy_events", text) == []

    def entries(self, customer_id: str = CUSTOMER) -> list[BookedEntry]:
        """A customer's entries, the newest first."""
        return self.ledger.history(demo.SHOP_DOMAIN, customer_id, limit=100)

    def topics(self, customer_id: str = CUSTOMER) -> list[str]:
        """The topics of a customer's entries, the newest first."""
        return [booked.entry.topic for booked in self.entries(customer_id)]

    def approved(self, customer_id: str = CUSTOMER) -> int:
        """A customer's approved points."""
        return self.ledger.read(demo.SHOP_DOMAIN, customer_id).figures.approved

    def lots(self, customer_id: str = CUSTOMER) -> Lots:
        """A customer's lots."""
        return self.ledger.read(demo.SHOP_DOMAIN, customer_id).lots

    def damage(self, customer_id: str = CUSTOMER, **attributes: object) -> None:
        """Overwrite attributes of a customer's account item; its balances by default."""
        key = (f"SHOP#{demo.SHOP_DOMAIN}#CUSTOMER#{customer_id}", "ACCOUNT")
        damaged = attributes or {"balances": {"S": "damaged"}}
        self.table.damage(TABLE, self.table.items(TABLE)[key] | damaged)
