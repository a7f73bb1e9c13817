"""Shopify Flow action "grant points": issued → approved, by the programme's expiry or N days."""

from pointbook import environment, wiring
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days
from pointbook.entrypoints.flow import carry_out
from pointbook.entrypoints.http import flow_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.shopify.flow_action import GRANT_POINTS, read_points_action

settings = environment.settings()


@flow_endpoint(stage=settings.stage)
def handler(request: Request) -> Response:
    """Verify Shopify's signature, give the points, answer with the six figures."""
    action = read_points_action(
        request.method, request.headers, request.body, environment.app_keys(), GRANT_POINTS
    )
    programme = wiring.programme(action.shop)
    expiry = Days(action.days_to_expire) if action.days_to_expire else programme.expiry
    command = Grant(
        points=action.points, expiry=expiry, flow_per_hour=programme.flow_entries_per_hour
    )
    return carry_out(action, command, wiring.ledger(), programme.time_zone)
