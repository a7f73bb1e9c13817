"""DELETE /v1/customers/{customer}/holds/{hold_id}, or POST .../release: release held points."""

from pointbook.container import Container
from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, problem


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, deactivate the discount, release the points; safe to repeat."""
    customer = own_session(request, container)
    hold_id = request.path_parameters.get("hold_id", "")
    with request.timing.measure("ledger"):
        released = container.hold_service(customer.shop).release(customer.customer_id, hold_id)
    if isinstance(released, Refusal):
        return problem(released.code, released.message)
    return Response(200, {"figures": released._asdict()})
