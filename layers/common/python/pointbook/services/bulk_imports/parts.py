"""Carries out the parts of a run, one message each.

A row is booked once, whatever happens to its part: the ledger knows it by its name. A part that was
cut off is delivered again and begins anew; its rows are then `repeated`.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Self

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import LedgerUnavailable, MessageDeclined, Unavailable
from pointbook.services.bulk_imports.booking import NOT_BOOKED, Booking, Outcome
from pointbook.services.bulk_imports.rows import Row
from pointbook.services.bulk_imports.runs import Files, Kind, Run, json_bytes

PART_SECONDS = 240.0
"""The time for one part; what is left then is done when its message comes again."""

WORKERS = 4
"""Parts that are carried out at a time: `MaximumConcurrency` of the queue's mapping."""


@dataclass(slots=True)
class PartResult:
    """What became of a part's rows: totals by status, and a list of rows to look at."""

    rows: int = 0
    totals: dict[str, Counter[str]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, points: Mapping[str, int]) -> None:
        """Count a row: points by status, below zero where they are removed."""
        self.rows += 1
        for status, number in points.items():
            total = self.totals.setdefault(status, Counter(rows=0, added=0, removed=0))
            total["rows"] += 1
            total["added" if number > 0 else "removed"] += abs(number)

    def note(self, outcome: Outcome) -> None:
        """Count a row's outcome, and list it if it has a reason."""
        self.add(outcome.points)
        if outcome.code:
            self.listed.append(outcome.listed())

    def join(self, other: "PartResult") -> None:
        """Add another part's result."""
        self.rows += other.rows
        self.listed += other.listed
        for status, total in other.totals.items():
            self.totals.setdefault(status, Counter(rows=0, added=0, removed=0)).update(total)

    def text(self) -> bytes:
        """Return it as its file has it."""
        return json_bytes({"rows": self.rows, "totals": self.totals, "listed": self.listed})

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Return what `text` has written."""
        members = json.loads(content)
        totals = {status: Counter(total) for status, total in members["totals"].items()}
        return cls(members["rows"], totals, members["listed"])


class PartWorker:
    """Carries out parts at a pace that leaves the table's capacity to others."""

    def __init__(
        self,
        files: Files,
        booking: Callable[[Run], Booking],
        clock: Clock,
        rows_per_second: int,
    ) -> None:
        """Carry out at most this share of `rows_per_second`."""
        self._files = files
        self._booking = booking
        self._clock = clock
        self._pause_seconds = WORKERS / rows_per_second

    def carry_out(self, run: Run, part: int) -> None:
        """Carry out a part. Raises LedgerUnavailable if rows are left: it has to come again."""
        if self._files.exists(run.done_key(part)):
            return
        content = self._files.get(run.part_key(part))
        if content is None:
            raise MessageDeclined(
                "part_missing", f"There is no file {run.part_key(part)} any more."
            )
        rows = [Row.read(line) for line in content.splitlines()]
        result = PartResult()
        if run.kind is Kind.IMPORT and self._files.exists(run.undone_key):
            for row in rows:
                result.add({NOT_BOOKED: row.points})
        else:
            self._book(run, rows, result)
        self._files.put(run.done_key(part), result.text())
        log.info("part_imported", **run.as_json(), part=part, totals=result.totals)

    def _book(self, run: Run, rows: list[Row], result: PartResult) -> None:
        booking, left = self._booking(run), 0
        deadline = Deadline.after(PART_SECONDS, self._clock.monotonic)
        for _, group in groupby(rows, key=lambda row: row.customer_id):
            of_customer = list(group)
            if deadline.passed or not self._book_customer(booking, of_customer, result):
                left += len(of_customer)
        if left:
            log.warning("part_not_finished", run_id=run.run_id, rows_left=left)
            raise LedgerUnavailable(retry_after_seconds=60)

    def _book_customer(self, booking: Booking, rows: list[Row], result: PartResult) -> bool:
        """Book a customer's rows; False if some have to be tried again."""
        try:
            began = self._clock.monotonic()
            for outcome in booking.carry_out(rows):
                result.note(outcome)
                spare = self._pause_seconds - (self._clock.monotonic() - began)
                if spare > 0:
                    self._clock.sleep(spare)
                began = self._clock.monotonic()
        except Unavailable:
            return False
        except Exception:  # noqa: BLE001 - one failing row must not stop the others
            log.exception("import_row_failed", lines=[row.line for row in rows])
            return False
        return True
