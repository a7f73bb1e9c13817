"""Four races that chance hardly ever runs, run on purpose.

A write that arrives late: the first try is decided just before something falls due and lost on its
way; the second comes after it and is refused. When the first arrives after all, it must not
happen: its caller was told so.

A rival with the same request: both have read, one writes, the other loses; and DynamoDB names only
the account as the reason, not that the request is remembered. Who lost must not be refused for what
the other spent: it is the same request.

Two moments in one answer: a merged customer's book stands apart from what else is read. Whoever has
nothing to do, since somebody else does it between two of the reads, must be told the figures after
it.

An old order beside a current account: by the order there is nothing to do, and something has fallen
due that is written. The request must not be recorded as done with it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Final

from pointbook.domain import commands as c
from pointbook.domain.expiry import Days
from pointbook.domain.refusal import Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.ledger.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import At, Fault, FaultyClient, Nothing, Standstill
from tests.simulation.kernel.boundaries import MIDNIGHT
from tests.simulation.kernel.crash_matrix import (
    HOLD,
    SHOP,
    Deaf,
    Operation,
    StillClock,
    ask,
    capture,
    give_back_order,
    grant,
    merge,
    news,
)
from tests.support.table import TABLE, create_table

_TRY: Final = "late"
_COMMANDS: Final[dict[str, c.Command]] = {
    "consume": c.Consume(10),
    "remove": c.Remove(10),
    "hold": c.PlaceHold(10, "h1", 600),
}
_HOLD_END: Final = MIDNIGHT + timedelta(seconds=1)
_GRANT: Final = ask(c.Grant(10, Days(1)), key="grant")
_HOLD: Final = ask(c.PlaceHold(4, "h0", 600), key="hold")
_STEPS: Final[dict[str, c.Command]] = {
    "mark ready": c.MarkReady("h0"),
    "undo": c.UndoHold("h0"),
    "begin release": c.BeginRelease("h0"),
}


class _Impatient(StillClock):
    """A clock for a caller who can give up: then the first pause finds the time used up."""

    gives_up = False

    def monotonic(self) -> float:
        """A little later each time; far too late for whoever gives up."""
        self.slept_seconds += 100.0 if self.gives_up else 0.0
        return self.slept_seconds


class _Passing(Standstill):
    """Time that passes on the wall clock while a call waits."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__()
        self._clock = clock

    def pause(self, wait_ms: int) -> None:
        self._clock.wall += timedelta(milliseconds=wait_ms)


def wrong_late_arrivals() -> Iterator[str]:
    """What had an effect although it was refused: one line each."""
    for name, command in _COMMANDS.items():
        operation = ask(command, key=_TRY)
        for again in (False, True):
            if wrong := _wrong(operation, [_GRANT], MIDNIGHT, again=again):
                yield f"{name}, a lot lapses, asked again: {again}: {wrong}"
    for name, command in _STEPS.items():
        operation = ask(command, key=_TRY)
        for again in (False, True):
            if wrong := _wrong(operation, [_GRANT, _HOLD], _HOLD_END, again=again):
                yield f"{name}, the hold ends, asked again: {again}: {wrong}"


def _wrong(operation: Operation, before: list[Operation], end: datetime, *, again: bool) -> str:
    """Try just before `end` until it is refused, let the first try arrive: what is wrong then.

    `again`: the first caller gives up in doubt and another one is refused; else one and the same
    caller tries on.
    """
    engine, clock = MemoryDynamoDB(), _Impatient()
    create_table(engine)
    clock.wall = MIDNIGHT - timedelta(hours=30)
    for earlier in before:
        earlier(_ledger(engine, clock, Standstill(), Nothing()))
        clock.wall = MIDNIGHT - timedelta(seconds=599)
    clock.wall = end - timedelta(milliseconds=40)
    time = _Passing(clock)
    first = _ledger(engine, clock, time, At(1, Fault.LATE_COMMIT))
    if again:
        clock.gives_up = True
    try:
        answer = operation(first)
    except LedgerUnavailable:
        clock.gives_up = False
        answer = operation(_ledger(engine, clock, time, Nothing()))
    if not isinstance(answer, Refusal):
        return f"it is not refused: {answer}"
    time.catch_up()
    happened = [key for key in engine.items(TABLE) if key[1].startswith("REQUEST#")]
    return "" if len(happened) == len(before) else "it was refused, and happened later"


