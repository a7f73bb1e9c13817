"""Queue of customer webhooks: points for signing up, and customers who became one."""

from functools import partial

from pointbook import environment, wiring
from pointbook.entrypoints.queue import queue_worker
from pointbook.services import customers as customer_events
from pointbook.services.message import Message

settings = environment.settings()


@queue_worker(stage=settings.stage)
def handler(message: Message) -> None:
    """Carry out one message under the programme in force."""
    programme = wiring.programme(message.shop)
    # A stack of one shop needs no question: whoever is genuine is that shop's.
    customers = partial(wiring.customers, message.shop) if len(settings.shops) > 1 else None
    ledger, requests = wiring.ledger(), wiring.privacy_requests()
    customer_events.carry_out(message, ledger, programme, requests, customers)
