"""The domain against the reference model, over random lives of two customers of one shop."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib import import_module

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pointbook.domain import commands as c
from pointbook.domain.account import LAPSED_DAYS_MAX, Account, Hold, HoldRecord, OrphanedCode
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision, settle_part, settled
from pointbook.domain.entry import Entry
from pointbook.domain.expiry import Days, FixedDate, Months, Never, Rolling, RoundTo, day_of
from pointbook.domain.lots import LOTS_MAX, Lot, Lots
from pointbook.domain.merge import merge
from pointbook.domain.orders import (
    NO_GOODS,
    DebtPolicy,
    EarningRule,
    Goods,
    Order,
    OrderUpdate,
    Refund,
    ReturnSpent,
    Rounding,
)
from pointbook.domain.refusal import Refusal
from pointbook.domain.state import State
from tests.property.invariants import INVARIANTS, HoldsResolveOnce, Step
from tests.reference import model
from tests.reference.order_items import OrderItems

START = datetime(2027, 10, 29, 14, 59, 30, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

POINTS = st.integers(1, 12)
MANY_POINTS = st.integers(1, 30)

# How many points to request: a few, or as many as are there, one less, one more, half of them.
type Amount = int | str
AMOUNT = st.sampled_from([1, 2, 3, 7, "half", "half", "less", "all", "all", "more"])
PERIODS: list[Days | Months] = [
    Days(1),
    Days(2),
    Days(3),
    Days(5),
    Days(9),
    Days(40),
    Months(1),
    Months(2),
    Days(10, RoundTo.MONTH_END),
    Months(1, RoundTo.YEAR_END),
]
FIXED = [FixedDate(date(2027, 10, 28)), FixedDate(date(2027, 11, 6)), FixedDate(date(2027, 12, 31))]
EXPIRY = st.sampled_from([*PERIODS * 3, *FIXED, Never(), *map(Rolling, PERIODS[1:7])])
LAPSED_EXPIRY = st.sampled_from([None, None, Days(1), Days(3), Months(1), FIXED[0], Never()])
RENEW = st.sampled_from([None, None, None, *map(Rolling, PERIODS[:7])])
WHO = st.integers(0, 1)
HOLD_STEPS = [
    c.MarkReady,
    c.BeginRelease,
    c.BeginRelease,
    c.ReleaseHold,
    c.ReleaseHold,
    c.UndoHold,
    partial(c.UndoHold, code_in_doubt=True),
]
PER_HOUR = st.sampled_from([None, None, None, 1, 2, 4])
"""How often something that is counted may be done to one customer within an hour."""

ORDER_IDS = st.sampled_from(["o1", "o2", "o3", "o4", "o5"])
EARNING = st.builds(
    EarningRule,
    unit_minor=st.sampled_from([1, 10, 30]),
    points_per_unit=st.sampled_from([1, 2]),
    multiplier_percent=st.sampled_from([100, 150, 105, 0]),
    rounding=st.sampled_from(Rounding),
    minimum_minor=st.sampled_from([0, 0, 0, 30, 31]),
    tax_included=st.booleans(),
    gift_cards_earn=st.booleans(),
    pending_days=st.sampled_from([0, 0, 1, 2, 30]),
    debt_policy=st.sampled_from(DebtPolicy),
)
PRICES = [-5, 0, 9, 10, 15, 29, 30, 45, 60, 120]
GOODS = st.builds(
    Goods,
    st.sampled_from(PRICES),
    st.sampled_from([0, 0, 1, 3, 12]),
    st.sampled_from([0, 0, 9, 10, 30]),
    st.sampled_from([0, 0, 0, 1, 3]),
    st.sampled_from([0, 1, 1, 2, 3]),
)
RETURN_SPENT = st.sampled_from(ReturnSpent)
UPDATES = st.builds(
    OrderUpdate,
    updated_at=st.none() | st.integers(0, 5).map(lambda n: START + timedelta(seconds=n)),
    triggered_at=st.none() | st.integers(0, 2).map(lambda n: START + timedelta(milliseconds=n)),
    goods=st.none() | GOODS,
    removed=st.just(NO_GOODS) | GOODS,
    taxes_included=st.booleans(),
    confirmed_at=st.none()
    | st.sampled_from([0, 0, 1, -86_400, 86_400]).map(lambda n: START + timedelta(seconds=n)),
    cancelled=st.sampled_from([False, False, False, False, True]),
    refunds=st.lists(
        st.builds(
            Refund,
            st.sampled_from(["r1", "r2", "r3"]),
            st.just(NO_GOODS) | GOODS,
            st.sampled_from([0, 0, 1, 10, 30, 132]),
        ),
        max_size=2,
    ).map(tuple),
)

# How far the clock jumps before a command: not at all, by itself, or to an instant that matters. A
# clock that runs slow shows an earlier time once; the shop's own time goes on from where it was.
BY_ITSELF = [
    *(timedelta(milliseconds=ms) for ms in (0, 0, 0, 0, 0, 0, 1, 500)),
    *(timedelta(seconds=seconds) for seconds in (1, 1, 30, 59)),
    *(timedelta(minutes=minutes) for minutes in (1, 5, 10)),
    *(timedelta(hours=hours) for hours in (1, 9)),
    timedelta(days=1),
    timedelta(days=31),
]
BACK = [-MILLISECOND, timedelta(seconds=-20), timedelta(hours=-2), timedelta(days=-3)]
AROUND = [-MILLISECOND, timedelta(), MILLISECOND]
JUMP = st.sampled_from(
    [("by", delta) for delta in BY_ITSELF]
    + [("back", delta) for delta in BACK]
    + [(place, delta) for place in ("hold_end", "lapse") for delta in AROUND]
)
SOON = st.sampled_from(
    [("by", timedelta(seconds=seconds)) for seconds in (0, 0, 0, 0, 1)]
    + [("hold_end", delta) for delta in AROUND]
)
AT_ONCE = ("by", timedelta())
type Jump = tuple[str, timedelta]


@dataclass(slots=True)
class Side:
    """One customer: as the product knows it, and as the model does."""

    account: Account
    customer: model.Customer
    latest_hold: str = "none"


class AccountMachine(RuleBasedStateMachine):
    """Gives both the same commands, one after the other, and compares all that can be seen."""

    @initialize(
        zones=st.sampled_from(
            [
                ("Asia/Tokyo", "Asia/Tokyo"),
                ("America/New_York", "America/New_York"),
                ("Europe/London", "Europe/London"),
                ("America/New_York", "Asia/Tokyo"),
                ("Asia/Tokyo", "America/New_York"),
            ]
        ),
        limits=st.sampled_from([model.Limits(), model.Limits(4, 2), model.Limits(2, 1)]),
        balances=st.lists(st.tuples(WHO, MANY_POINTS, EXPIRY), max_size=6),
    )
    def open_shop(self, zones, limits, balances) -> None:
        _set_limits(limits)
        self.now = START
        self.limits = limits
        self.order_items = OrderItems()
        self.orders: dict[str, Order] = {}
        self.records: dict[str, HoldRecord] = {}
        self.holds = HoldsResolveOnce()
        self.survivors: dict[str, str] = {}
        self.customers_opened = 0
        self.sides = [self.open_account(zone) for zone in zones]
        for who, points, expiry in balances:
            self.decide_both(who, AT_ONCE, c.Grant(points, expiry))

    def open_account(self, zone: str) -> Side:
        self.customers_opened += 1
        name = f"100{self.customers_opened}"
        return Side(Account(name, time_zone=zone), model.Customer(name, zone, self.limits))

    def teardown(self) -> None:
        _set_limits(model.Limits(LOTS_MAX, LAPSED_DAYS_MAX))

    # --- points ----------------------------------------------------------------------------------

    @rule(
        who=WHO,
        jump=JUMP,
        points=MANY_POINTS,
        expiry=EXPIRY,
        topic=st.sampled_from(sorted(c.GRANT_TOPICS)),
    )
    def grant(self, who, jump, points, expiry, topic) -> None:
        self.decide_both(who, jump, c.Grant(points, expiry, topic))

    @rule(who=WHO, jump=JUMP, points=MANY_POINTS, expiry=EXPIRY, most=PER_HOUR)
    def grant_again(self, who, jump, points, expiry, most) -> None:
        self.decide_both(who, jump, c.Grant(points, expiry, flow_per_hour=most))

    @rule(who=WHO, jump=JUMP, amount=AMOUNT, renew=RENEW, most=PER_HOUR)
    def consume(self, who, jump, amount, renew, most) -> None:
        points = _points(amount, self.sides[who].account.figures.approved)
        self.decide_both(who, jump, c.Consume(points, renew, most))

    @rule(who=WHO, jump=JUMP, amount=AMOUNT)
    def remove(self, who, jump, amount) -> None:
        self.decide_both(
            who, jump, c.Remove(_points(amount, self.sides[who].account.figures.approved))
        )

    @rule(
        who=WHO,
        jump=JUMP,
        which=st.integers(0, 5),
        longer=st.sampled_from([1, 2, 30, 400, "never", "next"]),
    )
    def extend(self, who, jump, which, longer) -> None:
        """One of the customer's days, or one on which nothing expires, becomes a later one."""
        days = [lot.valid_through for lot in self.sides[who].account.lots]
        old_day = (days[which:] or [*days[:1], START.date()])[0]
        if old_day == date.max:
            old_day = START.date()
        later = [day for day in days if day > old_day]
        match longer:
            case "never":
                new_day = date.max
            case "next" if later:
                new_day = later[0]
            case _:
                number = longer if isinstance(longer, int) else 3
                new_day = old_day + timedelta(days=number)
        self.decide_both(who, jump, c.ExtendExpiry(old_day, new_day))

    @rule(who=WHO, jump=JUMP, amount=AMOUNT, to_debt=st.integers(0, 3), day=st.integers(-2, 40))
    def undo_grant(self, who, jump, amount, to_debt, day) -> None:
        account = self.sides[who].account
        points = _points(amount, account.figures.approved)
        days = [lot.valid_through for lot in account.lots[:1]]
        days.append(day_of(account.as_of, account.time_zone) + timedelta(days=day))
        lots = (Lot(days[day % len(days)], points),) if points else ()
        self.decide_both(who, jump, c.ReverseImport(points + to_debt or 1, lots, "row"))

    @rule(who=WHO, jump=JUMP, points=st.integers(1, 9), days=st.integers(-2, 40))
    def undo_removal(self, who, jump, points, days) -> None:
        account = self.sides[who].account
        day = day_of(account.as_of, account.time_zone) + timedelta(days=days)
        command = c.ReverseImport(points, (Lot(day, points),), "row", was_removal=True)
        self.decide_both(who, jump, command)

    # --- holds -----------------------------------------------------------------------------------

    @rule(
        who=WHO,
        jump=JUMP,
        amount=AMOUNT,
        seconds=st.sampled_from([1, 600, 600, 86_400, 86_400]),
        lapsed=LAPSED_EXPIRY,
        most=PER_HOUR,
    )
    def take_hold(self, who, jump, amount, seconds, lapsed, most=None) -> None:
        hold_id = f"h{len(self.records) + 1}"
        points = _points(amount, self.sides[who].account.figures.approved)
        code = "PTS" if "1" in hold_id else ""
        command = c.PlaceHold(points, hold_id, seconds, lapsed, code, holds_per_hour=most)
        decision = self.decide_both(who, jump, command)
        if isinstance(decision, Decision):
            self.sides[who].latest_hold = hold_id

    @rule(who=WHO, jump=SOON, step=st.sampled_from(HOLD_STEPS))
    def move_hold_on(self, who, jump, step) -> None:
        self.decide_both(who, jump, step(self.sides[who].latest_hold))

    @rule(
        who=WHO,
        points=MANY_POINTS,
        expiry=EXPIRY,
        amount=AMOUNT,
        lapsed=LAPSED_EXPIRY,
        steps=st.lists(
            st.tuples(SOON, st.sampled_from([*HOLD_STEPS, *[c.CaptureHold] * 3])),
            min_size=1,
            max_size=4,
        ),
        order=st.tuples(AMOUNT, ORDER_IDS, RENEW, RETURN_SPENT),
    )
    def grant_hold_and_go_on(self, who, points, expiry, amount, lapsed, steps, order) -> None:
        """Points for a hold, the hold, and what the customer, the shop and time make of it."""
        self.decide_both(who, AT_ONCE, c.Grant(points, expiry))
        self.take_hold(who, AT_ONCE, amount, 600, lapsed)
        for jump, step in steps:
            if step is c.CaptureHold:
                self.order_carries_code(who, jump, *order, -1)
            else:
                self.move_hold_on(who, jump, step)

    @rule(
        who=WHO,
        jump=JUMP,
        amount=AMOUNT,
        order_id=ORDER_IDS,
        renew=RENEW,
        rule=RETURN_SPENT,
        which=st.sampled_from([-1, -1, -2, 0, "any"]),
    )
    def order_carries_code(self, who, jump, amount, order_id, renew, rule, which) -> None:
        """An order with a code that this customer, one merged into it, or another was given."""
        records = [
            one for one in self.records.values() if which == "any" or self.is_holder(who, one)
        ]
        if records:
            record = records[-1 if which == "any" else which % len(records)]
            points, order_id = _points(amount, record.points), self.order_name(who, order_id)
            command = c.CaptureHold(points, record.hold_id, order_id, renew, rule)
            self.decide_both(who, jump, command, record.customer_id if which != "any" else "")

    @rule(
        who=WHO,
        jump=JUMP,
        amount=AMOUNT,
        order_id=ORDER_IDS,
        renew=RENEW,
        return_spent=RETURN_SPENT,
        spending_id=st.sampled_from(["till-1", "till-2"]),
    )
    def order_used_points_at_a_till(
        self, who, jump, amount, order_id, renew, return_spent, spending_id
    ) -> None:
        points = _points(amount, self.sides[who].account.figures.approved)
        order_id = self.order_name(who, order_id)
        self.decide_both(
            who, jump, c.SpendOnOrder(points, order_id, spending_id, renew, return_spent)
        )

    # --- orders ----------------------------------------------------------------------------------

    @rule(
        who=WHO,
        jump=JUMP,
        order_id=ORDER_IDS,
        update=UPDATES,
        earning=EARNING,
        expiry=EXPIRY,
        has_rule=st.sampled_from([True, True, True, False]),
    )
    def update_of_order(self, who, jump, order_id, update, earning, expiry, has_rule) -> None:
        order_id, rule = self.order_name(who, order_id), earning if has_rule else None
        command = c.UpdateOrder(order_id, update, rule, expiry, needs_rule=not has_rule)
        self.decide_both(who, jump, command)

    @rule(
        who=WHO,
        jump=JUMP,
        order_id=ORDER_IDS,
        expiry=EXPIRY,
        lapsed=LAPSED_EXPIRY,
        cancelled=st.sampled_from([True, False, False]),
        update=UPDATES,
    )
    def give_spending_back(self, who, jump, order_id, expiry, lapsed, cancelled, update) -> None:
        """Every spending comes back as far as updates of the order say, though requested twice."""
        spent_on = [
            name
            for name, order in self.orders.items()
            if order.spendings and State(self.sides[who].account).belongs(order.customer_id)
        ]
        order_id = next((name for name in spent_on if name >= order_id), order_id)
        update = replace(update, cancelled=cancelled)
        self.decide_both(who, jump, c.UpdateOrder(order_id, update, EarningRule(1), expiry))
        spendings = self.orders.get(order_id, Order(order_id)).spendings
        for spending_id in [one.spending_id for one in spendings for _ in range(2)]:
            self.decide_both(who, AT_ONCE, c.ReturnSpending(order_id, spending_id, expiry, lapsed))

    # --- time and merging ------------------------------------------------------------------------

    @rule(who=WHO, jump=JUMP)
    def settle(self, who, jump) -> None:
        self.decide_both(who, jump, c.Settle())

    @rule(who=WHO, jump=JUMP, parts=st.integers(1, 3), entries_max=st.integers(1, 2))
    def settle_in_parts(self, who, jump, parts, entries_max) -> None:
        side, now = self.sides[who], self.moment(who, jump)
        for _ in range(parts):
            before = side.account
            answer = model.settle_part(side.customer, now, entries_max)
            decision = settle_part(before, now, entries_max)
            assert _moves(decision.entries) == list(answer.moves)
            side.account = decision.account
            whole = len(decision.entries) < entries_max
            self.check(Step(before, decision.account, decision.entries, now, whole))
            assert decision.settled == len(decision.entries) <= entries_max
        self.compare(side, now)

    @rule(source=WHO, jump=JUMP, what=st.sampled_from(["nothing", "nothing", "itself", "other"]))
    def merge(self, source, jump, what) -> None:
        if what == "nothing":
            return
        leaving, now = self.sides[source], self.moment(source, jump)
        staying = leaving if what == "itself" else self.sides[1 - source]
        answer = model.merge(leaving.customer, staying.customer, now)
        merged = merge(leaving.account, staying.account, now)
        if isinstance(merged, Refusal):
            assert answer.refused == merged.code
            return
        assert answer.refused is None
        assert answer.released_hold == merged.released_hold
        assert answer.orphaned_codes == _orphaned(merged.orphaned_codes)
        now = max(now, leaving.account.as_of, staying.account.as_of)
        for side, decision in ((leaving, merged.source), (staying, merged.target)):
            before, side.account = side.account, decision.account
            self.check(Step(before, decision.account, decision.entries, now))
            self.compare(side, now)
        assert _moves(merged.target.entries) == list(answer.moves)
        self.decide_both(source, AT_ONCE, c.Settle())
        self.survivors[leaving.account.customer_id] = staying.account.customer_id
        self.sides[source] = self.open_account(leaving.account.time_zone)

    def is_holder(self, who: int, record: HoldRecord) -> bool:
        """Whether a customer took a hold, or is who that customer became."""
        name = record.customer_id
        while name in self.survivors:
            name = self.survivors[name]
        return self.sides[who].account.customer_id == name

    def order_name(self, who: int, order_id: str) -> str:
        """An order of the customer's own, of one merged into it, or (o5) of whoever was first."""
        account = self.sides[who].account
        if order_id == "o5":
            return order_id
        if order_id == "o4" and account.merged_from:
            return f"o1-{account.merged_from[-1]}"
        return f"{order_id}-{account.customer_id}"

    # --- deciding and comparing ------------------------------------------------------------------

    def moment(self, who: int, jump: Jump) -> datetime:
        """Where the clock stands for this command."""
        place, delta = jump
        if place == "back":
            return self.now + delta
        account = self.sides[who].account
        marks = {"hold_end": account.hold_end, "lapse": account.next_lapse}
        self.now = max(self.now, (marks.get(place) or self.now) + delta)
        return self.now

    def decide_both(
        self, who: int, jump: Jump, command: c.Command, named: str = ""
    ) -> Decision | Refusal:
        """Give the domain and the model the same command, and compare."""
        side, now = self.sides[who], self.moment(who, jump)
        answer = model.decide(side.customer, self.order_items, command, now, named)
        decision = decide(self.state(side.account, command, named), command, now)
        if isinstance(decision, Refusal):
            assert answer.refused == decision.code
            assert decision.message
        else:
            assert answer.refused is None
            seen = _moves(decision.entries)
            assert seen == list(answer.moves), f"{seen}\nbut the model says\n{answer.moves}"
            assert decision.alarms == answer.alarms
            assert _orphaned(decision.orphaned_codes) == answer.orphaned_codes
            before, side.account = side.account, decision.account
            self.keep(decision)
            self.check(Step(before, decision.account, decision.entries, now))
            assert decision.changes(before) or (before.lots, before.hold, before.balances) == (
                side.account.lots,
                side.account.hold,
                side.account.balances,
            )
        self.compare(side, now)
        return decision

    def state(self, account: Account, command: c.Command, named: str) -> State:
        """What a store would load for a command."""
        order_id, hold_id = getattr(command, "order_id", ""), getattr(command, "hold_id", "")
        return State(account, self.orders.get(order_id), self.records.get(hold_id), named)

    def keep(self, decision: Decision) -> None:
        """Keep what a decision says of orders and codes, as a store would."""
        if decision.order is not None:
            self.orders[decision.order.order_id] = decision.order
        if decision.record is not None:
            self.records[decision.record.hold_id] = decision.record

    def check(self, step: Step) -> None:
        for invariant in INVARIANTS:
            invariant(step)
        self.holds.check(step)

    def compare(self, side: Side, now: datetime) -> None:
        """A reader sees the same in both, now and a little later."""
        for instant in (now, now + timedelta(seconds=600)):
            seen, expected = (
                _picture(settled(side.account, instant)),
                side.customer.picture(instant),
            )
            assert seen == expected, f"{seen}\nbut the model says\n{expected}"


