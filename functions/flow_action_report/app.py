"""Shopify Flow action "report points": fires the trigger "points reported" with the six figures."""

from pointbook import environment, wiring
from pointbook.entrypoints.flow import carried_out
from pointbook.entrypoints.http import flow_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.shopify.flow_action import REPORT_POINTS, read_customer_action

settings = environment.settings()


@flow_endpoint(stage=settings.stage)
def handler(request: Request) -> Response:
    """Verify Shopify's signature, read the book, tell Flow, answer with the six figures."""
    action = read_customer_action(
        request.method, request.headers, request.body, environment.app_keys(), REPORT_POINTS
    )
    return carried_out(wiring.report_sender(action.shop).report(action))
