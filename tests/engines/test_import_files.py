"""A file is imported by processes that are killed; every row is booked once, and undone once."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pointbook.domain.commands import Consume
from pointbook.services.bulk_imports import plan
from pointbook.services.bulk_imports.runs import Kind
from tests.support.engine import DYNAMODB_LOCAL, connected, opened
from tests.support.import_workers import Imports
from tests.support.servers import dynamodb_local

ROWS = 1_100
CUSTOMERS = 400
SPENT = 40


@pytest.fixture
def imports(tmp_path: Path) -> Iterator[Imports]:
    with dynamodb_local(tmp_path) as url:
        engine = opened(DYNAMODB_LOCAL, connected(url))
        yield Imports(url, engine.table, tmp_path)


def customer(number: int) -> str:
    return str(8_840_734_000_000 + number)


def file(rows: int, customers: int) -> list[str]:
    """Rows in no order; some are equal, some remove points of what others grant."""
    random = Random(16)
    lines = [f"{customer(n % customers)},Balance,{n % 7 + 1},2099-12-31," for n in range(rows)]
    lines[-10:] = [f"{customer(n)},Correction,-1,," for n in range(10)]
    random.shuffle(lines)
    return lines


def test_a_file_whose_workers_are_killed_three_times_and_that_is_sorted_anew_is_booked_once(
    imports: Imports,
) -> None:
    lines = file(ROWS, CUSTOMERS)
    points = sum(int(line.split(",")[2]) for line in lines)
    first = imports.run(imports.start(lines), workers=2, kill_at=(0.0, 0.3, 0.6))
    assert (first.status, first.rows_done) == ("done", ROWS)
    totals = imports.run(imports.start(sorted(lines)), workers=1).totals()
    assert totals is not None
    assert totals["repeated"] == totals["valid"]
    assert totals["valid"]["rows"] == ROWS
    found = imports.booked()
    assert (found["ENTRY"], found["ACCOUNT"], found["approved"]) == (ROWS, CUSTOMERS, points)
    assert found["issued"] == -(points + 10)

    for number in range(SPENT):
        imports.functions.execute(Consume(1), customer(number))
    undone = imports.run(imports.start([], kind=Kind.UNDO), workers=2, kill_at=(0.5,))
    totals = undone.totals()
    assert totals is not None
    left = totals["left"]["added"]
    assert (left, totals["refused"]["rows"], totals["not_booked"]["rows"]) == (SPENT, 0, 0)
    assert undone.result is not None
    assert {row["customer_id"] for row in undone.result.listed} == {
        customer(number) for number in range(SPENT)
    }
    found = imports.booked()
    assert (found["approved"], found["spent"], found["removed"]) == (0, SPENT, 0)
    assert plan.ROWS_PER_PART < ROWS
