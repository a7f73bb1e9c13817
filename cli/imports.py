"""Import balances from another system: a CSV file of any size, row by row.

    pointbook import balances.csv --id 2026-11-move --env prod --dry-run
    pointbook import balances.csv --id 2026-11-move --env prod
    pointbook import later.csv --id 2026-11-move --env prod --catch-up

The first checks every row and writes nothing. The columns are
customer_id,title,point,expired_at,created_at. The import's id and the row's number identify a row
for ever, so the same file can be imported again at any time: a row is booked once. Correct refused
rows in place and do not remove any row. Empty rows are skipped. Exit status 1 if a row was refused.

The third settles a later export of the same balances by difference: docs/moving-in.md.
"""

import csv
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.catch_up import CatchUp
from cli.errors import CommandFailed
from cli.operator_api import Answer, post
from cli.options import Env, Json, Shop, Yes
from cli.output import Output
from cli.verify import UNITS_PER_SECOND, Rate
from pointbook.domain.commands import POINTS_MAX
from pointbook.errors import InvalidRequest
from pointbook.services.imports import ROWS_MAX, TEXT_LENGTH_MAX, read_import_id

COLUMNS = ("customer_id", "title", "point", "expired_at", "created_at")
PAUSES_SECONDS = (1, 2, 5, 10, 30)
"""Backoff before a request is retried that had no answer, or in which no row was done."""

_SHOWN_MAX = 20
_MORE = "more"
"""Key of the fields beyond those of the header."""

_ZERO_FILLED = re.compile("[1-9][0-9]{4,}0{5}$")
"""An id of ten or more digits whose last five are zeros.

A spreadsheet shows a long number with six digits (8.84073E+12) and saves what it shows. One true id
in 100,000 looks the same.
"""

_EXPONENT = re.compile(r"[0-9]+([.,][0-9]+)?E\+?[0-9]+$", re.IGNORECASE)
"""An id as a spreadsheet shows it, such as 8.84073E+12: its last digits are lost."""

type Row = dict[str, Any]
type Send = Callable[[list[Row]], Answer | None]


@dataclass(slots=True)
class Checked:
    """The result of checking a file: rows, empty rows, ids that are or may be rounded."""

    rows: int = 0
    empty: int = 0
    zero_filled: int = 0
    zero_filled_first: str = ""
    exponents: int = 0
    exponents_first: str = ""

    def hints(self) -> Iterator[str]:
        """Yield hints; none of them stops a row."""
        if self.empty:
            yield f"{self.empty:,} empty {'row' if self.empty == 1 else 'rows'} skipped"
        if self.zero_filled:
            rows = "row has" if self.zero_filled == 1 else "rows have"
            yield (
                f"{self.zero_filled:,} {rows} a customer_id that ends in many zeros, such as "
                f"{self.zero_filled_first}: a spreadsheet may have rounded it. Compare it with the "
                "ids in the shop."
            )
        if self.exponents:
            rows = "row has" if self.exponents == 1 else "rows have"
            yield (
                f"{self.exponents:,} {rows} a customer_id that a spreadsheet has rounded, such as "
                f"{self.exponents_first}, and will be refused. Export the file again with the "
                "column as text."
            )

    def note(self, row: Row) -> None:
        """Count a row whose id a spreadsheet has, or may have, rounded."""
        customer_id = (row["customer_id"] or "").strip()
        place = f"{customer_id} in {_place(row)}"
        if _ZERO_FILLED.search(customer_id):
            self.zero_filled += 1
            self.zero_filled_first = self.zero_filled_first or place
        if _EXPONENT.fullmatch(customer_id):
            self.exponents += 1
            self.exponents_first = self.exponents_first or place


