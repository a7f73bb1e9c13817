"""Shopify Flow action "consume points": approved → spent, refused when there is not enough."""

from pointbook.container import Container
from pointbook.domain.commands import Consume
from pointbook.entrypoints.flow import flow_answer, flow_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.services.flow_actions import carry_out
from pointbook.shopify.flow_action import CONSUME_POINTS, read_points_action


@flow_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Verify the signature, book the points, return the six figures."""
    action = read_points_action(
        request.method, request.headers, request.body, container.app_keys(), CONSUME_POINTS
    )
    programme = container.programme(action.shop)
    command = Consume(
        points=action.points,
        renew=programme.renew,
        flow_per_hour=programme.flow_entries_per_hour,
    )
    return flow_answer(
        carry_out(action, command, container.ledger, programme, container.till_echoes)
    )
