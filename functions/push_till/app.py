"""The table's stream, and a schedule: push every change of points to the till."""

from typing import Any

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.publishing.runs import SweepResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> SweepResult | dict[str, Any]:
    """Push the accounts in the stream's records; without records, those in the retry queues."""
    if "Records" in run.event:
        return container.till_publisher.publish_changes(run.event["Records"], run.seconds)
    return container.till_publisher.sweep(container.settings.shops, run.seconds)
