"""Move the messages of a dead-letter queue back to their worker's queue, or only list them.

    make redrive ARGS="order_events --env prod --list"
    make redrive ARGS="order_events --env prod"

A message is sent first and deleted from the dead-letter queue afterwards: cut off in between, it is
in both, which its worker tolerates; it is never in neither.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import target
from ops.problems import OpsProblem
from pointbook.errors import MalformedBody
from pointbook.services.message import read_message
from pointbook.settings import QUEUES

_AT_ONCE = 10
_WAIT_SECONDS = 2
HIDDEN_SECONDS = 60
"""How long a message that is listed or moved stays hidden from everybody else."""

type Message = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Run the command. Raises OpsProblem."""
    parser = ArgumentParser(
        "python -m ops redrive", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("queue", choices=QUEUES)
    parser.add_argument("--list", action="store_true", help="show the messages, move none")
    target.add_arguments(parser)
    options = parser.parse_args(arguments)
    stack = target.target_of(options)
    try:
        sqs = stack.client("sqs")
        queue, letters = queue_urls(stack.outputs, options.queue)
        if options.list:
            print(f"{show(sqs, letters)} messages; each can be read again after a minute.")
        else:
            print(f"{redrive(sqs, letters, queue)} messages are back on {options.queue}.")
    except KeyError as error:
        raise OpsProblem(
            f"The stack {stack.name} has no output {error}; deploy it again."
        ) from None
    except (ClientError, BotoCoreError) as error:
        raise OpsProblem(f"{options.queue} of {stack.name} is not available: {error}") from error
    return 0


def queue_urls(outputs: Mapping[str, str], queue: str) -> tuple[str, str]:
    """The URLs of a queue such as order_events and of its dead-letter queue. Raises KeyError."""
    name = queue.title().replace("_", "")
    return outputs[f"{name}QueueUrl"], outputs[f"{name}DeadLetterQueueUrl"]


def redrive(sqs: Any, letters: str, queue: str) -> int:
    """Move every message that is there now; return how many."""
    moved = 0
    for message in _messages(sqs, letters, HIDDEN_SECONDS):
        sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=letters, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
        print(_line(message))
    return moved


def show(sqs: Any, letters: str, seconds: int = HIDDEN_SECONDS) -> int:
    """Print a line for each message and hide it for `seconds`; return how many there are."""
    lines = [_line(message) for message in _messages(sqs, letters, seconds)]
    for line in lines:
        print(line)
    return len(lines)


def _messages(sqs: Any, letters: str, seconds: int) -> Iterator[Message]:
    """Yield each message once; one that comes back meanwhile is not read again."""
    seen: set[str] = set()
    while True:
        found: list[Message] = sqs.receive_message(
            QueueUrl=letters,
            MaxNumberOfMessages=_AT_ONCE,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=seconds,
        ).get("Messages", [])
        fresh = [message for message in found if message["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def _line(message: Message) -> str:
    """A line about a message: ids only."""
    try:
        read = read_message(message["Body"])
    except MalformedBody as error:
        return f"{message['MessageId']}  cannot be read: {error}"
    about = read.payload.get("id", "")
    received = f"{read.received_at:%Y-%m-%d %H:%M:%S}Z"
    return f"{message['MessageId']}  {received}  {read.shop}  {read.topic}  {about}"
