"""On schedule: verify a random part of the ledger, so that damage is found without being sought."""

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.verification import SampleResult, verify_sample

UNITS_MAX = 1_000
"""Read units of one run: some thousands of entries."""


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> SampleResult:
    """Verify accounts from a random one on, within units and time."""
    shop = container.settings.shops[0]
    return verify_sample(container.verification(), shop, (UNITS_MAX, run.seconds))
