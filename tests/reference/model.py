"""A second opinion on the rules of points: one record for each single point.

The product counts points in buckets and lots. Here every point is an object that lies in a bucket
and knows its last valid day, and every owed point is one line on a list, so that nothing can be
miscounted without a point being made or lost. It is slow, it is written from the promises alone,
and it takes from the product only its input (commands) and the words it answers with.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from pointbook.domain import commands as c
from pointbook.domain.expiry import ExpiryRule, Rolling
from pointbook.domain.orders import DebtPolicy
from pointbook.domain.refusal import Code as Refused
from tests.reference.calendar_walk import EPOCH, FOREVER, lapses_at, last_day, local_day
from tests.reference.order_items import Code, OrderItems, OrderRecord, Spent

BUCKETS: Final = (
    "pending",
    "cancelled",
    "approved",
    "hold",
    "spent",
    "expired",
    "reversed",
    "removed",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One point. `reclaimable`: it expired recently enough for a late order to take it back."""

    last_day: date = FOREVER
    reclaimable: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an account keeps."""

    lots: int = 100
    lapsed_days: int = 8


@dataclass(frozen=True, slots=True)
class Holding:
    """The open hold; its points are those in the bucket `hold`."""

    hold_id: str
    ends_at: datetime
    state: str
    lapsed_expiry: ExpiryRule | None
    code: str


@dataclass(frozen=True, slots=True)
class Move:
    """One movement: its topic, the change of each bucket, when it took effect."""

    topic: str
    changes: dict[str, int]
    at: datetime


@dataclass(frozen=True, slots=True)
class Picture:
    """All that can be seen of a customer."""

    balances: dict[str, int]
    figures: tuple[int, ...]
    lots: dict[date, int]
    lapsed: dict[date, int]
    debt: int
    hold: tuple[str, str, datetime, dict[date, int], str] | None
    as_of: datetime
    merged_into: str | None
    merged_from: tuple[str, ...]
    paces: dict[str, tuple[int, int]]


type Orphaned = tuple[str, str, datetime]
"""A hold's id and code, to be switched off, and until when the code could be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: why it is refused, or its movements, alarms and orphaned codes."""

    refused: Refused | None = None
    moves: tuple[Move, ...] = ()
    alarms: tuple[str, ...] = ()
    released_hold: str | None = None
    orphaned_codes: tuple[Orphaned, ...] = ()


def same_hour(first: datetime, second: datetime) -> bool:
    """Whether two instants lie between the same two full hours."""
    return hour_of(first) == hour_of(second)


def hour_of(instant: datetime) -> int:
    """The full hours from 1970 to an instant."""
    return (instant - EPOCH) // timedelta(hours=1)


