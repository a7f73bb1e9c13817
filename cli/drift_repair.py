"""Repairs of `pointbook drift`: each member's figures are those of the report, or nothing is done.

report ── compared again ── as in the report ── repaired once, by a key of run and customer
                        └── equal by now: nothing to do    └── other figures: left alone
"""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
from pathlib import Path
from typing import Any

import typer

from cli.drift_function import BATCH_MEMBERS, CompareTill
from cli.drift_report import DIFFERS, EQUAL, Report, Row
from cli.errors import CommandFailed, NotReachable
from cli.operator_api import post
from cli.output import Output
from cli.target import Target

SHOWN_MAX = 20


class How(StrEnum):
    """How to repair."""

    ENTRY = "entry"
    PUSH = "push"


class Outcome(StrEnum):
    """What becomes of a member; the other outcomes are codes of a refusal."""

    WOULD = "would be repaired"
    DONE = "repaired"
    AGREES = "agrees by now"
    CHANGED = "changed since the report"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided: how to repair, why, and who."""

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
        return cls(how, str(reason), str(by))


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

    def run(self, *, is_dry_run: bool) -> int:
        """Repair, or say what would be done. Raises CommandFailed."""
        if self.decision.how is How.PUSH and not self.report.till.get("pushes"):
            raise CommandFailed("This till can only be read; use --repair entry.")
        rows = self.report.of(DIFFERS)
        with self.out.progress("members", len(rows)) as advance:
            for batch in batched(rows, BATCH_MEMBERS, strict=False):
                self._batch(list(batch), is_dry_run=is_dry_run)
                advance(len(self.outcomes))
        return self._show(rows, is_dry_run=is_dry_run)

    def _batch(self, rows: list[Row], *, is_dry_run: bool) -> None:
        now: dict[str, Row] = {}
        for page in self.function.customers([row["customer_id"] for row in rows]):
            now |= {row["customer_id"]: row for row in page["rows"]}
        for row in rows:
            customer_id = row["customer_id"]
            outcome = _outcome(row, now.get(customer_id))
            if outcome is Outcome.WOULD and not is_dry_run:
                self.outcomes[customer_id] = self._repair(row)
            elif outcome is Outcome.AGREES and customer_id in self.report.repaired:
                self.outcomes[customer_id] = Outcome.DONE
            else:
                self.outcomes[customer_id] = outcome

    def _repair(self, row: Row) -> str:
        repair = self._by_entry if self.decision.how is How.ENTRY else self._by_push
        outcome = repair(row)
        if outcome == Outcome.DONE:
            self.report.repaired[row["customer_id"]] = self.decision.how
            self.report.write(self.path)
        return outcome

    def _by_entry(self, row: Row) -> str:
        """Book the till's points in the ledger, as an entry that is not carried to the till."""
        customer_id = row["customer_id"]
        key = f"drift:{self.report.run}:{customer_id}"
        request = {
            "shop": self.report.shop,
            "points": row["difference"],
            "reason": self.decision.reason,
            "origin": "till",
            "by": self.decision.by,
        }
        path = f"/v1/operator/customers/{customer_id}/adjustments"
        answer = post(self.stack, path, request, {"Idempotency-Key": key})
        if answer is None or answer.status >= 500:
            raise NotReachable(
                f"No answer for customer {customer_id}. Run it again: each is repaired once."
            )
        if answer.status == 201:
            return Outcome.DONE
        code = str(answer.body.get("code", answer.status))
        if answer.status in (401, 403, 404):  # the same for everybody
            raise CommandFailed(f"The ledger refuses repairs. {answer.why}")
        return code

    def _by_push(self, row: Row) -> str:
        """Carry the ledger's points to the till."""
        answer = self.function.ask(
            push={"customer_id": row["customer_id"], "ledger": row["ledger"], "till": row["till"]},
            run=self.report.run,
            reason=self.decision.reason,
            by=self.decision.by,
        )
        return str(answer["outcome"])

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
        self.out.say(
            f"{self.report.shop}, report of {self.report.finished_at}: "
            + ", ".join(f"{count:,} {one}" for one, count in counts.items() if count)
            + (f", {left:,} refused." if left else ".")
            if rows
            else f"{self.report.shop}: the report of {self.report.finished_at} found no difference."
        )
        if is_dry_run and counts[Outcome.WOULD]:
            self.out.say("Nothing has been changed; --yes carries it out.")
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
        return int(counts[Outcome.DONE] + counts[Outcome.AGREES] < len(rows))

    def _cells(self, row: Row) -> tuple[Any, ...]:
        change = row["difference"] if self.decision.how is How.ENTRY else -row["difference"]
        outcome = str(self.outcomes[row["customer_id"]])
        return row["customer_id"], row["ledger"], row["till"], f"{change:+,}", outcome


def _outcome(row: Row, now: Row | None) -> Outcome:
    """What is to be done with a member of the report, by the figures of now."""
    if now is not None and now["kind"] == EQUAL:
        return Outcome.AGREES
    figures = ("kind", "ledger", "till")
    if now is not None and all(now[name] == row[name] for name in figures):
        return Outcome.WOULD
    return Outcome.CHANGED
