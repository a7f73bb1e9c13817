"""Every operation, every call it makes, every fault that the call can suffer; then one clean retry.

What must come of it: the table as if nothing had gone wrong, and the same answer. The wall clock
stands still, so that nothing but the fault can make a difference.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from pointbook.domain import commands as c
from pointbook.domain.chain import Cause
from pointbook.domain.expiry import Days, Never
from pointbook.domain.lots import Lot
from pointbook.domain.orders import EarningRule, Order, OrderNews, Refund
from pointbook.domain.ports import Loaded, TryAgainError
from pointbook.domain.refusal import Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.instruction import Booked, Complete, Identity, Instruction
from pointbook.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from tests.engines.memory import MemoryDynamo
from tests.simulation.faults import POSSIBLE, At, Crash, Fault, FaultyClient, Request, Standstill
from tests.simulation.plainly import plain
from tests.simulation.world import TABLE, create_table

SHOP: Final = "tokyo"
START: Final = datetime(2027, 1, 29, 14, 50, tzinfo=UTC)
CAUSE: Final = Cause("matrix")
RULE: Final = EarningRule(unit_minor=100)
ENTRIES_MAX: Final = 22
"""What one write may hold: 20, and in a merge the hold that ends and the merge itself."""

RANDOM_PASTS: Final = 3
"""How often a fault with a random part is tried."""

type Operation = Callable[[Ledger], object]


@dataclass(slots=True)
class StillClock:
    """A wall clock that stands still. Sleeping passes only what patience is counted in."""

    wall: datetime = START
    slept_seconds: float = 0.0

    def now(self) -> datetime:
        """The standing time."""
        return self.wall

    def monotonic(self) -> float:
        """What was slept so far."""
        return self.slept_seconds

    def sleep(self, seconds: float) -> None:
        """Do not wait, but count it."""
        self.slept_seconds += seconds + 0.001


@dataclass(frozen=True, slots=True)
class Case:
    """One operation, and what happened before it. `later` is how long after that it is asked."""

    name: str
    operation: Operation
    before: tuple[Operation, ...] = ()
    later: timedelta = timedelta(seconds=1)
    has_identity: bool = True


@dataclass(slots=True)
class Deaf:
    """A witness that only notes the calls, and the most entries that one write had."""

    entries_max: int = 0
    operations: list[str] = field(default_factory=list)

    def issued(self, operation: str) -> object:
        self.operations.append(operation)
        return None

    def suffered(self, fault: Fault) -> None: ...

    def committed(self, request: Request, stamp: object) -> None:
        keys = [action["Put"]["Item"]["sk"]["S"] for action in request["TransactItems"]]
        self.entries_max = max(self.entries_max, sum(key.startswith("E#") for key in keys))

    def answered(self) -> None: ...


def ask(
    command: c.Command | Complete,
    *,
    key: str | None = "key",
    who: str = "7001",
    order_id: str | None = None,
    code: str | None = None,
    content: str = "",
) -> Operation:
    """An instruction, ready to be carried out."""
    instruction = Instruction(
        shop=SHOP,
        customer_id=who,
        command=command,
        cause=CAUSE,
        reason="thanks",
        identity=Identity("matrix", key) if key else None,
        content={"content": content},
        order_id=order_id,
        code=code,
    )
    return lambda ledger: ledger.execute(instruction)


def merge(source: str, target: str) -> Operation:
    """A merge, ready to be carried out."""
    return lambda ledger: ledger.merge(SHOP, source, target, CAUSE)


def news(order_id: str = "901", *, key: str | None = None, **told: Any) -> Operation:
    """News of an order."""
    told.setdefault("updated_at", START)
    complete = lambda loaded: c.UpdateOrder(  # noqa: E731 - one expression for a command
        loaded.order or Order(order_id), OrderNews(**told), RULE, Days(3)
    )
    return ask(complete, key=key, order_id=order_id)


def capture(points: int, order_id: str = "901", key: str | None = "capture") -> Operation:
    """An order carries the code of the hold."""

    def complete(loaded: Loaded) -> c.Command:
        if loaded.hold_record is None:
            return c.Settle()
        return c.CaptureHold(points, loaded.hold_record, loaded.order or Order(order_id))

    return ask(complete, key=key, order_id=order_id, code="h1")


def give_back_order(key: str | None = "back") -> Operation:
    """A cancelled order gives back what it spent."""
    complete = lambda loaded: c.ReturnSpending(  # noqa: E731 - one expression for a command
        loaded.order or Order("901"), "h1", Days(2)
    )
    return ask(complete, key=key, order_id="901")


def grant(points: int = 20, days: int = 3, key: str | None = "g", who: str = "7001") -> Operation:
    """A grant."""
    return ask(c.Grant(points, Days(days)), key=key, who=who)


HOLD = ask(c.TakeHold(8, "h1", 600), key="hold", code="h1")
READY = ask(c.MarkReady("h1"), key="ready")
RELEASING = ask(c.BeginRelease("h1"), key="releasing")
PROMISE = ask(c.GrantPending(9), key="promise")
MANY = tuple(grant(2, days, key=f"g{days}") for days in range(1, 28))
LONG: Final = timedelta(days=40)
MINUTES: Final = timedelta(minutes=11)

CASES: Final = (
    Case("first grant", grant()),
    Case("grant", grant(key="again"), (grant(),)),
    Case("grant, a lot is due", grant(key="again"), (grant(days=1), HOLD), timedelta(days=3)),
    Case("grant, more is due than one write holds", grant(key="again"), MANY, LONG),
    Case("grant into a debt", grant(key="again"), (grant(5), ask(c.Reverse(9), key="r"))),
    Case("grant pending", PROMISE, (grant(),)),
    Case("confirm", ask(c.Confirm(4, Days(2))), (PROMISE,)),
    Case("cancel pending", ask(c.CancelPending(4)), (PROMISE,)),
    Case("consume", ask(c.Consume(7)), (grant(),)),
    Case("consume, a hold is over", ask(c.Consume(15)), (grant(), HOLD), MINUTES),
    Case("consume what is not there", ask(c.Consume(70)), (grant(),)),
    Case("consume, said before", ask(c.Consume(7)), (grant(), ask(c.Consume(7)))),
    Case("another content", ask(c.Consume(8), content="8"), (grant(), ask(c.Consume(7)))),
    Case("remove", ask(c.Remove(7)), (grant(),)),
    Case("refund into a debt", ask(c.Reverse(30)), (grant(),)),
    Case(
        "give back",
        ask(c.GiveBack(5, (Lot(START.date(), 2),), Never())),
        (grant(), ask(c.Consume(7), key="c")),
    ),
    Case("take a hold", HOLD, (grant(),)),
    Case("take a second hold", ask(c.TakeHold(2, "h2", 600), code="h2"), (grant(), HOLD)),
    Case("mark ready", READY, (grant(), HOLD)),
    Case(
        "mark ready, no key", ask(c.MarkReady("h1"), key=None), (grant(), HOLD), has_identity=False
    ),
    Case("begin release", RELEASING, (grant(), HOLD, READY)),
    Case("undo a hold", ask(c.UndoHold("h1")), (grant(), HOLD)),
    Case("release a hold", ask(c.ReleaseHold("h1")), (grant(), HOLD, RELEASING)),
    Case("capture", capture(8), (grant(), HOLD, READY)),
    Case("capture a part", capture(5), (grant(), HOLD, READY)),
    Case("capture, no key", capture(5, key=None), (grant(), HOLD, READY), has_identity=False),
    Case("capture late", capture(8), (grant(), HOLD), MINUTES),
    Case("capture late, points gone", capture(8), (grant(days=1), HOLD), timedelta(days=4)),
    Case(
        "capture a second order",
        capture(8, "902", key=None),
        (grant(), HOLD, capture(8)),
        has_identity=False,
    ),
    Case("news of an order", news(key="n", base_minor=900), (grant(),)),
    Case("news, no key", news(base_minor=900), (grant(),), has_identity=False),
    Case("order confirmed", news(confirmed=True), (news(base_minor=900),), has_identity=False),
    Case(
        "order refunded",
        news(refunds=(Refund("r1", 350),)),
        (news(base_minor=900, confirmed=True),),
        has_identity=False,
    ),
    Case(
        "order cancelled",
        news(cancelled=True),
        (news(base_minor=900, confirmed=True), ask(c.Consume(4), key="c")),
        has_identity=False,
    ),
    Case(
        "spent points come back",
        give_back_order(key=None),
        (grant(), HOLD, capture(5), news(cancelled=True)),
        has_identity=False,
    ),
    Case(
        "spent points come back, a lot is due",
        give_back_order(),
        (grant(), grant(4, 1, key="g1"), HOLD, capture(5), news(cancelled=True)),
        timedelta(days=2),
    ),
    Case("settle a hold", ask(c.Settle(), key=None), (grant(), HOLD), MINUTES, has_identity=False),
    Case("settle many lots", ask(c.Settle(), key=None), MANY, LONG, has_identity=False),
    Case(
        "consume of a merged customer",
        ask(c.Consume(3), who="7002"),
        (grant(), grant(key="g", who="7002"), merge("7002", "7001")),
    ),
    Case("merge", merge("7002", "7001"), (grant(), grant(key="g", who="7002")), has_identity=False),
    Case(
        "merge with a debt",
        merge("7002", "7001"),
        (grant(), grant(5, key="g", who="7002"), ask(c.Reverse(9), key="r", who="7002")),
        has_identity=False,
    ),
    Case("merge with an open hold", merge("7001", "7002"), (grant(), HOLD), has_identity=False),
    Case("merge, much is due", merge("7001", "7002"), (*MANY, HOLD), LONG, has_identity=False),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What can be seen after a case: the answer, and the table without what is random."""

    answer: object
    table: dict[tuple[str, str], dict[str, Any]]


