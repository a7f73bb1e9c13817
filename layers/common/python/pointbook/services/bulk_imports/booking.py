"""Books the rows of a customer, or undoes them: what becomes of each is an `Outcome`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry, Cause
from pointbook.domain.commands import Command, Grant, Remove, ReverseImport, Settle
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import ExpiryRule, FixedDate, last_valid_day, without_renewal
from pointbook.domain.lots import Lot
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.bulk_imports.rows import Row
from pointbook.services.bulk_imports.runs import Kind, Run
from pointbook.services.imports import ROW_SECONDS, SOURCE

BOOKED: Final = "booked"
REPEATED: Final = "repeated"
REFUSED: Final = "refused"
UNDONE: Final = "undone"
LEFT: Final = "left"
NOT_BOOKED: Final = "not_booked"

STATUSES = {
    Kind.IMPORT: (BOOKED, REPEATED, REFUSED),
    Kind.UNDO: (UNDONE, LEFT, NOT_BOOKED, REFUSED),
}
"""`repeated`: booked before, by an earlier start or delivery. `undone` has the points that came
back, `left` those that could not, `not_booked` rows that were never booked or whose import did."""

_ERASED = "This customer's data was erased on request."

type Carrier = Callable[[Instruction], tuple[Booked | Refusal, int]]
"""Carries out an instruction; its answer, and the points that a reversal moved."""

NOT_THERE = "points_not_there"
"""The code of points that cannot be taken back."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: points by status, and why some of them were not moved."""

    row: Row
    points: dict[str, int]
    code: str = ""
    message: str = ""

    def listed(self) -> dict[str, Any]:
        """Return it for the list of rows to look at."""
        status = LEFT if LEFT in self.points else REFUSED
        return {
            "line": self.row.line,
            "customer_id": self.row.customer_id,
            "point": self.row.points,
            "left": self.points.get(status, 0),
            "code": self.code,
            "message": self.message,
        }


