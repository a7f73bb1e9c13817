"""The oracle is tested: it finds every lie, under the right name, and lets every truth pass."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pointbook.domain import commands as c
from pointbook.domain.expiry import Days
from pointbook.domain.orders import EarningRule, Goods, OrderUpdate
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import At, Fault, Nothing, Plan
from tests.simulation.kernel.requests import Request
from tests.simulation.kernel.simulation import START_MS, Simulation
from tests.simulation.kernel.violation import Violation
from tests.support.instants import instant

WHO = ("tokyo", "7001")
DAY_MS = 86_400_000


def simulation(*requests: tuple[int, Request], plan: Plan | None = None) -> Simulation:
    """Shops to which only these requests are sent, each after so many milliseconds."""
    made = Simulation(0)
    made.plan = plan or Nothing()
    for after_ms, request in requests:
        made.send_at(after_ms, request)
    return made


def must_pass(*requests: tuple[int, Request], plan: Plan | None = None) -> None:
    """The oracle finds nothing wrong."""
    run = simulation(*requests, plan=plan)
    run.scheduler.run()
    run.finish()


def broken_promise(run: Simulation) -> str:
    """The promise that the oracle finds broken."""
    with pytest.raises(Violation) as violation:
        run.scheduler.run()
    return violation.value.promise


def request(number: int, command: c.Command, *, key: str | None = "", content: str = "") -> Request:
    identity = None if key is None else Identity("test", key or f"key-{number}")
    return Request(number, WHO, "request", command, identity, {"content": content})


READ, HISTORY = (Request(7, WHO, name, reads=True) for name in ("read", "history"))
GRANT = request(1, c.Grant(10, Days(3)))
CONSUME = request(2, c.Consume(4))
TOO_MUCH = request(3, c.Consume(400))
HOLD = request(4, c.PlaceHold(3, "h1", 600))
SETTLE = request(5, c.Settle(), key=None)
START = instant(START_MS)
PENDING_ORDER = c.UpdateOrder(
    "901",
    OrderUpdate(START, Goods(1000, 90), confirmed_at=START),
    EarningRule(unit_minor=100, pending_days=1),
    Days(3),
)
PENDING = Request(6, WHO, "update_order", PENDING_ORDER)


# --- lies about answers --------------------------------------------------------------------------

type Lie = Callable[..., object]
"""Answers in place of a method of the ledger, which it is given first."""

REFUSED = Refusal(Code.INSUFFICIENT_POINTS, "")


def done_in_any_case(execute: Lie, ledger: Ledger, given: Instruction, *_: float) -> object:
    answer = execute(ledger, given)
    return Booked((), ledger.read(*WHO).figures) if isinstance(answer, Refusal) else answer


def other_figures(execute: Lie, ledger: Ledger, given: Instruction, *_: float) -> object:
    answer = execute(ledger, given)
    assert isinstance(answer, Booked)
    return replace(answer, figures=answer.figures._replace(lifetime=99))


def old_view(read: Callable[..., Any], ledger: Ledger, *who: str) -> object:
    view = read(ledger, *who)
    return replace(view, version=view.version - 1)


def slow_view(read: Lie, ledger: Ledger, *who: str) -> object:
    ledger._clock.sleep(60)
    return read(ledger, *who)


def fails(*_: object) -> object:
    raise KeyError("something")


LIES: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[Request], str]] = {
    "other figures": (Ledger.execute, other_figures, [GRANT], "answer"),
    "another entry": (
        Ledger.execute,
        lambda execute, *given: replace(execute(*given), entry_ids=("7001-000000000009",)),
        [GRANT],
        "answer",
    ),
    "refuses what it did": (
        Ledger.execute,
        lambda execute, *given: execute(*given) and REFUSED,
        [GRANT],
        "refusal",
    ),
    "refuses without cause": (
        Ledger.execute,
        lambda execute, ledger, given, *_: (
            REFUSED if isinstance(given.command, c.Consume) else execute(ledger, given)
        ),
        [GRANT, CONSUME],
        "refusal",
    ),
    "says that it is done": (Ledger.execute, done_in_any_case, [GRANT, TOO_MUCH], "nothing"),
    "does nothing": (
        Ledger.execute,
        lambda _, ledger, *__: Booked((), ledger.read(*WHO).figures),
        [GRANT],
        "nothing",
    ),
    "says that the content differs": (
        Ledger.execute,
        lambda *_: Refusal(Code.IDEMPOTENCY_MISMATCH, ""),
        [GRANT],
        "content",
    ),
    "takes any content": (
        Ledger.execute,
        lambda execute, ledger, given, *_: execute(ledger, replace(given, content={"content": ""})),
        [GRANT, replace(GRANT, number=9, content={"content": "9"})],
        "content",
    ),
    "does it twice": (
        Ledger.execute,
        lambda execute, ledger, given, *_: (
            execute(ledger, given) and execute(ledger, replace(given, identity=None))
        ),
        [GRANT],
        "once",
    ),
    "forgets the key": (
        Ledger.execute,
        lambda execute, ledger, given, *_: execute(ledger, replace(given, identity=None)),
        [GRANT],
        "once",
    ),
    "shows an old version": (Ledger.read, old_view, [GRANT, READ], "read"),
    "shows no lots": (
        Ledger.read,
        lambda read, *who: replace(read(*who), lots=()),
        [GRANT, READ],
        "read",
    ),
    "is slow": (Ledger.read, slow_view, [GRANT, READ], "error"),
    "leaves out an entry": (
        Ledger.history,
        lambda history, *who, **page: history(*who, **page)[1:],
        [GRANT, HISTORY],
        "read",
    ),
    "fails": (Ledger.execute, fails, [GRANT], "error"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_of_the_ledger_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method, lie, requests, promise = LIES[name]

    def lying(*given: object, **more: object) -> object:
        return lie(method, *given, **more)

    monkeypatch.setattr(Ledger, method.__name__, lying)
    assert broken_promise(simulation(*every_second(requests))) == promise


@pytest.mark.parametrize("name", LIES)
def test_the_same_requests_answered_truly_pass(name: str) -> None:
    must_pass(*every_second(LIES[name][2]))


def every_second(requests: list[Request]) -> list[tuple[int, Request]]:
    return [(1000 * number, sent) for number, sent in enumerate(requests)]


# --- lies in the table ---------------------------------------------------------------------------

type Tampering = Callable[[list[dict[str, Any]]], None]


def put_of(puts: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The item whose sort key begins so."""
    item: dict[str, Any] = next(
        put["Put"]["Item"] for put in puts if put["Put"]["Item"]["sk"]["S"].startswith(kind)
    )
    return item


