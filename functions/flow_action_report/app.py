"""Shopify Flow action "report points": fires the trigger "points reported" with the six figures."""

from pointbook.container import Container
from pointbook.entrypoints.flow import flow_answer, flow_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.shopify.flow_action import REPORT_POINTS, read_customer_action


@flow_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Verify the signature, read the account, send the trigger, return the six figures."""
    action = read_customer_action(
        request.method, request.headers, request.body, container.app_keys(), REPORT_POINTS
    )
    return flow_answer(container.report_sender(action.shop).report(action))
