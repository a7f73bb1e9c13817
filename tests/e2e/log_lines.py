"""The log lines of the running stack's functions."""

from typing import Any

EVENTS_MAX = 10_000
"""The emulator returns no more events than these, and no next page."""


def log_lines(logs: Any, group: str, term: str = "", since_ms: int = 0) -> list[str]:
    """The lines of a log group that contain `term`. Fails where they may not be all of them."""
    request: dict[str, Any] = {"logGroupName": group, "startTime": since_ms}
    if term:
        request["filterPattern"] = f'"{term}"'
    events = logs.filter_log_events(**request)["events"]
    assert len(events) < EVENTS_MAX, f"more lines of {group} than the emulator returns"
    return [event["message"] for event in events]
