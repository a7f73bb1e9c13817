"""GET /v1/customers/{customer}/points: a customer's figures, and the till's values."""

from zoneinfo import ZoneInfo

from pointbook.container import Container
from pointbook.entrypoints.customer_auth import own_session
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.errors import InvalidRequest
from pointbook.page.hold import with_worth
from pointbook.page.locale import choose_locale
from pointbook.page.offer import offer
from pointbook.services.view_request import ViewRequest

KNOWN = "known"


@my_page_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, read ledger and till, add texts in the customer's language."""
    customer = own_session(request, container)
    till = request.query_value("till")
    if till not in (None, KNOWN):
        raise InvalidRequest("till", "till must be known, or left out.")
    with request.timing.measure("ledger"):
        programme = container.shown_programme(customer.shop)
    locale = choose_locale(
        request.query_value("locale"), request.header("accept-language"), programme.locale
    )
    zone, labels = ZoneInfo(programme.time_zone), programme.rank_labels
    view = ViewRequest(locale, zone, labels, only_known=till == KNOWN)
    points = container.my_page.points(customer.shop, customer.customer_id, view, request.timing)
    hold = points["hold"]
    if hold is not None:
        with request.timing.measure("ledger"):
            record = container.read_only_ledger.hold_record(customer.shop, hold["hold_id"])
        hold = with_worth(hold, record, programme.currency, customer.shop)
    usable_points, rank = points["figures"]["approved"], points["till"]["rank"]
    return Response(200, points | {"hold": hold} | offer(programme, usable_points, rank))
