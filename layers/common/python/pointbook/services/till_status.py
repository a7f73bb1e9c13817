"""The till's state as operators read it: `GET /v1/operator/till`."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pointbook.store.till_comparisons import TillComparisons
from pointbook.store.till_state import TillState
from pointbook.till.member import Till


def till_status(
    provider: str, till: Till | None, state: TillState, now: datetime
) -> dict[str, Any]:
    """Return the body of the answer; without a till `state` is `none` and the rest is null.

    `closed`: calls go through; `open`: none but probes; `paused`: none at all, as the till asked.
    """
    return {
        "provider": provider,
        "capabilities": asdict(till.capabilities) if till else None,
        "state": _state(state, now) if till else "none",
        "kind": state.kind or None,
        "failures": state.failures,
        "since": _time(state.since),
        "next_probe_at": _time(state.probe_at),
        "paused_until": _time(state.paused_until) if state.is_paused(now) else None,
        "last_success_at": _time(state.succeeded_at),
        "notified": list(state.notified),
    }


def last_comparisons(store: TillComparisons, shops: Iterable[str]) -> dict[str, Any]:
    """Return by shop when the last comparison was finished, and its totals.

    `running_since`: one is under way. All is None before the first. Raises LedgerUnavailable.
    """
    found = dict[str, Any]()
    for shop in shops:
        stored = store.read(shop)
        last, running = stored.last, stored.running
        found[shop] = {
            "finished_at": _time(last.finished_at) if last else None,
            "running_since": _time(running.began_at) if running else None,
            "totals": asdict(last.totals) | {"differing": last.totals.differing} if last else None,
        }
    return found


def _state(state: TillState, now: datetime) -> str:
    if state.is_paused(now):
        return "paused"
    return "open" if state.is_open else "closed"


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None
