"""Imports carried out by processes that can be killed, on a real engine.

Bucket and queue are folders. A message is renamed while it is being worked on; after a kill it is
renamed back, as SQS shows it again after its visibility timeout.

    python -m tests.support.import_workers URL TABLE FOLDER     one worker, until the queue is empty
"""

import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from local import demo
from pointbook.domain.buckets import Bucket
from pointbook.services.bulk_imports.csv_file import COLUMNS
from pointbook.services.bulk_imports.plan import message_of
from pointbook.services.bulk_imports.report import Report, report_of
from pointbook.services.bulk_imports.runs import FILE, PLAN, QUEUE, Kind, Run, json_bytes
from pointbook.store import keys
from pointbook.store.values import ints_of
from tests.support.engine import connected
from tests.support.harness import Functions

IMPORT_ID = "2026-11-move"
_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 6_000


class FolderFiles:
    """A bucket that is a folder; a file is there as a whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = path.with_name(f".{uuid.uuid4().hex}")
        begun.write_bytes(content)
        begun.replace(path)

    def get(self, key: str) -> bytes | None:
        path = self._folder / key
        return path.read_bytes() if path.is_file() else None

    def exists(self, key: str) -> bool:
        return (self._folder / key).is_file()

    def keys(self, prefix: str) -> Iterator[str]:
        base = self._folder / prefix
        start = base if prefix.endswith("/") else base.parent
        found = (str(path.relative_to(self._folder)) for path in start.rglob("[!.]*"))
        yield from sorted(key for key in found if key.startswith(prefix) and self.exists(key))


class FolderQueue:
    """A queue that is a folder, with another one of messages that are worked on."""

    def __init__(self, folder: Path) -> None:
        self._waiting, self._taken = folder / "waiting", folder / "taken"
        for one in (self._waiting, self._taken):
            one.mkdir(parents=True, exist_ok=True)

    def send(self, queue: str, text: str) -> None:
        assert queue == QUEUE
        name = f"{time.time_ns():020}-{uuid.uuid4().hex}"
        begun = self._taken.parent / name
        begun.write_text(text, encoding="utf-8")
        begun.replace(self._waiting / name)

    def take(self) -> Path | None:
        for path in sorted(self._waiting.iterdir()):
            taken = self._taken / path.name
            try:
                return path.rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
        return None

    def show_again(self) -> int:
        """After its worker has died: each message waits again."""
        taken = list(self._taken.iterdir())
        for path in taken:
            path.rename(self._waiting / path.name)
        return len(taken)

    def is_empty(self) -> bool:
        return not any(self._waiting.iterdir()) and not any(self._taken.iterdir())


class Imports:
    """One import on an engine: starts runs, and processes that carry them out."""

    def __init__(self, url: str, table: str, folder: Path) -> None:
        self._given = (url, table, str(folder))
        self.files = FolderFiles(folder / "bucket")
        self.queue = FolderQueue(folder / "queue")
        self.functions = Functions({"dynamodb": connected(url)}, TABLE_NAME=table)
        parts = {"import_files": self.files, "enqueue": self.queue.send}
        vars(self.functions.container).update(parts)
        self._runs = 0

    def start(self, rows: list[str], *, kind: Kind = Kind.IMPORT, dry_run: bool = False) -> Run:
        """Upload a file and start a run, as the operators' route does."""
        self._runs += 1
        run_id = f"20261130T09{self._runs:04}-1a2b3c4d"
        run = Run(demo.SHOP_DOMAIN, IMPORT_ID, run_id, kind, dry_run, "hanako")
        content = "\n".join([",".join(COLUMNS), *rows]) + "\n"
        self.files.put(run.key(FILE), content.encode())
        self.files.put(run.key("run.json"), json_bytes(run.as_json()))
        self.queue.send(QUEUE, message_of(run, self.functions.container.wall_clock, PLAN))
        return run

    def workers(self, number: int) -> list[subprocess.Popen[bytes]]:
        """Start processes that carry out what is on the queue."""
        command = [sys.executable, "-m", "tests.support.import_workers", *self._given]
        path = os.pathsep.join([str(_ROOT), str(_ROOT / "layers" / "common" / "python")])
        credentials = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        environment = {**os.environ, **credentials, "PYTHONPATH": path}
        return [
            subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL)
            for _ in range(number)
        ]

    def run(self, run: Run, workers: int, kill_at: tuple[float, ...] = ()) -> Report:
        """Have a run carried out to its end; at each of these shares all workers are killed."""
        for share in (*kill_at, None):
            processes = self.workers(workers)
            try:
                self._watch(run, processes, share)
            finally:
                for process in processes:
                    process.kill()
                    process.wait()
            if share is None:
                break
            self.queue.show_again()
        return report_of(self.files, run)

    def _watch(self, run: Run, processes: list[Any], share: float | None) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while any(process.poll() is None for process in processes):
            report = report_of(self.files, run)
            if share is not None and report.rows and report.rows_done >= share * report.rows:
                return
            assert time.monotonic() < until, "no end in sight"
            time.sleep(0.05)
        assert share is None, f"it ended before {share:.0%}"

    def booked(self, customers: Collection[str] = ()) -> Counter[str]:
        """How many items of each kind there are, and the sum of each bucket, from the raw items.

        Of all customers by one scan, or of some by a query each: in a table of hundreds of
        thousands of items the emulator takes half a minute for a page of a scan.
        """
        client, table = self.functions.container.dynamodb, self._given[1]
        every: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
        partitions = (every | _partition(customer) for customer in customers)
        found: Counter[str] = Counter()
        for request in partitions if customers else (every,):
            pages = client.get_paginator("query" if customers else "scan").paginate(**request)
            for item in (item for page in pages for item in page["Items"]):
                found[item["sk"]["S"].partition("#")[0]] += 1
                if "balances" in item:
                    found.update(dict(zip(Bucket, ints_of(item["balances"]), strict=True)))
        return found


def _partition(customer: str) -> dict[str, Any]:
    pk = keys.customer(demo.SHOP_DOMAIN, customer)
    values = {":pk": {"S": pk}}
    return {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}


def main(url: str, table: str, folder: str) -> None:
    """Carry out messages until there are none."""
    imports = Imports(url, table, Path(folder))
    while not imports.queue.is_empty():
        taken = imports.queue.take()
        if taken is None:
            time.sleep(0.05)
        elif imports.functions.work(QUEUE, taken.read_text(encoding="utf-8"), seconds=600):
            taken.rename(taken.parents[1] / "waiting" / taken.name)
        else:
            taken.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
