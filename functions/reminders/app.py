"""On schedule: tell Shopify Flow of points that will expire soon."""

from dataclasses import asdict
from typing import Any

from pointbook import environment, log, wiring
from pointbook.services.sweeps import MARGIN_SECONDS

settings = environment.settings()


def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Tell of each lot once for each of the programme's reminder days."""
    log.bind(stage=settings.stage, request_id=context.aws_request_id)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return asdict(wiring.reminder_sender().run(settings.shops, seconds))
