"""GET /v1/staff/me: who of the shop's staff asks, and what they may do."""

from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.staff_auth import staff_session
from pointbook.staff_container import StaffContainer


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, read the programme and what is left of today's limit; needs no right."""
    staff = staff_session(request, container)
    with request.timing.measure("ledger"):
        return Response(200, container.shown_staff_service(staff.shop).about(staff.staff_id))
