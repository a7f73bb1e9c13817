"""GET /v1/operator/customers/{customer}: a customer's account, now or as of a past instant."""

from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, requested_customer
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.operator_container import OperatorContainer
from pointbook.validation import optional_instant


@operator_endpoint(OperatorContainer.from_env)
def handler(request: Request, container: OperatorContainer) -> Response:
    """Authenticate, read the account."""
    operator(request)
    shop, customer_id = requested_customer(request, container.settings.shops)
    at = optional_instant(request.query_value("at"), "at")
    return Response(200, container.account_reads().account(shop, customer_id, at))