class Booking:
    """Carries out one run's rows under a shop's programme."""

    def __init__(self, run: Run, ledger: Ledger, programme: Programme) -> None:
        """Book in `ledger`, or only look if the run is a dry one."""
        self._run = run
        self._ledger = ledger
        self._cause = Cause(SOURCE, run.actor)
        self._expiry = without_renewal(programme.expiry)
        self._time_zone = programme.time_zone

    def carry_out(self, rows: Sequence[Row]) -> Iterator[Outcome]:
        """Yield the outcome of each of a customer's rows, in order. Raises LedgerUnavailable.

        A dry run previews each on the account as the ones before it would leave it.
        """
        carry_out = self._carrier()
        if self._run.kind is Kind.UNDO:
            yield from (self._undone(row, carry_out) for row in reversed(rows))
        else:
            for row in rows:
                yield _booked(row, carry_out(self.instruction(row))[0])

    def is_booked(self, row: Row) -> bool:
        """Whether the row was booked by an earlier run."""
        return self._ledger.recorded(self.instruction(row), ROW_SECONDS) is not None

    def instruction(self, row: Row) -> Instruction:
        """Return what books a row. Its content is all but the title, which can be erased."""
        about = self._about(row)
        return Instruction(
            shop=self._run.shop,
            customer_id=row.customer_id,
            command=self._command(row, about),
            cause=self._cause,
            reason=row.title,
            identity=Identity("import:file", self._name(row)),
            content={
                "customer": row.customer_id,
                "points": row.points,
                "expires_on": row.expires_on.isoformat() if row.expires_on else None,
                "created_at": row.created_at or None,
            },
            time_zone=self._time_zone,
        )

    def _command(self, row: Row, about: str) -> Command:
        if row.points < 0:
            return Remove(-row.points, about)
        expiry: ExpiryRule = self._expiry
        if row.expires_on is not None:
            expiry = FixedDate(row.expires_on)
        elif row.granted_on is not None:
            expiry = FixedDate(last_valid_day(expiry, row.granted_on))
        return Grant(row.points, expiry, Topic.ADD_IMPORT, about, in_time=True)

    def _about(self, row: Row) -> str:
        """Name import, row and original day in the entry."""
        day = f"@{row.granted_on.isoformat()}" if row.granted_on else ""
        return f"{self._run.import_id}#{row.name}{day}"

    def _name(self, row: Row) -> str:
        return f"{self._run.import_id}#{row.customer_id}#{row.name}"

    def _reversal(self, row: Row, entry: BookedEntry) -> Instruction:
        sign = -1 if row.points < 0 else 1
        lots = tuple(Lot(lot.valid_through, sign * lot.points) for lot in entry.entry.lots)
        command = ReverseImport(abs(row.points), lots, self._about(row), was_removal=row.points < 0)
        return Instruction(
            shop=self._run.shop,
            customer_id=row.customer_id,
            command=command,
            cause=self._cause,
            reason=row.title,
            identity=Identity("import:undo", self._name(row)),
            content={"entry": entry.entry.entry_id},
            time_zone=self._time_zone,
        )

    def _undone(self, row: Row, carry_out: Carrier) -> Outcome:
        found = self._ledger.recorded(self.instruction(row), ROW_SECONDS)
        if not isinstance(found, Booked):
            return Outcome(row, {NOT_BOOKED: row.points})
        entry = self._entry(found.entry_ids[0])
        if entry is None:
            return Outcome(row, {REFUSED: row.points}, Code.CUSTOMER_ERASED, _ERASED)
        answer, moved = carry_out(self._reversal(row, entry))
        return _undone(row, answer, moved)

    def _carrier(self) -> Carrier:
        """Return what carries out a customer's instructions, one after the other."""
        return self._previewed() if self._run.dry_run else self._executed

    def _executed(self, instruction: Instruction) -> tuple[Booked | Refusal, int]:
        answer = self._ledger.execute(instruction, ROW_SECONDS)
        return answer, self._moved(instruction, answer)

    def _previewed(self) -> Carrier:
        account: Account | None = None

        def preview(instruction: Instruction) -> tuple[Booked | Refusal, int]:
            nonlocal account
            if account is None:
                settle = replace(instruction, command=Settle(), identity=None)
                _, account = self._ledger.preview_after(None, settle, ROW_SECONDS)
            answer, after = self._ledger.preview_after(account, instruction, ROW_SECONDS)
            moved = abs(after.figures.approved - account.figures.approved)
            if isinstance(answer, Booked) and answer.duplicate:
                moved = self._moved(instruction, answer)
            account = after
            return answer, moved

        return preview

    def _entry(self, entry_id: str) -> BookedEntry | None:
        owner, _, version = entry_id.rpartition("-")
        return self._ledger.entry(self._run.shop, owner, int(version))

    def _moved(self, instruction: Instruction, answer: Booked | Refusal) -> int:
        """Return the points that a reversal moved, now or when it was carried out before."""
        command = instruction.command
        if not isinstance(command, ReverseImport):
            return 0
        if isinstance(answer, Refusal) or not answer.entry_ids:
            return 0
        entry = self._entry(answer.entry_ids[0])
        return entry.entry.points if entry is not None else command.points


def _booked(row: Row, answer: Booked | Refusal) -> Outcome:
    if isinstance(answer, Refusal):
        why = _past(row, answer.message) if answer.code is Code.DAY_PAST else answer.message
        return Outcome(row, {REFUSED: row.points}, answer.code, why)
    return Outcome(row, {REPEATED if answer.duplicate else BOOKED: row.points})


def _past(row: Row, message: str) -> str:
    """Why points would lapse at once, with the column that says so."""
    if row.expires_on is not None:
        return f"By expired_at: {message}"
    return f"By created_at, {row.created_at}: {message}" if row.created_at else message


def _undone(row: Row, answer: Booked | Refusal, moved: int) -> Outcome:
    sign = -1 if row.points < 0 else 1
    if isinstance(answer, Refusal):
        return Outcome(row, {REFUSED: row.points}, answer.code, answer.message)
    if left := abs(row.points) - moved:
        why = f"{left:,} of {abs(row.points):,} points are not there: spent, held, or expired."
        points = {UNDONE: sign * moved} if moved else {}
        return Outcome(row, {**points, LEFT: sign * left}, NOT_THERE, why)
    return Outcome(row, {UNDONE: row.points})
