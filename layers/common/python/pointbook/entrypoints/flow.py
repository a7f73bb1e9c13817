"""Shopify Flow's actions on points: what makes two runs the same, and what the merchant is told."""

from typing import Any

from pointbook import log
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command
from pointbook.domain.refusal import Code, Refusal
from pointbook.entrypoints.http import flow_done, flow_refusal
from pointbook.entrypoints.response import Response
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.shopify.flow_action import PointsAction

CHAIN_MAX = 5
"""How many actions may lead to each other, each naming the entry that caused it."""

INT_MAX = 2**31 - 1
"""The largest Int of GraphQL (https://spec.graphql.org/, section 3.5.1)."""


TOO_DEEP = Refusal(
    Code.LOOP_REFUSED,
    f"More than {CHAIN_MAX} workflows have started each other: let one of them end it.",
)


def carry_out(action: PointsAction, command: Command, ledger: Ledger, time_zone: str) -> Response:
    """Carry one run of an action out, unless workflows have started each other too often.

    `time_zone` is that of an account which it opens.
    """
    cause = cause_of(action, ledger)
    if isinstance(cause, Refusal):
        return carried_out(cause)
    return carried_out(ledger.execute(instruction(action, command, cause, time_zone)))


def cause_of(action: PointsAction, ledger: Ledger) -> Cause | Refusal:
    """What led to an action. Refused where workflows answer each other's changes without end.

    An entry that the action names, but that is not there, counts as the first of its chain.
    """
    depth = 0
    if action.cause_entry_id is not None:
        customer_id, _, digits = action.cause_entry_id.rpartition("-")
        named = ledger.entry(action.shop, customer_id, int(digits))
        depth = 1 + (named.cause.depth if named else 0)
    if depth > CHAIN_MAX:
        return TOO_DEEP
    return Cause("flow", action.action_run_id, action.cause_entry_id or "", depth)


def instruction(
    action: PointsAction, command: Command, cause: Cause, time_zone: str
) -> Instruction:
    """The instruction for one run of an action.

    Its identity is the merchant's own key, which counts for one customer and one action, or else
    the run's id, which Flow repeats for as long as it tries. What makes two requests the same:
    customer, action, points and days; not the reason, which a template may render anew.
    """
    if action.idempotency_key is not None:
        identity = Identity(f"flow:{action.handle}:key", action.idempotency_key)
    else:
        identity = Identity(f"flow:{action.handle}:run", action.action_run_id)
    return Instruction(
        shop=action.shop,
        customer_id=action.customer_id,
        command=command,
        cause=cause,
        reason=action.reason,
        identity=identity,
        content={
            "action": action.handle,
            "customer": action.customer_id,
            "points": action.points,
            "days_to_expire": action.days_to_expire,
        },
        time_zone=time_zone,
    )


def carried_out(answer: Booked | Refusal) -> Response:
    """What Flow is told: the first answer to every repetition, or why nothing was done."""
    if isinstance(answer, Refusal):
        if answer.code is Code.LOOP_REFUSED:
            log.error("loop_refused", why=answer.message)
            log.metric("LoopsRefused")
        return flow_refusal(answer.code, answer.message)
    return flow_done(_return_value(answer))


def _return_value(booked: Booked) -> dict[str, Any]:
    return {
        "entry_id": booked.entry_ids[0] if booked.entry_ids else None,
        "duplicate": booked.duplicate,
        **{name: _int(points) for name, points in booked.figures._asdict().items()},
    }


def _int(points: int) -> int | None:
    """Null for what GraphQL's Int does not hold.

    Flow takes such an answer for a failure, and repeats what has been carried out for 36 hours.
    """
    return points if -INT_MAX - 1 <= points <= INT_MAX else None
