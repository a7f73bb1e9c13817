"""POST /v1/staff/customers/{customer}/holds/{hold_id}/release: the staff release held points."""

from urllib.parse import unquote

from pointbook.domain.refusal import Refusal
from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, refusal_problem
from pointbook.entrypoints.staff_auth import permitted, staff_actor
from pointbook.shopify.ids import customer_digits
from pointbook.staff_container import StaffContainer


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, deactivate the discount, release the points; safe to repeat."""
    staff = permitted(request, container, Right.HOLD)
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    hold_id = request.path_parameters.get("hold_id", "")
    body = request.json_object() if request.body else {}
    service = container.staff_hold_service(staff.shop, staff_actor(staff, body))
    with request.timing.measure("ledger"):
        released = service.release(customer_id, hold_id)
    if isinstance(released, Refusal):
        return refusal_problem(released)
    return Response(200, {"figures": released._asdict()})