class Refusing(Exception):
    """Raised inside a command that cannot be carried out; nothing of it stays."""

    def __init__(self, code: Refused) -> None:
        """Say why with a code."""
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Customer:
    """One customer's points, each by itself."""

    customer_id: str
    time_zone: str = "Asia/Tokyo"
    limits: Limits = field(default_factory=Limits)
    points: dict[str, list[Point]] = field(default_factory=lambda: {name: [] for name in BUCKETS})
    owed: list[str] = field(default_factory=list)
    promised: int = 0
    hold: Holding | None = None
    as_of: datetime = EPOCH
    last_at: datetime = EPOCH
    merged_into: str | None = None
    merged_from: tuple[str, ...] = ()
    done: dict[str, list[datetime]] = field(default_factory=dict)
    journal: list[Move] = field(default_factory=list)
    orphaned: list[Orphaned] = field(default_factory=list)
    named: str = ""

    def copy(self) -> "Customer":
        """The same customer to work on, with an empty journal. Points never change, so share."""
        return replace(
            self,
            points={name: list(points) for name, points in self.points.items()},
            owed=list(self.owed),
            done={kind: list(times) for kind, times in self.done.items()},
            journal=[],
            orphaned=[],
            named="",
        )

    def become(self, other: "Customer") -> None:
        """Keep what was worked out on a copy."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    # --- looking ---------------------------------------------------------------------------------

    def picture(self, now: datetime) -> Picture:
        """What a reader sees at `now`, without writing anything down."""
        seen = self.copy()
        seen.as_of = max(now, seen.as_of)
        seen.settle()
        held = seen.hold
        return Picture(
            balances=seen.balances(),
            figures=seen.figures(),
            lots=dict(Counter(point.last_day for point in seen.points["approved"])),
            lapsed=dict(Counter(p.last_day for p in seen.points["expired"] if p.reclaimable)),
            debt=len(seen.owed),
            hold=None
            if held is None
            else (
                held.hold_id,
                held.state,
                held.ends_at,
                dict(Counter(point.last_day for point in seen.points["hold"])),
                held.code,
            ),
            as_of=seen.as_of,
            merged_into=seen.merged_into,
            merged_from=seen.merged_from,
            paces=seen.paces(),
        )

    def balances(self) -> dict[str, int]:
        """Points counted by bucket. An owed point is one below zero in approved."""
        counts = {name: len(points) for name, points in self.points.items()}
        return counts | {"approved": self.spendable, "issued": -self.promised}

    def figures(self) -> tuple[int, ...]:
        """approved, pending, total, lifetime, spent, hold."""
        pending = len(self.points["pending"])
        ever_approved = self.promised - pending - len(self.points["cancelled"])
        return (
            self.spendable,
            pending,
            self.spendable + pending,
            ever_approved,
            len(self.points["spent"]),
            len(self.points["hold"]),
        )

    def paces(self) -> dict[str, tuple[int, int]]:
        """Of each kind that is counted: the latest hour in which it was done, and how often."""
        return {
            kind: (hour_of(times[-1]), len([at for at in times if same_hour(at, times[-1])]))
            for kind, times in self.done.items()
        }

    @property
    def spendable(self) -> int:
        """Approved points, below zero when points are owed."""
        return len(self.points["approved"]) - len(self.owed)

    # --- time ------------------------------------------------------------------------------------

    def settle(self, moves_max: int | None = None) -> None:
        """Let what is due happen, in the order in which it falls due; all, or the first so many."""
        while moves_max is None or len(self.journal) < moves_max:
            hold_end = self.hold.ends_at if self.hold else None
            soonest = min((p.last_day for p in self.points["approved"]), default=FOREVER)
            lapse = lapses_at(soonest, self.time_zone)
            due = min((at for at in (hold_end, lapse) if at), default=None)
            if due is None or self.as_of < due:
                return
            moment = max(due, self.last_at)
            if hold_end is not None and (lapse is None or hold_end <= lapse):
                self.let_hold_go(moment)
            else:
                self.expire(moment)

    def expire(self, moment: datetime) -> None:
        """Every point whose day is over at that moment stops counting, all in one movement."""
        free = self.points["approved"]
        over = {point for point in set(free) if self.is_over(point, moment)}
        gone = [point for point in free if point in over]
        self.points["approved"] = [point for point in free if point not in over]
        self.points["expired"] += [Point(point.last_day, reclaimable=True) for point in gone]
        self.forget_old_days()
        self.write("points/sub/expire", "approved", "expired", len(gone), moment)

    def forget_old_days(self) -> None:
        """Only the latest lapsed days are remembered."""
        days = sorted({point.last_day for point in self.points["expired"] if point.reclaimable})
        remaining = days[-self.limits.lapsed_days :]
        if len(remaining) < len(days):
            self.points["expired"] = [
                Point(p.last_day, p.reclaimable and p.last_day in remaining)
                for p in self.points["expired"]
            ]

    def is_over(self, point: Point, moment: datetime) -> bool:
        """Whether the point's last day has passed at that moment."""
        over = lapses_at(point.last_day, self.time_zone)
        return over is not None and over <= moment

    def last_day(self, rule: ExpiryRule, moment: datetime | None = None) -> date:
        """The last valid day of a point granted at that moment."""
        return last_day(rule, local_day(moment or self.as_of, ZoneInfo(self.time_zone)))

    # --- movements -------------------------------------------------------------------------------

    def write(
        self, topic: str, source: str, target: str, points: int, at: datetime | None = None
    ) -> None:
        """Note one movement in the journal."""
        self.last_at = at or self.as_of
        self.journal.append(Move(topic, {source: -points, target: points}, self.last_at))

    def credit(
        self, points: list[Point], moment: datetime | None = None, renew: Rolling | None = None
    ) -> None:
        """Points become approved: each first pays an owed one, the soonest-expiring go first."""
        for point in sorted(points, key=lambda point: point.last_day):
            if self.owed:
                self.owed.pop()
            else:
                self.points["approved"].append(point)
        self.renew(renew, moment)
        self.join_nearest_days(moment or self.as_of)

    def renew(self, rule: Rolling | None, moment: datetime | None = None) -> None:
        """The customer was active: every point that still counts lasts at least that long."""
        if rule is None:
            return
        day, moment = self.last_day(rule), moment or self.as_of
        self.points["approved"] = [
            point if point.last_day >= day or self.is_over(point, moment) else Point(day)
            for point in self.points["approved"]
        ]

    def join_nearest_days(self, moment: datetime) -> None:
        """Too many days: the two nearest that still count become the later of them."""
        free = self.points["approved"]
        days = sorted({point.last_day for point in free if not self.is_over(point, moment)})
        while len(days) > self.limits.lots:
            gap = min(later - day for day, later in pairwise(days))
            day, later = next(pair for pair in pairwise(days) if pair[1] - pair[0] == gap)
            free[:] = [Point(later) if point.last_day == day else point for point in free]
            days.remove(day)

    def pick(self, count: int, first: Collection[date] = ()) -> list[Point]:
        """Take approved points off, at most what is there, soonest-expiring first."""
        queue = sorted(
            self.points["approved"], key=lambda point: (point.last_day not in first, point.last_day)
        )
        self.points["approved"] = queue[count:]
        return queue[:count]

    def pick_or_owe(self, count: int, cause: str, first: Collection[date] = ()) -> list[Point]:
        """Take approved points off; for each one that is missing, one is owed."""
        picked = self.pick(count, first)
        missing = count - len(picked)
        self.owed += [cause] * missing
        return picked

    def put(self, bucket: str, count: int) -> None:
        """Lay points of no particular day into a bucket."""
        self.points[bucket] += [Point()] * count

    def drop(self, bucket: str, count: int) -> None:
        """Take points of no particular day out of a bucket."""
        assert count <= len(self.points[bucket])
        del self.points[bucket][:count]

    def let_hold_go(self, moment: datetime, renew: Rolling | None = None) -> None:
        """The held points are free again, on the days they came from."""
        assert self.hold is not None
        rule, returning = self.hold.lapsed_expiry, self.points["hold"]
        self.hold, self.points["hold"] = None, []
        count = len(returning)
        self.credit(self.coming_back(returning, moment, rule), moment, renew)
        self.write("points/add/hold", "hold", "approved", count, moment)

    def loosen(self) -> None:
        """The open hold is over before its time, and its code may still be used."""
        assert self.hold is not None
        if self.hold.code:
            self.orphaned.append((self.hold.hold_id, self.hold.code, self.hold.ends_at))

    def coming_back(
        self, points: list[Point], moment: datetime, rule: ExpiryRule | None
    ) -> list[Point]:
        """Points as they return; those whose day is over get a new one where a rule says so."""
        if rule is None:
            return points
        day = self.last_day(rule, moment)
        return [Point(day) if self.is_over(point, moment) else point for point in points]

    def grant(self, source: str, points: int, rule: ExpiryRule, topic: str) -> date:
        """Points are approved, out of a promise or newly issued. Returns their day."""
        if source == "issued":
            self.promised += points
        else:
            self.drop(source, points)
        day = self.last_day(rule)
        self.credit([Point(day)] * points, renew=rule if isinstance(rule, Rolling) else None)
        self.write(topic, source, "approved", points)
        return day

    def keep_pace(self, kind: str, most: int | None, code: Refused) -> None:
        """Refuse what was done often enough within this clock hour; note when it is done."""
        if most is None:
            return
        times = self.done.get(kind, [])
        if len([at for at in times if same_hour(at, self.as_of)]) >= most:
            raise Refusing(code)
        self.done[kind] = [*times, self.as_of]

    def need(self, points: int) -> None:
        """Refuse what the customer cannot pay."""
        if self.spendable < points:
            raise Refusing(Refused.INSUFFICIENT_POINTS)

    def need_hold(self, hold_id: str, states: Collection[str]) -> Holding:
        """The open hold of that id in one of these states, or a refusal."""
        if self.hold is None or self.hold.hold_id != hold_id:
            raise Refusing(Refused.HOLD_NOT_FOUND)
        if self.hold.state not in states:
            raise Refusing(Refused.HOLD_WRONG_STATE)
        return self.hold

    def must_own(self, owner: str | None) -> None:
        """Refuse to touch what is another customer's."""
        if owner not in (None, self.customer_id, self.named, *self.merged_from):
            raise Refusing(Refused.NOT_THE_OWNER)

    def need_in(self, bucket: str, points: int, code: Refused) -> None:
        """Refuse to move more out of a bucket than lies there."""
        if len(self.points[bucket]) < points:
            raise Refusing(code)

    def take_back(
        self, points: int, own_days: Collection[date], policy: DebtPolicy, cause: str
    ) -> int:
        """A refund: own days first, then the soonest; missing points are owed or let go."""
        if policy is DebtPolicy.CLAMP:
            points = min(points, len(self.points["approved"]))
        if points:
            self.pick_or_owe(points, cause, own_days)
            self.put("reversed", points)
            self.write("points/sub/refund", "approved", "reversed", points)
        return points

    def return_spent(
        self, points: int, days: list[date], rule: ExpiryRule, lapsed_expiry: ExpiryRule | None
    ) -> list[date]:
        """Spent points come back on their days; those that had none get a new one.

        Returns the days of those that are there now: the others pay what is owed.
        """
        self.need_in("spent", points, Refused.NOT_SPENT)
        self.drop("spent", points)
        named = self.coming_back([Point(day) for day in days], self.as_of, lapsed_expiry)
        unnamed = [Point(self.last_day(rule))] * (points - len(days))
        repaying = len(self.owed)
        self.credit(named + unnamed)
        self.write("points/add/refund", "spent", "approved", points)
        return sorted(point.last_day for point in named + unnamed)[repaying:]

    def spend_after_all(
        self, points: int, days: list[date], topic: str, renew: Rolling | None, *, own: bool = False
    ) -> list[date]:
        """Points of these days had come back and are spent all the same.

        First those of them that expired and are remembered, then free ones (`own`: of these days
        before others), then a debt. Returns the days of all that were there.
        """
        found: list[date] = []
        for day in sorted(days):
            expired = Point(day, reclaimable=True)
            if len(found) < points and expired in self.points["expired"]:
                self.points["expired"].remove(expired)
                found.append(day)
        if found:
            self.put("spent", len(found))
            self.renew(renew)
            self.write("points/expired/spent", "expired", "spent", len(found))
        missing = points - len(found)
        if missing:
            picked = self.pick_or_owe(missing, topic, set(days) if own else ())
            found += [point.last_day for point in picked]
            self.put("spent", missing)
            self.renew(renew)
            self.write(topic, "approved", "spent", missing)
        return found


