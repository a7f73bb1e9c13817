"""Import points from another system: a CSV file of any size.

    pointbook import balances.csv --id 2026-11-move --env prod --dry-run
    pointbook import balances.csv --id 2026-11-move --env prod
    pointbook import --id 2026-11-move --env prod --status
    pointbook import later.csv --id 2026-11-move --env prod --catch-up

The first decides every row and writes nothing. The columns are
customer_id,title,point,expired_at,created_at; points below zero are removed. Start it again at any
time, also with the file sorted anew: the import's id and what a row says name the row for ever, and
it is booked once. Refused rows are written to a file with line and reason. Exit status 1 if there
are any.

The last settles a later export of the same balances by difference: docs/moving-in.md.
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from cli import target
from cli.catch_up import CatchUp, read_rows
from cli.errors import CommandFailed, UsedWrongly
from cli.files import unread
from cli.import_runs import ImportRuns, show
from cli.options import Env, Json, Shop, Yes, writable
from cli.output import Output, counted
from cli.target import Target
from cli.verify import UNITS_PER_SECOND, Rate
from pointbook.domain.expiry import day_of
from pointbook.services.bulk_imports.csv_file import FileRefused
from pointbook.services.bulk_imports.plan import FileContent, read_file
from pointbook.services.bulk_imports.rows import Calendar
from pointbook.services.bulk_imports.runs import Kind
from pointbook.services.catch_up import IMPORT_ID_LENGTH_MAX

_CUSTOMER_ID = re.compile("[0-9]{9,}")
"""Longer than a day such as 20261130."""

ImportId = Annotated[
    str, typer.Option("--id", help="Names this import for ever, such as 2026-11-move.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Decide every row and write nothing.")]
ListFile = Annotated[
    Path | None,
    typer.Option(
        "--list",
        callback=writable,
        help="The file for the rows to look at; default: ID.rows-to-look-at.csv.",
    ),
]


def run(
    import_id: ImportId,
    file: Annotated[
        Path | None, typer.Argument(help="CSV in UTF-8 with a header.", show_default=False)
    ] = None,
    dry_run: DryRun = False,
    status: Annotated[
        bool, typer.Option("--status", help="Show how far the import has come; start nothing.")
    ] = False,
    catches_up: Annotated[
        bool,
        typer.Option(
            "--catch-up", help="Book the differences between this later export and the import."
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--differences",
            callback=writable,
            help="With --catch-up: write them to this CSV file.",
        ),
    ] = None,
    rate: Rate = UNITS_PER_SECOND,
    yes: Yes = False,
    list_: ListFile = None,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    if status == (file is not None):
        raise typer.BadParameter("Give either a file to import or --status.")
    stack, out = target.target_of(env), Output(as_json=json)
    if catches_up:
        if file is None:
            raise UsedWrongly("--catch-up needs the later export: give its file.")
        later = CatchUp(stack, stack.shop(shop), import_id, out, rate)
        return later.run(file, read_rows(file), report, dry_run=dry_run, yes=yes)
    if report is not None:
        raise typer.BadParameter("--differences is for --catch-up.")
    runs = ImportRuns(stack, stack.shop(shop), import_id)
    if len(import_id) > IMPORT_ID_LENGTH_MAX:
        out.say(f"An id of more than {IMPORT_ID_LENGTH_MAX} characters can never be caught up.")
    if file is None:
        found = runs.report()
        what = "an undo" if found.run.kind is Kind.UNDO else "an import"
        about = f"{what}, {found.run.run_id}, {found.status}"
        out.say(f"{stack.name}, {runs.shop}, {import_id}: {about}")
    else:
        content = _read(file, stack)
        found_rows = f"{counted(len(content.rows) + content.unreadable.rows, 'row')} of {file}"
        out.say(f"{stack.name}, {runs.shop}, {import_id}: {found_rows}", *content.hints())
        if _CUSTOMER_ID.fullmatch(import_id):
            out.say(
                f"--id {import_id} looks like a customer's id, but names this import for ever:"
                " a name such as 2026-11-move can be told apart."
            )
        run_id = runs.start(Kind.IMPORT, dry_run=dry_run, content=file.read_bytes())
        found = runs.wait(run_id, out)
    return show(found, out, list_ or Path(f"{import_id}.rows-to-look-at.csv"))


def _read(file: Path, stack: Target) -> FileContent:
    """Read the file here first, so that one that is refused is not uploaded."""
    time_zone = stack.settings.default_programme().time_zone
    try:
        content = file.read_bytes()
        return read_file(content, Calendar(time_zone, day_of(stack.clock().now(), time_zone)))
    except OSError as error:
        raise unread(file, error) from error
    except FileRefused as error:
        raise CommandFailed(f"{file}: {error.message} Nothing was sent.") from error
