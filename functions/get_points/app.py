"""GET /v1/customers/{customer}/points: a customer's figures, and the till's values."""

from pointbook.container import Container
from pointbook.domain.programme_rules import Master
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.page.locale import choose_locale


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, read ledger and till, add texts in the customer's language."""
    customer = own_session(request, container)
    with request.timing.measure("ledger"):
        programme = container.shown_programme(customer.shop)
    locale = choose_locale(
        request.query_value("locale"), request.header("accept-language"), programme.locale
    )
    points = container.my_page().points(customer.shop, customer.customer_id, locale, request.timing)
    return Response(200, points | {"holds_offered": programme.points_master is not Master.TILL})
