"""Every operation, every call it makes, every fault of that call; then one retry without faults.

The table must be as if nothing had gone wrong, and the answer the same. The wall clock stands
still, so that nothing but the fault can make a difference.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
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
    Nothing,
    Standstill,
    Unwatched,
    faulty,
)
from tests.simulation.checker.raw_items import plain
from tests.support.table import TABLE, create_table

SHOP: Final = "tokyo"
START: Final = datetime(2027, 1, 29, 14, 50, tzinfo=UTC)
CAUSE: Final = Cause("matrix")
RULE: Final = EarningRule(unit_minor=100)
ENTRIES_MAX: Final = 22
"""What one write may hold: 20 entries, and in a merge the hold that ends and the merge itself."""

RANDOM_PASTS: Final = 3
"""How often a fault with a random part is tried."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of the ledger. With an identity a retry gets the ids of the first answer's entries."""

    call: Callable[[Ledger], object]
    has_identity: bool = False

    def __call__(self, ledger: Ledger) -> object:
        """Carry it out."""
        return self.call(ledger)


@dataclass(slots=True)
class StillClock:
    """A wall clock that stands still; sleeping uses up only the caller's deadline."""

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
    """One operation, what was done before it, and how much later it is carried out."""

    name: str
    operation: Operation
    before: tuple[Operation, ...] = ()
    later: timedelta = timedelta(seconds=1)


@dataclass(slots=True)
class CallLog(Unwatched):
    """Notes the calls, and the most entries that one write had."""

    entries_max: int = 0
    operations: list[str] = field(default_factory=list)

    def issued(self, operation: str) -> object:
        self.operations.append(operation)
        return None

    def committed(self, request: dict[str, Any], stamp: object) -> None:
        puts = [action["Put"] for action in request["TransactItems"] if "Put" in action]
        keys = [put["Item"]["sk"]["S"] for put in puts]
        self.entries_max = max(self.entries_max, sum(key.startswith("ENTRY#") for key in keys))


def instruct(
    command: c.Command, *, key: str | None = "key", who: str = "7001", content: str = ""
) -> Operation:
    """Have a command carried out; `key` None: without an identity."""
    instruction = Instruction(
        shop=SHOP,
        customer_id=who,
        command=command,
        cause=CAUSE,
        reason="thanks",
        identity=Identity("matrix", key) if key else None,
        content={"content": content},
    )
    return Operation(lambda ledger: ledger.execute(instruction), has_identity=key is not None)


def merge(source: str, target: str) -> Operation:
    """Merge two customers."""
    return Operation(lambda ledger: ledger.merge(SHOP, source, target, CAUSE))


def update_order(
    order_id: str = "901", *, key: str | None = None, rule: EarningRule = RULE, **fields: Any
) -> Operation:
    """A webhook about an order."""
    fields.setdefault("updated_at", START)
    return instruct(c.UpdateOrder(order_id, OrderUpdate(**fields), rule, Days(3)), key=key)


def capture(points: int, order_id: str = "901", key: str | None = "capture") -> Operation:
    """An order carries the code of the hold."""
    return instruct(c.CaptureHold(points, "h1", order_id), key=key)


def return_spending(key: str | None = "back", spending_id: str = "h1") -> Operation:
    """A cancelled order returns the points that it spent."""
    return instruct(c.ReturnSpending("901", spending_id, Days(2)), key=key)


def spend(points: int, key: str | None = "till", who: str = "7001") -> Operation:
    """An order says that points were used at the till."""
    return instruct(c.SpendOnOrder(points, "901", "till-1"), key=key, who=who)


def order_of_another() -> Operation:
    """A webhook about an order of customer 7001, by mistake for another account."""
    return instruct(
        c.UpdateOrder("901", OrderUpdate(confirmed_at=START), RULE, Days(3)), who="7002"
    )


def grant(points: int = 20, days: int = 3, key: str | None = "g", who: str = "7001") -> Operation:
    """A grant."""
    return instruct(c.Grant(points, Days(days)), key=key, who=who)


HOLD = instruct(c.PlaceHold(8, "h1", 600, code="PTS-1"), key="hold")
READY = instruct(c.MarkReady("h1"), key="ready")
RELEASING = instruct(c.BeginRelease("h1"), key="releasing")
MANY = tuple(grant(2, days, key=f"g{days}") for days in range(1, 28))
LONG: Final = timedelta(days=40)
MINUTES: Final = timedelta(minutes=11)

