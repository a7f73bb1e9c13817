"""Four races that chance hardly ever runs, run on purpose.

A write that arrives late: the first attempt is decided just before something falls due and is lost
on its way; the second comes after it and is refused. When the first arrives after all, it must not
take effect: its caller was told that it was refused.

A rival with the same request: both have read, one writes, the other loses, and DynamoDB names only
the account as the reason, not the idempotency record. The loser must not be refused for what the
rival spent: it is the same request.

Two states in one answer: a merged customer's account is read apart from everything else. A caller
that has nothing to do, since a rival does it between two of the reads, must get the figures after
it.

An old order beside a current account: by the order there is nothing to do, and something has fallen
due that is written. The request must not be recorded as done with it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Final

from pointbook.domain import commands as c
from pointbook.domain.expiry import Days
from pointbook.domain.refusal import Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import At, Fault, Nothing, Standstill, faulty
from tests.simulation.kernel.boundaries import MIDNIGHT
from tests.simulation.kernel.crash_matrix import (
    HOLD,
    SHOP,
    Operation,
    StillClock,
    capture,
    grant,
    instruct,
    ledger_on,
    merge,
    return_spending,
    update_order,
)
from tests.support.table import TABLE, create_table

_KEY: Final = "late"
_COMMANDS: Final[dict[str, c.Command]] = {
    "consume": c.Consume(10),
    "remove": c.Remove(10),
    "hold": c.PlaceHold(10, "h1", 600),
}
_HOLD_END: Final = MIDNIGHT + timedelta(seconds=1)
_GRANT: Final = instruct(c.Grant(10, Days(1)), key="grant")
_HOLD: Final = instruct(c.PlaceHold(4, "h0", 600), key="hold")
_STEPS: Final[dict[str, c.Command]] = {
    "mark ready": c.MarkReady("h0"),
    "undo": c.UndoHold("h0"),
    "begin release": c.BeginRelease("h0"),
}


class _Impatient(StillClock):
    """A clock for a caller who can give up: then the first pause finds the time used up."""

    gives_up = False

    def monotonic(self) -> float:
        """A little later each time; far too late for a caller who gives up."""
        self.slept_seconds += 100.0 if self.gives_up else 0.0
        return self.slept_seconds


class _Passing(Standstill):
    """Time that passes on the wall clock while a call waits."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__()
        self._clock = clock

    def pause(self, wait_ms: int) -> None:
        self._clock.wall += timedelta(milliseconds=wait_ms)


def _prepared(*before: Operation) -> tuple[MemoryDynamoDB, StillClock]:
    """A table on which these operations were carried out, a day and six hours before midnight."""
    engine, clock = MemoryDynamoDB(), StillClock(MIDNIGHT - timedelta(hours=30))
    create_table(engine)
    for operation in before:
        operation(ledger_on(engine, clock))
    return engine, clock


def wrong_late_arrivals() -> Iterator[str]:
    """What took effect although it was refused: one line each."""
    for commands, before, due, end in (
        (_COMMANDS, (_GRANT,), "a lot lapses", MIDNIGHT),
        (_STEPS, (_GRANT, _HOLD), "the hold ends", _HOLD_END),
    ):
        for (name, command), again in product(commands.items(), (False, True)):
            if wrong := _wrong(instruct(command, key=_KEY), before, end, again=again):
                yield f"{name}, {due}, repeated: {again}: {wrong}"