def try_case(case: Case) -> Iterator[str]:
    """What is wrong with a case: one line for each fault after which it did not come right."""
    prepared, clock = _prepared(case)
    plainly = copy.deepcopy(prepared)
    witness = Deaf()
    client = FaultyClient(plainly, plainly, At(-1, Fault.STALE), Standstill(), Random(0), witness)
    expected = Result(_facts(case, case.operation(_ledger(client, clock))), _table(plainly))
    if witness.entries_max > ENTRIES_MAX:
        yield f"{case.name}: {witness.entries_max} entries in one write"
    for call, fault in _faults(witness.operations):
        for past in range(RANDOM_PASTS if fault in _DRAWN else 1):
            for late_first in (True, False) if fault is Fault.LATE_COMMIT else (True,):
                result = _tried(case, copy.deepcopy(prepared), call, fault, past, late_first)
                if result != expected:
                    where = f"{case.name}, {witness.operations[call]} {call}, {fault}"
                    yield f"{where}: {_difference(result, expected)}"


def count_cases(case: Case) -> int:
    """How many faults a case is tried with."""
    prepared, clock = _prepared(case)
    witness = Deaf()
    client = FaultyClient(prepared, prepared, At(-1, Fault.STALE), Standstill(), Random(0), witness)
    case.operation(_ledger(client, clock))
    return len(list(_faults(witness.operations)))


