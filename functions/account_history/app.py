"""GET /v1/operator/customers/{customer}/history: all that is recorded of a customer's points."""

from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, requested_customer
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.operator_container import OperatorContainer


@operator_endpoint(OperatorContainer.from_env)
def handler(request: Request, container: OperatorContainer) -> Response:
    """Authenticate, read one page of entries."""
    operator(request)
    shop, customer_id = requested_customer(request, container.settings.shops)
    limit, cursor = request.history_page()
    own = request.query_number("own", 0, 0, 1) == 1
    history = container.account_reads().history(shop, customer_id, limit, cursor, own=own)
    return Response(200, history)
