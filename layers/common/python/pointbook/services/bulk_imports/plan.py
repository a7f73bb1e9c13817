"""Plans a run: reads the file, cuts its rows into parts, puts a message for each on the queue.

A plan is made again from the beginning if it is cut off; once it is written, only the parts that
are not done yet are put on the queue again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pointbook.domain.ports import Clock
from pointbook.errors import InvalidRequest
from pointbook.services.bulk_imports.booking import REFUSED, Booking
from pointbook.services.bulk_imports.csv_file import ROWS_MAX, FileRefused, Line, read_lines
from pointbook.services.bulk_imports.parts import PartResult
from pointbook.services.bulk_imports.rows import (
    Calendar,
    Row,
    looks_rounded,
    named,
    points_of,
    read_row,
)
from pointbook.services.bulk_imports.runs import (
    FILE,
    PART,
    QUEUE,
    UNREADABLE_PART,
    Files,
    Kind,
    Run,
    imports_of,
    json_bytes,
)
from pointbook.services.message import Message, message_text

ROWS_PER_PART = 500
"""About as many: a customer's rows stay together."""

SHOWN_MAX = 10
_WRITERS = 8
"""Files that are read or written at a time; botocore keeps ten connections."""

type Enqueue = Callable[[str, str], None]


@dataclass(slots=True)
class FileContent:
    """The rows of a file: the valid ones, and what became of the others."""

    rows: list[Row] = field(default_factory=list)
    unreadable: PartResult = field(default_factory=PartResult)
    empty: int = 0
    rounded: list[int] = field(default_factory=list)
    digest: str = ""

    def hints(self) -> list[str]:
        """Return what to look at, besides refused rows."""
        found = []
        if self.empty:
            found.append(f"{self.empty:,} empty {_rows(self.empty)} skipped.")
        if self.rounded:
            found.append(
                f"{len(self.rounded):,} {_rows(len(self.rounded))} with a customer_id that ends in"
                f" many zeros ({_lines(self.rounded)}): a spreadsheet may have rounded it. Compare"
                " it with the ids in the shop."
            )
        return found


def read_file(content: bytes, calendar: Calendar) -> FileContent:
    """Return the rows of a file, named. Raises FileRefused."""
    found = FileContent(digest=hashlib.sha256(content).hexdigest())
    rows = []
    for line in read_lines(content):
        if line.is_empty:
            found.empty += 1
        elif (row := _row_of(line, calendar, found)) is not None:
            rows.append(row)
        if len(rows) > ROWS_MAX:
            raise FileRefused(f"The file has more than {ROWS_MAX:,} rows: split it.")
    found.rounded = [row.line for row in rows if looks_rounded(row)]
    found.rows = list(named(rows))
    return found


def _row_of(line: Line, calendar: Calendar, found: FileContent) -> Row | None:
    try:
        return read_row(line, calendar)
    except InvalidRequest as error:
        points = points_of(line)
        found.unreadable.add({REFUSED: points})
        customer_id, point = line.fields["customer_id"], line.fields["point"]
        found.unreadable.listed.append(
            {
                "line": line.number,
                "customer_id": customer_id,
                "point": points or point,
                "left": points,
                "code": error.code,
                "message": error.message,
            }
        )
        return None


