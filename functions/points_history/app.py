"""GET /v1/customers/{customer}/points/history: a customer's entries, newest first."""

from pointbook.container import Container
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.services.points_history import LIMIT_DEFAULT, LIMIT_MAX, VERSION_MAX


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, read one page of entries."""
    customer = own_session(request, container)
    limit = request.query_number("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    cursor = request.query_number("cursor", VERSION_MAX, 1, VERSION_MAX)
    history = container.points_history().page(
        customer.shop, customer.customer_id, limit, cursor, request.timing
    )
    return Response(200, history)
