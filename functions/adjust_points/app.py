"""POST /v1/operator/customers/{customer}/adjustments: staff add points or take some away."""

from urllib.parse import unquote

from pointbook.container import Container
from pointbook.domain.refusal import Code, Refusal
from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, operator_cause, shop_of
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import REPLAY_HEADER, Response, problem
from pointbook.ledger.instruction import Identity, Instruction
from pointbook.services.adjustments import Adjustment
from pointbook.services.imports import read_import_id
from pointbook.shopify.ids import customer_digits


@operator_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, book the adjustment, return the six figures; a repetition gets the same."""
    actor, key, body = operator(request), request.idempotency_key(), request.json_object()
    shop = shop_of(body.get("shop"), container.settings.shops)
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    adjustment = Adjustment.read(customer_id, body)
    import_id = body.get("import_id")
    about = "" if import_id is None else f"{read_import_id(import_id)}#"
    programme = container.programme(shop)
    ledger = container.ledger
    booked = ledger.execute(
        Instruction(
            shop=shop,
            customer_id=customer_id,
            command=adjustment.command(programme.expiry, about),
            cause=operator_cause(body, actor),
            reason=adjustment.reason,
            identity=Identity("operator:adjust", key),
            content=adjustment.content,
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
        "points": adjustment.points,
        "figures": booked.figures._asdict(),
    }
    return Response(201, answer, {REPLAY_HEADER: "true"} if booked.duplicate else {})
