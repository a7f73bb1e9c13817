"""Retries of a function that reads a table's stream, as AWS does them.

MiniStack treats every response as a success, so records named in `batchItemFailures` are lost, and
retries a batch that raised for ever, ignoring `MaximumRetryAttempts`, `BisectBatchOnFunctionError`
and the failure destination. Without a limit of attempts a failed batch is retried as a whole, as
MiniStack does.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from local.ministack_patches import module, part, replace

type _Json = dict[str, Any]

_PAUSE_SECONDS = 0.1
_PAUSE_MAX_SECONDS = 1.0
_DONE: _Json = {"body": {}, "log": ""}


def apply() -> None:
    """Replace MiniStack's delivery of stream batches."""
    functions = module("services.lambda_svc")
    delivery = _Delivery(functions)
    poll: Callable[[], bool] = part(functions, "_poll_dynamodb_streams")

    def poll_with_failures() -> bool:
        with delivery.on_this_thread:
            return poll()

    replace(functions, "_poll_dynamodb_streams", poll_with_failures)
    replace(functions, "_execute_function", delivery.execute)


class _OnThisThread(threading.local):
    """Whether this thread polls streams and is not within a delivery."""

    active = False

    def __enter__(self) -> None:
        self.active = True

    def __exit__(self, *_: object) -> None:
        self.active = False


class _Delivery:
    """Invokes a function with a batch until each record has succeeded or was given up."""

    def __init__(self, functions: object) -> None:
        self.on_this_thread = _OnThisThread()
        self._execute: Callable[[_Json, _Json], _Json] = part(functions, "_execute_function")
        self._mappings: Callable[[], Any] = part(functions, "_iter_all_esms")
        self._give_up: Callable[..., None] = part(functions, "_send_ddb_stream_failure_record")

    def execute(self, function: _Json, event: _Json) -> _Json:
        """Execute a function: with retries for the stream's poller, else as MiniStack does."""
        mapping = self._mapping_of(function, event) if self.on_this_thread.active else None
        if mapping is None:
            return self._execute(function, event)
        self.on_this_thread.active = False  # the calls within a delivery are plain ones
        try:
            return self._deliver(mapping, function, event["Records"], 0)
        finally:
            self.on_this_thread.active = True

    def _mapping_of(self, function: _Json, event: _Json) -> _Json | None:
        source = event["Records"][0].get("eventSourceARN")
        name = (function.get("config") or function).get("FunctionName")
        for _, _, mapping in self._mappings():
            if mapping.get("EventSourceArn") == source and mapping.get("FunctionName") == name:
                return dict(mapping)
        return None

    def _deliver(self, mapping: _Json, function: _Json, batch: list[_Json], failures: int) -> _Json:
        limit = mapping.get("MaximumRetryAttempts")
        while batch:
            result = self._execute(function, {"Records": batch})
            batch = _left_over(mapping, result, batch)
            if not batch:
                break
            if limit is None or int(limit) < 0:
                return {**result, "error": True}
            if failures >= int(limit):
                source = batch[0]["eventSourceARN"]
                self._give_up(mapping, function, batch, source, result, "RetryAttemptsExhausted")
                break
            failures += 1
            time.sleep(min(_PAUSE_SECONDS * failures, _PAUSE_MAX_SECONDS))
            if mapping.get("BisectBatchOnFunctionError") and len(batch) > 1:
                middle = len(batch) // 2
                self._deliver(mapping, function, batch[:middle], failures)
                batch = batch[middle:]
        return dict(_DONE)


def _left_over(mapping: _Json, result: _Json, batch: list[_Json]) -> list[_Json]:
    """Return the records from the first that failed on."""
    if result.get("error"):
        return batch
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []):
        return []
    answer = result.get("body") or {}
    if isinstance(answer, str | bytes):
        answer = json.loads(answer)
    named = {str(one.get("itemIdentifier")) for one in answer.get("batchItemFailures") or []}
    for index, record in enumerate(batch):
        if str(record["dynamodb"]["SequenceNumber"]) in named:
            return batch[index:]
    return []
