"""Runs of an outbox: triggered by the table's stream, or by a schedule over the retry queues.

Shops are processed in parallel, each with a time limit of its own, so a slow or unavailable Shopify
(or till) delays the other shops only by that limit. A shop that has failed is paused: meanwhile its
accounts are added to its retry queue without a call.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pointbook import log
from pointbook.domain.ports import Clock
from pointbook.store.outbox import Outbox
from pointbook.store.stream import AccountChange, Record, latest_changes

STREAM_SECONDS = 5.0
"""The time limit for one shop in a run for the stream, which other shops have to wait for."""

SHOP_PAUSE_SECONDS = 30.0
"""How long a shop that failed is not called for the stream; the schedule still calls it."""

SENDERS = 4
"""How many accounts of one shop are published in parallel: its Admin API makes as many calls."""

type Job = Callable[[], None]


class Run(Protocol):
    """One shop's part of a run. Safe to use from several threads.

    `stopped`: it turned out that the shop cannot be served now, so the run has ended early.
    """

    shop: str
    stopped: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent."""
        ...

    def deliver(self, customer_id: str, version: int | None = None, first_version: int = 0) -> None:
        """Send the entries of an account up to a version, now or later.

        Without one, the account is in the retry queue. `first_version` is the lowest that the
        stream showed. Raises PointbookError if it is neither sent nor queued.
        """
        ...

    def write_metrics(self) -> None:
        """Write what was counted."""
        ...


class Sender(Protocol):
    """Starts runs."""

    def run(self, shop: str, seconds: float, *, enqueue_only: bool = False) -> Run:
        """Start a run over accounts of a shop. `enqueue_only`: only add to the retry queue."""
        ...


@dataclass(slots=True)
class SweepResult:
    """The result of a scheduled run: accounts attempted, and those whose state was not recorded.

    Not `complete`: the time was up, or a shop could not be reached; the next run continues.
    """

    due: int = 0
    failed: int = 0
    complete: bool = True


class Publisher:
    """An outbox of all shops; one for each process."""

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        clock: Clock,
        stream_seconds: float = STREAM_SECONDS,
        on_change: Callable[[AccountChange], None] = lambda _: None,
    ) -> None:
        """`clock` is the wall clock, as that of `sender`; a shop has `stream_seconds` in a run.

        `on_change` is called with each account of the stream, at least once; it may raise.
        """
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._stream_seconds = stream_seconds
        self._on_change = on_change
        self._paused_until: dict[str, float] = {}

    def publish_changes(self, records: Iterable[Record], seconds: float) -> dict[str, Any]:
        """Publish the accounts in the stream's records; return the records for Lambda to retry.

        An account that cannot be published now is added to its shop's retry queue, and its records
        are done. Only records for which even that failed are to be retried.
        """
        by_shop: dict[str, list[AccountChange]] = {}
        for change in latest_changes(records):
            by_shop.setdefault(change.shop, []).append(change)
        failed: list[AccountChange] = []
        runs, jobs = [], []
        for shop, changes in by_shop.items():
            paused = self._clock.monotonic() < self._paused_until.get(shop, 0.0)
            run = self._sender.run(shop, min(seconds, self._stream_seconds), enqueue_only=paused)
            job = _stream_job(run, _Shared(changes), failed, self._on_change)
            jobs += [job] * min(SENDERS, len(changes))
            if not paused:
                runs.append(run)
        _in_parallel(jobs)
        self._finish(runs)
        again = [sequence for change in failed for sequence in change.sequences]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in again]}

    def sweep(self, shops: Iterable[str], seconds: float) -> SweepResult:
        """Publish the accounts in the retry queues of these shops."""
        result = SweepResult()
        runs = [self._sender.run(shop, seconds) for shop in shops]
        now = self._clock.now()
        queues = [_Shared(self._outbox.due(run.shop, now)) for run in runs]
        lock = threading.Lock()
        jobs = [_sweep_job(*one, result, lock) for one in zip(runs, queues, strict=True)]
        _in_parallel(jobs * SENDERS)
        self._finish(runs)
        result.complete = result.complete and not any(run.stopped for run in runs)
        log.info("outbox_swept", **asdict(result))
        return result

    def _finish(self, runs: Iterable[Run]) -> None:
        """Write the metrics, and pause the shops that failed."""
        for run in runs:
            run.write_metrics()
            if run.stopped:
                self._paused_until[run.shop] = self._clock.monotonic() + SHOP_PAUSE_SECONDS
            else:
                self._paused_until.pop(run.shop, None)


class _Shared[T]:
    """An iterator that several threads take from."""

    def __init__(self, source: Iterable[T]) -> None:
        self._source = iter(source)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            return next(self._source)


def _stream_job(
    run: Run,
    changes: _Shared[AccountChange],
    failed: list[AccountChange],
    on_change: Callable[[AccountChange], None],
) -> Job:
    def work() -> None:
        for change in changes:
            is_known = _call_or_log(on_change, change)
            delivered = _deliver_or_log(
                run, change.customer_id, change.version, change.first_version
            )
            if not delivered or not is_known:
                failed.append(change)

    return work


def _sweep_job(run: Run, due: _Shared[str], result: SweepResult, lock: threading.Lock) -> Job:
    def work() -> None:
        try:
            for customer_id in due:
                if run.is_over:
                    result.complete = False
                    return
                recorded = _deliver_or_log(run, customer_id)
                with lock:
                    result.due += 1
                    result.failed += not recorded
        except Exception:  # noqa: BLE001 - one failing queue must not stop the others
            result.complete = False
            log.exception("outbox_list_failed", shop=run.shop)

    return work


def _call_or_log(on_change: Callable[[AccountChange], None], change: AccountChange) -> bool:
    """Call `on_change`; returns whether it did not fail."""
    try:
        on_change(change)
    except Exception:  # noqa: BLE001 - one failing account must not stop the others
        log.exception("change_not_noted", shop=change.shop, customer_id=change.customer_id)
        return False
    return True


def _deliver_or_log(
    run: Run, customer_id: str, version: int | None = None, first_version: int = 0
) -> bool:
    """Deliver an account. Returns whether it is published or in the retry queue now."""
    try:
        run.deliver(customer_id, version, first_version)
    except Exception:  # noqa: BLE001 - one failing account must not stop the others
        log.exception("outbox_account_failed", shop=run.shop, customer_id=customer_id)
        return False
    return True


def _in_parallel(jobs: Sequence[Job]) -> None:
    """Run all jobs at the same time, and wait for them."""
    if not jobs:
        return
    with ThreadPoolExecutor(len(jobs), thread_name_prefix="outbox") as pool:
        # Each in a copy of the context, which has the stage and request id for the log.
        for started in [pool.submit(copy_context().run, job) for job in jobs]:
            started.result()
