"""On schedule: go on with privacy requests that are not done, and tell how old the oldest is."""

from dataclasses import asdict
from typing import Any

from pointbook import environment, log, wiring
from pointbook.services.sweeps import MARGIN_SECONDS

settings = environment.settings()


def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on each open request in turn, until the time is up."""
    log.bind(stage=settings.stage, request_id=context.aws_request_id)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return asdict(wiring.privacy_service().watch(settings.shops, seconds))
