"""Compare members' points in the ledger with the till's, and repair what differs.

    pointbook drift --env prod
    pointbook drift --env prod --csv drift.csv --picture drift.svg
    pointbook drift --env prod --repair entry --reason Recount --by Hanako

The function compare_till does the same daily. After Ctrl-C run it again: it goes on where it
stopped. A repair is of the last finished report, and only shown unless --yes is given: "entry"
books the till's points in the ledger, "push" makes the till follow the ledger. Members who have
changed since the report are left alone. Exit status 1 if something differs or is left.
"""

import os
import time
from itertools import batched
from pathlib import Path
from typing import Annotated

import typer

from cli import target
from cli.drift_function import BATCH_MEMBERS, CompareTill, check
from cli.drift_picture import picture
from cli.drift_repair import Decision, How, Repair
from cli.drift_report import NOT_COMPARED, NOT_REGISTERED, Report, known, write_csv
from cli.errors import CommandFailed
from cli.files import unwritten
from cli.options import Env, Json, Shop, writable
from cli.output import Output, counted
from cli.target import Target
from local.options import Options
from pointbook.clock import SystemClock
from pointbook.store.till_comparisons import TillComparisons

PAUSES_SECONDS = (2.0, 5.0, 15.0)
"""How long to wait before members are compared again who were changing."""

SHOWN_MAX = 20
"""Rows of the table; the CSV has all."""


def run(
    repair: Annotated[
        How | None, typer.Option(help="Repair what the last report found; shows it without --yes.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is repaired.")] = None,
    by: Annotated[str | None, typer.Option(help="Who decided that.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Carry out the repair.")] = False,
    csv: Annotated[
        Path | None, typer.Option(callback=writable, help="Write all rows to this file.")
    ] = None,
    picture_file: Annotated[
        Path | None,
        typer.Option(
            "--picture", callback=writable, help="Draw ledger and till into this SVG file."
        ),
    ] = None,
    include_unregistered: Annotated[
        bool,
        typer.Option(
            "--include-unregistered",
            help="Also list those whom the till does not know and who have no points.",
        ),
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of resuming.")] = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed."""
    decision = Decision.of(repair, reason, by)
    if decision is None and (reason or by or yes):
        raise typer.BadParameter("--reason, --by and --yes are for --repair.")
    if decision is not None and (csv or picture_file or include_unregistered or fresh):
        raise typer.BadParameter("--repair is of the last report; leave out what makes one.")
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    path, function = report_file(stack, shop), CompareTill(stack, shop)
    if decision is not None:
        report = Report.read(path)
        if report is None or not report.finished_at:
            raise CommandFailed(f"There is no finished report of {shop}; run pointbook drift.")
        return Repair(stack, function, report, path, decision, out).run(is_dry_run=not yes)
    report = _compare(stack, function, path, out, fresh=fresh)
    return _show(report, out, csv, picture_file, everybody=include_unregistered)


def report_file(stack: Target, shop: str) -> Path:
    """Where the report of a shop is kept on this machine."""
    directory = Options.from_env(os.environ).directory
    return directory / "drift" / f"{stack.name}.{shop}.json"


def _compare(
    stack: Target, function: CompareTill, path: Path, out: Output, *, fresh: bool
) -> Report:
    """Compare all members, from where the last time ended if it was stopped."""
    report = None if fresh else Report.read(path)
    if report is None or report.finished_at:
        store = TillComparisons(stack.table())
        report = Report.new(stack.name, function.shop, SystemClock().now())
        report.total = store.count(function.shop)
    else:
        out.say(
            f"Resuming the comparison of {report.began_at}: {report.looked_at:,} of"
            f" {counted(report.total, 'member')} compared. --fresh starts over."
        )
    try:
        _all_members(function, report, path, out)
    except (KeyboardInterrupt, CommandFailed):
        out.say(
            f"{report.looked_at:,} of {counted(report.total, 'member')} compared;"
            " run it again to go on."
        )
        raise
    return report


def _all_members(function: CompareTill, report: Report, path: Path, out: Output) -> None:
    with out.progress("members compared", report.total) as advance:
        while not report.is_read:
            page = function.ask(position=report.position)
            report.add(page)
            report.position, report.is_read = page["position"], page["position"] is None
            if page["stopped"] and page["stopped"]["left"]:
                report.is_read = False
            report.write(path)
            advance(report.looked_at, max(report.total, report.looked_at))
            check(page)
        for seconds in PAUSES_SECONDS:
            left = [row["customer_id"] for row in report.of(NOT_COMPARED)]
            if not left:
                break
            time.sleep(seconds)
            for batch in batched(left, BATCH_MEMBERS, strict=False):
                for page in function.customers(list(batch)):
                    report.add(page)
                    report.write(path)
    report.finished_at = SystemClock().now().isoformat(timespec="seconds")
    report.write(path)


def _show(
    report: Report, out: Output, csv: Path | None, drawing: Path | None, *, everybody: bool
) -> int:
    rows, totals = report.shown(everybody=everybody), report.totals()
    known_rows = [known(row) for row in rows]
    if rows:
        columns = [one for one in report.columns if one != "member_number"]
        cells = [["" if row[one] is None else row[one] for one in columns] for row in known_rows]
        out.table([one.replace("_", " ") for one in columns], cells[:SHOWN_MAX])
    if len(rows) > SHOWN_MAX:
        out.say(f"... and {len(rows) - SHOWN_MAX:,} more; --csv writes all of them.")
    for line in _words(report, totals):
        out.say(line)
    try:
        if csv is not None:
            write_csv(csv, report, rows)
            out.say(f"{csv}: {counted(len(rows), 'row')}")
        if drawing is not None:
            drawing.write_text(picture(report), encoding="utf-8")
            out.say(f"{drawing}: the picture")
    except OSError as error:
        raise unwritten(Path(error.filename), error) from error
    about = {name: getattr(report, name) for name in ("run", "shop", "began_at", "finished_at")}
    out.document({**about, "till": report.till, "totals": totals, "rows": known_rows})
    return int(any(row["kind"] != NOT_REGISTERED or row["ledger"] for row in report.rows.values()))


def _words(report: Report, totals: dict[str, int]) -> list[str]:
    less, more = totals["till_less_points"], totals["till_more_points"]
    compared = (
        f"{report.shop}: {counted(totals['compared'], 'member')} compared:"
        f" {totals['equal']:,} equal, {counted(totals['differing'], 'differs', 'differ')}"
        + (f", by {totals['sum_of_differences']:+,} points in all." if totals["differing"] else ".")
    )
    unknown = (
        f"Not registered at the till: {totals['not_registered']:,} with points,"
        f" {totals['not_registered_without_points']:,} without: check sync."
    )
    others = {
        f"The till has less for {totals['till_less']:,}: {-less:+,} points.": less,
        f"The till has more for {totals['till_more']:,}: {more:+,} points.": more,
        unknown: totals["not_registered"],
        f"Several members with one number: {totals['ambiguous']:,}.": totals["ambiguous"],
        f"Not compared: {totals['not_compared']:,}; see the column why.": totals["not_compared"],
    }
    return [compared, *(words for words, is_shown in others.items() if is_shown)]