class Planner:
    """Plans runs of imports."""

    def __init__(
        self,
        files: Files,
        booking: Callable[[Run], Booking],
        calendar: Callable[[str], Calendar],
        enqueue: Enqueue,
        clock: Clock,
    ) -> None:
        """Keep files in `files`; `booking` knows which rows were booked before."""
        self._files = files
        self._booking = booking
        self._calendar = calendar
        self._enqueue = enqueue
        self._clock = clock

    def run(self, run: Run) -> None:
        """Plan a run and put its parts on the queue; a file that is refused ends it."""
        if self._files.exists(run.key("failed.json")):
            return
        if not self._files.exists(run.key("plan.json")):
            try:
                self._write(run)
            except FileRefused as error:
                problem = {"code": error.code, "message": error.message}
                self._files.put(run.key("failed.json"), json_bytes(problem))
                return
        plan = json.loads(self._files.get(run.key("plan.json")) or b"{}")
        done = set(self._files.keys(run.key("done/")))
        for part in range(1, len(plan["parts"]) + 1):
            if run.done_key(part) not in done:
                self._enqueue(QUEUE, message_of(run, self._clock, PART, part=part))

    def _write(self, run: Run) -> None:
        imports = imports_of(self._files, run.shop, run.import_id)
        imports = [one for one in imports if one.run_id != run.run_id]
        if run.kind is Kind.UNDO:
            content = self._earlier_rows(imports)
        else:
            content = self._file(run)
            self._check_earlier(run, imports, content.rows)
        if run.kind is Kind.UNDO and not run.dry_run:
            self._files.put(run.undone_key, b"{}")
        parts = list(_parts(content.rows))
        with ThreadPoolExecutor(_WRITERS) as pool:
            texts = (b"\n".join(row.text() for row in part) for part in parts)
            keys = (run.part_key(number) for number in range(1, len(parts) + 1))
            list(pool.map(self._files.put, keys, texts))
        self._files.put(run.done_key(UNREADABLE_PART), content.unreadable.text())
        self._files.put(run.key("plan.json"), json_bytes(_plan(content, parts)))

    def _file(self, run: Run) -> FileContent:
        content = self._files.get(run.key(FILE))
        if content is None:
            raise FileRefused(f"There is no file {run.key(FILE)} in the bucket: upload it first.")
        if self._files.exists(run.undone_key):
            raise FileRefused(
                f"The import {run.import_id} was undone: import the file under another id."
            )
        return read_file(content, self._calendar(run.shop))

    def _check_earlier(self, run: Run, imports: list[Run], rows: list[Row]) -> None:
        """Refuse a file that lacks rows which an earlier file of this import has booked."""
        known, booking = {row.identity for row in rows}, self._booking(run)
        earlier = {row.identity: row for row in self._rows_of(imports)}
        missing = (row for identity, row in earlier.items() if identity not in known)
        booked = list(islice((row for row in missing if booking.is_booked(row)), SHOWN_MAX))
        if booked:
            shown = ", ".join(
                f"{row.points:,} points of {row.customer_id} (line {row.line} then)"
                for row in booked
            )
            raise FileRefused(
                "Rows that this import has booked are not in the file any more, or were changed:"
                f" {shown}. Put them back and correct points with `pointbook adjust`, or undo the"
                " import and start another one."
            )

    def _earlier_rows(self, imports: list[Run]) -> FileContent:
        known = {row.identity: row for row in self._rows_of(imports)}
        rows = sorted(known.values(), key=lambda row: row.line)
        return FileContent(rows=list(_together(rows)))

    def _rows_of(self, runs: Iterable[Run]) -> Iterator[Row]:
        keys = [key for run in runs for key in self._files.keys(run.key("parts/"))]
        with ThreadPoolExecutor(_WRITERS) as pool:
            for content in pool.map(self._files.get, keys):
                yield from read_part(content or b"")


def read_part(content: bytes) -> list[Row]:
    """Return the rows of a part's file."""
    return [Row.read(line) for line in content.splitlines()]


def message_of(run: Run, clock: Clock, topic: str, **more: object) -> str:
    """Return the text of a message that carries a run on."""
    payload: dict[str, Any] = {"id": f"{run.import_id}/{run.run_id}", **run.as_json(), **more}
    return message_text(Message(topic, run.shop, clock.now(), run.run_id, payload))


def _together(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows that have their names already, a customer's together, grants first."""
    by_customer: dict[str, list[Row]] = {}
    for row in rows:
        by_customer.setdefault(row.customer_id, []).append(row)
    for of_customer in by_customer.values():
        yield from sorted(of_customer, key=lambda row: row.points < 0)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    for row in rows:
        if len(part) >= ROWS_PER_PART and row.customer_id != part[-1].customer_id:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _plan(content: FileContent, parts: list[list[Row]]) -> dict[str, Any]:
    points = Counter[str]()
    for row in content.rows:
        points["added" if row.points > 0 else "removed"] += abs(row.points)
    return {
        "parts": [len(part) for part in parts],
        "rows": len(content.rows) + content.unreadable.rows,
        "valid": {
            "rows": len(content.rows),
            "added": points["added"],
            "removed": points["removed"],
        },
        "hints": content.hints(),
        "digest": content.digest,
    }


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _lines(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:SHOWN_MAX])
    more = ", …" if len(numbers) > SHOWN_MAX else ""
    return f"{'line' if len(numbers) == 1 else 'lines'} {shown}{more}"