def wrong_rivals() -> Iterator[str]:
    """Who was not told that the request had its effect: one line each."""
    operation = ask(c.Consume(10), key=_TRY)
    for drawn in range(12):
        engine, clock = MemoryDynamoDB(), StillClock(MIDNIGHT - timedelta(hours=30))
        create_table(engine)
        _GRANT(_ledger(engine, clock, Standstill(), Nothing()))
        rival = _ledger(engine, clock, Standstill(), Nothing())
        race = _Race(lambda rival=rival: operation(rival))  # type: ignore[misc]
        client = FaultyClient(engine, engine, race, Standstill(), Random(drawn), Deaf())
        answer = operation(Ledger(DynamoStore(Table(client, TABLE)), clock, random=lambda: 0.5))
        if not isinstance(answer, Booked) or not answer.duplicate:
            yield f"drawn {drawn}: the rival's effect is answered with {answer}"


def wrong_moments() -> Iterator[str]:
    """Who was told of another moment: one line each."""
    give_back = give_back_order(key=None)
    cancelled = (grant(), HOLD, capture(5), merge("7001", "7002"), news(cancelled=True))
    for drawn, call in product(range(12), range(2, 9)):
        engine, clock = MemoryDynamoDB(), StillClock(MIDNIGHT - timedelta(hours=30))
        create_table(engine)
        rival = _ledger(engine, clock, Standstill(), Nothing())
        for earlier in cancelled:
            earlier(rival)
        race = _Between(lambda rival=rival: give_back(rival), call)  # type: ignore[misc]
        client = FaultyClient(engine, engine, race, Standstill(), Random(drawn), Deaf())
        answer = give_back(Ledger(DynamoStore(Table(client, TABLE)), clock, random=lambda: 0.5))
        figures = rival.read(SHOP, "7001").figures
        if not isinstance(answer, Booked) or answer.figures != figures:
            yield f"drawn {drawn}, before call {call}: {answer}, but the figures are {figures}"


def wrong_old_orders() -> Iterator[str]:
    """What was recorded as done, and had no effect: one line each."""
    for drawn in range(40):
        engine, clock = MemoryDynamoDB(), StillClock(MIDNIGHT - timedelta(hours=30))
        create_table(engine)
        others = _ledger(engine, clock, Standstill(), Nothing())
        for earlier in (grant(), HOLD, capture(5), news(cancelled=True)):
            earlier(others)
        clock.wall += timedelta(days=4)
        torn = _TornOnce()
        client = FaultyClient(engine, engine, torn, Standstill(), Random(drawn), Deaf())
        answer = give_back_order()(
            Ledger(DynamoStore(Table(client, TABLE)), clock, random=lambda: 0.5)
        )
        if not isinstance(answer, Booked) or not answer.entry_ids:
            yield f"drawn {drawn}: {answer}"


class _TornOnce:
    """The plan in which the first cheap read is torn; a transaction never is."""

    def __init__(self) -> None:
        self._is_torn = False

    def next(self, operation: str) -> Fault | None:
        """The fault of the next call."""
        if self._is_torn or operation != "batch_get_item":
            return None
        self._is_torn = True
        return Fault.TORN


class _Between:
    """The plan of whoever reads something old first, and is overtaken before a certain call."""

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
    """The plan of whoever loses: an old read, a fresh one, and the rival is faster."""

    def __init__(self, rival: Callable[[], object]) -> None:
        self._rival = rival
        self._reads = 0
        self._over = False

    def next(self, operation: str) -> Fault | None:
        """The first cheap read is old; the first write comes too late, and is told little."""
        if operation == "transact_write_items" and not self._over:
            self._over = True
            self._rival()
            return Fault.FEWER_REASONS
        self._reads += 1
        first = self._reads == 1 and operation == "batch_get_item"
        return Fault.STALE if first else None


def _ledger(
    engine: MemoryDynamoDB, clock: StillClock, time: Standstill, plan: At | Nothing
) -> Ledger:
    client = FaultyClient(engine, engine, plan, time, Random(0), Deaf())
    return Ledger(DynamoStore(Table(client, TABLE)), clock, random=lambda: 0.5)