def run(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with a header.")],
    import_id: Annotated[
        str, typer.Option("--id", help="Identifies this import for ever, such as 2026-11-move.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row and write nothing.")
    ] = False,
    catches_up: Annotated[
        bool,
        typer.Option(
            "--catch-up", help="Book the differences between this later export and the import."
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--differences", help="With --catch-up: write them to this CSV file."),
    ] = None,
    rate: Rate = UNITS_PER_SECOND,
    yes: Yes = False,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    try:
        read_import_id(import_id)
    except InvalidRequest as error:
        raise CommandFailed(str(error)) from error
    checked = check(file)
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    if catches_up:
        later = CatchUp(stack, shop, import_id, out, rate)
        return later.run(file, read(file), report, dry_run=dry_run, yes=yes)
    out.say(f"{stack.name}, {shop}, {import_id}: {checked.rows:,} rows of {file}")
    out.say(*checked.hints())

    def send(chunk: list[Row]) -> Answer | None:
        rows = [{name: row[name] for name in ("row", *COLUMNS)} for row in chunk]
        content = {"shop": shop, "dry_run": dry_run, "rows": rows}
        return post(stack, f"/v1/operator/imports/{import_id}", content, {})

    with out.progress("rows", checked.rows) as advance:
        counted = send_rows(read(file), send, advance, out)
    _print_totals(counted, out, dry_run=dry_run)
    return int(counted["refused", "rows"] > 0)


def read(file: Path) -> Iterator[Row]:
    """Yield each row with its number, from 1, and its last line; an empty field is None.

    Skips empty rows. Raises CommandFailed.
    """
    return (row for row in _records(file) if row is not None)


def _records(file: Path) -> Iterator[Row | None]:
    """Yield each row; None for an empty one.

    A row of commas and blanks has a number, as it had when such rows were refused, so that files
    imported then keep their numbers. A blank line has none.
    """
    number = line = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            columns = next(reader, [])
            if sorted(columns) != sorted(COLUMNS):
                raise CommandFailed(f"{file}: the first line must be {','.join(COLUMNS)}.")
            line = reader.line_num
            for fields in reader:
                line = reader.line_num
                number += bool(fields)
                if not any(field.strip() for field in fields):
                    yield None
                    continue
                yield _row(number, line, columns, fields)
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{file} cannot be read: {error}. Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise CommandFailed(f"{file} cannot be read after line {line}: {error}") from error
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error}") from error


def _row(number: int, line: int, columns: list[str], fields: list[str]) -> Row:
    row: Row = {"row": number, "line": line, **dict.fromkeys(columns)}
    row |= {name: field or None for name, field in zip(columns, fields, strict=False)}
    return row | {_MORE: fields[len(columns) :]}


def check(file: Path) -> Checked:
    """Check the file. Raises CommandFailed unless every row fits the columns."""
    checked, wrong = Checked(), []
    for row in _records(file):
        if row is None:
            checked.empty += 1
            continue
        checked.rows += 1
        checked.note(row)
        if row[_MORE]:
            wrong.append(f"{_place(row)} has more fields than the header")
        wrong += [
            f"{_place(row)}: {name} has {len(row[name]):,} characters, more than {TEXT_LENGTH_MAX}"
            for name in COLUMNS
            if len(row[name] or "") > TEXT_LENGTH_MAX
        ]
        if len(wrong) >= _SHOWN_MAX:
            break
    if wrong:
        raise CommandFailed("\n".join([f"Nothing was sent. Correct {file} first:", *wrong]))
    return checked


def send_rows(
    rows: Iterator[Row],
    send: Send,
    advance: Callable[[int], None],
    out: Output,
    sleep: Callable[[float], None] = time.sleep,
) -> Counter[tuple[str, str]]:
    """Send all rows and print refused ones; return rows and points by status.

    "uncounted" are refused rows whose points are not a valid number. Raises CommandFailed if no
    answer comes for too long; running again is safe.
    """
    counted: Counter[tuple[str, str]] = Counter()
    done_rows = 0
    for chunk in batched(rows, ROWS_MAX, strict=False):
        places = {row["row"]: _place(row) for row in chunk}
        for done in _carried_out(list(chunk), send, sleep):
            counted[done["status"], "rows"] += 1
            counted[done["status"], "points"] += done["points"]
            if done["status"] == "refused":
                counted["refused", "uncounted"] += done["points"] == 0
                out.say(f"{places[done['row']]}: {done['code']}: {done['message']}")
        done_rows += len(chunk)
        advance(done_rows)
    return counted


def _carried_out(
    chunk: list[Row], send: Send, sleep: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    """Yield the outcome of each row; rows that were not reached are sent again."""
    pauses = iter(PAUSES_SECONDS)
    while chunk:
        answer = send(chunk)
        if answer is not None and answer.status < 500 and answer.status not in (200, 429):
            raise CommandFailed(f"Stopped at {_place(chunk[0])}. {answer.why}")
        rows = answer.body["rows"] if answer is not None and answer.status == 200 else []
        done = {one["row"]: one for one in rows if one["status"] != "not_done"}
        yield from done.values()
        chunk = [row for row in chunk if row["row"] not in done]
        if chunk and not done:
            _pause(pauses, sleep, chunk[0])


def _pause(pauses: Iterator[int], sleep: Callable[[float], None], row: Row) -> None:
    seconds = next(pauses, None)
    if seconds is None:
        raise CommandFailed(
            f"Stopped at {_place(row)}: no answer. Run it again to continue from there."
        )
    sleep(seconds)


def _place(row: Row) -> str:
    return f"row {row['row']} (line {row['line']})"


def _print_totals(counted: Counter[tuple[str, str]], out: Output, *, dry_run: bool) -> None:
    names = {"booked": "to book" if dry_run else "booked"}
    rows = [
        (names.get(status, status), counted[status, "rows"], counted[status, "points"])
        for status in ("booked", "repeated", "refused")
    ]
    total = ("file", sum(row[1] for row in rows), sum(row[2] for row in rows))
    out.table(("", "rows", "points"), [*rows, total])
    if uncounted := counted["refused", "uncounted"]:
        why = f"whose points are not a whole number from 1 to {POINTS_MAX:,}"
        out.say(f"Not in this sum: {uncounted:,} refused rows {why}")
    out.document(
        {"dry_run": dry_run}
        | {
            status: {unit: counted[status, unit] for unit in ("rows", "points")}
            for status in ("booked", "repeated", "refused")
        }
    )
