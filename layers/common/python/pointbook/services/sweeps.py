"""Sweeps: scheduled runs that work through everything that is due, item by item."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import SystemRandom

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Settle
from pointbook.domain.ports import DUE_SHARDS, Clock, DueKind, Store
from pointbook.domain.refusal import Refusal
from pointbook.ledger.instruction import Instruction
from pointbook.ledger.ledger import Ledger

PROGRESS_EVERY = 1_000
SETTLE_SECONDS = 2.0
"""The time limit for one account; after it the sweep goes on to the next."""

_SHUFFLE = SystemRandom().shuffle

type Work = Callable[[str, str], int]
"""Works on one due item, by shop and id (a customer's or an order's); returns entries written."""


@dataclass(slots=True)
class SweepResult:
    """The result of a sweep: items due, entries written, items that failed.

    Not `complete`: the time was up before every item was processed; the next run continues.
    """

    due: int = 0
    entries: int = 0
    failed: int = 0
    complete: bool = True


def settling(ledger: Ledger) -> Work:
    """Return the work that records what is due on an account; reads apply it before."""

    def settle(shop: str, customer_id: str) -> int:
        instruction = Instruction(shop, customer_id, Settle(), Cause(source="schedule"))
        booked = ledger.execute(instruction, SETTLE_SECONDS)
        return 0 if isinstance(booked, Refusal) else booked.settled

    return settle


class Sweep:
    """One run over all due items of a kind.

    Shards are shuffled, so that a run that ends early does not starve the same accounts each time.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        work: Work,
        order: Callable[[list[int]], None] = _SHUFFLE,
    ) -> None:
        """Do `work` for each item that is due in `store`; `order` sorts the shards in place."""
        self._store = store
        self._clock = clock
        self._work = work
        self._order = order
        self._oldest_seconds = 0

    def run(self, kind: DueKind, seconds: float) -> SweepResult:
        """Work on each due item in a transaction of its own, for at most `seconds`.

        An item that fails, or a shard that cannot be read, is counted, logged and skipped. It stays
        due. Sweeps may run at the same time, and late.
        """
        result = SweepResult()
        deadline = Deadline.after(seconds, self._clock.monotonic)
        shards = list(range(DUE_SHARDS))
        self._order(shards)
        for shard in shards:
            try:
                self._run_shard(kind, shard, deadline, result)
            except Exception:  # noqa: BLE001 - one failing shard must not stop the others
                result.failed += 1
                result.complete = False
                log.exception("sweep_shard_failed", kind=kind, shard=shard)
        log.info("sweep_done", kind=kind, oldest_seconds=self._oldest_seconds, **asdict(result))
        log.metric("SweptEntries", result.entries, Kind=kind)
        log.metric("SweepFailures", result.failed)
        log.metric("OldestDueSeconds", self._oldest_seconds, unit="Seconds")
        return result

    def _run_shard(
        self, kind: DueKind, shard: int, deadline: Deadline, result: SweepResult
    ) -> None:
        now = self._clock.now()
        for shop, due_id, due_at in self._store.due(kind, shard, now):
            self._oldest_seconds = max(self._oldest_seconds, int((now - due_at).total_seconds()))
            if deadline.passed:
                result.complete = False
                return
            self._do(kind, shop, due_id, result)
            if result.due % PROGRESS_EVERY == 0:
                log.info("sweep_progress", kind=kind, **asdict(result))

    def _do(self, kind: DueKind, shop: str, due_id: str, result: SweepResult) -> None:
        result.due += 1
        try:
            result.entries += self._work(shop, due_id)
        except Exception:  # noqa: BLE001 - one failing item must not stop the others
            result.failed += 1
            log.exception("sweep_item_failed", kind=kind, shop=shop, due_id=due_id)
