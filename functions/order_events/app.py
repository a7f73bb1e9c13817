"""Queue of order webhooks: earning, refunds, points used on orders, cancellations."""

from pointbook import environment, wiring
from pointbook.entrypoints.queue import queue_worker
from pointbook.services.message import Message

settings = environment.settings()


@queue_worker(stage=settings.stage)
def handler(message: Message) -> None:
    """Carry out one message under the programme in force."""
    wiring.order_service(message.shop).carry_out(message)
