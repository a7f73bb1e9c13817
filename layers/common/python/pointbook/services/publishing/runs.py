"""Runs of the outbox: what the table's stream wakes, and what waits on the shops' lists.

Shops are worked on side by side, each with a time of its own, so that one whose Shopify is slow or
down costs the others no more than that time, and that only now and then: a shop that has failed
rests, and meanwhile its books are put on its list without a call.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any

from pointbook import log
from pointbook.domain.ports import Clock
from pointbook.services.publishing.outbox import OutboxPublisher, ShopRun
from pointbook.store import keys
from pointbook.store.outbox import Outbox

WAKE_SECONDS = 5.0
"""What one shop may take of a run that the stream started: other shops wait behind it."""

REST_SECONDS = 30.0
"""For how long a shop that failed is not called for the stream; the list is tried every minute."""

SENDERS = 4
"""How many books of one shop are sent side by side; its Admin API makes as many calls at a time."""

type Record = Mapping[str, Any]
type Job = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wake:
    """A book has changed: its entries go up to `version`. `sequences` name the records."""

    shop: str
    customer_id: str
    version: int
    sequences: tuple[str, ...]


@dataclass(slots=True)
class SweepResult:
    """What one run over the lists did: books tried, and those whose state could not be written.

    Not `complete`: the time was up, or a shop could not be reached; the next run goes on.
    """

    due: int = 0
    failed: int = 0
    complete: bool = True


class Publisher:
    """The outbox of all shops; lives as long as the function's process."""

    def __init__(self, outbox: Outbox, desk: OutboxPublisher, clock: Clock) -> None:
        """`clock` is real time, as that of `desk`."""
        self._outbox = outbox
        self._desk = desk
        self._clock = clock
        self._rests_until: dict[str, float] = {}

    def wake(self, records: Iterable[Record], seconds: float) -> dict[str, Any]:
        """Tell Flow of the books that records of the stream name; what Lambda is to send again.

        A book that could not be sent is on its shop's list, and its records are done with. Named in
        the answer are those for which not even that could be written.
        """
        by_shop: dict[str, list[Wake]] = {}
        for one in wakes(records):
            by_shop.setdefault(one.shop, []).append(one)
        failed: list[Wake] = []
        runs, jobs = [], []
        for shop, wanted in by_shop.items():
            rests = self._clock.monotonic() < self._rests_until.get(shop, 0.0)
            run = self._desk.run(shop, min(seconds, WAKE_SECONDS), resting=rests)
            jobs += [_waking(run, _Shared(wanted), failed)] * min(SENDERS, len(wanted))
            if not rests:
                runs.append(run)
        _side_by_side(jobs)
        self._finish(runs)
        again = [sequence for wake in failed for sequence in wake.sequences]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in again]}

    def sweep(self, shops: Iterable[str], seconds: float) -> SweepResult:
        """Try what is on the lists of these shops."""
        swept = SweepResult()
        runs = [self._desk.run(shop, seconds) for shop in shops]
        now = self._clock.now()
        lists = [_Shared(self._outbox.due(run.shop, now)) for run in runs]
        lock = threading.Lock()
        jobs = [_sweeping(*one, swept, lock) for one in zip(runs, lists, strict=True)]
        _side_by_side(jobs * SENDERS)
        self._finish(runs)
        swept.complete = swept.complete and not any(run.stopped for run in runs)
        log.info("outbox_swept", **asdict(swept))
        return swept

    def _finish(self, runs: Iterable[ShopRun]) -> None:
        """Write what was counted, and note how the shops are."""
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
    for record in records:
        change = record["dynamodb"]
        image = change.get("NewImage", {})
        if change["Keys"]["sk"]["S"] != keys.ACCOUNT or "version" not in image or "erased" in image:
            continue
        shop, customer_id = book = keys.parse(change["Keys"]["pk"]["S"])
        before = found.get(book)
        version = int(image["version"]["N"])
        found[book] = Wake(
            shop=shop,
            customer_id=customer_id,
            version=max(version, before.version) if before else version,
            sequences=(*(before.sequences if before else ()), change["SequenceNumber"]),
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


def _waking(run: ShopRun, wanted: _Shared[Wake], failed: list[Wake]) -> Job:
    def work() -> None:
        failed.extend(
            wake for wake in wanted if not _is_settled(run, wake.customer_id, wake.version)
        )

    return work


def _sweeping(run: ShopRun, due: _Shared[str], swept: SweepResult, lock: threading.Lock) -> Job:
    def work() -> None:
        try:
            for customer_id in due:
                if run.is_over:
                    swept.complete = False
                    return
                settled = _is_settled(run, customer_id, None)
                with lock:
                    swept.due += 1
                    swept.failed += not settled
        except Exception:  # noqa: BLE001 - whatever is wrong with one shop's list, the others go on
            swept.complete = False
            log.exception("outbox_list_failed", shop=run.shop)

    return work


def _is_settled(run: ShopRun, customer_id: str, version: int | None) -> bool:
    """Whether a book is told or on the list."""
    try:
        run.deliver(customer_id, version)
    except Exception:  # noqa: BLE001 - whatever is wrong with one book, it stops no other
        log.exception("outbox_book_failed", shop=run.shop, customer_id=customer_id)
        return False
    return True


def _side_by_side(jobs: Sequence[Job]) -> None:
    """Do all at the same time, and wait for all."""
    if not jobs:
        return
    with ThreadPoolExecutor(len(jobs), thread_name_prefix="outbox") as pool:
        # Each in a context of its own, which has the stage and the request's id for the log.
        for started in [pool.submit(copy_context().run, job) for job in jobs]:
            started.result()
