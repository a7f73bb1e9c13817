"""Move the messages of a dead-letter queue back to their worker's queue, or only list them.

    pointbook redrive order_events --env prod --list
    pointbook redrive order_events --env prod

A message is sent first and deleted from the dead-letter queue afterwards: cut off in between, it is
in both, which its worker tolerates; it is never in neither.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli import target
from cli.aws_errors import AWS_ERRORS, in_words
from cli.errors import CommandFailed, NotReachable
from cli.options import Env, Json
from cli.output import Output, counted
from pointbook.errors import MalformedBody
from pointbook.services.message import read_message

_BATCH_SIZE = 10
_WAIT_SECONDS = 2
_HIDDEN_SECONDS = 60
"""How long a message stays hidden from everybody else while it is listed or moved."""

type Message = dict[str, Any]
type Described = dict[str, Any]


class Queue(StrEnum):
    """A worker's queue."""

    ORDER_EVENTS = "order_events"
    CUSTOMER_EVENTS = "customer_events"
    PRIVACY_EVENTS = "privacy_events"
    IMPORT_ROWS = "import_rows"


def run(
    queue: Annotated[Queue, typer.Argument(help="The worker's queue.")],
    list_: Annotated[bool, typer.Option("--list", help="Show the messages and move none.")] = False,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed."""
    stack, out = target.target_of(env), Output(as_json=json)
    try:
        sqs = stack.client("sqs")
        source, dead_letters = queue_urls(stack.outputs, queue)
        messages = (
            show(sqs, dead_letters, out) if list_ else redrive(sqs, dead_letters, source, out)
        )
    except KeyError as error:
        raise CommandFailed(
            f"The stack {stack.name} has no output {error}; deploy it again."
        ) from None
    except AWS_ERRORS as error:
        raise NotReachable(f"{queue} of {stack.name} is not there. {in_words(error)}") from error
    number = counted(len(messages), "message")
    out.say(f"{number}." if list_ else f"{number} moved back to {queue}.")
    out.document({"queue": queue, "moved": not list_, "messages": messages})
    return 0


def queue_urls(outputs: Mapping[str, str], queue: str) -> tuple[str, str]:
    """The URLs of a queue such as order_events and of its dead-letter queue. Raises KeyError."""
    name = queue.title().replace("_", "")
    return outputs[f"{name}QueueUrl"], outputs[f"{name}DeadLetterQueueUrl"]


def redrive(sqs: Any, dead_letters: str, queue: str, out: Output) -> list[Described]:
    """Move every message that is there now, and print a line for each."""
    moved = []
    for message in _messages(sqs, dead_letters):
        sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
        moved.append(_described(message, out))
    return moved


def show(sqs: Any, dead_letters: str, out: Output) -> list[Described]:
    """Print a line for each message; afterwards each can be received again at once."""
    messages = list(_messages(sqs, dead_letters))
    for message in messages:
        sqs.change_message_visibility(
            QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return [_described(message, out) for message in messages]


def _messages(sqs: Any, dead_letters: str) -> Iterator[Message]:
    """Yield each message once; one that comes back meanwhile is not read again."""
    seen: set[str] = set()
    while True:
        found: list[Message] = sqs.receive_message(
            QueueUrl=dead_letters,
            MaxNumberOfMessages=_BATCH_SIZE,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=_HIDDEN_SECONDS,
        ).get("Messages", [])
        fresh = [message for message in found if message["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def _described(message: Message, out: Output) -> Described:
    """What a message is about, ids only; printed as one line."""
    try:
        read = read_message(message["Body"])
    except MalformedBody as error:
        out.say(f"{message['MessageId']}  cannot be read: {error}")
        return {"message_id": message["MessageId"], "unreadable": str(error)}
    about = read.payload.get("id", "")
    received = f"{read.received_at:%Y-%m-%d %H:%M:%S}Z"
    out.say(f"{message['MessageId']}  {received}  {read.shop}  {read.topic}  {about}")
    return {
        "message_id": message["MessageId"],
        "received_at": read.received_at.isoformat(),
        "shop": read.shop,
        "topic": read.topic,
        "id": about,
    }
