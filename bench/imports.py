"""python -m bench.imports [ROWS]: time and correctness of an import on AWS's DynamoDB Local.

The workers are killed three times and started again, then the file is sorted and imported anew,
some points are spent, and the import is undone. 100,000 rows unless another number is given. What
is measured is this machine, the emulator included; on AWS the pace is `ImportRowsPerSecond`.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from pointbook.domain.commands import Consume
from pointbook.services.bulk_imports.plan import read_file
from pointbook.services.bulk_imports.report import Report
from pointbook.services.bulk_imports.rows import Calendar
from pointbook.services.bulk_imports.runs import Kind
from tests.support.engine import DYNAMODB_LOCAL, connected, opened
from tests.support.examples import NOON
from tests.support.import_workers import Imports
from tests.support.servers import dynamodb_local

ROWS = 100_000
WORKERS = 2
SPENT = 100
_HEADER = "customer_id,title,point,expired_at,created_at"


def lines(rows: int) -> list[str]:
    """Rows of a third as many customers, in no order."""
    found = [f"{_customer(n % (rows // 3))},Balance,{n % 7 + 1},2099-12-31," for n in range(rows)]
    Random(16).shuffle(found)
    return found


def _customer(number: int) -> str:
    return str(8_840_734_000_000 + number)


def main(rows: int) -> None:
    """Measure, and stop at the first figure that is wrong."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    file = lines(rows)
    customers = sorted({line.partition(",")[0] for line in file})
    points = sum(int(line.split(",")[2]) for line in file)
    began = time.perf_counter()
    read_file("\n".join([_HEADER, *file, ""]).encode(), Calendar("Asia/Tokyo", NOON.date()))
    _say("read and named", rows, time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as directory, dynamodb_local(Path(directory)) as url:
        imports = Imports(url, opened(DYNAMODB_LOCAL, connected(url)).table, Path(directory))
        began = time.perf_counter()
        _check(imports.run(imports.start(file), WORKERS, kill_at=(0.1, 0.4, 0.7)), rows)
        _say("booked, killed three times", rows, time.perf_counter() - began)
        began = time.perf_counter()
        _check(imports.run(imports.start(sorted(file)), WORKERS), rows)
        _say("sorted anew, repeated", rows, time.perf_counter() - began)
        found = imports.booked(customers)
        assert (found["ENTRY"], found["approved"]) == (rows, points), found
        for number in range(SPENT):
            imports.functions.execute(Consume(1), _customer(number))
        began = time.perf_counter()
        undone = imports.run(imports.start([], kind=Kind.UNDO), WORKERS)
        _say("undone", rows, time.perf_counter() - began)
        assert undone.result is not None
        assert len(undone.result.listed) == SPENT, undone.totals()
        found = imports.booked(customers)
        assert (found["approved"], found["spent"]) == (0, SPENT), found
    print(f"{points:,} points booked once; after the undo 0, {SPENT} spent and listed")


def _check(report: Report, rows: int) -> None:
    totals = report.totals()
    assert totals is not None, report
    assert totals["booked"]["rows"] + totals["repeated"]["rows"] == rows, totals


def _say(what: str, rows: int, seconds: float) -> None:
    rate = rows / seconds
    print(f"{what}: {seconds:,.1f} s, {rate:,.0f} rows a second", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
