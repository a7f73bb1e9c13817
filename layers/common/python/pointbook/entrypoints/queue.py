"""The wrapper around the handlers that work on a queue: one message at a time, each for itself.

SQS hands a function up to ten messages. Those that fail are named in the answer and come again
after the queue's visibility timeout, those that were carried out do not; after the last try SQS
moves a message to the dead-letter queue. So nothing is lost, and one bad message stops no other.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pointbook import log
from pointbook.errors import MalformedBody
from pointbook.services.message import Message, read_message

ONE_MESSAGE_SECONDS = 15.0
"""What a message may take; where less is left of a call, the message is left for the next one."""

UNREADABLE = "unreadable"
NOTHING_FAILED: Mapping[str, Any] = {"batchItemFailures": []}

type Handle = Callable[[Message], None]
type LambdaHandler = Callable[[dict[str, Any], Any], Mapping[str, Any]]


class NoTimeLeft(Exception):
    """The function's time is nearly up; the message comes again."""


def queue_worker(*, stage: str) -> Callable[[Handle], LambdaHandler]:
    """Make a Lambda handler of an SQS queue out of a function that carries out one message.

    A function that returns has done all that the message asks for; whatever it raises lets the
    message come again. Logged are ids only.
    """

    def wrap(handle: Handle) -> LambdaHandler:
        def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
            def carry_out(record: SQSRecord) -> None:
                _require_time(context)
                _carry_out(record, handle)

            if not event.get("Records"):
                return NOTHING_FAILED  # Powertools takes an empty batch for a mistake
            log.bind(stage=stage, request_id=context.aws_request_id)
            processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
            answer: Mapping[str, Any] = process_partial_response(
                event=event, record_handler=carry_out, processor=processor
            )
            return answer

        return lambda_handler

    return wrap


def _require_time(context: Any) -> None:
    if context.get_remaining_time_in_millis() < ONE_MESSAGE_SECONDS * 1000:
        raise NoTimeLeft


def _carry_out(record: SQSRecord, handle: Handle) -> None:
    tries = int(record.attributes.approximate_receive_count or 1)
    try:
        message = read_message(record.body)
    except MalformedBody:
        log.exception("message_unreadable", message_id=record.message_id, tries=tries)
        log.metric("WebhookFailures", Topic=UNREADABLE)
        raise
    try:
        handle(message)
    except Exception:
        log.exception("webhook_failed", message_id=record.message_id, tries=tries, **_ids(message))
        log.metric("WebhookFailures", Topic=message.topic)
        raise
    log.metric("WebhooksProcessed", Topic=message.topic)


def _ids(message: Message) -> dict[str, str]:
    return {"topic": message.topic, "shop": message.shop, "event_id": message.event_id}
