"""What a run has come to so far: progress, control totals, and the rows to look at."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pointbook.services.bulk_imports.booking import STATUSES
from pointbook.services.bulk_imports.parts import PartResult
from pointbook.services.bulk_imports.runs import Files, Run, runs_of

_READERS = 8


@dataclass(frozen=True, slots=True)
class Report:
    """A run's state: `planning`, `running`, `done` or `failed`, and its figures.

    `totals` are known once it is done; `listed` are rows that were refused or could not be undone
    in full.
    """

    run: Run
    status: str
    rows: int = 0
    rows_done: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    problem: dict[str, str] | None = None
    result: PartResult | None = None

    def totals(self) -> dict[str, dict[str, int]] | None:
        """Return rows, points added and points removed: of the file, and by status."""
        if self.result is None:
            return None
        none = dict.fromkeys(("rows", "added", "removed"), 0)
        by_status = {
            status: none | self.result.totals.get(status, {}) for status in STATUSES[self.run.kind]
        }
        return {"valid": self.plan["valid"], **by_status}

    def as_json(self) -> dict[str, Any]:
        """Return it as API and command show it."""
        run = self.run
        return {
            "import_id": run.import_id,
            "run_id": run.run_id,
            "kind": run.kind,
            "dry_run": run.dry_run,
            "status": self.status,
            "rows": self.rows,
            "rows_done": self.rows_done,
            "totals": self.totals(),
            "listed": len(self.result.listed) if self.result is not None else None,
            "hints": self.plan.get("hints", []),
            "problem": self.problem,
        }


def report_of(files: Files, run: Run) -> Report:
    """Return the report of a run; its parts' files are read only once it is done."""
    failed = files.get(run.key("failed.json"))
    if failed is not None:
        return Report(run, "failed", problem=json.loads(failed))
    planned = files.get(run.key("plan.json"))
    if planned is None:
        return Report(run, "planning")
    plan = json.loads(planned)
    keys = list(files.keys(run.key("done/")))
    sizes = [plan["rows"] - sum(plan["parts"]), *plan["parts"]]
    rows_done = sum(sizes[_number(key)] for key in keys)
    if len(keys) < len(sizes):
        return Report(run, "running", plan["rows"], rows_done, plan)
    result = PartResult()
    with ThreadPoolExecutor(_READERS) as pool:
        for content in pool.map(files.get, keys):
            result.join(PartResult.read(content or b"{}"))
    result.listed.sort(key=lambda row: row["line"])
    return Report(run, "done", plan["rows"], plan["rows"], plan, result=result)


def latest_run(files: Files, shop: str, import_id: str, run_id: str | None = None) -> Run | None:
    """Return the run of this id, or the last that was started; None if there is none."""
    runs = runs_of(files, shop, import_id)
    return next((run for run in reversed(runs) if run_id in (None, run.run_id)), None)


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].removesuffix(".json"))


def csv_rows(report: Report) -> Iterator[tuple[object, ...]]:
    """Yield the rows to look at, as a file for a spreadsheet has them, the header first."""
    names = ("line", "customer_id", "point", "left", "code", "message")
    yield names
    for row in report.result.listed if report.result is not None else ():
        yield tuple(row[name] for name in names)
