"""Runs of the outbox: triggered by the table's stream, or by a schedule over the shops' lists.

Shops are processed in parallel, each with a time limit of its own, so that one whose Shopify is
slow or down delays the others by no more than that, and only now and then: a shop that has failed
rests, and meanwhile its accounts are added to its list without a call.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any

from pointbook import log
from pointbook.domain.ports import Clock
from pointbook.services.publishing.outbox import OutboxPublisher, OutboxRun
from pointbook.store.outbox import Outbox
from pointbook.store.stream import Record, account_changes

WAKE_SECONDS = 5.0
"""The time limit for one shop in a run for the stream: other shops wait behind it."""

REST_SECONDS = 30.0
"""How long a shop that failed is not called for the stream; its list is tried every minute."""

SENDERS = 4
"""How many accounts of one shop are published in parallel: its Admin API makes as many calls."""

type Job = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wake:
    """An account has entries up to `version`, says the stream in the records `sequences`."""

    shop: str
    customer_id: str
    version: int
    sequences: tuple[str, ...]


@dataclass(slots=True)
class SweepResult:
    """The result of a run over the lists: accounts tried, and those whose state was not recorded.

    Not `complete`: the time was up, or a shop could not be reached; the next run continues.
    """

    due: int = 0
    failed: int = 0
    complete: bool = True


class Publisher:
    """The outbox of all shops; one for each process."""

    def __init__(self, outbox: Outbox, publisher: OutboxPublisher, clock: Clock) -> None:
        """`clock` is the wall clock, as that of `publisher`."""
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._rests_until: dict[str, float] = {}

    def wake(self, records: Iterable[Record], seconds: float) -> dict[str, Any]:
        """Publish the accounts in the stream's records; return the records for Lambda to retry.

        An account that could not be published is added to its shop's list, and its records are
        done. To be retried are those for which not even that could be recorded.
        """
        by_shop: dict[str, list[Wake]] = {}
        for one in wakes(records):
            by_shop.setdefault(one.shop, []).append(one)
        failed: list[Wake] = []
        runs, jobs = [], []
        for shop, changed in by_shop.items():
            rests = self._clock.monotonic() < self._rests_until.get(shop, 0.0)
            run = self._publisher.run(shop, min(seconds, WAKE_SECONDS), resting=rests)
            jobs += [_waking(run, _Shared(changed), failed)] * min(SENDERS, len(changed))
            if not rests:
                runs.append(run)
        _in_parallel(jobs)
        self._finish(runs)
        again = [sequence for wake in failed for sequence in wake.sequences]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in again]}

    def sweep(self, shops: Iterable[str], seconds: float) -> SweepResult:
        """Publish the accounts on the lists of these shops."""
        result = SweepResult()
        runs = [self._publisher.run(shop, seconds) for shop in shops]
        now = self._clock.now()
        lists = [_Shared(self._outbox.due(run.shop, now)) for run in runs]
        lock = threading.Lock()
        jobs = [_sweeping(*one, result, lock) for one in zip(runs, lists, strict=True)]
        _in_parallel(jobs * SENDERS)
        self._finish(runs)
        result.complete = result.complete and not any(run.stopped for run in runs)
        log.info("outbox_swept", **asdict(result))
        return result

    def _finish(self, runs: Iterable[OutboxRun]) -> None:
        """Write the metrics, and remember which shops are to rest."""
        for run in runs:
            run.write_metrics()
            if run.stopped:
                self._rests_until[run.shop] = self._clock.monotonic() + REST_SECONDS
            else:
                self._rests_until.pop(run.shop, None)


def wakes(records: Iterable[Record]) -> list[Wake]:
    """The books that records of the table's stream are about, in the order of the stream.

    A book stands there once, with its latest version. Left out is what is no account, and the
    tombstone of an erased customer.
    """
    found: dict[tuple[str, str], Wake] = {}
    for change in account_changes(records):
        before = found.get((change.shop, change.customer_id))
        found[change.shop, change.customer_id] = Wake(
            shop=change.shop,
            customer_id=change.customer_id,
            version=max(change.version, before.version if before else 0),
            sequences=(*(before.sequences if before else ()), change.sequence),
        )
    return list(found.values())


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


def _waking(run: OutboxRun, changed: _Shared[Wake], failed: list[Wake]) -> Job:
    def work() -> None:
        failed.extend(
            wake for wake in changed if not _is_settled(run, wake.customer_id, wake.version)
        )

    return work


def _sweeping(run: OutboxRun, due: _Shared[str], result: SweepResult, lock: threading.Lock) -> Job:
    def work() -> None:
        try:
            for customer_id in due:
                if run.is_over:
                    result.complete = False
                    return
                settled = _is_settled(run, customer_id, None)
                with lock:
                    result.due += 1
                    result.failed += not settled
        except Exception:  # noqa: BLE001 - one bad list, whatever is wrong with it, stops no other
            result.complete = False
            log.exception("outbox_list_failed", shop=run.shop)

    return work


def _is_settled(run: OutboxRun, customer_id: str, version: int | None) -> bool:
    """Whether an account is published or on the list."""
    try:
        run.deliver(customer_id, version)
    except Exception:  # noqa: BLE001 - one bad account, whatever is wrong with it, stops no other
        log.exception("outbox_account_failed", shop=run.shop, customer_id=customer_id)
        return False
    return True


def _in_parallel(jobs: Sequence[Job]) -> None:
    """Run all jobs at the same time, and wait for all."""
    if not jobs:
        return
    with ThreadPoolExecutor(len(jobs), thread_name_prefix="outbox") as pool:
        # Each in a copy of the context, which has the stage and request id for the log.
        for started in [pool.submit(copy_context().run, job) for job in jobs]:
            started.result()
