"""Export the ledger: all of it, to be restored, or entries and balances as tables.

    pointbook export ledger.jsonl --env prod                   all as it is
    pointbook export entries.csv --since 2026-11-01 --env prod
    pointbook export balances.csv --what balances --env prod   as of now
    pointbook export s3://bucket/entries.parquet --env prod    for analysis

The end of the name says the format; .jsonl.gz and .csv.gz are compressed. It only reads, while
everything else goes on: each account is exported with all its entries as of one version. Cut off,
it goes on where it was when it is run again. The formats: docs/export.md.
"""

import json as jsons
import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import export_rows, target, verify
from cli.errors import CommandFailed
from cli.export_files import JSONL, PARQUET, Destination, write_csv, write_parquet
from cli.export_rows import Period
from cli.files import unwritten
from cli.options import Env, Json, customer_of
from cli.output import Output
from cli.target import Target
from cli.times import time_of
from pointbook.aws.metered import MeteredClient
from pointbook.clock import SystemClock
from pointbook.store import export_format, keys
from pointbook.store.export_format import Header
from pointbook.store.export_work import ExportWork
from pointbook.store.table import Table
from pointbook.store.table_export import BEGAN, TableExport

_ASKED = "asked"


class What(StrEnum):
    """What is exported."""

    LEDGER = "ledger"
    ENTRIES = "entries"
    BALANCES = "balances"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for. A work file is continued only for the same."""

    table: str
    what: What
    shop: str | None
    customer: str | None
    since: str | None
    until: str | None

    @property
    def period(self) -> Period | None:
        """The period; None for all time."""
        if self.since is None and self.until is None:
            return None
        ends = (one and datetime.fromisoformat(one) for one in (self.since, self.until))
        return Period(*(end or None for end in ends))


def run(
    file: Annotated[
        str, typer.Argument(help="A name that ends with .jsonl, .csv or .parquet; or s3://...")
    ],
    what: Annotated[
        What | None,
        typer.Option(help="Default: the ledger in .jsonl, entries in .csv and .parquet."),
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", help="Only this customer; the id in any form.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Only entries recorded from this day or time on, such as"
            " 2026-11-01T09:00:00+09:00."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only entries recorded before; in the same form.")
    ] = None,
    rate: verify.Rate = verify.UNITS_PER_SECOND,
    shop: Annotated[
        str | None,
        typer.Option(help="Only this shop; default: all, or with --customer the main shop."),
    ] = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError, typer.BadParameter."""
    to = Destination.of(file)
    what = what or (What.LEDGER if to.kind == JSONL else What.ENTRIES)
    _check(to, what, has_period=bool(since or until))
    stack, out = target.target_of(env), Output(as_json=json)
    to.check()
    zone = ZoneInfo(stack.settings.default_programme().time_zone)
    if customer is not None or shop is not None:
        shop = stack.shop(shop)
    begin, end = (
        time_of(option, given, zone) if given else None
        for option, given in (("--since", since), ("--until", until))
    )
    if begin and end and begin >= end:
        raise typer.BadParameter(f"--since is {since}, but must be before --until, {until}.")
    asked = Asked(
        stack.settings.table_name,
        what,
        shop,
        customer_of(customer, "--customer") if customer else None,
        begin.isoformat() if begin else None,
        end.isoformat() if end else None,
    )
    try:
        with ExportWork(to.work_path) as work:
            _check_work(to, asked, work)
            done = _read(stack, asked, work, rate, out)
            if customer and not work.customer_count():
                to.work_path.unlink()
                raise CommandFailed(f"{asked.shop} has no account of customer {asked.customer}.")
            counts = _write(stack, asked, to, work, zone)
    except OSError as error:
        raise unwritten(to.work_path, error) from error
    except sqlite3.Error as error:
        raise CommandFailed(f"{to.work_path} cannot be written: {error}.") from error
    to.work_path.unlink()
    if to.bucket:
        to.upload(stack.client("s3"))
    where = f"s3://{to.bucket}/{to.key}" if to.bucket else str(to.path)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "nothing"
    out.say(f"{where}: {listed}.")
    out.document({"file": where, **asdict(asked), **done, "counts": dict(counts)})
    return 0


def _check(to: Destination, what: What, *, has_period: bool) -> None:
    if (to.kind == JSONL) is not (what is What.LEDGER):
        raise typer.BadParameter(
            f"--what {what} does not go with {to.kind}: the ledger is .jsonl, entries and balances"
            " are .csv or .parquet."
        )
    if what is What.BALANCES and has_period:
        raise typer.BadParameter("Balances are of now; leave out --since and --until.")


def _check_work(to: Destination, asked: Asked, work: ExportWork) -> None:
    """Raise CommandFailed if the work file is of another export; note what it is of."""
    text = jsons.dumps(asdict(asked), sort_keys=True)
    if (before := work.note(_ASKED)) not in ("", text):
        raise CommandFailed(
            f"{to.work_path} is of another export that is not finished: {before}. Run that again,"
            " or delete it."
        )
    work.set_note(_ASKED, text)


def _read(
    stack: Target, asked: Asked, work: ExportWork, rate: float, out: Output
) -> dict[str, object]:
    clock = SystemClock()
    client = MeteredClient(stack.client("dynamodb"), clock, rate)
    table = Table(client, asked.table)
    export = TableExport(table, work, clock, stack.clock().now())
    if asked.customer is not None:
        assert asked.shop is not None, "a customer is one of a shop's"
        export.customer(keys.customer(asked.shop, asked.customer))
        again = 0
    else:
        total = stack.items()
        with out.progress("items read", total or None) as advance:
            export.scan(asked.shop, lambda items: advance(items, max(items, total)))
        with out.progress("accounts looked at again", work.customer_count()) as advance:
            again = export.settle(advance)
    return {
        "began_at": work.note(BEGAN),
        "read_again": again,
        "read_units": round(client.units, 1),
        "seconds": round(client.seconds, 1),
    }


def _write(
    stack: Target, asked: Asked, to: Destination, work: ExportWork, zone: ZoneInfo
) -> Counter[str]:
    period = asked.period
    with to.opened() as file:
        if asked.what is What.LEDGER:
            shops = {asked.shop} if asked.shop else {*stack.settings.shops, *work.shops()}
            ends = (asked.since, asked.until)
            header = Header(tuple(sorted(shops)), work.note(BEGAN), asked.customer, *ends)
            return export_format.write(file, header, export_rows.texts(work, period))
        columns, rows = export_rows.ENTRIES, export_rows.entries(work, period)
        if asked.what is What.BALANCES:
            columns = export_rows.BALANCES
            rows = export_rows.balances(work, stack.clock().now())
        if to.kind == PARQUET:
            return Counter({asked.what.value: write_parquet(file, columns, rows)})
        return Counter({asked.what.value: write_csv(file, columns, rows, zone)})