# --- commands ------------------------------------------------------------------------------------


def decide(
    customer: Customer, order_items: OrderItems, command: c.Command, now: datetime, named: str = ""
) -> Answer:
    """Carry the command out on `customer` and `order_items`, or refuse and change neither.

    `named` is whom the request names, where that one was merged into the customer.
    """
    if customer.merged_into is not None:
        return Answer(refused=Refused.ACCOUNT_MERGED)
    work = customer.copy()
    work.as_of, work.named = max(work.as_of, now), named
    work.settle()
    try:
        alarms = _CARRY_OUT[type(command)](work, order_items, command)
    except Refusing as refusing:
        return Answer(refused=refusing.code)
    work.settle()
    customer.become(work)
    return Answer(moves=tuple(work.journal), alarms=alarms, orphaned_codes=tuple(work.orphaned))


def settle_part(customer: Customer, now: datetime, moves_max: int) -> Answer:
    """Let only the first so many things happen that are due."""
    customer.as_of = max(customer.as_of, now)
    customer.journal = []
    customer.settle(moves_max)
    return Answer(moves=tuple(customer.journal))


STONES_MAX = 40
"""How many tombstones one merge moves along."""


def _hand_on(source: Customer, target: Customer, stones: Sequence[Customer]) -> tuple[str, ...]:
    """The source's last tombstones become the target's; returns those that it keeps."""
    names = tuple(stone.customer_id for stone in stones)
    left = source.merged_from[: len(source.merged_from) - len(names)]
    assert (*left, *names) == source.merged_from, "other tombstones"
    target.merged_from += (*names, source.customer_id)
    for stone in stones:
        stone.merged_into = target.customer_id
    return left


