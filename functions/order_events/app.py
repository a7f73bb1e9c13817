"""Queue of order webhooks: earning, refunds, points used on orders, cancellations."""

from pointbook import environment, wiring
from pointbook.message import Message
from pointbook.queue_worker import queue_worker

settings = environment.settings()


@queue_worker(stage=settings.stage)
def handler(message: Message) -> None:
    """Carry out one message under the programme in force."""
    wiring.order_desk(message.shop).carry_out(message)
