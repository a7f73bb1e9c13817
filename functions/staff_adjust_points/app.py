"""POST /v1/staff/customers/{customer}/adjustments: the shop's staff add points or remove some."""

from urllib.parse import unquote

from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import REPLAY_HEADER, Response, refusal_problem
from pointbook.entrypoints.staff_auth import permitted, staff_actor
from pointbook.services.adjustments import Adjustment
from pointbook.shopify.ids import customer_digits
from pointbook.staff_container import StaffContainer
from pointbook.validation import optional_flag


@staff_endpoint(StaffContainer.from_env)
def handler(request: Request, container: StaffContainer) -> Response:
    """Authenticate, book the adjustment or preview it; a repetition gets the same answer."""
    staff = permitted(request, container, Right.ADJUST)
    key = request.idempotency_key_or_member(body := request.json_object())
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    adjustment, actor = Adjustment.read(customer_id, body), staff_actor(staff, body)
    is_preview = optional_flag(body.get("preview"), "preview")
    service = container.staff_service(staff.shop)
    act = service.preview if is_preview else service.adjust
    with request.timing.measure("ledger"):
        found = act(staff.staff_id, actor, adjustment, key)
        if isinstance(found, Refusal):
            members = {}
            if found.code is Code.INSUFFICIENT_POINTS:
                figures = container.ledger.read(staff.shop, customer_id).figures
                members["figures"] = figures._asdict()
            return refusal_problem(found, **members)
    answer = {
        "customer_id": customer_id,
        "points": adjustment.points,
        "figures": found.figures._asdict(),
    }
    headers = {REPLAY_HEADER: "true"} if found.duplicate else {}
    if is_preview:
        return Response(200, {**answer, "preview": True}, headers)
    return Response(201, {**answer, "entry_id": found.entry_ids[0]}, headers)
