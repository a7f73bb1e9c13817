"""The catch-up of `pointbook import`: a later export is settled by difference."""

import csv
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.errors import CommandFailed, NotReachable, UsedWrongly
from cli.files import unread, unwritten
from cli.operator_api import Answer, post
from cli.output import Output, counted, is_confirmed
from cli.target import Target
from pointbook.aws.metered import MeteredClient
from pointbook.clock import SystemClock
from pointbook.domain.expiry import without_renewal
from pointbook.domain.programme import Programme
from pointbook.domain.programme_rules import Locale
from pointbook.errors import InvalidRequest
from pointbook.services.bulk_imports.csv_file import FileRefused, read_lines
from pointbook.services.bulk_imports.rows import Calendar, hint
from pointbook.services.catch_up import (
    Difference,
    Export,
    Moved,
    absent,
    differences,
    read_balance,
    read_catch_up_id,
)
from pointbook.shopify.ids import customer_digits
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.programmes import Deployment, Programmes

COLUMNS = ("customer_id", "expired_at", "before", "now", "difference", "result", "why")
PAUSES_SECONDS = (1, 2, 5, 10, 30)
"""Backoff before a request is retried that had no answer."""

TITLES = {Locale.EN: "Balance carried over", Locale.JA: "ポイントの引き継ぎ"}
"""What customers read of a difference whose row has no title."""

RESULTS = ("to book", "booked", "repeated", "refused")

SHOWN_MAX = 20
LISTED_MAX = 10
_WORKERS = 8
_ABSENT_SHARE_MAX = 0.1
"""More customers than this share, of those with points, who are not in the export: probably it is
not the whole of it."""

