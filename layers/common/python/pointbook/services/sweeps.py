"""Sweeps: do, one by one, what has fallen due."""

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
MARGIN_SECONDS = 5.0
"""What a function keeps of its time to end in good order."""

SETTLE_SECONDS = 2.0
"""How long one account may take before the sweep goes on without it."""

_ANY_ORDER = SystemRandom().shuffle

type Work = Callable[[str, str], int]
"""Does what is due for a shop and one id (a customer's or an order's); returns entries written."""


@dataclass(slots=True)
class SweepResult:
    """What one sweep did: how many were due, entries written, how many failed.

    Not `complete`: the time was up before all were looked at; the next run goes on.
    """

    due: int = 0
    entries: int = 0
    failed: int = 0
    complete: bool = True


def settling(ledger: Ledger) -> Work:
    """Write down what has fallen due on an account; the ledger counted with it before."""

    def settle(shop: str, customer_id: str) -> int:
        instruction = Instruction(shop, customer_id, Settle(), Cause(source="schedule"))
        booked = ledger.execute(instruction, SETTLE_SECONDS)
        return 0 if isinstance(booked, Refusal) else booked.settled

    return settle


class Sweep:
    """One run over everything of a kind that is due.

    Shards are taken in another order each time, so that what spoils a run never spoils the same
    books twice.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        work: Work,
        order: Callable[[list[int]], None] = _ANY_ORDER,
    ) -> None:
        """Do `work` for all that `store` says is due; `order` puts shards into some order."""
        self._store = store
        self._clock = clock
        self._work = work
        self._order = order

    def run(self, kind: DueKind, seconds: float) -> SweepResult:
        """Do the work of each that is due in a transaction of its own, for at most `seconds`.

        One that fails is counted, logged and passed over; so is a shard that cannot be read.
        Neither stops the others, and both stay due. Two sweeps at once do no harm, nor does one
        that comes late.
        """
        swept = SweepResult()
        deadline = Deadline.after(seconds, self._clock.monotonic)
        shards = list(range(DUE_SHARDS))
        self._order(shards)
        for shard in shards:
            try:
                self._run_shard(kind, shard, deadline, swept)
            except Exception:  # noqa: BLE001 - whatever is wrong with one shard, the others go on
                swept.failed += 1
                swept.complete = False
                log.exception("sweep_shard_failed", kind=kind, shard=shard)
        log.info("sweep_done", kind=kind, **asdict(swept))
        log.metric("SweptEntries", swept.entries, Kind=kind)
        log.metric("SweepFailures", swept.failed, Kind=kind)
        return swept

    def _run_shard(self, kind: DueKind, shard: int, deadline: Deadline, swept: SweepResult) -> None:
        for shop, due_id in self._store.due(kind, shard, self._clock.now()):
            if deadline.passed:
                swept.complete = False
                return
            self._do(kind, shop, due_id, swept)
            if swept.due % PROGRESS_EVERY == 0:
                log.info("sweep_progress", kind=kind, **asdict(swept))

    def _do(self, kind: DueKind, shop: str, due_id: str, swept: SweepResult) -> None:
        swept.due += 1
        try:
            swept.entries += self._work(shop, due_id)
        except Exception:  # noqa: BLE001 - one bad item, whatever is bad about it, stops no other
            swept.failed += 1
            log.exception("sweep_item_failed", kind=kind, shop=shop, due_id=due_id)
