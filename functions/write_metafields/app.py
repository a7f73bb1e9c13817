"""On schedule: write the metafields of customers whose points have changed."""

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.metafields.writer import WriteResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> WriteResult:
    """Write those of the customers on the shops' lists, as many as time and pace allow."""
    return container.metafield_writer().run(container.settings.shops, run.seconds)
