"""Scheduled runs: the statement of each day that is over is written into a file, once.

    progress ── accounts ── accounts ── ... ── end of the table ── compare ── statement
                   │      the sums so far are kept every minute and at the end of
                   └───── the time; the next run goes on there

A statement that does not meet, or that does not begin where the day before ended, is added up once
more: a customer who is erased meanwhile may be read twice. If it still does not, it is written as
it is, says so, and is a fault of the ledger for the alarm.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.books.movements import minus
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import Statement
from pointbook.domain.buckets import Balances
from pointbook.domain.expiry import day_of
from pointbook.domain.ports import Clock
from pointbook.errors import PointbookError
from pointbook.services.statement_lines import StatementFile
from pointbook.services.statements import Statements
from pointbook.store.partition_checks import Key

SETTLING = timedelta(minutes=30)
"""After midnight: what was decided before it is written by then."""

DAYS_BACK_MAX = 31
"""Days that are made up for after an outage; earlier ones can be computed by a command."""

KEEP_SECONDS = 60.0
ATTEMPTS = 2


class Files(Protocol):
    """Where statements are kept."""

    def days(self, shop: str, since: date) -> Iterator[date]:
        """The days that have a statement."""

    def read(self, shop: str, day: date) -> str | None:
        """The statement of a day."""

    def write(self, shop: str, day: date, lines: str, table: str) -> None:
        """Write the statement of a day."""

    def progress(self, shop: str, day: date) -> str | None:
        """The sums of a day so far."""

    def keep_progress(self, shop: str, day: date, lines: str) -> None:
        """Keep the sums of a day so far."""

    def end_progress(self, shop: str, day: date) -> None:
        """Forget the sums of a day so far."""


@dataclass(slots=True)
class StatementResult:
    """The result of a run: how many statements were written, and how many of them do not meet.

    `stopped`: the code of the error for which it ended early. Not `complete`: the next run goes on.
    """

    written: int = 0
    differing: int = 0
    accounts: int = 0
    stopped: str = ""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class StatementRuns:
    """The runs of a stack; `statements` reads a shop's ledger, `clock` is the ledger's."""

    statements: Callable[[str], Statements]
    files: Files
    clock: Clock

    def run(self, shops: Iterable[str], seconds: float) -> StatementResult:
        """Write what is missing of each shop, for at most `seconds`."""
        result, deadline = StatementResult(), Deadline.after(seconds, self.clock.monotonic)
        for shop in shops:
            try:
                for period in self._missing(shop):
                    day = _Day(self, self.statements(shop), period, deadline)
                    if not day.write(result):
                        result.complete = False
                        break
            except PointbookError as error:
                result.stopped, result.complete = error.code, False
                log.exception("statement_stopped", shop=shop, code=error.code)
        log.info("statements_done", **asdict(result))
        return result

    def _missing(self, shop: str) -> Iterator[Period]:
        """The days since the last statement; the first one ever is yesterday's."""
        time_zone = self.statements(shop).rules.time_zone
        yesterday = day_of(self.clock.now() - SETTLING, time_zone) - timedelta(days=1)
        since = yesterday - timedelta(days=DAYS_BACK_MAX)
        written = max(self.files.days(shop, since), default=yesterday - timedelta(days=1))
        for number in range((yesterday - written).days):
            day = written + timedelta(days=number + 1)
            yield Period(day, day, time_zone)


@dataclass(slots=True)
class _Day:
    """One day of one shop."""

    runs: StatementRuns
    statements: Statements
    period: Period
    deadline: Deadline
    statement: Statement = field(default_factory=Statement)
    position: Key | None = None
    attempt: int = 1

    @property
    def day(self) -> date:
        """The day."""
        return self.period.last

    def write(self, result: StatementResult) -> bool:
        """Go on until the statement is written, or the time is up. Whether it is written."""
        self._resume()
        while self._read():
            changed = self._changed()
            if (self.statement.is_closed and not any(changed)) or self.attempt >= ATTEMPTS:
                self._finish(changed, result)
                return True
            log.warning("statement_again", shop=self.statements.shop, day=self.day.isoformat())
            self.statement, self.position, self.attempt = Statement(), None, self.attempt + 1
            self._keep()
        return False

    def _resume(self) -> None:
        lines = self.runs.files.progress(self.statements.shop, self.day)
        if lines is not None:
            file, head = StatementFile.read(lines)
            self.statement, self.attempt = file.statement, head["attempt"]
            self.position = tuple(head["position"]) if head["position"] else None

    def _read(self) -> bool:
        """Add the accounts that are left; whether the end of the table was reached."""
        monotonic = self.runs.clock.monotonic
        saved_at, in_time = monotonic(), True

        def on_page(_: int) -> bool:
            nonlocal in_time
            in_time = not self.deadline.passed
            return in_time

        statements = self.statements
        for key in statements.add(self.period, self.statement, self.position, on_page):
            self.position = key
            if monotonic() - saved_at >= KEEP_SECONDS:
                self._keep()
                saved_at = monotonic()
        if not in_time:
            self._keep()
        return in_time

    def _keep(self) -> None:
        file = self.statements.file(self.period, self.statement)
        lines = file.lines(position=self.position, attempt=self.attempt)
        self.runs.files.keep_progress(file.shop, self.day, lines)

    def _changed(self) -> Balances:
        """The opening figures less those with which the day before closed."""
        before = self.runs.files.read(self.statements.shop, self.day - timedelta(days=1))
        if before is None:
            return Balances()
        closing = StatementFile.read(before)[0].statement.closing
        return minus(self.statement.opening, closing)

    def _finish(self, changed: Balances, result: StatementResult) -> None:
        file = self.statements.file(self.period, self.statement)
        shop, files = file.shop, self.runs.files
        written_at = self.runs.clock.now().isoformat(timespec="seconds")
        lines = file.lines(changed_since=changed._asdict(), written_at=written_at)
        files.write(shop, self.day, lines, file.csv())
        files.end_progress(shop, self.day)
        result.written += 1
        result.accounts += self.statement.accounts
        about: dict[str, Any] = {"shop": shop, "day": self.day.isoformat()}
        if self.statement.is_closed and not any(changed):
            log.info("statement_written", **about, accounts=self.statement.accounts)
            return
        result.differing += 1
        log.error(
            "statement_differs",
            **about,
            difference=self.statement.difference._asdict(),
            lots_difference=self.statement.lots_difference,
            changed_since=changed._asdict(),
            unreadable=self.statement.unreadable,
        )
        log.metric("LedgerFaults", 1)
