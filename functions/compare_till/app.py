"""On schedule, and for `pointbook drift`: compare members' points in the ledger with the till's."""

from typing import Any

from pointbook import log
from pointbook.container import Container
from pointbook.deadline import Deadline
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.errors import PointbookError, Unavailable
from pointbook.services.till_comparison_runs import (
    CompareResult,
    compare_page,
    read_hours,
    read_page_request,
)
from pointbook.services.till_repair import read_repair_request

PAGE_SECONDS = 60.0
"""The time limit of one page, so that the command can show its progress."""


@scheduled(Container.from_env)
def handler(run: Run, container: Container) -> CompareResult | dict[str, Any]:
    """Continue the comparison of all shops; with a shop in the event, compare one page of it."""
    shops = container.settings.shops
    if container.till() is None:
        return {"code": "no_till", "message": "This stack has no till.", "retry": False}
    try:
        if "shop" not in run.event:
            every = read_hours(run.event)
            return container.till_comparison_runs().run(shops, run.seconds, every)
        request = read_page_request(run.event, shops)
        deadline = Deadline.after(min(run.seconds, PAGE_SECONDS), container.monotonic)
        if "push" in run.event:
            repair = container.till_repair(request.shop)
            return {"outcomes": repair.push(read_repair_request(run.event), deadline)}
        comparison = container.till_comparison(request.shop)
        return compare_page(comparison, container.till_comparisons(), request, deadline)
    except PointbookError as error:
        log.exception("members_not_compared")
        retry = isinstance(error, Unavailable)
        return {"code": error.code, "message": str(error), "retry": retry}
