"""Undo an import: take back what it granted, give back what it removed.

    pointbook undo 2026-11-move --env prod --dry-run
    pointbook undo 2026-11-move --env prod

Every booked row gets an entry that reverses it. Points that are not there any more, because they
were spent, are held or have expired, stay as they are, and their rows are written to a file with
the points that are left; nobody gets a debt. An undone import books no more rows: import a
corrected file under another id. Run it again if it was cut off; each row is undone once. Exit
status 1 if something could not be undone.
"""

from pathlib import Path
from typing import Annotated

import typer

from cli import target
from cli.import_runs import ImportRuns, show
from cli.imports import DryRun
from cli.options import Env, Json, Shop, Yes, writable
from cli.output import Output, is_confirmed
from pointbook.services.bulk_imports.runs import Kind


def run(
    import_id: Annotated[str, typer.Argument(metavar="IMPORT", help="The import's id.")],
    dry_run: DryRun = False,
    list_: Annotated[
        Path | None,
        typer.Option(
            "--list",
            callback=writable,
            help="The file for the rows to look at; default: ID.not-undone.csv.",
        ),
    ] = None,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    stack, out = target.target_of(env), Output(as_json=json)
    runs = ImportRuns(stack, stack.shop(shop), import_id, "IMPORT")
    question = f"{stack.name}, {runs.shop}: undo the import {import_id}?"
    if not (dry_run or yes or is_confirmed(question)):
        out.say("Nothing was undone.")
        return 1
    run_id = runs.start(Kind.UNDO, dry_run=dry_run)
    found = runs.wait(run_id, out)
    return show(found, out, list_ or Path(f"{import_id}.not-undone.csv"))
