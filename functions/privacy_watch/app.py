"""On schedule: continue privacy requests that are open, and report the age of the oldest."""

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.privacy.requests import WatchResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> WatchResult:
    """Work on each open request in turn, until the time is up."""
    return container.privacy_service().watch(container.settings.shops, run.seconds)
