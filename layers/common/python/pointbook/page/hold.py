"""An open hold as the API shows it to its customer."""

from datetime import datetime
from math import ceil
from typing import Any

from pointbook.domain.account import Hold, HoldState


def shown_hold(hold: Hold, now: datetime) -> dict[str, Any]:
    """Return the hold as JSON; its code only while a checkout accepts it.

    The seconds left are for pages, because the clocks of browsers are often wrong.
    """
    return {
        "hold_id": hold.hold_id,
        "points": hold.points,
        "state": hold.state.value,
        "discount_code": hold.code if hold.state is HoldState.READY else None,
        "expires_at": hold.ends_at.isoformat(timespec="milliseconds"),
        "expires_in_seconds": max(0, ceil((hold.ends_at - now).total_seconds())),
    }
