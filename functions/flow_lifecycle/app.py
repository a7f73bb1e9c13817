"""Shopify Flow's lifecycle callback: keep whether any workflow listens to a trigger."""

from pointbook import environment, log, wiring
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.webhook import webhook_endpoint
from pointbook.shopify.flow_lifecycle import BODY_BYTES_MAX, read_trigger_use

settings = environment.settings()


@webhook_endpoint(stage=settings.stage, body_bytes_max=BODY_BYTES_MAX)
def handler(request: Request) -> Response:
    """Verify Shopify's signature, keep the news unless newer is known; 200 either way.

    A merchant cannot switch a workflow on while this is not answered, so it is one write and
    nothing else.
    """
    use = read_trigger_use(request.method, request.headers, request.body, environment.app_keys())
    if use.handle is None:
        log.warning("lifecycle_trigger_unknown", shop=use.shop)
        log.metric("UnknownFlowTriggers")
        return Response(200, {"status": "ignored"})
    if not wiring.listening().say(use.shop, use.handle, use.at, listened=use.listened):
        return Response(200, {"status": "outdated"})
    log.info("lifecycle", shop=use.shop, handle=use.handle, listened=use.listened)
    return Response(200, {"status": "noted"})
