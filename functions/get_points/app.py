"""GET /v1/customers/{customer}/points: a customer's figures, and what the till says."""

from pointbook import environment, wiring
from pointbook.domain.programme_rules import Master
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.page.locale import choose_locale

settings = environment.settings()


@my_page_endpoint(stage=settings.stage, login_url=settings.login_url)
def handler(request: Request) -> Response:
    """Prove who asks, read ledger and till, put it into the customer's language."""
    customer = own_session(request, environment.app_keys(), settings)
    with request.timing.measure("ledger"):
        rules = wiring.shown_programme(customer.shop)
    locale = choose_locale(
        request.query_value("locale"), request.header("accept-language"), rules.locale
    )
    points = wiring.my_page().points(customer.shop, customer.customer_id, locale, request.timing)
    return Response(200, points | {"holds_offered": rules.points_master is not Master.TILL})
