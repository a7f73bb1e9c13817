"""Summaries of the last comparisons with the till, as operators read them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pointbook.store.till_comparisons import TillComparisons


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


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
