"""On schedule, and for `pointbook orders`: feed orders whose webhooks were lost to their queue."""

from typing import Any

from pointbook import log
from pointbook.container import Container
from pointbook.deadline import Deadline
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.errors import PointbookError, Unavailable
from pointbook.services.reconciliation_runs import (
    ReconcileResult,
    compare_page,
    read_page_request,
)


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> ReconcileResult | dict[str, Any]:
    """Continue the daily comparison; with a period in the event, compare one page of it."""
    shops = container.settings.shops
    if "since" not in run.event and "until" not in run.event:
        return container.reconciliation_runs().run(shops, run.seconds)
    try:
        request = read_page_request(run.event, shops, container.clock.now())
        deadline = Deadline.after(run.seconds, container.monotonic)
        reconciler = container.order_reconciler(request.shop)
        return compare_page(request, reconciler, deadline, container.is_earning_paused)
    except PointbookError as error:
        log.exception("page_not_compared")
        retry = isinstance(error, Unavailable)
        return {"code": error.code, "message": str(error), "retry": retry}
