"""On schedule: write down what stopped counting at its time: holds that are over."""

from dataclasses import asdict
from typing import Any

from pointbook import environment, log, wiring
from pointbook.domain.ports import DueKind
from pointbook.services.sweeps import MARGIN_SECONDS, Sweep, settling

settings = environment.settings()


def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Settle every account on which something is due, each in a transaction of its own."""
    log.bind(stage=settings.stage, request_id=context.aws_request_id)
    sweep = Sweep(wiring.store(), environment.clock(), settling(wiring.ledger()))
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return asdict(sweep.run(DueKind.HOLD, seconds))
