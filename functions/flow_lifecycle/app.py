"""Shopify Flow's lifecycle callback: record whether any workflow uses a trigger."""

from pointbook import log
from pointbook.container import Container
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.webhook import webhook_endpoint
from pointbook.shopify.flow_lifecycle import BODY_BYTES_MAX, read_trigger_status


@webhook_endpoint(Container.from_env, body_bytes_max=BODY_BYTES_MAX)
def handler(request: Request, container: Container) -> Response:
    """Verify the signature, record the state unless a newer one is known; 200 either way.

    A merchant cannot turn a workflow on while this fails, so it is a single write.
    """
    status = read_trigger_status(
        request.method, request.headers, request.body, container.app_keys()
    )
    if status.handle is None:
        log.warning("trigger_unknown", shop=status.shop)
        log.metric("UnknownFlowTriggers")
        return Response(200, {"status": "ignored"})
    shop, handle, enabled = status.shop, status.handle, status.enabled
    if not container.trigger_subscriptions().record(shop, handle, status.at, enabled=enabled):
        return Response(200, {"status": "outdated"})
    log.info("trigger_subscription_recorded", shop=shop, handle=handle, enabled=enabled)
    return Response(200, {"status": "noted"})
