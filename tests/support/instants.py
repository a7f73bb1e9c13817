"""Instants as milliseconds since 1970, and back."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(milliseconds: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(moment: datetime) -> int:
    """An aware datetime as milliseconds since 1970."""
    return round((moment - EPOCH) / timedelta(milliseconds=1))
