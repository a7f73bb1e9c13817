"""GET /v1/operator/customers/{customer}/check: whether an id is a customer's."""

from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, requested_customer
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.operator_container import OperatorContainer


@operator_endpoint(OperatorContainer.from_env)
def handler(request: Request, container: OperatorContainer) -> Response:
    """Authenticate, look the id up in the ledger and at Shopify."""
    operator(request)
    shop, customer_id = requested_customer(request, container.settings.shops)
    return Response(200, container.known_customers().check(shop, customer_id))
