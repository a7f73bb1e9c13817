"""GET /v1/operator/orders/{order_id}: how the points of an order come about."""

from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, shop_of
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response, refusal_problem
from pointbook.operator_container import OperatorContainer
from pointbook.shopify.ids import number_digits


@operator_endpoint(OperatorContainer.from_env)
def handler(request: Request, container: OperatorContainer) -> Response:
    """Authenticate, explain the order."""
    operator(request)
    shop = shop_of(request.query_value("shop"), container.settings.shops)
    order_id = number_digits(request.path_parameters.get("order_id", ""), "order_id")
    found = container.order_explanations(shop).explain(shop, order_id)
    return refusal_problem(found) if isinstance(found, Refusal) else Response(200, found)
