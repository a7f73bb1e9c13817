"""POST /v1/operator/customers/{customer}/extensions: staff give points a later last day."""

from datetime import date
from typing import Any
from urllib.parse import unquote

from pointbook.container import Container
from pointbook.domain.commands import ExtendExpiry
from pointbook.domain.refusal import Refusal
from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, operator_cause, shop_of
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import REPLAY_HEADER, Response, refusal_problem
from pointbook.errors import InvalidRequest
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.shopify.ids import customer_digits
from pointbook.validation import optional_day, text


@operator_endpoint(Container.from_env)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, extend, return how many points; a repetition gets the same."""
    actor, key, body = operator(request), request.idempotency_key(), request.json_object()
    shop = shop_of(body.get("shop"), container.settings.shops)
    customer_id = customer_digits(unquote(request.path_parameters.get("customer", "")), "customer")
    command = _command(body)
    days = {
        "expires_on": command.old_day.isoformat(),
        "new_expires_on": command.new_day.isoformat(),
    }
    booked = container.ledger.execute(
        Instruction(
            shop=shop,
            customer_id=customer_id,
            command=command,
            cause=operator_cause(body, actor),
            reason=text(body.get("reason"), "reason", 255),
            identity=Identity("operator:extend", key),
            content={"customer": customer_id, **days},
        )
    )
    if isinstance(booked, Refusal):
        return refusal_problem(booked)
    answer = {
        "customer_id": customer_id,
        "entry_id": booked.entry_ids[0],
        "points": _points(container, shop, booked),
        **days,
        "figures": booked.figures._asdict(),
    }
    return Response(201, answer, {REPLAY_HEADER: "true"} if booked.duplicate else {})


def _points(container: Container, shop: str, booked: Booked) -> int:
    """How many points the entry gave a later day."""
    owner, _, version = booked.entry_ids[0].partition("-")
    entry = container.ledger.entry(shop, owner, int(version))
    return entry.entry.lasting_longer if entry else 0


def _command(body: dict[str, Any]) -> ExtendExpiry:
    old_day, new_day = (_day(body, name) for name in ("expires_on", "new_expires_on"))
    if new_day <= old_day:
        raise InvalidRequest(
            "new_expires_on", f"new_expires_on is {new_day}, but must be after {old_day}."
        )
    return ExtendExpiry(old_day, new_day)


def _day(body: dict[str, Any], field: str) -> date:
    day = optional_day(body.get(field), field)
    if day is None:
        raise InvalidRequest(field, f"{field} is missing; give a day such as 2026-12-31.")
    return day
