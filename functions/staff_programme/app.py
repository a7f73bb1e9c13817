"""The programme for managers of the shop: the rules (GET), or what a change would do (POST)."""

from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.staff_auth import permitted
from pointbook.manager_container import ManagerContainer
from pointbook.page.locale import choose_locale
from pointbook.page.programme_texts import RuleTexts
from pointbook.services.programme_preview import read_order, read_rules


@staff_endpoint(ManagerContainer.from_env)
def handler(request: Request, container: ManagerContainer) -> Response:
    """Authenticate, then show or preview; nothing is written."""
    staff = permitted(request, container, Right.MANAGE)
    programme = container.shown_programme(staff.shop)
    accepted = request.headers.get("accept-language")
    texts = RuleTexts(choose_locale(request.query_value("locale"), accepted, programme.locale))
    if request.method == "GET":
        with request.timing.measure("ledger"):
            return Response(200, container.programme_for_staff(staff.shop, texts))
    body = request.json_object()
    rules = read_rules(body.get("rules"))
    order = read_order(body.get("order"), programme.currency)
    with request.timing.measure("ledger"):
        return Response(200, container.programme_preview(staff.shop, rules).body(order, texts))