def add(kind: str, name: str, more: int) -> Tampering:
    """Another number in an item."""

    def tamper(puts: list[dict[str, Any]]) -> None:
        item = put_of(puts, kind)
        item[name] = {"N": str(int(item[name]["N"]) + more)}

    return tamper


def drop(kind: str) -> Tampering:
    """One item less."""

    def tamper(puts: list[dict[str, Any]]) -> None:
        item = put_of(puts, kind)
        puts[:] = [put for put in puts if put["Put"]["Item"] is not item]

    return tamper


def give(kind: str, name: str, value: Mapping[str, Any]) -> Tampering:
    """Another value in an item."""

    def tamper(puts: list[dict[str, Any]]) -> None:
        put_of(puts, kind)[name] = value

    return tamper


TAMPERINGS: tuple[tuple[str, Tampering, str], ...] = (
    ("an account of another time", add("ACCOUNT", "as_of", -5), "time"),
    ("a revision left out", add("ACCOUNT", "revision", 1), "effect"),
    ("another lot", give("ACCOUNT", "lots", {"L": []}), "effect"),
    ("another head", give("ACCOUNT", "head", {"B": b"\x01" * 32}), "effect"),
    ("a lot that no sweep finds", give("ACCOUNT", "due_lot_at", {"N": "1"}), "effect"),
    ("another topic", give("ENTRY", "topic", {"S": "points/add/manual"}), "effect"),
    (
        "other moves",
        give("ENTRY", "moves", {"M": {"issued": {"N": "-9"}, "approved": {"N": "9"}}}),
        "effect",
    ),
    ("an entry at another time", add("ENTRY", "at", -1), "effect"),
    ("an entry recorded at another time", add("ENTRY", "recorded_at", 1), "entries"),
    ("a version left out", add("ENTRY", "version", 1), "entries"),
    ("another cause", give("ENTRY", "actor", {"S": "somebody"}), "entries"),
    ("another hash", give("ENTRY", "hash", {"B": b"\x01" * 32}), "entries"),
    ("chained to another", give("ENTRY", "previous_hash", {"B": b"\x01" * 32}), "entries"),
    ("other figures", give("ENTRY", "figures", {"L": [{"N": "0"}] * 6}), "entries"),
    ("no entry", drop("ENTRY"), "effect"),
    ("not recorded", drop("REQUEST"), "once"),
    ("other content recorded", give("REQUEST", "content", {"B": b"\x01" * 32}), "once"),
    ("another answer recorded", give("REQUEST", "entry_ids", {"L": []}), "once"),
)


