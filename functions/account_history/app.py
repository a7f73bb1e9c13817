"""GET /v1/operator/customers/{customer}/history: all that is recorded of a customer's points."""

from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, requested_customer
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.operator_container import OperatorContainer
from pointbook.services.points_history import LIMIT_DEFAULT, LIMIT_MAX, VERSION_MAX


@operator_endpoint(OperatorContainer.from_env)
def handler(request: Request, container: OperatorContainer) -> Response:
    """Authenticate, read one page of entries."""
    operator(request)
    shop, customer_id = requested_customer(request, container.settings.shops)
    limit = request.query_number("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    cursor = request.query_number("cursor", VERSION_MAX, 1, VERSION_MAX)
    own = request.query_number("own", 0, 0, 1) == 1
    history = container.account_reads().history(shop, customer_id, limit, cursor, own=own)
    return Response(200, history)
