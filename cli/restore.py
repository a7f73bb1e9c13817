"""Put the ledger back: from a copy of its table, or from an export into an empty one.

    pointbook restore --from-table NAME --env prod --dry-run   only compare
    pointbook restore --from-table NAME --env prod             from a copy
    pointbook restore --from-file ledger.jsonl --env new       from an export
    pointbook restore --start --env prod                       only start

The functions that use the table are stopped first, and started again only once the table is like
the copy and verification has found nothing. Cut off, it is finished by running it again. Read
docs/operations.md, "Restore to a point in time", or docs/export.md, "Restoring", before.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from cli import restore_file, target, verify
from cli.aws_errors import AWS_ERRORS, in_words, is_absent
from cli.errors import CommandFailed, NotReachable, UsedWrongly
from cli.options import Env, Json, Yes
from cli.output import Output, is_confirmed
from cli.pause import Functions
from cli.restore_file import (
    UNITS_PER_SECOND,
    reopened_words,
    say_stopped,
    started_words,
    verify_and_start,
)
from cli.target import Target
from pointbook.aws.metered import MeteredClient
from pointbook.clock import SystemClock
from pointbook.errors import PointbookError
from pointbook.store.export_format import kind_of
from pointbook.store.table import Table
from pointbook.store.table_differences import TableDifferences
from pointbook.store.table_restore import TableRestore

PASSES_MAX = 3
"""How often both tables are compared: after a run that ended late, one more makes them alike."""


def run(
    from_table: Annotated[
        str | None, typer.Option("--from-table", help="The copy: a table of the same account.")
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", help="A file of `pointbook export`: .jsonl[.gz].")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only compare.")] = False,
    start: Annotated[
        bool, typer.Option("--start", help="Only start the functions that a restore has stopped.")
    ] = False,
    rate: verify.Rate = UNITS_PER_SECOND,
    yes: Yes = False,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    if [from_table is not None, from_file is not None, start].count(True) != 1:
        raise typer.BadParameter("Pass either --from-table, --from-file or --start.")
    stack, out = target.target_of(env), Output(as_json=json)
    functions = Functions(stack)
    if from_file is not None:
        file_restore = restore_file.FileRestore(stack, from_file, rate, out)
        return file_restore.run(functions, dry_run=dry_run, yes=yes)
    if from_table is None:
        return _started(functions, out)
    _check_copy(stack, from_table)
    with TableDifferences() as found:
        table_restore = _table_restore(stack, from_table, rate)
        _compare(table_restore, found, out)
        _check_shops(stack, from_table, found)
        counts = _show(found, out)
        if dry_run:
            out.say("Nothing has been changed.")
            out.document({"dry_run": True, **counts})
            return 0
        out.say(f"The functions of {stack.name} will be stopped until the table is restored.")
        if not yes and not is_confirmed(f"Put {from_table} back?"):
            out.say("Nothing has been changed.")
            return 1
        try:
            say_stopped(functions.stop(), out)
            reopened = _restore(table_restore, found, out)
            out.say(f"The table is like {from_table}. {reopened_words(reopened)}")
            return verify_and_start(stack, functions, rate, out, {**counts, "erasures": reopened})
        except (CommandFailed, PointbookError):
            out.say("The functions stay stopped: run it again, or with --start to give up.")
            raise


def _started(functions: Functions, out: Output) -> int:
    started = functions.start()
    out.say(started_words(started))
    out.document({"started": started})
    return 0


def _check_copy(stack: Target, name: str) -> None:
    """Raise CommandFailed unless it is a table of the ledger's shape, and not the live one."""
    if name == stack.settings.table_name:
        raise CommandFailed(f"{name} is the table of {stack.name} itself.")
    try:
        table = stack.client("dynamodb").describe_table(TableName=name)["Table"]
    except AWS_ERRORS as error:
        if is_absent(error):
            raise UsedWrongly(
                f"There is no table {name} in this account and region: `aws dynamodb list-tables`"
                " lists those that there are."
            ) from error
        raise NotReachable(f"The table {name} cannot be read. {in_words(error)}") from error
    if table["TableStatus"] != "ACTIVE":
        raise CommandFailed(f"The table {name} is {table['TableStatus']}; wait until it is ACTIVE.")
    if [key["AttributeName"] for key in table["KeySchema"]] != ["pk", "sk"]:
        raise CommandFailed(f"The table {name} is not a ledger's: its keys are not pk and sk.")


def _check_shops(stack: Target, name: str, found: TableDifferences) -> None:
    shops = found.shops()
    if not shops & set(stack.settings.shops):
        has = ", ".join(sorted(shops)) or "no shop"
        raise CommandFailed(
            f"The table {name} has accounts of {has}, but {stack.name} serves"
            f" {', '.join(stack.settings.shops)}: it is no copy of this stack's."
        )


def _table_restore(stack: Target, name: str, rate: float) -> TableRestore:
    clock = SystemClock()
    client = MeteredClient(stack.client("dynamodb"), clock, rate)
    return TableRestore(Table(client, name), Table(client, stack.settings.table_name), clock)


def _compare(table_restore: TableRestore, found: TableDifferences, out: Output) -> None:
    with out.progress("items compared") as advance:
        table_restore.load(found, lambda items: advance(items, items))


def _restore(table_restore: TableRestore, found: TableDifferences, out: Output) -> int:
    """Make the table like the copy; returns how many erasures were opened again."""
    reopened = 0
    for number in range(PASSES_MAX + 1):
        _compare(table_restore, found, out)
        reopened += len(table_restore.reopen_erasures(found))
        if not any(found.differences()):
            return reopened
        if number == PASSES_MAX:
            break
        with out.progress("partitions restored") as advance:
            for done, one in enumerate(found.differences(), start=1):
                table_restore.apply(one)
                advance(done)
    raise CommandFailed(
        "The table is still being written, so it cannot be like the copy. The functions are"
        " stopped; find who else writes, then run this again."
    )


def _show(found: TableDifferences, out: Output) -> dict[str, dict[str, int]]:
    written, deleted = Counter[str](), Counter[str]()
    for one in found.differences():
        written.update(map(kind_of, one.written))
        deleted.update(map(kind_of, one.deleted))
    kinds = sorted({*written, *deleted})
    rows = [(kind, written[kind], deleted[kind]) for kind in kinds]
    if rows:
        out.table(("items", "to be written", "to be deleted"), rows)
    else:
        out.say("The table is like the copy.")
    return {"written": dict(written), "deleted": dict(deleted)}
