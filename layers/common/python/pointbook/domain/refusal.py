"""Refusals: why a command was not executed. They are values; nothing was changed."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Stable codes that clients see; the last two stay within the services."""

    INSUFFICIENT_POINTS = "insufficient_points"
    HOLD_OPEN = "hold_open"
    HOLD_NOT_FOUND = "hold_not_found"
    HOLD_CAPTURED = "hold_captured"
    HOLD_ENDED = "hold_ended"
    HOLDS_NOT_OFFERED = "holds_not_offered"
    ORDER_NOT_FOUND = "order_not_found"
    HOLD_WRONG_STATE = "hold_wrong_state"
    LOT_NOT_FOUND = "lot_not_found"
    NOT_PENDING = "not_pending"
    NOT_SPENT = "not_spent"
    NOT_REMOVED = "not_removed"
    ACCOUNT_MERGED = "account_merged"
    CUSTOMER_ERASED = "customer_erased"
    LOOP_REFUSED = "loop_refused"
    RATE_LIMITED = "rate_limited"
    TRIGGER_REFUSED = "trigger_refused"
    SAME_ACCOUNT = "same_account"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    DAY_PAST = "day_past"
    ACTION_LIMIT_EXCEEDED = "action_limit_exceeded"
    DAILY_LIMIT_REACHED = "daily_limit_reached"
    EARNING_PAUSED = "earning_paused"
    SPENDING_PAUSED = "spending_paused"
    HOLDS_PAUSED = "holds_paused"
    NOT_THE_OWNER = "not_the_owner"
    RULE_MISSING = "rule_missing"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stable `code` and one sentence that a merchant understands.

    `retry_after_seconds`: the same request may succeed after that time.
    """

    code: Code
    message: str
    retry_after_seconds: int | None = None


def not_the_owner(thing: str) -> Refusal:
    """The refusal: the command's order, hold or spending is another customer's."""
    return Refusal(Code.NOT_THE_OWNER, f"{thing} belongs to another customer.")


def daily_limit_reached(points_left: int) -> Refusal:
    """The refusal: a member of the staff may move only so many more points by hand today."""
    return Refusal(
        Code.DAILY_LIMIT_REACHED,
        f"You may add or remove {points_left:,} more points today; the shop's programme sets the"
        " limit for a day.",
    )
