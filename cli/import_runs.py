"""Runs of imports as commands start them, wait for them and show them."""

import csv
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from cli.errors import CommandFailed, NotReachable, UsedWrongly
from cli.files import unwritten
from cli.operator_api import post
from cli.output import Output, counted
from cli.target import Target
from pointbook.aws.bucket import Bucket
from pointbook.errors import InvalidRequest
from pointbook.services.bulk_imports.booking import LEFT, REFUSED
from pointbook.services.bulk_imports.report import Report, csv_rows, latest_run, report_of
from pointbook.services.bulk_imports.runs import FILE, Kind, folder_of
from pointbook.services.imports import read_import_id

POLL_SECONDS = 1.0
STALLED_SECONDS = 1800.0
"""For so long no part was finished: two deliveries of a message, and more."""

_PAUSES_SECONDS = (1, 2, 5)
_SHOWN_MAX = 20
_NAMES = {
    "left": "not there any more",
    "not_booked": "never booked",
    "valid": "file, readable rows",
}


class ImportRuns:
    """The runs of one import into a shop."""

    def __init__(self, stack: Target, shop: str, import_id: str, named: str = "--id") -> None:
        """Look up the stack's bucket; `named` is what gives the id. Raises CommandFailed."""
        try:
            self.import_id = read_import_id(import_id, named)
        except InvalidRequest as error:
            raise UsedWrongly(str(error)) from error
        bucket = stack.outputs.get("ImportsBucketName")
        if bucket is None:
            raise CommandFailed(
                f"The stack {stack.name} has no output ImportsBucketName; deploy it again."
            )
        self.shop = shop
        self._stack = stack
        self._files = Bucket(stack.client("s3"), bucket)

    def start(self, kind: Kind, *, dry_run: bool, content: bytes = b"") -> str:
        """Upload the file and start a run; its id. Raises CommandFailed, Unavailable."""
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        if content:
            folder = folder_of(self.shop, self.import_id)
            self._files.put(f"{folder}{run_id}/{FILE}", content)
        body = {"shop": self.shop, "run_id": run_id, "kind": kind, "dry_run": dry_run}
        for pause in (*_PAUSES_SECONDS, None):
            answer = post(self._stack, f"/v1/operator/imports/{self.import_id}/runs", body, {})
            if answer is not None and answer.status == 202:
                return run_id
            if answer is not None and answer.status < 500 and answer.status != 429:
                raise CommandFailed(f"Not started. {answer.why}")
            if pause is not None:
                time.sleep(pause)
        why = "no answer" if answer is None else answer.why
        raise NotReachable(f"Not started: {why}. Run it again.")

    def report(self, run_id: str | None = None) -> Report:
        """The report of a run, or of the latest. Raises CommandFailed if there is none."""
        run = latest_run(self._files, self.shop, self.import_id, run_id)
        if run is None:
            raise CommandFailed(
                f"Nothing is kept of an import {self.import_id}; files are kept for 30 days."
            )
        return report_of(self._files, run)

    def wait(self, run_id: str, out: Output) -> Report:
        """Show progress until the run has ended. Raises CommandFailed if it stands still."""
        found = self.report(run_id)
        done, waited = -1, 0.0
        with out.progress("rows") as advance:
            while found.status not in ("done", "failed"):
                advance(found.rows_done, found.rows)
                waited = waited + POLL_SECONDS if found.rows_done == done else 0.0
                done = found.rows_done
                if waited >= STALLED_SECONDS:
                    raise CommandFailed(
                        f"Nothing has been done for {STALLED_SECONDS / 60:.0f} minutes, after "
                        f"{done:,} of {found.rows:,} rows. Look at `pointbook redrive import_rows "
                        "--list`, or start again: no row is booked twice."
                    )
                time.sleep(POLL_SECONDS)
                found = report_of(self._files, found.run)
            advance(found.rows_done, found.rows)
        return found


def show(found: Report, out: Output, file: Path) -> int:
    """Print a run's report and write the rows to look at to a file; the exit status."""
    out.document(found.as_json())
    if found.problem is not None:
        raise CommandFailed(f"{found.problem['message']} Nothing was booked.")
    totals = found.totals()
    if totals is None:
        out.say(f"{found.rows_done:,} of {counted(found.rows, 'row')} done.")
        return 0
    rows = [(_name(status, found), *total.values()) for status, total in totals.items()]
    out.table(("", "rows", "points added", "points removed"), rows)
    if found.run.dry_run:
        out.say("This was a dry run: nothing was booked.")
    _, *listed = csv_rows(found)
    if not listed:
        return 0
    _write(found, file)
    for line, customer_id, _, _, _, message in listed[:_SHOWN_MAX]:
        out.say(f"line {line}, {customer_id}: {message}")
    if len(listed) > _SHOWN_MAX:
        out.say(f"... and {len(listed) - _SHOWN_MAX:,} more, in the file.")
    what = "refused" if found.run.kind is Kind.IMPORT else "not undone in full"
    out.say(f"{counted(len(listed), 'row')} {what}: {file}")
    return int(any(totals.get(status, {}).get("rows", 0) for status in (REFUSED, LEFT)))


def _name(status: str, found: Report) -> str:
    words = {"booked": "to book", "undone": "to undo"} if found.run.dry_run else {}
    return (_NAMES | words).get(status, status)


def _write(found: Report, file: Path) -> None:
    """Write the rows as spreadsheets read them: with a byte order mark."""
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as lines:
            csv.writer(lines).writerows(csv_rows(found))
    except OSError as error:
        raise unwritten(file, error) from error
