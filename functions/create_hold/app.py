"""POST /v1/customers/{customer}/holds: hold points for a checkout, return a discount code."""

from pointbook.container import Container
from pointbook.domain.commands import POINTS_MAX
from pointbook.domain.refusal import Code
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.hold_response import held_response
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, refusal_problem
from pointbook.services.holds import HoldResult
from pointbook.validation import whole_number


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, hold the points, return the code; a repetition gets the same response."""
    customer = own_session(request, container)
    key = request.idempotency_key_or_member(body := request.json_object())
    points = whole_number(body.get("points"), "points", 1, POINTS_MAX)
    service = container.hold_service(customer.shop)
    with request.timing.measure("ledger"):
        held = service.create(customer.customer_id, points, key)
        if isinstance(held, HoldResult):
            return held_response(held, customer.shop)
        is_open = held.code is Code.HOLD_OPEN
        shown = service.shown_open_hold(customer.customer_id) if is_open else None
    return refusal_problem(held, hold=shown) if shown else refusal_problem(held)
