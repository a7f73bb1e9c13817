"""Sweeps: write down, account by account, what has fallen due. The ledger knew it before."""

from dataclasses import asdict, dataclass

from pointbook import log
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Settle
from pointbook.domain.ports import Clock, DueKind, Store
from pointbook.domain.refusal import Refusal
from pointbook.errors import PointbookError
from pointbook.instruction import Instruction
from pointbook.ledger import Ledger

PROGRESS_EVERY_ACCOUNTS = 1_000
MARGIN_SECONDS = 5.0
"""What a function keeps of its time to end in good order."""

SETTLE_SECONDS = 2.0
"""How long one account may take before the sweep goes on without it."""


@dataclass(slots=True)
class Swept:
    """What one sweep did: accounts looked at, entries written down, accounts that failed.

    Not `complete`: the time was up before all were looked at; the next run goes on.
    """

    accounts: int = 0
    entries: int = 0
    failed: int = 0
    complete: bool = True


class Sweep:
    """One run over everything of a kind that is due."""

    def __init__(self, ledger: Ledger, store: Store, clock: Clock) -> None:
        """Sweep what `store` holds."""
        self._ledger = ledger
        self._store = store
        self._clock = clock

    def run(self, kind: DueKind, seconds: float) -> Swept:
        """Settle each due account in a transaction of its own, for at most `seconds`.

        An account that fails is counted, logged and passed over: it never stops the others, and
        stays due. Two sweeps at once do no harm, nor does one that comes late.
        """
        swept = Swept()
        until = self._clock.monotonic() + seconds
        for shop, customer_id in self._store.due(kind, self._clock.now()):
            if self._clock.monotonic() >= until:
                swept.complete = False
                break
            self._settle(shop, customer_id, swept)
            if swept.accounts % PROGRESS_EVERY_ACCOUNTS == 0:
                log.info("sweep_progress", kind=kind, **asdict(swept))
        log.info("sweep_done", kind=kind, **asdict(swept))
        log.metric("SweptEntries", swept.entries, Kind=kind)
        log.metric("SweepFailures", swept.failed, Kind=kind)
        return swept

    def _settle(self, shop: str, customer_id: str, swept: Swept) -> None:
        swept.accounts += 1
        instruction = Instruction(shop, customer_id, Settle(), Cause(source="schedule"))
        try:
            booked = self._ledger.execute(instruction, SETTLE_SECONDS)
        except (PointbookError, AssertionError, ValueError, KeyError):
            swept.failed += 1
            log.exception("sweep_account_failed", shop=shop, customer_id=customer_id)
            return
        if isinstance(booked, Refusal):
            return
        swept.entries += booked.settled
