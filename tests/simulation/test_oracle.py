"""The judge is judged: it finds every lie, under the right name, and lets every truth pass."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pointbook.domain import commands as c
from pointbook.domain.chain import BookedEntry
from pointbook.domain.expiry import Days
from pointbook.domain.orders import EarningRule, Goods, OrderUpdate
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.instruction import Booked, Identity, Instruction, View
from pointbook.ledger.ledger import Ledger
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import At, Fault, Nothing, Plan
from tests.simulation.kernel.requests import Ask
from tests.simulation.kernel.violation import Violation
from tests.simulation.kernel.world import START_MS, World
from tests.support.instants import instant

WHO = ("tokyo", "7001")
DAY_MS = 86_400_000


def world(plan: Plan | None = None) -> World:
    """Shops in which nothing is asked but what a test sends."""
    made = World(0)
    made.plan = plan or Nothing()
    return made


def ask(number: int, command: c.Command, *, key: str | None = "", content: str = "") -> Ask:
    identity = None if key is None else Identity("test", key or f"key-{number}")
    return Ask(number, WHO, "ask", command, identity, {"content": content})


def reads(number: int, name: str) -> Ask:
    return Ask(number, WHO, name, reads=True)


GRANT = ask(1, c.Grant(10, Days(3)))
CONSUME = ask(2, c.Consume(4))
TOO_MUCH = ask(3, c.Consume(400))
HOLD = ask(4, c.PlaceHold(3, "h1", 600))
HELD_RULE = EarningRule(unit_minor=100, pending_days=1)
NOW_ISH = instant(START_MS)


def order(number: int, news: OrderUpdate, rule: EarningRule = HELD_RULE) -> Ask:
    return Ask(number, WHO, "update_order", c.UpdateOrder("901", news, rule, Days(3)))


PROMISED = order(6, OrderUpdate(NOW_ISH, Goods(1000, 90), confirmed_at=NOW_ISH))
SETTLE = ask(5, c.Settle(), key=None)


# --- lies about answers --------------------------------------------------------------------------


class WrongFigures(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        answer = super().execute(instruction, deadline_seconds)
        assert isinstance(answer, Booked)
        return replace(answer, figures=answer.figures._replace(lifetime=99))


class OtherEntry(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        answer = super().execute(instruction, deadline_seconds)
        assert isinstance(answer, Booked)
        return replace(answer, entry_ids=("7001-000000000009",))


class RefusesWhatItDid(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        super().execute(instruction, deadline_seconds)
        return Refusal(Code.INSUFFICIENT_POINTS, "")


class RefusesWithoutCause(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        if isinstance(instruction.command, c.Consume):
            return Refusal(Code.INSUFFICIENT_POINTS, "")
        return super().execute(instruction, deadline_seconds)


class SaysDone(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        answer = super().execute(instruction, deadline_seconds)
        view = self.read(*WHO)
        return Booked((), view.figures) if isinstance(answer, Refusal) else answer


class DoesNothing(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        return Booked((), self.read(*WHO).figures)


class SaysMismatch(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        return Refusal(Code.IDEMPOTENCY_MISMATCH, "")


class TakesAnyContent(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        return super().execute(replace(instruction, content={"content": ""}), deadline_seconds)


class DoesItTwice(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        super().execute(instruction, deadline_seconds)
        return super().execute(replace(instruction, identity=None), deadline_seconds)


class ForgetsTheKey(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        return super().execute(replace(instruction, identity=None), deadline_seconds)


class OldView(Ledger):
    def read(self, shop: str, customer_id: str) -> View:
        view = super().read(shop, customer_id)
        return replace(view, version=view.version - 1)


class SlowReader(Ledger):
    def read(self, shop: str, customer_id: str) -> View:
        self._clock.sleep(60)
        return super().read(shop, customer_id)


class OtherView(Ledger):
    def read(self, shop: str, customer_id: str) -> View:
        return replace(super().read(shop, customer_id), lots=())


class ShortHistory(Ledger):
    def history(
        self, shop: str, customer_id: str, *, limit: int, before_version: int | None = None
    ) -> list[BookedEntry]:
        return super().history(shop, customer_id, limit=limit, before_version=before_version)[1:]


class Breaks(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        raise KeyError("something")


LIES: tuple[tuple[type[Ledger], list[Ask], str], ...] = (
    (WrongFigures, [GRANT], "answer"),
    (OtherEntry, [GRANT], "answer"),
    (RefusesWhatItDid, [GRANT], "refusal"),
    (RefusesWithoutCause, [GRANT, CONSUME], "refusal"),
    (SaysDone, [GRANT, TOO_MUCH], "nothing"),
    (DoesNothing, [GRANT], "nothing"),
    (SaysMismatch, [GRANT], "content"),
    (TakesAnyContent, [GRANT, replace(GRANT, number=9, content={"content": "9"})], "content"),
    (DoesItTwice, [GRANT], "once"),
    (ForgetsTheKey, [GRANT], "once"),
    (OldView, [GRANT, reads(3, "read")], "read"),
    (OtherView, [GRANT, reads(3, "read")], "read"),
    (SlowReader, [GRANT, reads(3, "read")], "error"),
    (ShortHistory, [GRANT, reads(3, "history")], "read"),
    (Breaks, [GRANT], "error"),
)


@pytest.mark.parametrize(
    ("liar", "asks", "promise"), LIES, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_lie_of_the_ledger_is_found(liar: type[Ledger], asks: list[Ask], promise: str) -> None:
    shops = world()
    shops.ledger_class = liar
    for at, sent in enumerate(asks):
        shops.send_at(1000 * at, sent)
    with pytest.raises(Violation) as violation:
        shops.scheduler.run()
    assert violation.value.promise == promise


@pytest.mark.parametrize("asks", [asks for _, asks, _ in LIES])
def test_the_same_told_truly_passes(asks: list[Ask]) -> None:
    shops = world()
    for at, sent in enumerate(asks):
        shops.send_at(1000 * at, sent)
    shops.scheduler.run()
    shops.calm_down()


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
    ("a lot that no sweeper finds", give("ACCOUNT", "due_lot_at", {"N": "1"}), "effect"),
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
    ("not remembered", drop("REQUEST"), "once"),
    ("another content remembered", give("REQUEST", "content", {"B": b"\x01" * 32}), "once"),
    ("another answer remembered", give("REQUEST", "entry_ids", {"L": []}), "once"),
)


TAMPERINGS_OF_AN_ORDER: tuple[tuple[str, Tampering], ...] = (
    ("other goods", give("ORDER", "goods", {"L": [{"N": "1000"}, *[{"N": "0"}] * 3]})),
    ("a price without its tax", give("ORDER", "taxes_included", {"BOOL": False})),
    ("another confirmation", add("ORDER", "confirmed_at", -1)),
    ("pending points that no sweeper finds", add("ORDER", "due_pending_at", 1)),
    ("another owner", give("ORDER", "customer", {"S": "7002"})),
    ("another promise", add("ORDER", "pending", 1)),
    ("no order", drop("ORDER")),
)


class Forger(MemoryDynamoDB):
    """Writes something else than it was asked to."""

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
    assert promise_broken_by(PROMISED, tamper) == "effect"


def promise_broken_by(sent: Ask, tamper: Tampering) -> str:
    """What the oracle says of a table that does not write what it was told to."""
    shops = world()
    forger = Forger()
    forger.__dict__.update(shops.engine.__dict__)
    forger.tamper = tamper
    shops.engine = forger
    shops.send_at(0, sent)
    with pytest.raises(Violation) as violation:
        shops.scheduler.run()
    return violation.value.promise


def test_an_item_that_nobody_wrote_is_found() -> None:
    shops = world()
    shops.send_at(0, GRANT)
    shops.scheduler.run()
    item = {"pk": {"S": "SHOP#tokyo#CUSTOMER#7001"}, "sk": {"S": "ENTRY#000000000007"}}
    shops.engine.put_item(TableName="ledger", Item=item)
    with pytest.raises(Violation, match="yet not written"):
        shops.calm_down()


def test_what_is_over_and_left_is_found() -> None:
    shops = world()
    shops.send_at(0, GRANT)
    shops.send_at(1000, HOLD)
    shops.scheduler.run()
    over_ms = shops.scheduler.now_ms + 10 * DAY_MS
    with pytest.raises(Violation, match="a hold that is over is left"):
        shops.oracle.check_quiet(over_ms)


def test_points_that_are_pending_too_long_are_found() -> None:
    shops = world()
    shops.send_at(0, PROMISED)
    shops.scheduler.run()
    shops.oracle.check_quiet(START_MS + DAY_MS - 1)
    with pytest.raises(Violation, match="tokyo/901 still has points pending"):
        shops.oracle.check_quiet(START_MS + DAY_MS)


# --- truths that look like lies ------------------------------------------------------------------


def test_a_lost_answer_and_the_same_again_much_later_is_right() -> None:
    for fault in (Fault.REPLY_LOST, Fault.CRASH_AFTER, Fault.SERVER_ERROR_AFTER):
        shops = world(At(1, fault))
        for after_ms in (0, 10, 30, 5_000, DAY_MS):
            shops.send_at(after_ms, GRANT)
        shops.scheduler.run()
        shops.calm_down()


def test_a_write_that_arrives_after_its_caller_gave_up_is_right() -> None:
    shops = world(At(1, Fault.LATE_COMMIT))
    shops.ledger_class = GivesUpSoon
    shops.send_at(0, GRANT)
    shops.send_at(100_000, GRANT)
    shops.scheduler.run()
    shops.calm_down()


class GivesUpSoon(Ledger):
    def execute(self, instruction: Instruction, deadline_seconds: float = 8.0) -> Booked | Refusal:
        return super().execute(instruction, 0.0)


def test_what_was_refused_may_be_carried_out_when_asked_again() -> None:
    shops = world()
    shops.send_at(0, CONSUME)
    shops.send_at(1000, GRANT)
    shops.send_at(2000, CONSUME)
    shops.send_at(3000, CONSUME)
    shops.scheduler.run()
    shops.calm_down()


def test_a_refusal_that_was_right_when_the_call_began_is_right() -> None:
    shops = world(At(1, Fault.REPLY_LOST))
    shops.send_at(0, CONSUME)
    shops.send_at(3, GRANT)
    shops.scheduler.run()
    shops.calm_down()


def test_a_key_with_another_content_is_right_as_long_as_it_has_had_no_effect() -> None:
    other = replace(CONSUME, number=9, content={"content": "9"})
    shops = world()
    for after_ms, sent in ((0, CONSUME), (1000, GRANT), (2000, other), (3000, CONSUME)):
        shops.send_at(after_ms, sent)
    shops.scheduler.run()
    shops.calm_down()


def test_what_falls_due_between_two_looks_is_right() -> None:
    for after_ms in range(599_990, 600_010):
        shops = world()
        shops.send_at(0, GRANT)
        shops.send_at(100, HOLD)
        for number, sent in enumerate((SETTLE, CONSUME, reads(7, "read"), SETTLE)):
            shops.send_at(100 + after_ms + number, sent)
        shops.scheduler.run()
        shops.calm_down()