def merge(
    source: Customer, target: Customer, now: datetime, stones: Sequence[Customer] = ()
) -> Answer:
    """Every point of `source`, and every owed one, goes to `target`. Moves are the target's.

    `stones` are the last of those merged into `source` before; they are the target's from now on.
    """
    if source.customer_id == target.customer_id:
        return Answer(refused=Refused.SAME_ACCOUNT)
    if source.merged_into is not None or target.merged_into is not None:
        return Answer(refused=Refused.ACCOUNT_MERGED)
    now = max(now, source.as_of, target.as_of)
    for side in (source, target):
        side.journal = []
        side.as_of = now
        side.settle()
    released = source.hold.hold_id if source.hold else None
    source.orphaned = []
    if source.hold:
        source.loosen()
        source.let_hold_go(now)
        source.settle()
    moved = {name: points for name, points in source.balances().items() if points}
    for name in BUCKETS:
        if name != "approved":
            target.points[name] += source.points[name]
    target.promised += source.promised
    target.credit(source.points["approved"])
    repaid = target.pick(len(source.owed))
    target.owed += source.owed[len(repaid) :]
    target.forget_old_days()
    if moved:
        target.last_at = source.last_at = now
        target.journal.append(Move("points/add/merge", moved, now))
    target.settle()
    orphaned_codes = tuple(source.orphaned)
    left = _hand_on(source, target, stones)
    source.become(
        Customer(
            source.customer_id,
            source.time_zone,
            source.limits,
            as_of=now,
            last_at=source.last_at,
            merged_into=target.customer_id,
            merged_from=left,
            done=source.done,
        )
    )
    return Answer(
        moves=tuple(target.journal), released_hold=released, orphaned_codes=orphaned_codes
    )


