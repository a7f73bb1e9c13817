"""Shopify Flow action "grant points": issued → approved, by the programme's expiry or N days."""

from pointbook.container import Container
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days
from pointbook.entrypoints.flow import flow_answer, flow_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.services.flow_actions import carry_out
from pointbook.shopify.flow_action import GRANT_POINTS, read_points_action


@flow_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Verify the signature, book the points, return the six figures."""
    action = read_points_action(
        request.method, request.headers, request.body, container.app_keys(), GRANT_POINTS
    )
    programme = container.programme(action.shop)
    expiry = Days(action.days_to_expire) if action.days_to_expire else programme.expiry
    command = Grant(
        points=action.points, expiry=expiry, flow_per_hour=programme.flow_entries_per_hour
    )
    return flow_answer(
        carry_out(action, command, container.ledger, programme, container.till_echoes)
    )
