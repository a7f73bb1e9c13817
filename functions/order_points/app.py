"""GET /v1/customers/{customer}/orders/{order_id}/points: the points of a customer's own order."""

from pointbook.container import Container
from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, refusal_problem
from pointbook.shopify.ids import number_digits


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, read the order and whose it is."""
    customer = own_session(request, container)
    order_id = number_digits(request.path_parameters.get("order_id", ""), "order_id")
    with request.timing.measure("ledger"):
        found = container.order_points(customer.shop).of(
            customer.shop, customer.customer_id, order_id
        )
    return refusal_problem(found) if isinstance(found, Refusal) else Response(200, found)
