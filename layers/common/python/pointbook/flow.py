"""Shopify Flow's actions on points: what makes two runs the same, and what the merchant is told."""

from typing import Any

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command
from pointbook.domain.refusal import Refusal
from pointbook.instruction import Booked, Identity, Instruction
from pointbook.shopify.flow_action import PointsAction
from pointbook.web.endpoint import flow_done, flow_refusal
from pointbook.web.response import Response


def instruction(action: PointsAction, command: Command) -> Instruction:
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
        cause=Cause("flow", action.action_run_id, action.cause_entry_id or ""),
        reason=action.reason,
        identity=identity,
        content={
            "action": action.handle,
            "customer": action.customer_id,
            "points": action.points,
            "days_to_expire": action.days_to_expire,
        },
    )


def carried_out(answer: Booked | Refusal) -> Response:
    """What Flow is told: the first answer to every repetition, or why nothing was done."""
    if isinstance(answer, Refusal):
        return flow_refusal(answer.code, answer.message)
    return flow_done(_return_value(answer))


def _return_value(booked: Booked) -> dict[str, Any]:
    return {
        "entry_id": booked.entry_ids[0],
        "duplicate": booked.duplicate,
        **booked.figures._asdict(),
    }
