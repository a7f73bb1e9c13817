"""Shopify Flow action "consume points": approved → spent, refused when there is not enough."""

from pointbook import environment, wiring
from pointbook.domain.commands import Consume
from pointbook.entrypoints.flow import carry_out
from pointbook.entrypoints.http import flow_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.shopify.flow_action import CONSUME_POINTS, read_points_action

settings = environment.settings()


@flow_endpoint(stage=settings.stage)
def handler(request: Request) -> Response:
    """Verify Shopify's signature, take the points, answer with the six figures."""
    action = read_points_action(
        request.method, request.headers, request.body, environment.app_keys(), CONSUME_POINTS
    )
    programme = wiring.programme(action.shop)
    command = Consume(
        points=action.points,
        renew=programme.renew,
        flow_per_hour=programme.flow_entries_per_hour,
    )
    return carry_out(action, command, wiring.ledger(), programme.time_zone)