type Alarms = tuple[str, ...]
type Carrier = Callable[[Customer, OrderItems, Any], Alarms]


def _grant(customer: Customer, _: OrderItems, command: c.Grant) -> Alarms:
    customer.keep_pace("flow", command.flow_per_hour, Refused.LOOP_REFUSED)
    customer.grant("issued", command.points, command.expiry, command.topic)
    return ()


def _consume(customer: Customer, _: OrderItems, command: c.Consume) -> Alarms:
    customer.keep_pace("flow", command.flow_per_hour, Refused.LOOP_REFUSED)
    customer.need(command.points)
    customer.pick(command.points)
    customer.put("spent", command.points)
    customer.renew(command.renew)
    customer.write("points/sub/flow", "approved", "spent", command.points)
    return ()


def _remove(customer: Customer, _: OrderItems, command: c.Remove) -> Alarms:
    customer.need(command.points)
    customer.pick(command.points)
    customer.put("removed", command.points)
    customer.write("points/sub/manual", "approved", "removed", command.points)
    return ()


def _extend(customer: Customer, _: OrderItems, command: c.ExtendExpiry) -> Alarms:
    """Each free point of the day gets the other day; the journal has a move without changes."""
    free = customer.points["approved"]
    if Point(command.old_day) not in free:
        raise Refusing(Refused.LOT_NOT_FOUND)
    free[:] = [Point(command.new_day) if one == Point(command.old_day) else one for one in free]
    customer.last_at = customer.as_of
    customer.journal.append(Move("points/expiry/extend", {}, customer.as_of))
    return ()


def _reverse_import(customer: Customer, _: OrderItems, command: c.ReverseImport) -> Alarms:
    points = [Point(lot.valid_through) for lot in command.lots for _ in range(lot.points)]
    if command.was_removal:
        customer.need_in("removed", command.points, Refused.NOT_REMOVED)
        customer.drop("removed", command.points)
        customer.credit(points)
        customer.write("points/add/manual", "removed", "approved", command.points)
        return ()
    over = sum(customer.is_over(point, customer.as_of) for point in points)
    taken = customer.pick(command.points - over, {point.last_day for point in points})
    if taken:
        customer.put("reversed", len(taken))
        customer.write("points/sub/manual", "approved", "reversed", len(taken))
    return ()


