"""Queue of order webhooks: earning, refunds, points used on orders, cancellations."""

from pointbook.container import Container
from pointbook.entrypoints.queue import queue_worker
from pointbook.services.message import Message


@queue_worker(Container.from_env)
def handler(message: Message, container: Container) -> None:
    """Process one message under the programme in force."""
    container.order_service(message.shop).carry_out(message)
