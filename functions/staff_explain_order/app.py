"""GET /v1/staff/orders/{order_id}: how the points of an order come about, for the shop's staff."""

from urllib.parse import unquote

from pointbook.domain.refusal import Refusal
from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, refusal_problem
from pointbook.entrypoints.staff_auth import permitted
from pointbook.shopify.ids import number_digits
from pointbook.staff_container import StaffContainer


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, explain the order."""
    staff = permitted(request, container, Right.LOOK)
    order_id = number_digits(unquote(request.path_parameters.get("order_id", "")), "order_id")
    with request.timing.measure("ledger"):
        found = container.order_explanations(staff.shop).explain(staff.shop, order_id)
    return refusal_problem(found) if isinstance(found, Refusal) else Response(200, found)
