"""DELETE /v1/customers/{customer}/holds/{hold_id}: give held points back."""

from pointbook import environment, wiring
from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, problem

settings = environment.settings()


@my_page_endpoint(stage=settings.stage, login_url=settings.login_url)
def handler(request: Request) -> Response:
    """Prove who asks, switch the discount off, give the points back; again: the same answer."""
    customer = own_session(request, environment.app_keys(), settings)
    hold_id = request.path_parameters.get("hold_id", "")
    with request.timing.measure("ledger"):
        released = wiring.hold_service(customer.shop).release(customer.customer_id, hold_id)
    if isinstance(released, Refusal):
        return problem(released.code, released.message)
    return Response(200, {"figures": released._asdict()})
