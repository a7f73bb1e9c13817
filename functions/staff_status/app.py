"""GET /v1/staff/status: what is failing in the shop, and the command that heals it."""

from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.staff_auth import permitted
from pointbook.manager_container import ManagerContainer
from pointbook.services.shop_status import shop_status


@staff_endpoint(ManagerContainer.from_env)
def handler(request: Request, container: ManagerContainer) -> Response:
    """Authenticate, look at each part."""
    staff = permitted(request, container, Right.MANAGE)
    with request.timing.measure("ledger"):
        looks, now = container.status_looks(staff.shop), container.clock.now()
        return Response(200, shop_status(staff.shop, looks, now, container.doctor))
