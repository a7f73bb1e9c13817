"""GET /v1/customers/{customer}/points/history: a customer's entries, newest first."""

from pointbook.container import Container
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, read one page of entries."""
    customer = own_session(request, container)
    limit, cursor = request.history_page()
    history = container.points_history().page(
        customer.shop, customer.customer_id, limit, cursor, request.timing
    )
    return Response(200, history)
