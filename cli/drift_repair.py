"""Repairs of `pointbook drift`: each member's figures are those of the report, or nothing is done.

report ── compared again ── as in the report ── repaired once, by a key of run and customer
                        └── equal by now: nothing to do    └── other figures: left alone
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
from pathlib import Path
from typing import Any

import typer

from cli.drift_function import BATCH_MEMBERS, CompareTill
from cli.drift_report import DIFFERS, EQUAL, NOT_COMPARED, Report, Row
from cli.errors import CommandFailed, NotReachable
from cli.operator_api import post
from cli.options import one_line
from cli.output import Output, counted
from cli.target import Target

SHOWN_MAX = 20
PAUSES_SECONDS = (0.0, 2.0, 5.0)
"""How long to wait before those that are queued for the till are looked at."""

_OF_EVERYBODY = frozenset({401, 403, 404})
"""Statuses that the next member would get, too."""


class How(StrEnum):
    """How to repair."""

    ENTRY = "entry"
    PUSH = "push"


class Outcome(StrEnum):
    """What becomes of a member; others are codes of refusals."""

    WOULD = "would_repair"
    DONE = "repaired"
    QUEUED = "queued"
    AGREES = "agrees"
    CHANGED = "changed"
    NOT_COMPARED = "not_compared"


_IN_WORDS = {
    Outcome.WOULD: "would be repaired",
    Outcome.AGREES: "agrees by now",
    Outcome.CHANGED: "changed since the report",
    Outcome.NOT_COMPARED: "not compared",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """An operator's decision: how to repair, why, and who decided."""

    how: How
    reason: str
    by: str

    @classmethod
    def of(cls, how: How | None, reason: str | None, by: str | None) -> "Decision | None":
        """The decision that the options make; None if nothing is to be repaired."""
        if how is None:
            return None
        if not (reason or "").strip() or not (by or "").strip():
            raise typer.BadParameter("--repair needs --reason and --by.")
        return cls(how, one_line(str(reason), "--reason"), one_line(str(by), "--by"))