UNPAID = update_order(goods=Goods(900))
PAID = update_order(goods=Goods(900), confirmed_at=START)
CANCELLED = update_order(cancelled=True)
FOR_A_DAY = grant(4, 1, key="g1")
OTHERS = grant(key="g", who="7002")

CASES: Final = (
    Case("first grant", grant()),
    Case("grant", grant(key="again"), (grant(),)),
    Case("grant, a lot is due", grant(key="again"), (grant(days=1), HOLD), timedelta(days=3)),
    Case("grant, more is due than one write holds", grant(key="again"), MANY, LONG),
    Case("grant into a debt", grant(key="again"), (grant(5), spend(9))),
    Case("consume", instruct(c.Consume(7)), (grant(),)),
    Case("consume, a hold is over", instruct(c.Consume(15)), (grant(), HOLD), MINUTES),
    Case("consume what is not there", instruct(c.Consume(70)), (grant(),)),
    Case("consume, repeated", instruct(c.Consume(7)), (grant(), instruct(c.Consume(7)))),
    Case("other content", instruct(c.Consume(8), content="8"), (grant(), instruct(c.Consume(7)))),
    Case("remove", instruct(c.Remove(7)), (grant(),)),
    Case("undo an imported row", instruct(c.ReverseImport(7, (), "m#1")), (grant(),)),
    Case("undo a row of which nothing is left", instruct(c.ReverseImport(7, (), "m#1"))),
    Case("take a hold", HOLD, (grant(),)),
    Case("take a second hold", instruct(c.PlaceHold(2, "h2", 600)), (grant(), HOLD)),
    Case("mark ready", READY, (grant(), HOLD)),
    Case("mark ready, no key", instruct(c.MarkReady("h1"), key=None), (grant(), HOLD)),
    Case("begin release", RELEASING, (grant(), HOLD, READY)),
    Case("undo a hold", instruct(c.UndoHold("h1")), (grant(), HOLD)),
    Case(
        "undo a hold, its code in doubt",
        instruct(c.UndoHold("h1", code_in_doubt=True)),
        (grant(), HOLD),
    ),
    Case("release a hold", instruct(c.ReleaseHold("h1")), (grant(), HOLD, RELEASING)),
    Case("capture", capture(8), (grant(), HOLD, READY)),
    Case("capture a part", capture(5), (grant(), HOLD, READY)),
    Case("capture, no key", capture(5, key=None), (grant(), HOLD, READY)),
    Case("capture late", capture(8), (grant(), HOLD), MINUTES),
    Case("capture late, points gone", capture(8), (grant(days=1), HOLD), timedelta(days=4)),
    Case("capture a second order", capture(8, "902", key=None), (grant(), HOLD, capture(8))),
    Case("order", update_order(key="n", goods=Goods(900)), (grant(),)),
    Case("order, no key", UNPAID, (grant(),)),
    Case("order confirmed", update_order(confirmed_at=START), (UNPAID,)),
    Case("order refunded", update_order(refunds=(Refund("r1", Goods(350)),)), (PAID,)),
    Case("order cancelled", CANCELLED, (PAID, instruct(c.Consume(4), key="c"))),
    Case("order cancelled before it is paid", CANCELLED, (UNPAID,)),
    Case("capture an unknown hold", capture(8), (grant(),)),
    Case("order of another customer", order_of_another(), (grant(), UNPAID)),
    Case(
        "spent points return",
        return_spending(key=None),
        (grant(), HOLD, capture(5), CANCELLED),
    ),
    Case(
        "spent points return, a lot is due",
        return_spending(),
        (grant(), FOR_A_DAY, HOLD, capture(5), CANCELLED),
        timedelta(days=2),
    ),
    Case(
        "order approved a day later",
        update_order(updated_at=None),
        (update_order(goods=Goods(900), confirmed_at=START, rule=replace(RULE, pending_days=1)),),
        timedelta(days=1),
    ),
    Case(
        "order refunded in money, a lot is due",
        update_order(key="n", refunds=(Refund("r1", money_minor=350),)),
        (
            grant(days=1),
            update_order(goods=Goods(900, 90), taxes_included=False, confirmed_at=START),
        ),
        timedelta(days=2),
    ),
    Case("spend on an order", spend(8), (grant(),)),
    Case("spend on an order, no key", spend(8, key=None), (grant(),)),
    Case(
        "spend on an order, a lot is due",
        spend(15, key=None),
        (grant(), FOR_A_DAY),
        timedelta(days=2),
    ),
    Case("spend on an order what is not there", spend(30), (grant(),)),
    Case("spend on an order, repeated", spend(8), (grant(), spend(8))),
    Case(
        "spend on an order, repeated, no key, a lot is due",
        spend(8, key=None),
        (grant(), FOR_A_DAY, spend(2, key="first")),
        timedelta(days=2),
    ),
    Case(
        "points spent at a till return",
        return_spending(spending_id="till-1"),
        (grant(), spend(30), CANCELLED),
    ),
    Case("settle a hold", instruct(c.Settle(), key=None), (grant(), HOLD), MINUTES),
    Case("settle many lots", instruct(c.Settle(), key=None), MANY, LONG),
    Case(
        "consume of a merged customer",
        instruct(c.Consume(3), who="7002"),
        (grant(), OTHERS, merge("7002", "7001")),
    ),
    Case("merge", merge("7002", "7001"), (grant(), OTHERS)),
    Case(
        "merge with a debt",
        merge("7002", "7001"),
        (grant(), grant(5, key="g", who="7002"), spend(9, who="7002")),
    ),
    Case("merge with an open hold", merge("7001", "7002"), (grant(), HOLD)),
    Case("merge, much is due", merge("7001", "7002"), (*MANY, HOLD), LONG),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What can be seen after a case: the answer, and the table without what is random."""

    answer: object
    table: dict[tuple[str, str], dict[str, Any]]


def try_case(case: Case) -> Iterator[str]:
    """What is wrong with a case: one line for each fault that a retry did not put right."""
    prepared = _prepared(case)
    log, expected = _undisturbed(case, copy.deepcopy(prepared))
    if log.entries_max > ENTRIES_MAX:
        yield f"{case.name}: {log.entries_max} entries in one write"
    for call, fault in _faults(log.operations):
        for past in range(RANDOM_PASTS if fault in _DRAWN else 1):
            for late_first in (True, False) if fault is Fault.LATE_COMMIT else (True,):
                result = _tried(case, copy.deepcopy(prepared), call, fault, past, late_first)
                if result != expected:
                    where = f"{case.name}, {log.operations[call]} {call}, {fault}"
                    yield f"{where}: {_difference(result, expected)}"


def count_cases(case: Case) -> int:
    """How many faults a case is tried with."""
    log, _ = _undisturbed(case, _prepared(case))
    return len(list(_faults(log.operations)))


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


def _prepared(case: Case) -> MemoryDynamoDB:
    engine = MemoryDynamoDB()
    create_table(engine)
    for operation in case.before:
        answer = operation(ledger_on(engine, StillClock()))
        assert isinstance(answer, Booked), f"{case.name} is not set up well: {answer}"
    return engine


def _undisturbed(case: Case, engine: MemoryDynamoDB) -> tuple[CallLog, Result]:
    """The operation without a fault: its calls, and what comes of it."""
    log, clock = CallLog(), StillClock(START + case.later)
    answer = case.operation(ledger_on(faulty(engine, Nothing(), witness=log), clock))
    return log, Result(_facts(case, answer), _table(engine))


def _tried(
    case: Case, engine: MemoryDynamoDB, call: int, fault: Fault, past: int, late_first: bool
) -> Result:
    """The operation under one fault, and once more without."""
    time, clock = Standstill(), StillClock(START + case.later)
    client = faulty(engine, At(call, fault), time=time, seed=past)
    try:
        answer = case.operation(ledger_on(client, clock))
    except (LedgerUnavailable, StoreUnavailable, Crash):
        answer = None
    if late_first:
        time.catch_up()
    facts = _facts(case, case.operation(ledger_on(engine, clock)))
    time.catch_up()
    if answer is not None and _facts(case, answer) != facts:
        facts = ("two answers", _facts(case, answer), facts)
    return Result(facts, _table(engine))


def ledger_on(client: Any, clock: StillClock) -> Ledger:
    """A ledger on a client of the table."""
    return Ledger(DynamoStore(Table(client, TABLE)), clock, random=lambda: 0.5)


def _facts(case: Case, answer: object) -> object:
    """What an answer says; the ids of its entries only where a retry gets the same ones."""
    if isinstance(answer, Refusal):
        return answer.code
    assert isinstance(answer, Booked)
    return (answer.entry_ids if case.operation.has_identity else (), tuple(answer.figures))


def _table(engine: MemoryDynamoDB) -> dict[tuple[str, str], dict[str, Any]]:
    """All items without what is random; an account that an entry is about goes by its customer."""
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
