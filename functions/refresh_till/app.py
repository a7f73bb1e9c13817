"""The queue `till_refreshes`, and a schedule: refresh cached members of the till."""

from pointbook.container import Container
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.till_refresher import RefreshResult


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> RefreshResult:
    """Refresh the members in the queue's messages; without messages, watch the till itself."""
    refresher = container.till_refresher(container.member_numbers)
    if "Records" in run.event:
        return refresher.work(run.event["Records"])
    return refresher.watch()
