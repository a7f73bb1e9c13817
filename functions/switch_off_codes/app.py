"""On schedule: deactivate discount codes that stand for no hold (orphaned codes)."""

from pointbook.container import Container
from pointbook.domain.ports import DueKind
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.sweeps import Sweep, SweepResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> SweepResult:
    """Try every listed code that is due, each by itself."""
    service = container.orphaned_code_service()
    return Sweep(container.store, container.clock, service.deactivate).run(
        DueKind.CODE, run.seconds
    )
