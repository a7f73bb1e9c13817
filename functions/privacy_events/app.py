"""Queue of privacy webhooks: data requests, erasure of customers and shops, app removal."""

from pointbook.container import Container
from pointbook.entrypoints.queue import queue_worker
from pointbook.services.message import Message


@queue_worker(Container.from_env)
def handler(message: Message, container: Container) -> None:
    """Record the request and work on it for a while; privacy_watch continues it."""
    container.privacy_service().carry_out(message)