def _take_hold(customer: Customer, order_items: OrderItems, command: c.PlaceHold) -> Alarms:
    customer.keep_pace("hold", command.holds_per_hour, Refused.RATE_LIMITED)
    if customer.hold is not None:
        raise Refusing(Refused.HOLD_OPEN)
    customer.need(command.points)
    customer.points["hold"] = customer.pick(command.points)
    ends_at = customer.as_of + timedelta(seconds=command.seconds)
    customer.hold = Holding(
        command.hold_id, ends_at, "preparing", command.lapsed_expiry, command.code
    )
    days = [point.last_day for point in customer.points["hold"]]
    order_items.codes[command.hold_id] = Code(
        days, command.code, command.worth_minor, customer.customer_id
    )
    customer.write("points/sub/hold", "approved", "hold", command.points)
    return ()


def _mark_ready(customer: Customer, _: OrderItems, command: c.MarkReady) -> Alarms:
    held = customer.need_hold(command.hold_id, {"preparing", "ready"})
    customer.hold = replace(held, state="ready")
    return ()


def _begin_release(customer: Customer, _: OrderItems, command: c.BeginRelease) -> Alarms:
    held = customer.need_hold(command.hold_id, {"preparing", "ready", "releasing"})
    customer.hold = replace(held, state="releasing")
    return ()


def _undo_hold(customer: Customer, _: OrderItems, command: c.UndoHold) -> Alarms:
    customer.need_hold(command.hold_id, {"preparing"})
    if command.code_in_doubt:
        customer.loosen()
    customer.let_hold_go(customer.as_of)
    return ()


def _release_hold(customer: Customer, _: OrderItems, command: c.ReleaseHold) -> Alarms:
    customer.need_hold(command.hold_id, {"releasing"})
    customer.let_hold_go(customer.as_of)
    return ()


def _capture(customer: Customer, order_items: OrderItems, command: c.CaptureHold) -> Alarms:
    hold_id, order_id = command.hold_id, command.order_id
    if hold_id not in order_items.codes:
        raise Refusing(Refused.HOLD_NOT_FOUND)
    code, record = order_items.codes[hold_id], order_items.order(order_id)
    customer.must_own(code.owner)
    if order_id in code.orders:
        return ()
    points = min(command.points, len(code.days))
    alarms = ["used_more_than_held"] if command.points > points else []
    if customer.hold is not None and customer.hold.hold_id == hold_id:
        days = _spend_held(customer, points, command.renew)
    else:
        alarms.append("code_used_again" if code.orders else "late_order")
        days = customer.spend_after_all(points, code.days, "points/sub/hold", command.renew)
    spent = Spent(hold_id, days, points, command.return_spent, customer.customer_id)
    record.spent.append(spent)
    order_items.orders[order_id] = record
    code.orders.append(order_id)
    return tuple(alarms)


def _spend_held(customer: Customer, points: int, renew: Rolling | None) -> list[date]:
    """The order takes the soonest held points; the others are free again."""
    held = sorted(customer.points["hold"], key=lambda point: point.last_day)
    customer.points["hold"] = held[points:]
    customer.put("spent", points)
    customer.renew(renew)
    customer.write("points/hold/spent", "hold", "spent", points)
    if held[points:]:
        customer.let_hold_go(customer.as_of, renew)
    else:
        customer.hold = None
    return [point.last_day for point in held[:points]]


def _update_order(customer: Customer, order_items: OrderItems, command: c.UpdateOrder) -> Alarms:
    record = order_items.order(command.order_id)
    customer.must_own(record.owner)
    customer.need_in("pending", record.pending, Refused.NOT_PENDING)
    record.messages.append((command.update, command.rule))
    if command.needs_rule and record.newest is not None and record.rule is None:
        raise Refusing(Refused.RULE_MISSING)
    record.owner = record.owner or customer.customer_id
    standing = record.pending + len(record.approved_days) - record.let_go
    _earn(customer, record, record.target - standing, command.expiry)
    _lose(customer, record, standing - record.target, command.order_id)
    if record.pending and record.is_approved(customer.as_of):
        day = customer.grant("pending", record.pending, command.expiry, "points/add/order")
        record.approved_days += [day] * record.pending
        record.pending = 0
    order_items.orders[command.order_id] = record
    return ()