_DRAWN = frozenset(
    {Fault.STALE, Fault.TORN, Fault.THROTTLED_IN_PART, Fault.CONFLICT, Fault.FEWER_REASONS}
)
_RANDOM_PARTS = frozenset(
    {"book", "salt", "hash", "previous_hash", "head", "text_digest", "revision"}
)


def _faults(operations: list[str]) -> Iterator[tuple[int, Fault]]:
    """Every fault that each of these calls can suffer."""
    for call, operation in enumerate(operations):
        for fault in sorted(POSSIBLE[operation]):
            yield call, fault


def _prepared(case: Case) -> tuple[MemoryDynamo, StillClock]:
    engine, clock = MemoryDynamo(), StillClock()
    create_table(engine)
    for operation in case.before:
        answer = operation(_ledger(engine, clock))
        assert isinstance(answer, Booked), f"{case.name} is not set up well: {answer}"
    return engine, StillClock(START + case.later)


def _tried(
    case: Case, engine: MemoryDynamo, call: int, fault: Fault, past: int, late_first: bool
) -> Result:
    """The operation under one fault, and asked again once when all is well."""
    time, clock = Standstill(), StillClock(START + case.later)
    client = FaultyClient(engine, engine, At(call, fault), time, Random(past), Deaf())
    try:
        answer = case.operation(_ledger(client, clock))
    except (LedgerUnavailable, TryAgainError, Crash):
        answer = None
    if late_first:
        time.catch_up()
    again = case.operation(_ledger(engine, clock))
    time.catch_up()
    told = _facts(case, again)
    if answer is not None and _facts(case, answer) != told:
        told = ("two answers", _facts(case, answer), told)
    return Result(told, _table(engine))


def _ledger(client: Any, clock: StillClock) -> Ledger:
    return Ledger(DynamoStore(client, TABLE), clock, random=lambda: 0.5)


def _facts(case: Case, answer: object) -> object:
    """What an answer says; the ids of its entries only where they are remembered."""
    if isinstance(answer, Refusal):
        return answer.code
    assert isinstance(answer, Booked)
    return (answer.entry_ids if case.has_identity else (), tuple(answer.figures))


def _table(engine: MemoryDynamo) -> dict[tuple[str, str], dict[str, Any]]:
    return {key: _sure(item) for key, item in engine.items(TABLE).items()}


def _sure(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in plain(item).items() if name not in _RANDOM_PARTS}


def _difference(result: Result, expected: Result) -> str:
    if result.answer != expected.answer:
        return f"answers {result.answer} in place of {expected.answer}"
    keys = [
        key
        for key in result.table.keys() | expected.table.keys()
        if result.table.get(key) != expected.table.get(key)
    ]
    shown = [(result.table.get(key), expected.table.get(key)) for key in sorted(keys)[:2]]
    return f"writes {keys}: {shown}"
