"""`pointbook redrive`: dead letters go back once, and each is always in one of the queues."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli import redrive, target
from cli.app import main
from cli.output import Output
from pointbook.services.message import Message, message_text
from tests.support.commands import failure

QUEUE, LETTERS = "https://sqs/order_events", "https://sqs/order_events_dead"
NOON = datetime(2026, 11, 22, 3, tzinfo=UTC)


def text(number: int) -> str:
    payload = {"id": number}
    return message_text(
        Message("orders/paid", "demo.myshopify.com", NOON, f"event-{number}", payload)
    )


class Sqs:
    """Two queues. A message that was received is hidden until that is changed, or never."""

    def __init__(self, *letters: str, hides: bool = True) -> None:
        self.queues: dict[str, list[str]] = {QUEUE: [], LETTERS: list(letters)}
        self.hidden: set[str] = set()
        self.hides = hides
        self.breaks_at = ""

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, **_: int) -> dict[str, Any]:  # noqa: N803
        bodies = [body for body in self.queues[QueueUrl] if body not in self.hidden]
        bodies = bodies[:MaxNumberOfMessages]
        if self.hides:
            self.hidden |= {*bodies}
        found = [{"MessageId": b, "ReceiptHandle": b, "Body": b} for b in bodies]
        return {"Messages": found} if found else {}

    def change_message_visibility(
        self,
        QueueUrl: str,  # noqa: N803
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> None:
        assert (QueueUrl, VisibilityTimeout) == (LETTERS, 0)
        self.hidden.discard(ReceiptHandle)

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self._break("send")
        self.queues[QueueUrl].append(MessageBody)

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        self._break("delete")
        self.queues[QueueUrl].remove(ReceiptHandle)

    def _break(self, step: str) -> None:
        if self.breaks_at == step:
            raise ConnectionError(step)


def test_every_dead_letter_is_moved_once(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [text(number) for number in range(25)]
    sqs = Sqs(*texts)
    assert len(redrive.redrive(sqs, LETTERS, QUEUE, Output())) == 25
    assert sqs.queues == {QUEUE: texts, LETTERS: []}
    assert capsys.readouterr().out.splitlines()[7].endswith("demo.myshopify.com  orders/paid  7")


def test_list_moves_nothing_and_ends_even_if_messages_stay_visible() -> None:
    sqs = Sqs(text(1), "{", hides=False)
    assert len(redrive.show(sqs, LETTERS, Output())) == 2
    assert sqs.queues == {QUEUE: [], LETTERS: [text(1), "{"]}


def test_an_unreadable_message_is_listed_and_moved(capsys: pytest.CaptureFixture[str]) -> None:
    sqs = Sqs("{")
    assert len(redrive.redrive(sqs, LETTERS, QUEUE, Output())) == 1
    assert "cannot be read" in capsys.readouterr().out
    assert sqs.queues[QUEUE] == ["{"]


@pytest.mark.parametrize("step", ["send", "delete"])
def test_a_run_that_is_cut_off_loses_no_message(step: str) -> None:
    sqs = Sqs(text(1))
    sqs.breaks_at = step
    with pytest.raises(ConnectionError):
        redrive.redrive(sqs, LETTERS, QUEUE, Output())
    assert sqs.queues[LETTERS] == [text(1)]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> "Stack":
    found = Stack()
    monkeypatch.setattr(target, "target_of", lambda _: found)
    return found


class Stack:
    """A deployed stack."""

    name = "pointbook-prod"

    def __init__(self) -> None:
        self.sqs = Sqs(text(1))
        self.outputs = {"OrderEventsQueueUrl": QUEUE, "OrderEventsDeadLetterQueueUrl": LETTERS}

    def client(self, service: str) -> Sqs:
        assert service == "sqs"
        return self.sqs


def test_a_redrive_straight_after_a_list_moves_every_message(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["redrive", "order_events", "--list"]) == 0
    assert stack.sqs.queues[LETTERS] == [text(1)]
    assert main(["redrive", "order_events"]) == 0
    assert stack.sqs.queues == {QUEUE: [text(1)], LETTERS: []}
    assert "1 message moved back to order_events." in capsys.readouterr().out


def test_a_stack_without_the_queue_is_reported(stack: Stack) -> None:
    stack.outputs = {}
    assert "no output 'OrderEventsQueueUrl'" in failure("redrive", "order_events")
