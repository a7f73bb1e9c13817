"""What an operator has to know, as a log line and a metric that an alarm watches."""

from pointbook import log
from pointbook.instruction import Instruction


def raise_alarm(instruction: Instruction, alarm: str) -> None:
    """Tell the operator what an order did to a customer's points."""
    log.error(
        "order_alarm",
        alarm=alarm,
        shop=instruction.shop,
        order_id=instruction.order_id,
        customer_id=instruction.customer_id,
    )
    log.metric("OrderAlarms")
    log.metric("OrderAlarms", Alarm=alarm)
