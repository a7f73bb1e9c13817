"""Workers: every message for itself, none lost, and logs with ids only."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pointbook.entrypoints.queue import ONE_MESSAGE_SECONDS, queue_worker
from pointbook.services.message import Message, message_text
from tests.unit.entrypoints.events import container
from tools.make_events_webhooks import sqs_event

NOON = datetime(2026, 11, 22, 3, tzinfo=UTC)


def text(number: int) -> str:
    payload = {"id": number}
    return message_text(
        Message("orders/paid", "demo.myshopify.com", NOON, f"event-{number}", payload)
    )


class LedgerDriver:
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


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_messages_that_were_carried_out_do_not_come_again() -> None:
    driver = LedgerDriver()
    assert driver.work(text(1), text(2), text(3)) == []
    assert driver.done == [1, 2, 3]


def test_one_that_fails_comes_again_and_stops_no_other() -> None:
    driver = LedgerDriver(2)
    assert driver.work(text(1), text(2), text(3)) == [2]
    assert driver.done == [1, 3]


def test_where_all_fail_all_come_again() -> None:
    assert LedgerDriver(1, 2).work(text(1), text(2)) == [1, 2]


def test_one_that_cannot_be_read_comes_again_and_stops_no_other() -> None:
    driver = LedgerDriver()
    assert driver.work("{", text(2)) == [1]
    assert driver.done == [2]


def test_what_there_is_no_time_left_for_is_left_for_the_next_call() -> None:
    driver = LedgerDriver(seconds_left=ONE_MESSAGE_SECONDS - 0.001)
    assert driver.work(text(1), text(2)) == [1, 2]
    assert driver.done == []


def test_an_empty_batch_is_nothing_to_do() -> None:
    assert LedgerDriver().work() == []


def test_what_fails_is_logged_with_its_ids_and_counted_by_topic(
    capsys: pytest.CaptureFixture[str],
) -> None:
    LedgerDriver(1).work(text(1), text(2), "{ hanako@example.com")
    written = lines(capsys)
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
