"""Shopify Flow's actions that move points: their idempotency, and the limits on loops."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.shopify.flow_action import CONSUME_POINTS, PointsAction

if TYPE_CHECKING:
    from pointbook.services.till_push.echoes import TillEchoes

CHAIN_MAX = 5
"""The maximum length of a chain of actions, each of which names the entry that caused it."""

TOO_DEEP = Refusal(
    Code.LOOP_REFUSED,
    f"More than {CHAIN_MAX} workflows have started each other: let one of them end it.",
)

EARNING_PAUSED = Refusal(
    Code.EARNING_PAUSED,
    "The points programme has paused earning, so nothing was added. Run the workflow again once"
    " it is on.",
)
SPENDING_PAUSED = Refusal(
    Code.SPENDING_PAUSED,
    "The points programme has paused spending, so nothing was taken. Run the workflow again once"
    " it is on.",
)


def carry_out(
    action: PointsAction,
    command: Command,
    ledger: Ledger,
    programme: Programme,
    till_echoes: "Callable[[], TillEchoes]",
) -> Booked | Refusal:
    """Execute one run of an action, unless workflows have started each other too often.

    Its identity is the merchant's own key, or else the run's id, which Flow repeats with each
    retry. The content leaves out the reason, which a template may render differently. What
    the till reports is compared by `till_echoes` with what was pushed there, so that our own
    changes do not come back; as it has happened already, it is booked also while the programme has
    paused such actions. Raises Unavailable; retrying is safe.
    """
    cause = _cause_of(action, ledger)
    if isinstance(cause, Refusal):
        return cause
    if action.idempotency_key is not None:
        identity = Identity(f"flow:{action.handle}:key", action.idempotency_key)
    else:
        identity = Identity(f"flow:{action.handle}:run", action.action_run_id)
    instruction = Instruction(
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
        time_zone=programme.time_zone,
    )
    if action.is_at_till:
        points = -action.points if action.handle == CONSUME_POINTS else action.points
        echo = till_echoes().answer(instruction, points, action.till_balance)
        if echo is not None:
            return echo
    elif paused := _paused(action, programme):
        done = ledger.preview(instruction)
        return done if isinstance(done, Booked) and done.duplicate else paused
    return ledger.execute(instruction)


def _paused(action: PointsAction, programme: Programme) -> Refusal | None:
    """The refusal of an action that the programme has paused."""
    if action.handle == CONSUME_POINTS:
        return SPENDING_PAUSED if programme.spending_paused else None
    return EARNING_PAUSED if programme.earning_paused else None


def _cause_of(action: PointsAction, ledger: Ledger) -> Cause | Refusal:
    """The cause of an action; a refusal if workflows start each other in a loop.

    A named entry that does not exist counts as the first of its chain.
    """
    depth = 0
    if action.cause_entry_id is not None:
        customer_id, _, digits = action.cause_entry_id.rpartition("-")
        causing = ledger.entry(action.shop, customer_id, int(digits))
        depth = 1 + (causing.cause.depth if causing else 0)
    if depth > CHAIN_MAX:
        return TOO_DEEP
    cause_of = Cause.reported if action.is_at_till else Cause
    return cause_of("flow", action.action_run_id, action.cause_entry_id or "", depth)
