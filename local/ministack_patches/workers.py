"""A queue for worker processes: a burst of calls waits for a few of them and none is refused.

MiniStack starts a process for each call that finds none free, without limit; twenty calls at once
of a cold function are twenty interpreters importing on two cores, and each call takes seconds. Here
a call takes the first process that becomes free. Another one is started only if none became free
for a while (the function waits for something slow) and none of the function is starting, and never
more at a time than there are cores. AWS would start an environment for each call at once; handlers
cannot tell the difference.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any

from local.ministack_patches import module, part, replace

_LOG = logging.getLogger(__name__)
_STUCK_AFTER_SECONDS = 0.3
_WAIT_SECONDS = 60.0
_PROCESSES_A_FUNCTION = 32


def apply() -> None:
    """Let calls wait for a free process."""
    runtime = module("core.lambda_runtime")
    functions = module("services.lambda_svc")
    queue = _Queue(runtime)
    for owner in (runtime, functions):
        replace(owner, "acquire_worker", queue.acquire)
        replace(owner, "release_worker", queue.release)


class _Queue:
    """Leases MiniStack's worker processes."""

    def __init__(self, runtime: object) -> None:
        self._acquire: Callable[..., tuple[Any, str]] = part(runtime, "acquire_worker")
        self._release: Callable[[Any], None] = part(runtime, "release_worker")
        self._ensure_spawned: Callable[[Any], None] = part(runtime, "ensure_spawned")
        self._key: Callable[[str, dict[str, Any], str], str] = part(runtime, "_worker_key")
        self._workers: dict[str, list[Any]] = part(runtime, "_workers")
        self._changed = threading.Condition()
        self._progress_at: dict[str, float] = {}
        self._starting_at_once = max(2, os.cpu_count() or 2)

    def acquire(
        self,
        name: str,
        config: dict[str, Any],
        code: bytes,
        qualifier: str = "$LATEST",
        max_concurrency: int | None = None,
    ) -> tuple[Any, str]:
        """Lease a process for one call; waits up to a minute."""
        key = self._key(name, config, qualifier)
        give_up = time.monotonic() + _WAIT_SECONDS
        with self._changed:
            while time.monotonic() < give_up:
                if self._has_free(key):
                    break
                if self._should_start(key):
                    self._progress_at[key] = time.monotonic()
                    worker, _ = self._acquire(name, config, code, qualifier, max_concurrency)
                    # MiniStack finds account and region, and so the layer, by context variables.
                    start = partial(copy_context().run, self._start, worker)
                    threading.Thread(target=start, daemon=True, name="start").start()
                self._changed.wait(_STUCK_AFTER_SECONDS)
            return self._acquire(name, config, code, qualifier, max_concurrency)

    def release(self, worker: Any) -> None:
        """Return a process and wake a waiting call."""
        self._release(worker)
        with self._changed:
            if worker is not None:
                key = self._key(
                    worker.func_name, worker.config, worker.config.get("Version", "$LATEST")
                )
                self._progress_at[key] = time.monotonic()
            self._changed.notify_all()

    def _start(self, worker: Any) -> None:
        """Start a process and make it available."""
        try:
            self._ensure_spawned(worker)
        except (OSError, RuntimeError):
            _LOG.exception("a worker process did not start; the call that gets it reports why")
        finally:
            self.release(worker)

    def _has_free(self, key: str) -> bool:
        return any(not worker.in_use for worker in self._pool(key))

    def _should_start(self, key: str) -> bool:
        """Whether to start another process."""
        pool = self._pool(key)
        stuck = time.monotonic() - self._progress_at.get(key, 0.0) >= _STUCK_AFTER_SECONDS
        if len(pool) >= _PROCESSES_A_FUNCTION or (pool and not stuck) or _starting(pool):
            return False
        everywhere = sum(_starting(list(workers)) for workers in list(self._workers.values()))
        return everywhere < self._starting_at_once

    def _pool(self, key: str) -> list[Any]:
        return list(self._workers.get(key, ()))


def _starting(pool: list[Any]) -> int:
    """Return how many of these processes are starting."""
    return sum(bool(worker.in_use and worker._start_time is None) for worker in pool)