def _earn(customer: Customer, record: OrderRecord, points: int, rule: ExpiryRule) -> None:
    while points > 0 and record.let_go:
        record.let_go -= 1
        points -= 1
    if points <= 0:
        return
    if record.is_approved(customer.as_of):
        day = customer.grant("issued", points, rule, "points/add/order")
        record.approved_days += [day] * points
    else:
        _promise(customer, points)
        record.pending += points


def _lose(customer: Customer, record: OrderRecord, points: int, order_id: str) -> None:
    if points <= 0:
        return
    assert record.rule is not None
    from_pending = min(points, record.pending)
    if from_pending:
        _withdraw(customer, from_pending)
        record.pending -= from_pending
    if points > from_pending:
        days = sorted(record.approved_days)
        taken = customer.take_back(
            points - from_pending, set(days), record.rule.debt_policy, order_id
        )
        record.let_go += points - from_pending - taken
        record.approved_days = days[taken:]


def _spend_on_order(customer: Customer, order_items: OrderItems, command: c.SpendOnOrder) -> Alarms:
    record = order_items.order(command.order_id)
    customer.must_own(record.owner)
    if command.spending_id in {spent.spending_id for spent in record.spent}:
        return ()
    picked = customer.pick_or_owe(command.points, command.spending_id)
    customer.put("spent", command.points)
    customer.renew(command.renew)
    customer.write("points/sub/order", "approved", "spent", command.points)
    days = [point.last_day for point in picked]
    record.spent.append(
        Spent(command.spending_id, days, command.points, command.return_spent, customer.customer_id)
    )
    order_items.orders[command.order_id] = record
    return ("spent_without_points",) if len(picked) < command.points else ()


def _return_spending(
    customer: Customer, order_items: OrderItems, command: c.ReturnSpending
) -> Alarms:
    record = order_items.order(command.order_id)
    spent = next((s for s in record.spent if s.spending_id == command.spending_id), None)
    if spent is None:
        return ()
    customer.must_own(spent.owner)
    if spent.returned == (target := record.comes_back(spent)):
        return ()
    owed = len(customer.owed)
    if target > spent.returned:
        _come_back(customer, spent, target - spent.returned, command)
    else:
        _spend_after_all(customer, spent, spent.returned - target)
    spent.returned = target
    order_items.orders[command.order_id] = record
    return ("spent_without_points",) if len(customer.owed) > owed else ()


def _come_back(customer: Customer, spent: Spent, points: int, command: c.ReturnSpending) -> None:
    """Points that were owed first, then those that last longest."""
    of_no_day = spent.points - spent.returned - len(spent.days)
    days = sorted(spent.days)
    remaining = len(days) - max(0, points - of_no_day)
    spent.days = days[:remaining]
    spent.returned_days += customer.return_spent(
        points, days[remaining:], command.expiry, command.lapsed_expiry
    )


def _spend_after_all(customer: Customer, spent: Spent, points: int) -> None:
    days = customer.spend_after_all(points, spent.returned_days, "points/sub/order", None, own=True)
    spent.days += days
    spent.returned_days.sort(key=lambda day: (day not in days, day))
    del spent.returned_days[:points]


def _settle(_: Customer, __: OrderItems, command: c.Settle) -> Alarms:
    return ()


def _promise(customer: Customer, points: int) -> None:
    customer.promised += points
    customer.put("pending", points)
    customer.write("points/pending/add", "issued", "pending", points)


def _withdraw(customer: Customer, points: int) -> None:
    customer.need_in("pending", points, Refused.NOT_PENDING)
    customer.drop("pending", points)
    customer.put("cancelled", points)
    customer.write("points/pending/cancel", "pending", "cancelled", points)


_CARRY_OUT: dict[type, Carrier] = {
    c.Grant: _grant,
    c.Consume: _consume,
    c.Remove: _remove,
    c.ExtendExpiry: _extend,
    c.ReverseImport: _reverse_import,
    c.PlaceHold: _take_hold,
    c.MarkReady: _mark_ready,
    c.BeginRelease: _begin_release,
    c.UndoHold: _undo_hold,
    c.ReleaseHold: _release_hold,
    c.CaptureHold: _capture,
    c.UpdateOrder: _update_order,
    c.SpendOnOrder: _spend_on_order,
    c.ReturnSpending: _return_spending,
    c.Settle: _settle,
}
