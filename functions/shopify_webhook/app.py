"""Shopify's webhooks: verified, reduced to the fields that are processed, put on a queue."""

from pointbook import log
from pointbook.base_container import BaseContainer
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.webhook import webhook_endpoint
from pointbook.services.message import Message, message_text
from pointbook.shopify.webhook import BODY_BYTES_MAX, read_webhook


@webhook_endpoint(BaseContainer.from_env, body_bytes_max=BODY_BYTES_MAX)
def handler(request: Request, container: BaseContainer) -> Response:
    """Verify the signature, project the fields, enqueue them; 200 once that is durable."""
    webhook = read_webhook(request.method, request.headers, request.body, container.app_keys())
    if webhook.queue is None:
        log.info("webhook_topic_unknown", topic=webhook.showable_topic)
        log.metric("UnknownWebhookTopics")
        return Response(200, {"status": "ignored"})
    if webhook.is_of_another_version:
        log.warning("webhook_of_another_version", topic=webhook.topic, version=webhook.version)
        log.metric("WebhooksOfOtherVersions")
    message = Message(
        topic=webhook.topic,
        shop=webhook.shop,
        received_at=container.clock.now(),
        event_id=webhook.event_id,
        payload=webhook.payload,
        triggered_at=webhook.triggered_at,
    )
    container.enqueue(webhook.queue, message_text(message))
    return Response(200, {"status": "queued"})
