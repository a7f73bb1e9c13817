"""On schedule: settle holds whose time is over; they stopped counting at that moment."""

from pointbook.container import Container
from pointbook.domain.ports import DueKind
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.sweeps import Sweep, SweepResult, settling


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> SweepResult:
    """Settle every account on which something is due, each in a transaction of its own."""
    sweep = Sweep(container.store, container.clock, settling(container.ledger))
    return sweep.run(DueKind.HOLD, run.seconds)