def _points(amount: Amount, there: int) -> int:
    """The points that an amount stands for where so many are there; at least one."""
    if isinstance(amount, int):
        return amount
    return max(1, {"half": there // 2, "less": there - 1, "all": there, "more": there + 1}[amount])


def _picture(account: Account) -> model.Picture:
    return model.Picture(
        balances=account.balances._asdict(),
        figures=tuple(account.figures),
        lots=_days(account.lots),
        lapsed=_days(account.lapsed),
        debt=account.debt,
        hold=_hold(account.hold) if account.hold else None,
        as_of=account.as_of,
        merged_into=account.merged_into,
        merged_from=account.merged_from,
        paces=_paces(account),
    )


def _paces(account: Account) -> dict[str, tuple[int, int]]:
    named = {"flow": account.flow_count, "hold": account.hold_count}
    return {kind: (pace.hour, pace.commands) for kind, pace in named.items() if pace}


def _hold(hold: Hold) -> tuple[str, str, datetime, dict[date, int], str]:
    return hold.hold_id, hold.state, hold.ends_at, _days(hold.lots), hold.code


def _orphaned(codes: tuple[OrphanedCode, ...]) -> tuple[model.Orphaned, ...]:
    return tuple((code.hold_id, code.code, code.until) for code in codes)


def _days(lots: Lots) -> dict[date, int]:
    return {lot.valid_through: lot.points for lot in lots}


def _moves(entries: tuple[Entry, ...]) -> list[model.Move]:
    return [
        model.Move(entry.topic, {str(bucket): change for bucket, change in entry.moves}, entry.at)
        for entry in entries
    ]


def _set_limits(limits: model.Limits) -> None:
    """Limit the domain to this; small limits are reached within one life."""
    for module, name, value in (
        ("lots", "LOTS_MAX", limits.lots),
        ("draft", "LAPSED_DAYS_MAX", limits.lapsed_days),
        ("merge", "LAPSED_DAYS_MAX", limits.lapsed_days),
    ):
        vars(import_module(f"pointbook.domain.{module}"))[name] = value


AccountMachine.TestCase.settings = settings(
    max_examples=5 * settings().max_examples, stateful_step_count=50
)
TestAccountMachine = AccountMachine.TestCase
