"""GET /v1/customers/{customer}/points: a customer's figures, and what the till says."""

from pointbook import environment, wiring
from pointbook.callers import own_session
from pointbook.page.locale import choose_locale
from pointbook.web.endpoint import my_page_endpoint
from pointbook.web.request import Request
from pointbook.web.response import Response

settings = environment.settings()


@my_page_endpoint(stage=settings.stage, login_url=settings.login_url)
def handler(request: Request) -> Response:
    """Prove who asks, read ledger and till, put it into the customer's language."""
    customer = own_session(request, environment.app_keys(), settings)
    locale = choose_locale(request.query_value("locale"), request.header("accept-language"))
    points = wiring.my_page().points(customer.shop, customer.customer_id, locale, request.timing)
    with request.timing.measure("ledger"):
        offered = wiring.holds_offered(customer.shop)
    return Response(200, points | {"holds_offered": offered})
