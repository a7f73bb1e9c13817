"""Queue of customer webhooks: sign-up points, and merged customers."""

from functools import partial

from pointbook.container import Container
from pointbook.entrypoints.queue import queue_worker
from pointbook.services import customers as customer_events
from pointbook.services.message import Message


@queue_worker(Container.from_env)
def handler(message: Message, container: Container) -> None:
    """Process one message under the programme in force."""
    programme = container.programme(message.shop)
    # With one shop a genuine webhook is that shop's; only who has an account is to be asked.
    several_shops = len(container.settings.shops) > 1
    needs_customers = several_shops or programme.sign_up_needs_account
    customers = partial(container.customers, message.shop) if needs_customers else None
    ledger, requests = container.ledger, container.privacy_requests()
    waiting = container.waiting_sign_ups
    customer_events.carry_out(message, ledger, programme, requests, customers, waiting)
