"""GET /v1/operator/till: the till's provider, what it can do, and how it answers."""

from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.till_container import TillContainer


@operator_endpoint(TillContainer.from_env)
def handler(request: Request, container: TillContainer) -> Response:
    """Authenticate, read the till's state."""
    operator(request)
    return Response(200, container.till_status())
