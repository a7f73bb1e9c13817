"""GET /v1/staff/customers/{customer}: a customer's account, as the shop's staff see it."""

from urllib.parse import unquote

from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.staff_auth import permitted
from pointbook.shopify.ids import customer_digits
from pointbook.staff_container import StaffContainer
from pointbook.validation import optional_instant


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, read the account, now or as of a past instant."""
    staff = permitted(request, container, Right.LOOK)
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    at = optional_instant(request.query_value("at"), "at")
    with request.timing.measure("ledger"):
        return Response(200, container.account_reads().account(staff.shop, customer_id, at))
