"""An operator who imports files into a shop: uploads, starts, and has the queue worked off."""

import json
from collections.abc import Iterator
from typing import Any

from local import demo
from pointbook.aws.bucket import Bucket
from pointbook.services.bulk_imports.csv_file import COLUMNS
from pointbook.services.bulk_imports.report import csv_rows, report_of
from pointbook.services.bulk_imports.runs import QUEUE, runs_of
from tests.support.harness import CUSTOMER, Functions, event

IMPORT_ID = "2026-11-move"
HEADER = ",".join(COLUMNS)


def put_file(functions: Functions, run_id: str, *rows: str, import_id: str = IMPORT_ID) -> None:
    """Upload a file with these rows, and have another run of the import be there."""
    content = "\n".join([HEADER, *(rows or (f"{CUSTOMER},Balance,500,,",))]) + "\n"
    folder = f"imports/{demo.SHOP_DOMAIN}/{import_id}"
    functions.bucket.objects[f"{folder}/{run_id}/file.csv"] = content.encode()
    earlier = {
        "shop": demo.SHOP_DOMAIN,
        "import_id": import_id,
        "run_id": "20260101T000000-0a0b0c0d",
    }
    earlier |= {"kind": "import", "actor": "hanako"}
    key = f"{folder}/{earlier['run_id']}/run.json"
    functions.bucket.objects[key] = json.dumps(earlier | {"dry_run": False}).encode()


class ImportApi:
    """Imports into one shop; every run has a number of its own."""

    def __init__(self, functions: Functions | None = None) -> None:
        self.functions = functions or Functions()
        self._runs = 0

    def send(
        self, *rows: str, dry_run: bool = False, undo: bool = False, import_id: str = IMPORT_ID
    ) -> str:
        """Upload the rows and start a run; its id. Nothing is worked on yet."""
        self._runs += 1
        run_id = f"20261130T09{self._runs:04}-1a2b3c4d"
        if not undo:
            put_file(self.functions, run_id, *rows, import_id=import_id)
            del self.functions.bucket.objects[
                f"imports/{demo.SHOP_DOMAIN}/{import_id}/20260101T000000-0a0b0c0d/run.json"
            ]
        request = event("import_runs", "start")
        body = {"run_id": run_id, "dry_run": dry_run, "kind": "undo" if undo else "import"}
        request |= {
            "body": json.dumps(body),
            "rawPath": f"/v1/operator/imports/{import_id}/runs",
            "pathParameters": {"import_id": import_id},
        }
        answer = self.functions.request("import_runs", request)
        assert answer.status == 202, answer.body
        return run_id

    def messages(self) -> Iterator[str]:
        """Take the messages off the queue, one after the other."""
        sent = self.functions.queues.sent
        while texts := [text for queue, text in sent if queue == QUEUE]:
            sent.remove((QUEUE, texts[0]))
            yield texts[0]

    def work(self) -> None:
        """Work the queue off; nothing may be left."""
        for text in self.messages():
            assert self.functions.work(QUEUE, text) == []

    def run(
        self, *rows: str, dry_run: bool = False, undo: bool = False, import_id: str = IMPORT_ID
    ) -> dict[str, Any]:
        """Start a run and carry it out; its report."""
        self.send(*rows, dry_run=dry_run, undo=undo, import_id=import_id)
        self.work()
        return self.report(import_id)

    def undo(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Undo the import, or say what would be undone; the report."""
        return self.run(dry_run=dry_run, undo=True)

    def report(self, import_id: str = IMPORT_ID) -> dict[str, Any]:
        """The report of the latest run."""
        request = event("import_runs", "report")
        request |= {
            "rawPath": f"/v1/operator/imports/{import_id}",
            "pathParameters": {"import_id": import_id},
        }
        answer = self.functions.request("import_runs", request)
        assert answer.status == 200, answer.body
        return answer.body

    def listed(self) -> list[tuple[Any, ...]]:
        """The rows to look at of the latest run: line, points, points left, code, message."""
        container = self.functions.container
        files = Bucket(container.s3, container.settings.imports_bucket)
        run = runs_of(files, demo.SHOP_DOMAIN, IMPORT_ID)[-1]
        return [(row[0], *row[2:]) for row in csv_rows(report_of(files, run))][1:]
