"""GET /v1/staff/customers/{customer}/history: a customer's entries, for the shop's staff."""

from urllib.parse import unquote

from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.staff_auth import permitted
from pointbook.services.staff_reads import history_for_staff
from pointbook.shopify.ids import customer_digits
from pointbook.staff_container import StaffContainer


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, read one page of entries."""
    staff = permitted(request, container, Right.LOOK)
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    limit, cursor = request.history_page()
    own = request.query_number("own", 0, 0, 1) == 1
    reads = container.account_reads()
    with request.timing.measure("ledger"):
        history = history_for_staff(reads, staff.shop, customer_id, limit, cursor, own=own)
    return Response(200, history)
