"""Queue of privacy webhooks: a customer's data, a customer or a shop erased, the app removed."""

from pointbook import environment, wiring
from pointbook.entrypoints.queue import queue_worker
from pointbook.services.message import Message

settings = environment.settings()


@queue_worker(stage=settings.stage)
def handler(message: Message) -> None:
    """Write the request down, and do what there is time for; privacy_watch does the rest."""
    wiring.privacy_service().carry_out(message)