type Row = Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What became of a difference: one of `RESULTS`, and why it was refused."""

    difference: Difference
    result: str
    why: str = ""

    def fields(self) -> tuple[object, ...]:
        """A line of the report."""
        one = self.difference
        expired_at = one.expires_on or ""
        return one.customer_id, expired_at, one.before, one.now, one.points, self.result, self.why


@dataclass(slots=True)
class Read:
    """An export as it was read: `refused` are customers with a row that cannot be used, and why."""

    export: Export = field(default_factory=Export)
    refused: dict[str, str] = field(default_factory=dict)


class CatchUp:
    """One catch-up of an import into a shop."""

    def __init__(
        self, stack: Target, shop: str, import_id: str, out: Output, units_per_second: float
    ) -> None:
        """Read the table with at most `units_per_second`. Raises CommandFailed."""
        try:
            self._import_id = read_catch_up_id(import_id, "--id")
        except InvalidRequest as error:
            raise UsedWrongly(str(error)) from error
        self._stack = stack
        self._shop = shop
        self._out = out
        self._units_per_second = units_per_second

    def run(
        self, file: Path, rows: Iterable[Row], report: Path | None, *, dry_run: bool, yes: bool
    ) -> int:
        """Settle an export; 1 if anything was refused. Raises CommandFailed, PointbookError."""
        programme = self._programme()
        today = self._stack.clock().now().astimezone(ZoneInfo(programme.time_zone)).date()
        read = read_export(rows, programme, today)
        moved = self._moved()
        if not any(moved.points.values()):
            raise CommandFailed(
                f"{self._shop} has no points of an import {self._import_id}: import the first"
                " export with this id, then catch up."
            )
        if moved.is_undone:
            raise CommandFailed(
                f"The import {self._import_id} was undone: import the export under another id."
            )
        refused, title = frozenset(read.refused), TITLES[programme.locale]
        found = list(differences(read.export, moved, today, title, refused))
        customers = {moved.survivor(one) for one in (*read.export.points, *moved.points)}
        self._say_found(file, len(customers), found)
        missing = absent(read.export, moved)
        if missing:
            number = counted(missing, "customer is", "customers are")
            self._out.say(f"{number} not in the file: their points of this import are removed.")
        if not dry_run and not yes and missing > len(moved.points) * _ABSENT_SHARE_MAX:
            question = (
                f"{missing:,} of {len(moved.points):,} customers are not in {file}: the points that"
                " they were given by this import are removed. Go on?"
            )
            if not is_confirmed(question):
                self._out.say("Nothing has been changed.")
                return 1
        outcomes = [Outcome(one, "to book") for one in found] if dry_run else self._booked(found)
        return self._report(outcomes, read, missing, report, dry_run=dry_run)

    def _moved(self) -> Moved:
        """What the ledger has booked of the import so far."""
        clock, total = SystemClock(), self._stack.items()
        client = MeteredClient(self._stack.client("dynamodb"), clock, self._units_per_second)
        reader = LedgerReader(client, self._stack.settings.table_name, clock)
        moved = Moved(self._import_id)
        with self._out.progress("items read", total or None) as advance:

            def on_page(items: int) -> bool:
                advance(items, max(items, total))
                return True

            for found in reader.accounts(self._shop, on_page=on_page):
                if found.account is None:
                    raise CommandFailed(
                        f"The account of {found.customer_id} cannot be read:"
                        f" pointbook verify {found.customer_id} says why."
                    )
                moved.add(found.account, found.entries)
        return moved

    def _programme(self) -> Programme:
        default = self._stack.settings.default_programme()
        stored = Programmes(self._stack.table(), self._stack.clock(), Deployment(default))
        version = stored.latest(self._shop)
        return version.programme if version else default

    def _say_found(self, file: Path, customers: int, found: list[Difference]) -> None:
        """Say how many of the customers in the file or in the import differ, and by how much."""
        differing = len({one.customer_id for one in found})
        added = sum(one.points for one in found if one.points > 0)
        removed = -sum(one.points for one in found if one.points < 0)
        self._out.say(f"{self._stack.name}, {self._shop}, {self._import_id}: catch-up with {file}")
        self._out.say(
            f"{differing:,} of {counted(customers, 'customer')}"
            f" {'differs' if differing == 1 else 'differ'}:"
            f" {counted(added, 'point')} to add, {removed:,} to remove."
            if found
            else f"{counted(customers, 'customer')}: nothing differs."
        )

    def _say_differences(self, outcomes: list[Outcome], *, is_listed: bool) -> None:
        """Show the first differences; a file that was asked for has all."""
        if not outcomes:
            return
        heads = ("customer", "expires on", "before", "now", "difference", "result")
        rows = [
            (one.difference.customer_id, one.difference.expires_on or "-", *one.fields()[2:6])
            for one in outcomes[:LISTED_MAX]
        ]
        self._out.table(heads, rows)
        more = len(outcomes) - LISTED_MAX
        if more > 0 and not is_listed:
            self._out.say(f"... and {more:,} more; --differences FILE lists all.")

    def _booked(self, found: list[Difference]) -> list[Outcome]:
        """Book all differences, several customers at a time, each customer's in order."""
        by_customer = [list(group) for _, group in groupby(found, lambda one: one.customer_id)]
        outcomes: list[Outcome] = []
        with (
            self._out.progress("differences booked", len(found)) as advance,
            ThreadPoolExecutor(_WORKERS) as pool,
        ):
            try:
                for done in pool.map(self._book_customer, by_customer):
                    outcomes += done
                    advance(len(outcomes))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return outcomes

    def _book_customer(self, found: list[Difference]) -> list[Outcome]:
        return [self._book(one) for one in found]

    def _book(self, one: Difference) -> Outcome:
        name = one.import_id(self._import_id)
        content = {
            "shop": self._shop,
            "points": one.points,
            "reason": one.title,
            "expires_on": one.expires_on.isoformat() if one.expires_on and one.points > 0 else None,
            "import_id": name,
        }
        path = f"/v1/operator/customers/{one.customer_id}/adjustments"
        answer = self._answer(path, content, {"Idempotency-Key": name})
        if answer.status == 201:
            return Outcome(one, "repeated" if answer.repeated else "booked")
        if answer.body.get("code") == "idempotency_mismatch":
            why = "another catch-up has booked this step meanwhile; run it again"
            return Outcome(one, "refused", f"idempotency_mismatch: {why}")
        if "code" not in answer.body or answer.status == 403:
            raise CommandFailed(f"Stopped at customer {one.customer_id}. {answer.why}")
        return Outcome(one, "refused", f"{answer.body['code']}: {answer.body.get('detail', '')}")

    def _answer(self, path: str, content: dict[str, Any], headers: dict[str, str]) -> Answer:
        for seconds in (*PAUSES_SECONDS, None):
            answer = post(self._stack, path, content, headers)
            if answer is not None and answer.status < 500 and answer.status != 429:
                return answer
            if seconds is not None:
                time.sleep(seconds)
        raise NotReachable("No answer. Run it again; what is booked counts once.")

    def _report(
        self,
        outcomes: list[Outcome],
        read: Read,
        missing: int,
        report: Path | None,
        *,
        dry_run: bool,
    ) -> int:
        lines = [one.fields() for one in outcomes]
        lines += [(one, "", "", "", "", "refused", why) for one, why in read.refused.items()]
        if report is not None:
            write_report(report, lines)
        self._say_differences(outcomes, is_listed=report is not None)
        refused = [line for line in lines if line[5] == "refused"]
        for line in refused[:SHOWN_MAX]:
            self._out.say(f"customer {line[0]}, {line[4] or 'no'} points: {line[6]}")
        if len(refused) > SHOWN_MAX:
            self._out.say(f"… and {len(refused) - SHOWN_MAX:,} more; --differences lists all.")
        if rows := _totals(outcomes):
            self._out.table(("", "differences", "points added", "points removed"), rows)
        self._out.document(
            {
                "import_id": self._import_id,
                "dry_run": dry_run,
                "customers": len(read.export.points),
                "differences": len(outcomes),
                "added": sum(one.difference.points for one in outcomes if _adds(one)),
                "removed": -sum(one.difference.points for one in outcomes if not _adds(one)),
                "results": dict(Counter(one.result for one in outcomes)),
                "refused": len(refused),
                "absent": missing,
            }
        )
        return int(bool(refused) or (dry_run and bool(outcomes)))


