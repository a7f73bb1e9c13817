"""Persistence of a table's stream records across restarts.

MiniStack persists its readers' positions, but not the records: after a restart unread records are
lost, and as many new ones as had been read before are skipped.
"""

import copy
from collections.abc import Callable
from typing import Any

from local.ministack_patches import module, part, replace

_PARTS = ("_stream_records", "_stream_trimmed")


def apply() -> None:
    """Persist the records with the tables."""
    dynamodb = module("services.dynamodb")
    streams = {name: part(dynamodb, name) for name in _PARTS}
    state: Callable[[], dict[str, Any]] = part(dynamodb, "get_state")
    restore: Callable[[dict[str, Any]], None] = part(dynamodb, "load_persisted_state")

    def state_with_streams() -> dict[str, Any]:
        return state() | {name: copy.deepcopy(records) for name, records in streams.items()}

    def restore_with_streams(data: dict[str, Any]) -> None:
        restore(data)
        for name, records in streams.items():
            records.update((data or {}).get(name, {}))

    replace(dynamodb, "get_state", state_with_streams)
    replace(dynamodb, "load_persisted_state", restore_with_streams)
