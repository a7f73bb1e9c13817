"""Times as a person gives them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import typer


def time_of(option: str, text: str, zone: ZoneInfo) -> datetime:
    """A time with its zone; a day, or a time without one, is the shop's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{option} is {text!r}, but must be a day such as 2026-11-28, or a time such as"
            " 2026-11-28T09:00:00+09:00."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)
