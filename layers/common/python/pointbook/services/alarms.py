"""Alarms for operators: a log line, and a metric that a CloudWatch alarm watches."""

from pointbook import log
from pointbook.ledger.instruction import Instruction

TILL_POINTS_UNREADABLE = "till_points_unreadable"
"""An order says that points were used at a till, but the number cannot be read."""


def raise_alarm(instruction: Instruction, alarm: str) -> None:
    """Raise an alarm about what an order did to a customer's points."""
    raise_order_alarm(alarm, instruction.shop, instruction.order_id, instruction.customer_id)


def raise_order_alarm(
    alarm: str, shop: str, order_id: str | None, customer_id: str | None, **more: str
) -> None:
    """Raise an alarm about an order; `more` are ids and names of fields."""
    log.error(
        "order_alarm",
        alarm=alarm,
        shop=shop,
        order_id=order_id,
        customer_id=customer_id,
        **more,
    )
    log.metric("OrderAlarms")
    log.metric("OrderAlarms", Alarm=alarm)
