"""Times as people give them to a command, and as they read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from cli.target import Target


def time_of(option: str, text: str, zone: ZoneInfo) -> datetime:
    """A time with its zone; a day, or a time without one, is the shop's. Raises BadParameter."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{option} is {text!r}, but must be a day such as 2026-11-28, or a time such as"
            " 2026-11-28T09:00:00+09:00."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def zone_of(stack: Target) -> ZoneInfo:
    """The time zone of a stack's shops, as it is deployed."""
    return ZoneInfo(stack.settings.default_programme().time_zone)


def local_time(instant: str, zone: ZoneInfo) -> str:
    """An instant of the API as a clock in the shop shows it: 2026-11-28 09:00:00."""
    return f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M:%S}"