def _wrong(
    operation: Operation, before: tuple[Operation, ...], end: datetime, *, again: bool
) -> str:
    """Try just before `end` until it is refused, let the first attempt arrive: what is wrong then.

    `again`: the first caller gives up in doubt and another one is refused; else the same caller
    keeps trying.
    """
    engine, clock = MemoryDynamoDB(), _Impatient(MIDNIGHT - timedelta(hours=30))
    create_table(engine)
    for earlier in before:
        earlier(ledger_on(engine, clock))
        clock.wall = MIDNIGHT - timedelta(seconds=599)
    clock.wall = end - timedelta(milliseconds=40)
    time = _Passing(clock)
    clock.gives_up = again
    try:
        first = faulty(engine, At(1, Fault.LATE_COMMIT), time=time)
        answer = operation(ledger_on(first, clock))
    except LedgerUnavailable:
        clock.gives_up = False
        answer = operation(ledger_on(faulty(engine, Nothing(), time=time), clock))
    if not isinstance(answer, Refusal):
        return f"it is not refused: {answer}"
    time.catch_up()
    happened = [key for key in engine.items(TABLE) if key[1].startswith("REQUEST#")]
    return "" if len(happened) == len(before) else "it was refused, and happened later"


def wrong_rivals() -> Iterator[str]:
    """Who was not answered that the request had its effect: one line each."""
    operation = instruct(c.Consume(10), key=_KEY)
    for drawn in range(12):
        engine, clock = _prepared(_GRANT)
        race = _Race(partial(operation, ledger_on(engine, clock)))
        answer = operation(ledger_on(faulty(engine, race, seed=drawn), clock))
        if not isinstance(answer, Booked) or not answer.duplicate:
            yield f"drawn {drawn}: the rival's effect is answered with {answer}"


def wrong_states() -> Iterator[str]:
    """Who got the figures of another state: one line each."""
    give_back = return_spending(key=None)
    cancelled = update_order(cancelled=True)
    for drawn, call in product(range(12), range(2, 9)):
        engine, clock = _prepared(grant(), HOLD, capture(5), merge("7001", "7002"), cancelled)
        rival = ledger_on(engine, clock)
        race = _Between(partial(give_back, rival), call)
        answer = give_back(ledger_on(faulty(engine, race, seed=drawn), clock))
        figures = rival.read(SHOP, "7001").figures
        if not isinstance(answer, Booked) or answer.figures != figures:
            yield f"drawn {drawn}, before call {call}: {answer}, but the figures are {figures}"


def wrong_old_orders() -> Iterator[str]:
    """What was recorded as done, and had no effect: one line each."""
    for drawn in range(40):
        engine, clock = _prepared(grant(), HOLD, capture(5), update_order(cancelled=True))
        clock.wall += timedelta(days=4)
        answer = return_spending()(ledger_on(faulty(engine, _TornOnce(), seed=drawn), clock))
        if not isinstance(answer, Booked) or not answer.entry_ids:
            yield f"drawn {drawn}: {answer}"


class _TornOnce:
    """A plan: the first cheap read is torn; a transaction never is."""

    def __init__(self) -> None:
        self._is_torn = False

    def next(self, operation: str) -> Fault | None:
        """The fault of the next call."""
        if self._is_torn or operation != "batch_get_item":
            return None
        self._is_torn = True
        return Fault.TORN


class _Between:
    """A plan: the first read is stale, and a rival acts before a certain call."""

    def __init__(self, rival: Callable[[], object], call: int) -> None:
        self._rival = rival
        self._call = call
        self._calls = 0

    def next(self, operation: str) -> Fault | None:
        """The rival acts between two calls."""
        self._calls += 1
        if self._calls == self._call:
            self._rival()
        return Fault.STALE if self._calls == 1 and operation == "batch_get_item" else None


class _Race:
    """A plan for the loser of a race: a stale read, a fresh one, and the rival is faster."""

    def __init__(self, rival: Callable[[], object]) -> None:
        self._rival = rival
        self._reads = 0
        self._over = False

    def next(self, operation: str) -> Fault | None:
        """The first cheap read is stale; the first write is too late, and few reasons are named."""
        if operation == "transact_write_items" and not self._over:
            self._over = True
            self._rival()
            return Fault.FEWER_REASONS
        self._reads += 1
        first = self._reads == 1 and operation == "batch_get_item"
        return Fault.STALE if first else None
