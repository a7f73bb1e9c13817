"""POST /v1/staff/customers/{customer}/holds: the shop's staff hold points for a customer's sale."""

from urllib.parse import unquote

from pointbook.domain.commands import POINTS_MAX
from pointbook.domain.refusal import Code
from pointbook.domain.staff import Right
from pointbook.entrypoints.hold_response import held_response
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, refusal_problem
from pointbook.entrypoints.staff_auth import permitted, staff_actor
from pointbook.services.holds import HoldResult
from pointbook.shopify.ids import customer_digits
from pointbook.staff_container import StaffContainer
from pointbook.validation import whole_number


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, hold the points, return the code; a repetition gets the same response."""
    staff = permitted(request, container, Right.HOLD)
    key = request.idempotency_key_or_member(body := request.json_object())
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    points = whole_number(body.get("points"), "points", 1, POINTS_MAX)
    service = container.staff_hold_service(staff.shop, staff_actor(staff, body))
    with request.timing.measure("ledger"):
        held = service.create(customer_id, points, key)
        if isinstance(held, HoldResult):
            return held_response(held, staff.shop)
        is_open = held.code is Code.HOLD_OPEN
        shown = service.shown_open_hold(customer_id) if is_open else None
    return refusal_problem(held, hold=shown) if shown else refusal_problem(held)
