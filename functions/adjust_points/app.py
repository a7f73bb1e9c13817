"""POST /v1/operator/customers/{customer}/adjustments: staff add points or take some away."""

from datetime import date
from urllib.parse import unquote

from pointbook.container import Container
from pointbook.domain.commands import POINTS_MAX, Grant, Remove
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import ExpiryRule, FixedDate, without_renewal
from pointbook.domain.refusal import Code, Refusal
from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, operator_cause, shop_of
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import REPLAY_HEADER, Response, problem
from pointbook.errors import InvalidRequest
from pointbook.ledger.instruction import Identity, Instruction
from pointbook.services.imports import read_import_id
from pointbook.shopify.ids import customer_digits
from pointbook.validation import optional_day, text, whole_number


@operator_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, book the adjustment, return the six figures; a repetition gets the same."""
    actor, key, body = operator(request), request.idempotency_key(), request.json_object()
    shop = shop_of(body.get("shop"), container.settings.shops)
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    points = whole_number(body.get("points"), "points", -POINTS_MAX, POINTS_MAX)
    expires_on = optional_day(body.get("expires_on"), "expires_on")
    import_id = body.get("import_id")
    about = "" if import_id is None else f"{read_import_id(import_id)}#"
    programme = container.programme(shop)
    ledger = container.ledger
    booked = ledger.execute(
        Instruction(
            shop=shop,
            customer_id=customer_id,
            command=_command(points, expires_on, programme.expiry, about),
            cause=operator_cause(body, actor),
            reason=text(body.get("reason"), "reason", 255),
            identity=Identity("operator:adjust", key),
            content={
                "customer": customer_id,
                "points": points,
                "expires_on": expires_on.isoformat() if expires_on else None,
            },
            time_zone=programme.time_zone,
        )
    )
    if isinstance(booked, Refusal):
        members = {}
        if booked.code is Code.INSUFFICIENT_POINTS:
            members["figures"] = ledger.read(shop, customer_id).figures._asdict()
        return problem(booked.code, booked.message, **members)
    answer = {
        "customer_id": customer_id,
        "entry_id": booked.entry_ids[0],
        "points": points,
        "figures": booked.figures._asdict(),
    }
    return Response(201, answer, {REPLAY_HEADER: "true"} if booked.duplicate else {})


def _command(points: int, expires_on: date | None, rule: ExpiryRule, about: str) -> Grant | Remove:
    """Return the command for a signed number of points; it renews no lots."""
    if points == 0:
        raise InvalidRequest(
            "points", "points is 0; give a positive number to add or a negative one to remove."
        )
    if points > 0:
        expiry = FixedDate(expires_on) if expires_on else without_renewal(rule)
        topic = Topic.ADD_IMPORT if about else Topic.ADD_MANUAL
        return Grant(points, expiry, topic, about, in_time=True)
    if expires_on is not None:
        raise InvalidRequest(
            "expires_on", "expires_on is only for points that are added; leave it out."
        )
    return Remove(-points, about)
