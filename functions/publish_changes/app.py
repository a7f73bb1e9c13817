"""The table's stream, and a schedule: tell Shopify Flow of every change of points."""

from dataclasses import asdict
from typing import Any

from pointbook import environment, log, wiring
from pointbook.services.sweeps import MARGIN_SECONDS

settings = environment.settings()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Tell of the books that the stream names; without records, of those on the shops' lists."""
    log.bind(stage=settings.stage, request_id=context.aws_request_id)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    if "Records" in event:
        return wiring.publisher().wake(event["Records"], seconds)
    return asdict(wiring.publisher().sweep(settings.shops, seconds))
