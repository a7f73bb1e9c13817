"""On schedule: switch off discount codes that nobody holds points for."""

from dataclasses import asdict
from typing import Any

from pointbook import environment, log, wiring
from pointbook.domain.ports import DueKind
from pointbook.services.sweeps import MARGIN_SECONDS, Sweep

settings = environment.settings()


def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Try every code of the list whose time has come, each for itself."""
    log.bind(stage=settings.stage, request_id=context.aws_request_id)
    sweep = Sweep(wiring.store(), environment.clock(), wiring.orphaned_code_service().switch_off)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return asdict(sweep.run(DueKind.CODE, seconds))
