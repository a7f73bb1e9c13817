"""Give messages of a dead-letter queue to their worker once more, or only list them.

    make redrive ARGS="order_events --env prod --list"
    make redrive ARGS="order_events --env prod"

A message is put back first and taken from the dead-letter queue afterwards: cut off in between, it
is in both, which its worker stands; it is never in neither.
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import target
from ops.problems import OpsProblem
from ops.target import Target
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
        queue = queue_url(stack, options.queue)
        letters = dead_letter_queue_url(sqs, queue)
        if options.list:
            print(f"{show(sqs, letters)} messages; they are seen again in a minute.")
        else:
            print(f"{redrive(sqs, letters, queue)} messages are back on {options.queue}.")
    except (ClientError, BotoCoreError) as error:
        raise OpsProblem(f"{options.queue} of {stack.name} cannot be worked on: {error}") from error
    return 0


def queue_url(stack: Target, queue: str) -> str:
    """The address of a queue, as the function that fills it knows it. Raises OpsProblem."""
    function = stack.outputs.get("ShopifyWebhookFunctionName")
    if function is None:
        raise OpsProblem(f"{stack.name} has no function shopify_webhook: deploy it first.")
    found = stack.client("lambda").get_function_configuration(FunctionName=function)
    url: str = found["Environment"]["Variables"][f"{queue.upper()}_QUEUE_URL"]
    return url


def dead_letter_queue_url(sqs: Any, queue: str) -> str:
    """The address of the dead-letter queue of a queue."""
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    arn = json.loads(found["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
    url: str = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    return url


def redrive(sqs: Any, letters: str, queue: str) -> int:
    """Move every message that is there now; how many there were."""
    moved = 0
    for message in _messages(sqs, letters, HIDDEN_SECONDS):
        sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=letters, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
        print(_line(message))
    return moved


def show(sqs: Any, letters: str, seconds: int = HIDDEN_SECONDS) -> int:
    """Print what every message is about, and hide it for so long; how many there are."""
    lines = [_line(message) for message in _messages(sqs, letters, seconds)]
    for line in lines:
        print(line)
    return len(lines)


def _messages(sqs: Any, letters: str, seconds: int) -> Iterator[Message]:
    """Each message once: whatever fails anew meanwhile is not taken up again."""
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
    """What a message is about: ids only, for nothing else is in it."""
    try:
        read = read_message(message["Body"])
    except MalformedBody as error:
        return f"{message['MessageId']}  cannot be read: {error}"
    about = read.payload.get("id", "")
    received = f"{read.received_at:%Y-%m-%d %H:%M:%S}Z"
    return f"{message['MessageId']}  {received}  {read.shop}  {read.topic}  {about}"