TAMPERINGS_OF_AN_ORDER: tuple[tuple[str, Tampering], ...] = (
    ("other goods", give("ORDER", "goods", {"L": [{"N": "1000"}, *[{"N": "0"}] * 3]})),
    ("a price without its tax", give("ORDER", "taxes_included", {"BOOL": False})),
    ("another confirmation", add("ORDER", "confirmed_at", -1)),
    ("pending points that no sweep finds", add("ORDER", "due_pending_at", 1)),
    ("another owner", give("ORDER", "customer", {"S": "7002"})),
    ("other pending points", add("ORDER", "pending", 1)),
    ("no order", drop("ORDER")),
)


class Forger(MemoryDynamoDB):
    """A table that changes a write before it takes it."""

    tamper: Tampering

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        self.tamper(request["TransactItems"])
        return super().transact_write_items(**request)


@pytest.mark.parametrize(
    ("_", "tamper", "promise"), TAMPERINGS, ids=[name for name, *_ in TAMPERINGS]
)
def test_a_lie_in_the_table_is_found(_: str, tamper: Tampering, promise: str) -> None:
    assert promise_broken_by(GRANT, tamper) == promise


@pytest.mark.parametrize(
    ("_", "tamper"), TAMPERINGS_OF_AN_ORDER, ids=[name for name, _ in TAMPERINGS_OF_AN_ORDER]
)
def test_a_lie_about_an_order_is_found(_: str, tamper: Tampering) -> None:
    assert promise_broken_by(PENDING, tamper) == "effect"


def promise_broken_by(sent: Request, tamper: Tampering) -> str:
    """What the oracle finds in a table that does not write what it should."""
    run = simulation((0, sent))
    forger = Forger()
    forger.__dict__.update(run.engine.__dict__)
    forger.tamper = tamper
    run.engine = forger
    return broken_promise(run)


def test_an_item_that_nobody_wrote_is_found() -> None:
    run = simulation((0, GRANT))
    run.scheduler.run()
    item = {"pk": {"S": "SHOP#tokyo#CUSTOMER#7001"}, "sk": {"S": "ENTRY#000000000007"}}
    run.engine.put_item(TableName="ledger", Item=item)
    with pytest.raises(Violation, match="yet not written"):
        run.finish()


def test_what_is_over_and_left_is_found() -> None:
    run = simulation((0, GRANT), (1000, HOLD))
    run.scheduler.run()
    with pytest.raises(Violation, match="a hold that is over is left"):
        run.oracle.check_quiet(run.scheduler.now_ms + 10 * DAY_MS)


def test_points_that_are_pending_too_long_are_found() -> None:
    run = simulation((0, PENDING))
    run.scheduler.run()
    run.oracle.check_quiet(START_MS + DAY_MS - 1)
    with pytest.raises(Violation, match="tokyo/901 still has points pending"):
        run.oracle.check_quiet(START_MS + DAY_MS)


# --- truths that look like lies ------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.CRASH_AFTER, Fault.SERVER_ERROR_AFTER])
def test_a_lost_answer_and_the_same_request_much_later_pass(fault: Fault) -> None:
    must_pass(*((ms, GRANT) for ms in (0, 10, 30, 5_000, DAY_MS)), plan=At(1, fault))


def test_a_write_that_arrives_after_its_caller_gave_up_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute = Ledger.execute
    monkeypatch.setattr(Ledger, "execute", lambda ledger, given: execute(ledger, given, 0.0))
    must_pass((0, GRANT), (100_000, GRANT), plan=At(1, Fault.LATE_COMMIT))


def test_what_was_refused_may_be_carried_out_when_it_is_requested_again() -> None:
    must_pass((0, CONSUME), (1000, GRANT), (2000, CONSUME), (3000, CONSUME))


def test_a_refusal_that_was_right_when_the_call_began_passes() -> None:
    must_pass((0, CONSUME), (3, GRANT), plan=At(1, Fault.REPLY_LOST))


def test_a_key_with_other_content_passes_as_long_as_it_has_had_no_effect() -> None:
    other = replace(CONSUME, number=9, content={"content": "9"})
    must_pass((0, CONSUME), (1000, GRANT), (2000, other), (3000, CONSUME))


def test_what_falls_due_between_two_reads_passes() -> None:
    for after_ms in range(600_090, 600_110):
        around = enumerate((SETTLE, CONSUME, READ, SETTLE), start=after_ms)
        must_pass((0, GRANT), (100, HOLD), *around)
