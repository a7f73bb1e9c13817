"""Queue of customer webhooks: points for signing up, and customers who became one."""

from pointbook import customer_events, environment, wiring
from pointbook.message import Message
from pointbook.queue_worker import queue_worker

settings = environment.settings()


@queue_worker(stage=settings.stage)
def handler(message: Message) -> None:
    """Carry out one message under the programme in force."""
    programme = wiring.programme(message.shop)
    ledger = wiring.ledger(programme.time_zone)
    customer_events.carry_out(message, ledger, programme, wiring.privacy_requests())
