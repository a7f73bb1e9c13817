"""Import balances from another system: a CSV file of any size, row by row.

    .venv/bin/python -m ops import balances.csv --id 2026-11-move --env prod --dry-run
    .venv/bin/python -m ops import balances.csv --id 2026-11-move --env prod

The first checks every row and writes nothing. The columns are
customer_id,title,point,expired_at,created_at. The import's id and the row's number identify a row
for ever, so the same file can be imported again at any time: a row is booked once. Correct refused
rows in place and do not remove any row. Empty rows are skipped. Exit status 1 if a row was refused.
"""

import csv
import re
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

from ops import target
from ops.operator_api import Answer, post
from ops.problems import OpsProblem
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

type Row = dict[str, Any]
type Send = Callable[[list[Row]], Answer | None]


@dataclass(slots=True)
class Checked:
    """The result of checking a file: its rows, empty rows, and ids that may be rounded."""

    rows: int = 0
    empty: int = 0
    zero_filled: int = 0
    zero_filled_first: str = ""

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


def main(arguments: list[str]) -> int:
    """Run the command. Raises OpsProblem, PointbookError."""
    parser = ArgumentParser(
        "python -m ops import", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="CSV in UTF-8 with a header")
    parser.add_argument(
        "--id", required=True, help="identifies this import for ever, such as 2026-11-move"
    )
    parser.add_argument("--dry-run", action="store_true", help="check every row and write nothing")
    target.add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        read_import_id(options.id)
    except InvalidRequest as error:
        raise OpsProblem(str(error)) from error
    checked = check(options.file)
    stack = target.target_of(options)
    shop = stack.shop(options.shop)
    print(f"{stack.name}, {shop}, {options.id}: {checked.rows:,} rows of {options.file}")
    for hint in checked.hints():
        print(hint)

    def send(chunk: list[Row]) -> Answer | None:
        rows = [{name: row[name] for name in ("row", *COLUMNS)} for row in chunk]
        content = {"shop": shop, "dry_run": options.dry_run, "rows": rows}
        return post(stack, f"/v1/operator/imports/{options.id}", content, {})

    counted = run(read(options.file), send, lambda done: _show_progress(done, checked.rows))
    _print_totals(counted, dry_run=options.dry_run)
    return int(counted["refused", "rows"] > 0)


def read(file: Path) -> Iterator[Row]:
    """Yield each row with its number, from 1, and its last line; an empty field is None.

    Skips empty rows. Raises OpsProblem.
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
                raise OpsProblem(f"{file}: the first line must be {','.join(COLUMNS)}.")
            line = reader.line_num
            for fields in reader:
                line = reader.line_num
                number += bool(fields)
                if not any(field.strip() for field in fields):
                    yield None
                    continue
                yield _row(number, line, columns, fields)
    except UnicodeDecodeError as error:
        raise OpsProblem(f"{file} cannot be read: {error}. Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise OpsProblem(f"{file} cannot be read after line {line}: {error}") from error
    except OSError as error:
        raise OpsProblem(f"{file} cannot be read: {error}") from error


def _row(number: int, line: int, columns: list[str], fields: list[str]) -> Row:
    row: Row = {"row": number, "line": line, **dict.fromkeys(columns)}
    row |= {name: field or None for name, field in zip(columns, fields, strict=False)}
    return row | {_MORE: fields[len(columns) :]}


def check(file: Path) -> Checked:
    """Check the file. Raises OpsProblem unless every row fits the columns."""
    checked, wrong = Checked(), []
    for row in _records(file):
        if row is None:
            checked.empty += 1
            continue
        checked.rows += 1
        if _ZERO_FILLED.search((row["customer_id"] or "").rstrip()):
            checked.zero_filled += 1
            place = f"{row['customer_id'].strip()} in {_place(row)}"
            checked.zero_filled_first = checked.zero_filled_first or place
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
        raise OpsProblem("\n".join([f"Nothing was sent. Correct {file} first:", *wrong]))
    return checked


def run(
    rows: Iterator[Row],
    send: Send,
    show: Callable[[int], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Counter[tuple[str, str]]:
    """Send all rows and print refused ones; return rows and points by status.

    "uncounted" are refused rows whose points are not a valid number. Raises OpsProblem if no
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
                print(f"{places[done['row']]}: {done['code']}: {done['message']}")
        done_rows += len(chunk)
        show(done_rows)
    return counted


def _carried_out(
    chunk: list[Row], send: Send, sleep: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    """Yield the outcome of each row; rows that were not reached are sent again."""
    pauses = iter(PAUSES_SECONDS)
    while chunk:
        answer = send(chunk)
        if answer is not None and answer.status < 500 and answer.status not in (200, 429):
            raise OpsProblem(f"Stopped at {_place(chunk[0])}. {answer.why}")
        rows = answer.body["rows"] if answer is not None and answer.status == 200 else []
        done = {one["row"]: one for one in rows if one["status"] != "not_done"}
        yield from done.values()
        chunk = [row for row in chunk if row["row"] not in done]
        if chunk and not done:
            _pause(pauses, sleep, chunk[0])


def _pause(pauses: Iterator[int], sleep: Callable[[float], None], row: Row) -> None:
    seconds = next(pauses, None)
    if seconds is None:
        raise OpsProblem(
            f"Stopped at {_place(row)}: no answer. Run it again to continue from there."
        )
    sleep(seconds)


def _place(row: Row) -> str:
    return f"row {row['row']} (line {row['line']})"


def _print_totals(counted: Counter[tuple[str, str]], *, dry_run: bool) -> None:
    names = {"booked": "to book" if dry_run else "booked"}
    print(f"{'':10}{'rows':>12}{'points':>18}")
    for status in ("booked", "repeated", "refused"):
        rows, points = counted[status, "rows"], counted[status, "points"]
        print(f"{names.get(status, status):10}{rows:12,}{points:18,}")
    rows, points = (
        sum(n for (_, unit), n in counted.items() if unit == one) for one in ("rows", "points")
    )
    print(f"{'file':10}{rows:12,}{points:18,}")
    if uncounted := counted["refused", "uncounted"]:
        why = f"whose points are not a whole number from 1 to {POINTS_MAX:,}"
        print(f"Not in this sum: {uncounted:,} refused rows {why}")


def _show_progress(done: int, rows: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == rows else ""
        print(f"\r{done:,} of {rows:,} rows", end=end, file=sys.stderr, flush=True)
