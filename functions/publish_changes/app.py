"""The table's stream, and a schedule: publish every change of points to Shopify Flow."""

from typing import Any

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.publishing.runs import SweepResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> SweepResult | dict[str, Any]:
    """Publish the accounts in the stream's records; without records, those on the shops' lists."""
    if "Records" in run.event:
        return container.publisher.publish_changes(run.event["Records"], run.seconds)
    return container.publisher.sweep(container.settings.shops, run.seconds)
