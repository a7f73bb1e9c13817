"""On schedule: approve the points of orders whose time has come."""

from dataclasses import asdict
from typing import Any

from pointbook import environment, log, wiring
from pointbook.domain.ports import DueKind
from pointbook.services.sweeps import MARGIN_SECONDS, Sweep

settings = environment.settings()


def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Approve what is due, order by order, each in a transaction of its own."""
    log.bind(stage=settings.stage, request_id=context.aws_request_id)
    sweep = Sweep(wiring.store(), environment.clock(), _approve)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return asdict(sweep.run(DueKind.PENDING, seconds))


def _approve(shop: str, order_id: str) -> int:
    return wiring.order_service(shop).approve(order_id)
