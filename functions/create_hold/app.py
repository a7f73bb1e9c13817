"""POST /v1/customers/{customer}/holds: hold points for a checkout, return a discount code."""

from pointbook.container import Container
from pointbook.domain.commands import POINTS_MAX
from pointbook.domain.refusal import Code
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import REPLAY_HEADER, Response, refusal_problem
from pointbook.page.hold import cart_url
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
            return _held(held, customer.shop)
        is_open = held.code is Code.HOLD_OPEN
        shown = service.shown_open_hold(customer.customer_id) if is_open else None
    return refusal_problem(held, hold=shown) if shown else refusal_problem(held)


def _held(held: HoldResult, shop: str) -> Response:
    body = {
        "hold_id": held.hold_id,
        "points": held.points,
        "discount_code": held.code,
        "discount_amount": held.amount,
        "currency": held.currency,
        "cart_url": cart_url(shop, held.code),
        "expires_at": held.ends_at.isoformat(timespec="milliseconds"),
        "figures": held.figures._asdict(),
    }
    return Response(201, body, {REPLAY_HEADER: "true"} if held.repeated else {})
