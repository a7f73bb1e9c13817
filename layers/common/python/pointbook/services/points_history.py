"""My page's API: a customer's entries, each with the row that the customer reads."""

from datetime import datetime
from typing import Any

from pointbook.domain.chain import BookedEntry
from pointbook.ledger.read_only import ReadOnlyLedger
from pointbook.page.history_rows import Row, may_be_pending, row_of
from pointbook.services.stopwatch import Stopwatch


class PointsHistory:
    """Reads the history of a customer, with what has fallen due and is not written yet."""

    def __init__(self, ledger: ReadOnlyLedger) -> None:
        """Read `ledger`."""
        self._ledger = ledger

    def page(
        self, shop: str, customer_id: str, limit: int, cursor: int, timing: Stopwatch
    ) -> dict[str, Any]:
        """Return the body of `GET /customers/{customer}/points/history`.

        Its entries are below version `cursor`, newest first. Reads one more than `limit`, to know
        whether there is a next page. Raises LedgerUnavailable.
        """
        with timing.measure("ledger"):
            account, found = self._ledger.history_page(
                shop, customer_id, limit=limit + 1, before_version=cursor
            )
            if account is None:
                return {"entries": [], "next_cursor": None}
            shown = found[:limit]
            pending = {
                booked.entry.about for booked in shown if may_be_pending(booked.entry, account)
            }
            orders = self._ledger.orders(shop, pending)
        befores = [*found[1:], None]
        return {
            "entries": [
                _entry(booked, row_of(booked, before, account, orders))
                for booked, before in zip(shown, befores, strict=False)
            ],
            "next_cursor": str(shown[-1].entry.version) if len(found) > limit else None,
        }


def _entry(booked: BookedEntry, row: Row | None) -> dict[str, Any]:
    entry = booked.entry
    return {
        "entry_id": entry.entry_id,
        "version": entry.version,
        "at": _instant(entry.at),
        "topic": entry.topic,
        "reason": booked.text.reason if booked.text else None,
        "approved_delta": entry.approved_delta,
        "figures": entry.figures._asdict(),
        "row": row.as_json() if row else None,
    }


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")