@dataclass(slots=True)
class Repair:
    """The repair of what a report found to differ."""

    stack: Target
    function: CompareTill
    report: Report
    path: Path
    decision: Decision
    out: Output
    outcomes: dict[str, str] = field(default_factory=dict)
    settled_before: int = 0

    def run(self, *, is_dry_run: bool) -> int:
        """Repair, or say what would be done. Raises CommandFailed."""
        if self.decision.how is How.PUSH and not self.report.till.get("pushes"):
            raise CommandFailed("This till can only be read; use --repair entry.")
        rows = self.report.of(DIFFERS)
        with self.out.progress("members", len(rows)) as advance:
            for batch in batched(rows, BATCH_MEMBERS, strict=False):
                self._batch(list(batch), is_dry_run=is_dry_run)
                advance(len(self.outcomes))
        self._wait_for_pushes()
        return self._show(rows, is_dry_run=is_dry_run)

    def _batch(self, rows: list[Row], *, is_dry_run: bool) -> None:
        now: dict[str, Row] = {}
        for page in self.function.customers([row["customer_id"] for row in rows]):
            now |= {row["customer_id"]: row for row in page["rows"]}
        for row in rows:
            self.outcomes[row["customer_id"]] = self._outcome(row, now.get(row["customer_id"]))
        todo = [row for row in rows if self.outcomes[row["customer_id"]] == Outcome.WOULD]
        if is_dry_run or not todo:
            return
        repair = self._by_entry if self.decision.how is How.ENTRY else self._by_push
        for customer_id, outcome in repair(todo):
            self.outcomes[customer_id] = outcome
            if outcome in (Outcome.DONE, Outcome.QUEUED):
                self.report.repaired[customer_id] = self.decision.how
                self.report.write(self.path)

    def _outcome(self, row: Row, now: Row | None) -> Outcome:
        """The outcome for a member of the report, by the current figures."""
        if now is None or now["kind"] == NOT_COMPARED:
            return Outcome.NOT_COMPARED
        if now["kind"] == EQUAL:
            self.settled_before += 1
            is_ours = row["customer_id"] in self.report.repaired
            return Outcome.DONE if is_ours else Outcome.AGREES
        figures = ("kind", "ledger", "till")
        if all(now[name] == row[name] for name in figures):
            return Outcome.WOULD
        return Outcome.CHANGED

    def _by_entry(self, rows: list[Row]) -> Iterator[tuple[str, str]]:
        """Book the till's points in the ledger, as entries that are not pushed to the till."""
        for row in rows:
            yield row["customer_id"], self._adjust(row["customer_id"], row["difference"])

    def _adjust(self, customer_id: str, points: int) -> str:
        request = {
            "shop": self.report.shop,
            "points": points,
            "reason": self.decision.reason,
            "origin": "till",
            "by": self.decision.by,
        }
        key = f"drift:{self.report.run}:{customer_id}"
        path = f"/v1/operator/customers/{customer_id}/adjustments"
        answer = post(self.stack, path, request, {"Idempotency-Key": key})
        if answer is None or answer.status >= 500:
            raise NotReachable(
                f"No answer for customer {customer_id}. Run it again: each is repaired once."
            )
        if answer.status in _OF_EVERYBODY:
            raise CommandFailed(f"The API refuses adjustments. {answer.why}")
        return Outcome.DONE if answer.status == 201 else str(answer.body.get("code"))

    def _by_push(self, rows: list[Row]) -> Iterator[tuple[str, str]]:
        """Have the ledger's points pushed to the till; the function compares once more before."""
        names = ("customer_id", "ledger", "till")
        answer = self.function.ask(
            push=[{name: row[name] for name in names} for row in rows],
            run=self.report.run,
            reason=self.decision.reason,
            by=self.decision.by,
        )
        yield from answer["outcomes"].items()

    def _wait_for_pushes(self) -> None:
        """Run push_till on what is queued, and see what has arrived."""
        for seconds in PAUSES_SECONDS:
            queued = [one for one, outcome in self.outcomes.items() if outcome == Outcome.QUEUED]
            if not queued:
                return
            time.sleep(seconds)
            self.function.push()
            for page in self.function.customers(queued):
                for row in page["rows"]:
                    if row["kind"] == EQUAL:
                        self.outcomes[row["customer_id"]] = Outcome.DONE

    def _show(self, rows: list[Row], *, is_dry_run: bool) -> int:
        entry = self.decision.how is How.ENTRY
        counts = {one: list(self.outcomes.values()).count(one) for one in Outcome}
        left = len(rows) - sum(counts.values())
        if rows:
            columns = ("customer", "ledger", "till", "entry" if entry else "push", "result")
            cells = [self._cells(row) for row in rows]
            self.out.table(columns, cells[:SHOWN_MAX])
        if len(rows) > SHOWN_MAX:
            self.out.say(f"... and {len(rows) - SHOWN_MAX:,} more.")
        about = f"{self.report.shop}, report of {self.report.finished_at}: "
        if self.settled_before == len(rows):
            agree = counted(len(rows), "member", "members")
            why = f"all of its {agree} agree by now" if rows else "it found no difference"
            self.out.say(f"{about}nothing to repair, {why}.")
        else:
            found = [f"{count:,} {_words(one)}" for one, count in counts.items() if count]
            self.out.say(f"{about}{', '.join([*found, *([f'{left:,} refused'] if left else [])])}.")
        if is_dry_run and counts[Outcome.WOULD]:
            self.out.say("Nothing has been changed; --yes carries it out.")
        if counts[Outcome.QUEUED]:
            self.out.say("Queued: push_till finishes them within minutes, once the till answers.")
        if counts[Outcome.CHANGED]:
            self.out.say("Run pointbook drift again to see what has changed.")
        self.out.document(
            {
                "run": self.report.run,
                "shop": self.report.shop,
                "repair": self.decision.how,
                "dry_run": is_dry_run,
                "repaired": counts[Outcome.DONE],
                "members": [{**row, "outcome": self.outcomes[row["customer_id"]]} for row in rows],
            }
        )
        settled = (Outcome.DONE, Outcome.QUEUED, Outcome.AGREES)
        return int(sum(counts[one] for one in settled) < len(rows))

    def _cells(self, row: Row) -> tuple[Any, ...]:
        change = row["difference"] if self.decision.how is How.ENTRY else -row["difference"]
        outcome = _words(self.outcomes[row["customer_id"]])
        return row["customer_id"], row["ledger"], row["till"], f"{change:+,}", outcome


def _words(outcome: str) -> str:
    return next((words for one, words in _IN_WORDS.items() if one == outcome), str(outcome))
