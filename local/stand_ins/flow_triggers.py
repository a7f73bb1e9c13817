"""Shopify Flow's end of `flowTriggerReceive`: which triggers the app has, and what it was sent."""

import json
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from local.stand_ins.discounts import Refused, UserError

HANDLES = frozenset(
    {"points-balance", "points-approved-changed", "points-changed", "points-expiring"}
)
_SIZE_LIMIT_BYTES = 50_000
_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger that Flow took."""

    at: datetime
    handle: str
    payload: object


class Triggers:
    """The triggers one shop's Flow took, oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: deque[Trigger] = deque(maxlen=_KEPT)

    def receive(self, handle: str | None, payload: object, now: datetime) -> None:
        """Take a trigger, or raise Refused. Repeats are taken too: Flow knows no repeats."""
        if handle is None or payload is None:
            text = "`handle` and `payload` arguments are required"
            raise Refused(UserError(("handle",), text, None))
        if handle not in HANDLES:
            raise Refused(_schema_error(f"Invalid handle '{handle}'."))
        size = len(json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode())
        if size > _SIZE_LIMIT_BYTES:
            text = f"Properties size exceeds the limit of {_SIZE_LIMIT_BYTES} bytes."
            raise Refused(_schema_error(text))
        with self._lock:
            self._taken.append(Trigger(now, handle, payload))

    def all(self) -> list[Trigger]:
        """Every trigger taken, oldest first."""
        with self._lock:
            return list(self._taken)


def _schema_error(text: str) -> UserError:
    return UserError(("body",), f"Errors validating schema:\n  {text}\n", None)
