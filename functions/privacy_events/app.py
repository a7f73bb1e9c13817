"""Queue of privacy webhooks: a customer's data, a customer or a shop erased, the app removed."""

from pointbook import environment, wiring
from pointbook.message import Message
from pointbook.queue_worker import queue_worker

settings = environment.settings()


@queue_worker(stage=settings.stage)
def handler(message: Message) -> None:
    """Write the request down, and do what there is time for; privacy_watch does the rest."""
    wiring.privacy_desk().carry_out(message)