def read_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a file with their lines; an empty field is None. Raises CommandFailed."""
    try:
        for line in read_lines(file.read_bytes()):
            if line.problem:
                raise CommandFailed(f"{file}, line {line.number}: {line.problem}")
            if not line.is_empty:
                yield {"line": line.number} | {
                    name: text or None for name, text in line.fields.items()
                }
    except OSError as error:
        raise unread(file, error) from error
    except FileRefused as error:
        raise CommandFailed(f"{file}: {error.message} Nothing was booked.") from error


def read_export(rows: Iterable[Row], programme: Programme, today: date) -> Read:
    """Read the rows of an export. Raises CommandFailed if one does not say whose it is.

    Its customer would look like one without points, and lose them.
    """
    read, unknown = Read(), list[str]()
    rule, calendar = without_renewal(programme.expiry), Calendar(programme.time_zone, today)
    for row in rows:
        try:
            customer_id = customer_digits(row.get("customer_id"))
        except InvalidRequest as error:
            unknown.append(f"line {row['line']}: {_explained(error, row)}")
            if len(unknown) >= SHOWN_MAX:
                break
            continue
        try:
            read.export.add(read_balance(row, rule, calendar))
        except InvalidRequest as error:
            why = f"{error.code}: {_explained(error, row)} (line {row['line']})"
            read.refused.setdefault(customer_id, why)
    if unknown:
        raise CommandFailed("\n".join(["Nothing was booked. Correct the file first:", *unknown]))
    return read


def _explained(error: InvalidRequest, row: Row) -> str:
    """What is wrong with a row, and what a spreadsheet may have done to it."""
    return f"{error} {hint(error.field, str(row.get(error.field) or ''))}".strip()


def write_report(file: Path, lines: Iterable[tuple[object, ...]]) -> None:
    """Write the report. Raises CommandFailed."""
    try:
        with file.open("w", encoding="utf-8", newline="") as written:
            writer = csv.writer(written)
            writer.writerow(COLUMNS)
            writer.writerows(lines)
    except OSError as error:
        raise unwritten(file, error) from error


def _adds(outcome: Outcome) -> bool:
    return outcome.difference.points > 0


def _totals(outcomes: Iterable[Outcome]) -> list[tuple[str, int, int, int]]:
    """Result, differences, points added and points removed; without results that nothing has."""
    rows = []
    for result in RESULTS:
        points = [one.difference.points for one in outcomes if one.result == result]
        added = sum(one for one in points if one > 0)
        if points:
            rows.append((result, len(points), added, added - sum(points)))
    return rows
