"""Workers: every message for itself, none lost, and logs with ids only."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from pointbook.entrypoints.queue import ONE_MESSAGE_SECONDS, queue_worker
from pointbook.services.message import Message, message_text
from tests.support.logs import logged
from tests.unit.entrypoints.events import container
from tools.make_events_webhooks import sqs_event

NOON = datetime(2026, 11, 22, 3, tzinfo=UTC)


def text(number: int) -> str:
    payload = {"id": number}
    return message_text(
        Message("orders/paid", "demo.myshopify.com", NOON, f"event-{number}", payload)
    )


class Worker:
    """Carries messages out, but for those whose number is bad."""

    def __init__(self, *bad: int, seconds_left: float = 60) -> None:
        self.bad = bad
        self.seconds_left = seconds_left
        self.done: list[int] = []

    def handle(self, message: Message) -> None:
        if message.payload["id"] in self.bad:
            raise ZeroDivisionError("mail hanako@example.com")
        self.done.append(message.payload["id"])

    def work(self, *texts: str) -> list[int]:
        """Places of the messages that come again, from 1."""
        context = SimpleNamespace(
            aws_request_id="request",
            get_remaining_time_in_millis=lambda: int(self.seconds_left * 1000),
        )
        handler = queue_worker(container)(lambda message, _: self.handle(message))
        answer = handler(sqs_event("order_events", *texts), context)
        return [int(one["itemIdentifier"][-12:]) for one in answer["batchItemFailures"]]


@pytest.mark.parametrize(
    ("texts", "bad", "again", "done"),
    [
        ([text(1), text(2), text(3)], [], [], [1, 2, 3]),
        ([text(1), text(2), text(3)], [2], [2], [1, 3]),
        ([text(1), text(2)], [1, 2], [1, 2], []),
        (["{", text(2)], [], [1], [2]),
        ([], [], [], []),
    ],
    ids=["all done", "one fails", "all fail", "one unreadable", "empty batch"],
)
def test_only_messages_that_failed_are_retried(
    texts: list[str], bad: list[int], again: list[int], done: list[int]
) -> None:
    worker = Worker(*bad)
    assert worker.work(*texts) == again
    assert worker.done == done


def test_what_there_is_no_time_left_for_is_left_for_the_next_call() -> None:
    worker = Worker(seconds_left=ONE_MESSAGE_SECONDS - 0.001)
    assert worker.work(text(1), text(2)) == [1, 2]
    assert worker.done == []


def test_what_fails_is_logged_with_its_ids_and_counted_by_topic(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Worker(1).work(text(1), text(2), "{ hanako@example.com")
    written = logged(capsys)
    failed = next(line for line in written if line.get("message") == "webhook_failed")
    assert failed["message_id"].endswith("1")
    assert (failed["topic"], failed["event_id"]) == ("orders/paid", "event-1")
    assert (failed["shop"], failed["tries"]) == ("demo.myshopify.com", 1)
    assert "hanako" not in json.dumps(written)
    counted = [(name, line["Topic"]) for line in written for name in COUNTERS if name in line]
    assert counted == [
        ("WebhookFailures", "orders/paid"),
        ("WebhooksProcessed", "orders/paid"),
        ("WebhookFailures", "unreadable"),
    ]


COUNTERS = ("WebhooksProcessed", "WebhookFailures")
