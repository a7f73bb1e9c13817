"""On schedule: approve the pending points of orders when they are due."""

from pointbook.container import Container
from pointbook.domain.ports import DueKind
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.sweeps import Sweep, SweepResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> SweepResult:
    """Approve what is due, order by order, each in a transaction of its own."""

    def approve(shop: str, order_id: str) -> int:
        return container.order_service(shop).approve(order_id)

    return Sweep(container.store, container.clock, approve).run(DueKind.PENDING, run.seconds)
