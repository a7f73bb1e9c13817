"""Every operation, every call it makes, every fault that the call can suffer; then one clean retry.

What must come of it: the table as if nothing had gone wrong, and the same answer. The wall clock
stands still, so that nothing but the fault can make a difference.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from pointbook.domain import commands as c
from pointbook.domain.chain import Cause
from pointbook.domain.expiry import Days
from pointbook.domain.orders import EarningRule, Goods, OrderUpdate, Refund
from pointbook.domain.ports import StoreUnavailable
from pointbook.domain.refusal import Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import (
    POSSIBLE,
    At,
    Crash,
    Fault,
    FaultyClient,
    Request,
    Standstill,
)
from tests.simulation.checker.raw_items import plain
from tests.support.table import TABLE, create_table

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
        puts = [action["Put"] for action in request["TransactItems"] if "Put" in action]
        keys = [put["Item"]["sk"]["S"] for put in puts]
        self.entries_max = max(self.entries_max, sum(key.startswith("ENTRY#") for key in keys))

    def answered(self) -> None: ...


def ask(
    command: c.Command, *, key: str | None = "key", who: str = "7001", content: str = ""
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
    )
    return lambda ledger: ledger.execute(instruction)


def merge(source: str, target: str) -> Operation:
    """A merge, ready to be carried out."""
    return lambda ledger: ledger.merge(SHOP, source, target, CAUSE)


def news(
    order_id: str = "901", *, key: str | None = None, rule: EarningRule = RULE, **told: Any
) -> Operation:
    """News of an order."""
    told.setdefault("updated_at", START)
    return ask(c.UpdateOrder(order_id, OrderUpdate(**told), rule, Days(3)), key=key)


def capture(points: int, order_id: str = "901", key: str | None = "capture") -> Operation:
    """An order carries the code of the hold."""
    return ask(c.CaptureHold(points, "h1", order_id), key=key)


def give_back_order(key: str | None = "back", spending_id: str = "h1") -> Operation:
    """A cancelled order gives back what it spent."""
    return ask(c.ReturnSpending("901", spending_id, Days(2)), key=key)


def spend(points: int, key: str | None = "till", who: str = "7001") -> Operation:
    """An order says that points were used at a till."""
    return ask(c.SpendOnOrder(points, "901", "till-1"), key=key, who=who)


def order_of_another() -> Operation:
    """News of an order of customer 7001, by mistake for another account."""
    return ask(c.UpdateOrder("901", OrderUpdate(confirmed_at=START), RULE, Days(3)), who="7002")


def grant(points: int = 20, days: int = 3, key: str | None = "g", who: str = "7001") -> Operation:
    """A grant."""
    return ask(c.Grant(points, Days(days)), key=key, who=who)


HOLD = ask(c.PlaceHold(8, "h1", 600, code="PTS-1"), key="hold")
READY = ask(c.MarkReady("h1"), key="ready")
RELEASING = ask(c.BeginRelease("h1"), key="releasing")
MANY = tuple(grant(2, days, key=f"g{days}") for days in range(1, 28))
LONG: Final = timedelta(days=40)
MINUTES: Final = timedelta(minutes=11)

CASES: Final = (
    Case("first grant", grant()),
    Case("grant", grant(key="again"), (grant(),)),
    Case("grant, a lot is due", grant(key="again"), (grant(days=1), HOLD), timedelta(days=3)),
    Case("grant, more is due than one write holds", grant(key="again"), MANY, LONG),
    Case("grant into a debt", grant(key="again"), (grant(5), spend(9))),
    Case("consume", ask(c.Consume(7)), (grant(),)),
    Case("consume, a hold is over", ask(c.Consume(15)), (grant(), HOLD), MINUTES),
    Case("consume what is not there", ask(c.Consume(70)), (grant(),)),
    Case("consume, said before", ask(c.Consume(7)), (grant(), ask(c.Consume(7)))),
    Case("another content", ask(c.Consume(8), content="8"), (grant(), ask(c.Consume(7)))),
    Case("remove", ask(c.Remove(7)), (grant(),)),
    Case("take a hold", HOLD, (grant(),)),
    Case("take a second hold", ask(c.PlaceHold(2, "h2", 600)), (grant(), HOLD)),
    Case("mark ready", READY, (grant(), HOLD)),
    Case(
        "mark ready, no key", ask(c.MarkReady("h1"), key=None), (grant(), HOLD), has_identity=False
    ),
    Case("begin release", RELEASING, (grant(), HOLD, READY)),
    Case("undo a hold", ask(c.UndoHold("h1")), (grant(), HOLD)),
    Case(
        "undo a hold, its code in doubt",
        ask(c.UndoHold("h1", code_in_doubt=True)),
        (grant(), HOLD),
    ),
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
    Case("news of an order", news(key="n", goods=Goods(900)), (grant(),)),
    Case("news, no key", news(goods=Goods(900)), (grant(),), has_identity=False),
    Case(
        "order confirmed", news(confirmed_at=START), (news(goods=Goods(900)),), has_identity=False
    ),
    Case(
        "order refunded",
        news(refunds=(Refund("r1", Goods(350)),)),
        (news(goods=Goods(900), confirmed_at=START),),
        has_identity=False,
    ),
    Case(
        "order cancelled",
        news(cancelled=True),
        (news(goods=Goods(900), confirmed_at=START), ask(c.Consume(4), key="c")),
        has_identity=False,
    ),
    Case(
        "order cancelled before it is paid",
        news(cancelled=True),
        (news(goods=Goods(900)),),
        has_identity=False,
    ),
    Case("capture an unknown hold", capture(8), (grant(),)),
    Case("order of another customer", order_of_another(), (grant(), news(goods=Goods(900)))),
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
    Case(
        "order approved a day later",
        news(updated_at=None),
        (news(goods=Goods(900), confirmed_at=START, rule=replace(RULE, pending_days=1)),),
        timedelta(days=1),
        has_identity=False,
    ),
    Case(
        "order refunded in money, a lot is due",
        news(key="n", refunds=(Refund("r1", money_minor=350),)),
        (grant(days=1), news(goods=Goods(900, 90), taxes_included=False, confirmed_at=START)),
        timedelta(days=2),
    ),
    Case("spend on an order", spend(8), (grant(),)),
    Case("spend on an order, no key", spend(8, key=None), (grant(),), has_identity=False),
    Case(
        "spend on an order, a lot is due",
        spend(15, key=None),
        (grant(), grant(4, 1, key="g1")),
        timedelta(days=2),
        has_identity=False,
    ),
    Case("spend on an order what is not there", spend(30), (grant(),)),
    Case("spend on an order, said before", spend(8), (grant(), spend(8))),
    Case(
        "spend on an order, said before, no key, a lot is due",
        spend(8, key=None),
        (grant(), grant(4, 1, key="g1"), spend(2, key="first")),
        timedelta(days=2),
        has_identity=False,
    ),
    Case(
        "points spent at a till come back",
        give_back_order(spending_id="till-1"),
        (grant(), spend(30), news(cancelled=True)),
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
        (grant(), grant(5, key="g", who="7002"), spend(9, who="7002")),
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


def _prepared(case: Case) -> tuple[MemoryDynamoDB, StillClock]:
    engine, clock = MemoryDynamoDB(), StillClock()
    create_table(engine)
    for operation in case.before:
        answer = operation(_ledger(engine, clock))
        assert isinstance(answer, Booked), f"{case.name} is not set up well: {answer}"
    return engine, StillClock(START + case.later)


def _tried(
    case: Case, engine: MemoryDynamoDB, call: int, fault: Fault, past: int, late_first: bool
) -> Result:
    """The operation under one fault, and asked again once when all is well."""
    time, clock = Standstill(), StillClock(START + case.later)
    client = FaultyClient(engine, engine, At(call, fault), time, Random(past), Deaf())
    try:
        answer = case.operation(_ledger(client, clock))
    except (LedgerUnavailable, StoreUnavailable, Crash):
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
    return Ledger(DynamoStore(Table(client, TABLE)), clock, random=lambda: 0.5)


def _facts(case: Case, answer: object) -> object:
    """What an answer says; the ids of its entries only where they are remembered."""
    if isinstance(answer, Refusal):
        return answer.code
    assert isinstance(answer, Booked)
    return (answer.entry_ids if case.has_identity else (), tuple(answer.figures))


def _table(engine: MemoryDynamoDB) -> dict[tuple[str, str], dict[str, Any]]:
    """All items without what is random; a book that an entry is about goes by its customer."""
    table = {key: plain(item) for key, item in engine.items(TABLE).items()}
    customers = {item["book"]: key[0] for key, item in table.items() if "book" in item}
    return {key: _sure(item, customers) for key, item in table.items()}


def _sure(item: Mapping[str, Any], customers: Mapping[str, str]) -> dict[str, Any]:
    sure = {name: part for name, part in item.items() if name not in _RANDOM_PARTS}
    if "about" in sure:
        sure["about"] = customers.get(sure["about"], sure["about"])
    return sure


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
