"""The instants themselves: a millisecond before, exactly at, and a millisecond after.

Random times seldom hit them. Each command is decided at such an instant by the product and by the
reference model, which was written independently. The amounts at which an earning rule changes its
result are tried the same way.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from pointbook.domain import commands as c
from pointbook.domain.account import Account, HoldRecord, OrphanedCode
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision, settled
from pointbook.domain.expiry import Days, Never
from pointbook.domain.merge import merge
from pointbook.domain.orders import EarningRule, Goods, Order, OrderUpdate, Refund, Spending
from pointbook.domain.refusal import Refusal
from pointbook.domain.state import State
from tests.reference import model
from tests.reference.calendar_walk import FOREVER
from tests.reference.order_items import Code, OrderItems, OrderRecord, Spent

MILLISECOND: Final = timedelta(milliseconds=1)
AROUND: Final = (-MILLISECOND, timedelta(), MILLISECOND)
MIDNIGHT: Final = datetime(2027, 1, 30, 15, tzinfo=UTC)
"""24:00 of 30 January in Tokyo."""

BEFORE: Final = MIDNIGHT - timedelta(hours=5)
RULE: Final = EarningRule(unit_minor=100)


def wrong_boundaries() -> Iterator[str]:
    """Where the product and the model differ: one line each."""
    for name, steps, instant in _cases():
        pair = _Pair()
        pair.forge_order_items()
        for command, at in steps:
            pair.apply(command, at)
        for offset in AROUND:
            for last in _COMMANDS:
                difference = pair.copy().differs(last, instant + offset)
                if difference:
                    yield f"{name} {offset.total_seconds()}, {type(last).__name__}: {difference}"
            difference = pair.copy().differs_merged_into(_Pair("7002"), instant + offset)
            if difference:
                yield f"{name} {offset.total_seconds()}, a merge: {difference}"


def wrong_orders() -> Iterator[str]:
    """Where they differ about single orders: one line each.

    Around the minimum, with tax included and added, gift cards, goods and money refunded.
    """
    for priced, gift_cards, included, back in product(
        (999, 1000, 1001, 1099, 1100, 1101), ((0, 0), (400, 30)), (True, False), _REFUNDS
    ):
        update = OrderUpdate(
            BEFORE,
            Goods(priced, 100, *gift_cards),
            taxes_included=included,
            confirmed_at=BEFORE,
            refunds=back,
        )
        for counted, earn, minimum in product((True, False), (True, False), (0, 1000)):
            rule = EarningRule(1, minimum_minor=minimum, tax_included=counted, gift_cards_earn=earn)
            command = c.UpdateOrder("904", update, rule, Days(1))
            difference = _Pair().differs(command, BEFORE)
            if difference:
                yield f"{update} by {rule}: {difference}"


def wrong_second_spending() -> Iterator[str]:
    """Where they differ when spent points were returned and, after an edit, are spent again.

    Points that lapse sooner were granted meanwhile, and stay: the returned ones are spent first.
    """
    earns_nothing, one, two = EarningRule(10**6), Goods(100, pieces=1), Goods(200, pieces=2)
    later = BEFORE + timedelta(seconds=1)
    back = (Refund("r1", one),)
    returned = c.UpdateOrder("905", OrderUpdate(BEFORE, one, refunds=back), earns_nothing, Days(9))
    edited = c.UpdateOrder("905", OrderUpdate(later, two, refunds=back), earns_nothing, Days(9))
    settle_spending = c.ReturnSpending("905", "till", Days(9))
    pair = _Pair()
    for command in (
        c.Grant(5, Days(9)),
        c.SpendOnOrder(5, "905", "till"),
        returned,
        settle_spending,
        c.Grant(5, Days(2)),
        edited,
    ):
        pair.apply(command, BEFORE)
    if difference := pair.differs(settle_spending, BEFORE):
        yield f"spent again: {difference}"


def wrong_merges() -> Iterator[str]:
    """What is wrong with the survivor of three merges, and with the tombstones."""
    survivor = Account("7009", account_id="b9", time_zone="Asia/Tokyo")
    earlier, later, chained = (
        Account(f"700{number}", account_id=f"b{number}", time_zone="Asia/Tokyo")
        for number in (1, 2, 3)
    )
    into_earlier = merge(chained, earlier, BEFORE)
    into_survivor = merge(later, survivor, BEFORE)
    assert not isinstance(into_earlier, Refusal)
    assert not isinstance(into_survivor, Refusal)
    stones = (into_earlier.source.account,)
    last = merge(into_earlier.target.account, into_survivor.target.account, BEFORE, stones)
    assert not isinstance(last, Refusal)
    if last.target.account.merged_from != ("7002", "7003", "7001"):
        yield f"the survivor was merged from {last.target.account.merged_from}"
    if last.source.account.merged_from:
        yield f"the tombstone still names {last.source.account.merged_from}"
    leading = [stone.merged_into for stone in (last.source.account, *last.tombstones)]
    if leading != ["7009", "7009"]:
        yield f"the tombstones lead to {leading}"
    update = c.UpdateOrder("905", OrderUpdate(BEFORE, Goods(200, pieces=1)), RULE, Days(9))
    for name in ("7001", "7002", "7003"):
        state = State(last.target.account, Order("905", customer_id=name))
        if isinstance(answer := decide(state, update, BEFORE), Refusal):
            yield f"an order of {name}, who is the survivor by now: {answer.code}"


_REFUNDS: Final[tuple[tuple[Refund, ...], ...]] = (
    (),
    (Refund("r1", Goods(300, 20)),),
    (Refund("r1", money_minor=2), Refund("r2", money_minor=351)),
    (Refund("r1", Goods(400, 30, 400, 30), 101), Refund("r1", Goods(9))),
    (Refund("r1", Goods(300, 20), None), Refund("r2", money_minor=321)),
)

type Steps = list[tuple[c.Command, datetime]]


def _cases() -> Iterator[tuple[str, Steps, datetime]]:
    """A name, what happened before, and the instant around which commands are decided."""
    grant: Steps = [(c.Grant(10, Days(1)), BEFORE - timedelta(days=1))]
    later: Steps = [(c.Grant(7, Days(9)), BEFORE)]
    for lapsed in (None, Days(3)):
        hold = c.PlaceHold(6, "h1", 600, lapsed, "PTS-1")
        yield "hold ends", [*grant, *later, (hold, BEFORE)], BEFORE + timedelta(seconds=600)
        at_midnight = MIDNIGHT - timedelta(seconds=600)
        yield "hold ends as a lot lapses", [*grant, (hold, at_midnight)], MIDNIGHT
        day_long = c.PlaceHold(6, "h1", 86_400, lapsed)
        yield "a held lot lapses", [*grant, *later, (day_long, BEFORE)], MIDNIGHT
    yield "an order's points are approved", [*grant, (_PROMISED, BEFORE)], MIDNIGHT
    yield "lot lapses", [*grant, *later], MIDNIGHT
    yield "lots lapse one after the other", [*grant, *later], MIDNIGHT + timedelta(days=9)
    by_flow, short = c.Consume(1, flow_per_hour=1), c.PlaceHold(1, "h0", 1, holds_per_hour=1)
    half_past = BEFORE + timedelta(minutes=30)
    used_up: Steps = [*grant, *later, (short, half_past), (by_flow, half_past)]
    yield "an hour is used up", used_up, BEFORE + timedelta(hours=1)
    spent: Steps = [(c.SpendOnOrder(4, "907", "till"), BEFORE), (_cancel("907"), BEFORE)]
    yield "a spent lot lapses", [*grant, *spent, (c.Consume(6), BEFORE)], MIDNIGHT
    unrated = c.UpdateOrder("909", OrderUpdate(BEFORE, Goods(900)), None, Days(1))
    yield "a lot lapses beside orders'", [*grant, (_EARNED, BEFORE), (unrated, BEFORE)], MIDNIGHT
    used: Steps = [(c.SpendOnOrder(12, "908", "till"), BEFORE)]
    yield "an order's points are used up", [*grant, (_EARNED, BEFORE), *used], MIDNIGHT


def _cancel(order_id: str) -> c.UpdateOrder:
    return c.UpdateOrder(order_id, OrderUpdate(cancelled=True), RULE, Days(1))


_RULE_OF_TWO_DAYS: Final = replace(RULE, pending_days=2)
_PROMISED: Final = c.UpdateOrder(
    "903",
    OrderUpdate(BEFORE, Goods(900), confirmed_at=MIDNIGHT - timedelta(days=2)),
    _RULE_OF_TWO_DAYS,
    Days(1),
)
_EARNED: Final = c.UpdateOrder(
    "906", OrderUpdate(BEFORE, Goods(700), confirmed_at=BEFORE), RULE, Days(9)
)
_COMMANDS: Final[tuple[c.Command, ...]] = (
    c.Settle(),
    *(c.Consume(points) for points in (3, 4, 5, 7, 9, 10, 11, 17, 18)),
    *(c.Consume(1, flow_per_hour=most) for most in (1, 2)),
    *(c.PlaceHold(1, "h2", 600, holds_per_hour=most) for most in (1, 2)),
    c.Remove(10),
    c.Remove(11),
    c.PlaceHold(10, "h2", 600),
    c.PlaceHold(11, "h2", 600),
    c.MarkReady("h1"),
    c.UndoHold("h1"),
    c.UndoHold("h1", code_in_doubt=True),
    *(c.ReturnSpending("907", "till", Never(), lapsed) for lapsed in (Days(3), None)),
    *(c.ReturnSpending(f"{beyond}", "till", Days(1)) for beyond in ("forged 10", "forged 11")),
    c.ReturnSpending("910", "till", Days(1)),
    c.SpendOnOrder(1, "910", "till-1"),
    c.CaptureHold(1, "h9", "901"),
    _cancel("910"),
    _cancel("906"),
    *(
        c.UpdateOrder("909", OrderUpdate(), None, Days(1), needs_rule=needs)
        for needs in (True, False)
    ),
    c.Grant(3, Days(1)),
    c.CaptureHold(6, "h1", "901"),
    *(
        c.UpdateOrder("903", update, RULE, Days(1))
        for update in (
            OrderUpdate(),
            OrderUpdate(MIDNIGHT, Goods(1200)),
            OrderUpdate(refunds=(Refund("r1", Goods(300)),)),
            OrderUpdate(confirmed_at=MIDNIGHT - timedelta(days=2) - MILLISECOND),
        )
    ),
    c.SpendOnOrder(11, "903", "till-1"),
    c.UpdateOrder("902", OrderUpdate(BEFORE, Goods(900), confirmed_at=BEFORE), RULE, Days(1)),
)


class _Pair:
    """A customer in the product and in the model."""

    def __init__(self, customer_id: str = "7001") -> None:
        self.account = Account(customer_id)
        self.customer = model.Customer(customer_id)
        self.order_items = OrderItems()
        self.orders: dict[str, Order] = {}
        self.records: dict[str, HoldRecord] = {}

    def copy(self) -> "_Pair":
        """The same, to try a command on."""
        pair = _Pair()
        pair.account, pair.customer = self.account, self.customer.copy()
        pair.order_items.codes = {
            hold_id: replace(code, orders=list(code.orders))
            for hold_id, code in self.order_items.codes.items()
        }
        pair.order_items.orders, pair.orders = dict(self.order_items.orders), dict(self.orders)
        pair.records = dict(self.records)
        return pair

    def forge_order_items(self) -> None:
        """Orders that claim to have spent what nobody spent, and things of another customer."""
        for points in (10, 11):
            self._forge(f"forged {points}", self.account.customer_id, points)
        self._forge("910", "7009", 1)
        self.records["h9"] = HoldRecord("h9", "7009", 1, ())
        self.order_items.codes["h9"] = Code([FOREVER], owner="7009")

    def _forge(self, order_id: str, owner: str, points: int) -> None:
        """A cancelled order of `owner` that spent so many points, of no lot."""
        cancelled, spent = OrderUpdate(cancelled=True), Spending("till", owner, points, ())
        self.orders[order_id] = Order(order_id, owner, cancelled=True, spendings=(spent,))
        self.order_items.orders[order_id] = OrderRecord(
            messages=[(cancelled, None)],
            owner=owner,
            spent=[Spent("till", [], points, owner=owner)],
        )

    def _state(self, command: c.Command) -> State:
        """What a store would load for a command."""
        order_id, hold_id = getattr(command, "order_id", ""), getattr(command, "hold_id", "")
        return State(self.account, self.orders.get(order_id), self.records.get(hold_id))

    def apply(self, command: c.Command, at: datetime) -> None:
        """Carry it out in both."""
        decision = decide(self._state(command), command, at)
        assert isinstance(decision, Decision), f"{command} is refused: {decision}"
        model.decide(self.customer, self.order_items, command, at)
        self.account = decision.account
        if decision.order is not None:
            self.orders[decision.order.order_id] = decision.order
        if decision.record is not None:
            self.records[decision.record.hold_id] = decision.record

    def differs(self, command: c.Command, at: datetime) -> str:
        """Where they differ; empty if nowhere."""
        shown, expected = _seen(settled(self.account, at)), _expected(self.customer, at)
        if shown != expected:
            return f"a reader sees {shown}, the model says {expected}"
        decision = decide(self._state(command), command, at)
        answer = model.decide(self.customer, self.order_items, command, at)
        if isinstance(decision, Refusal) or answer.refused is not None:
            refused = decision.code if isinstance(decision, Refusal) else None
            return "" if refused == answer.refused else f"{refused}, the model: {answer.refused}"
        moves = [model.Move(e.topic, dict(e.moves), e.at) for e in decision.entries]
        if moves != list(answer.moves):
            return f"{moves}, the model says {answer.moves}"
        if (listed := _orphaned(decision.orphaned_codes)) != answer.orphaned_codes:
            return f"orphaned codes are {listed}, the model says {answer.orphaned_codes}"
        shown, expected = _seen(decision.account), _expected(self.customer, at)
        return "" if shown == expected else f"then {shown}, the model says {expected}"

    def differs_merged_into(self, target: "_Pair", at: datetime) -> str:
        """Where they differ when this customer is merged into another; empty if nowhere."""
        merged = merge(self.account, target.account, at)
        answer = model.merge(self.customer, target.customer, at)
        if isinstance(merged, Refusal):
            return f"refused: {merged}"
        seen = (_orphaned(merged.orphaned_codes), _seen(merged.target.account))
        expected = (answer.orphaned_codes, _expected(target.customer, at))
        return "" if seen == expected else f"{seen}, the model says {expected}"


def _orphaned(codes: tuple[OrphanedCode, ...]) -> tuple[model.Orphaned, ...]:
    return tuple((code.hold_id, code.code, code.until) for code in codes)


def _seen(account: Account) -> tuple[object, ...]:
    held = account.hold
    return (
        tuple(account.figures),
        {lot.valid_through: lot.points for lot in account.lots},
        {lot.valid_through: lot.points for lot in account.lapsed},
        held and (held.hold_id, held.ends_at, {lot.valid_through: lot.points for lot in held.lots}),
        _paces(account),
    )


def _paces(account: Account) -> dict[str, tuple[int, int]]:
    named = {"flow": account.flow_count, "hold": account.hold_count}
    return {kind: (pace.hour, pace.commands) for kind, pace in named.items() if pace}


def _expected(customer: model.Customer, at: datetime) -> tuple[object, ...]:
    seen = customer.picture(at)
    held = seen.hold and (seen.hold[0], seen.hold[2], seen.hold[3])
    return seen.figures, seen.lots, seen.lapsed, held, seen.paces
