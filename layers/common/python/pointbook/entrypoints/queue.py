"""The wrapper around the handlers of SQS queues: messages are processed one by one.

SQS delivers up to ten messages at a time. Those that fail are reported (partial batch response) and
are delivered again after the visibility timeout; after the last attempt SQS moves a message to the
dead-letter queue. So no message is lost, and a bad one does not block the others.
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
from pointbook.base_container import BaseContainer
from pointbook.errors import MalformedBody
from pointbook.services.message import Message, read_message

ONE_MESSAGE_SECONDS = 15.0
"""The time for one message; with less left, the message waits for the next invocation."""

UNREADABLE = "unreadable"
NOTHING_FAILED: Mapping[str, Any] = {"batchItemFailures": []}

type Handle[C] = Callable[[Message, C], None]
type LambdaHandler = Callable[..., Mapping[str, Any]]
"""Called with the event and Lambda's context; a test passes its own container as well."""


class NoTimeLeft(Exception):
    """The function's time is nearly up; the message will be delivered again."""


def queue_worker[C: BaseContainer](
    build: Callable[[], C], *, counts_webhooks: bool = True
) -> Callable[[Handle[C]], LambdaHandler]:
    """Make a Lambda handler of an SQS queue; `build` makes the process's container.

    If the function returns, the message is done; if it raises, the message is delivered again. Only
    ids are logged. Messages that are no webhooks are not counted: each topic costs two metrics.
    """
    own = build()

    def wrap(handle: Handle[C]) -> LambdaHandler:
        def lambda_handler(
            event: dict[str, Any], context: Any, container: C = own
        ) -> Mapping[str, Any]:
            def carry_out(record: SQSRecord) -> None:
                if context.get_remaining_time_in_millis() < ONE_MESSAGE_SECONDS * 1000:
                    raise NoTimeLeft
                count = _counted if counts_webhooks else _uncounted
                _carry_out(record, lambda message: handle(message, container), count)

            if not event.get("Records"):
                return NOTHING_FAILED  # Powertools treats an empty batch as an error
            log.bind(stage=container.settings.stage, request_id=context.aws_request_id)
            processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
            answer: Mapping[str, Any] = process_partial_response(
                event=event, record_handler=carry_out, processor=processor
            )
            return answer

        return lambda_handler

    return wrap


def _counted(metric: str, topic: str) -> None:
    log.metric(metric, Topic=topic)


def _uncounted(_metric: str, _topic: str) -> None:
    """Count nothing."""


def _carry_out(
    record: SQSRecord, handle: Callable[[Message], None], count: Callable[[str, str], None]
) -> None:
    tries = int(record.attributes.approximate_receive_count or 1)
    try:
        message = read_message(record.body)
    except MalformedBody:
        log.exception("message_unreadable", message_id=record.message_id, tries=tries)
        count("WebhookFailures", UNREADABLE)
        raise
    try:
        handle(message)
    except Exception:
        log.exception("webhook_failed", message_id=record.message_id, tries=tries, **_ids(message))
        count("WebhookFailures", message.topic)
        raise
    count("WebhooksProcessed", message.topic)


def _ids(message: Message) -> dict[str, str]:
    return {"topic": message.topic, "shop": message.shop, "event_id": message.event_id}
