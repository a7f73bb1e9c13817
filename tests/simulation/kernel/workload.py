"""Requests of customers, shops and Flow, drawn from a seed: every command, in bursts and in gaps.

Each run has its own `Profile`, which weighs commands, gaps and customers anew, so that rare
mixtures come up too. Points are few, so that lots run dry and debts are made all the time.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final, Protocol

from pointbook.domain import commands as c
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import (
    Days,
    ExpiryRule,
    FixedDate,
    Months,
    Never,
    Rolling,
    RoundTo,
    day_of,
)
from pointbook.domain.lots import Lot
from pointbook.domain.orders import EarningRule, Order, OrderUpdate, ReturnSpent
from pointbook.ledger.instruction import Identity
from tests.simulation.kernel.requests import Request, Who
from tests.simulation.orders.drawn_orders import drawn_rule, drawn_update, goods_back, grown
from tests.support.instants import instant

TIME_ZONES: Final = {"tokyo": "Asia/Tokyo", "york": "America/New_York"}
CUSTOMERS: Final = ("7001", "7002", "7003")
"""The same ids in both shops."""

ORDERS_PER_CUSTOMER: Final = 4

_DAY_MS: Final = 86_400_000
_SOME_TIME_MS: Final = 60_000

TILL_SPENDINGS: Final = ("till-1", "till-2")
"""Under which ids points are spent on an order at a till; each counts once an order."""


@dataclass(slots=True)
class Profile:
    """Which commands one run has more often, for whom, and by which rules."""

    commands: dict[str, float]
    hot: float
    rolling: bool
    many_lots: bool
    per_hour: int | None


def drawn_profile(random: Random) -> Profile:
    """The profile of a run."""
    weights = {name: random.choice((0.3, 1.0, 1.0, 3.0)) for name in MAKERS}
    for name in HOLD_STEPS:
        weights[name] *= 0.25
    weights["merge"] = random.choice((0.0, 0.1, 0.3))
    apart = Random(repr(weights))  # the other draws of a seed stay what they were
    return Profile(
        commands=weights,
        hot=random.choice((0.4, 0.6, 0.9)),
        rolling=random.random() < 0.3,
        many_lots=random.random() < 0.12,
        per_hour=apart.choice((None, None, 1, 2, 5)),
    )


class Workload:
    """Draws requests; `now_ms` is the time of the next one."""

    def __init__(self, random: Random, profile: Profile, now_ms: Callable[[], int]) -> None:
        self.random = random
        self.profile = profile
        self.now_ms = now_ms
        self._count = 0
        self._codes: dict[Who, list[str]] = defaultdict(list)

    def draw(self) -> Request:
        """Any request of anybody."""
        who = self.somebody()
        names, weights = zip(*self.profile.commands.items(), strict=True)
        (name,) = self.random.choices(names, weights)
        return self.numbered(who, name, MAKERS[name](self, who))

    def numbered(self, who: Who, name: str, parts: Mapping[str, object]) -> Request:
        """A request under the next number."""
        self._count += 1
        return replace(Request(self._count, who, name), **parts)  # type: ignore[arg-type]

    def somebody(self) -> Who:
        """A customer: one of them is hot."""
        shop = "tokyo" if self.random.random() < 0.7 else "york"
        hot = self.random.random() < self.profile.hot
        return (shop, CUSTOMERS[0] if hot else self.random.choice(CUSTOMERS))

    def life_of_many_days(self) -> list[tuple[int, Request]]:
        """So many lots that more falls due than one write holds; each with its milliseconds.

        All of them are spent by one order, which is cancelled when none, half or all have lapsed.
        """
        who, order_id = ("tokyo", CUSTOMERS[0]), f"{CUSTOMERS[0]}9"
        days, hold_id = self.random.choice((25, 60, 100, 120)), self.new_code(who)
        half = days // 2
        requests: list[tuple[int, Request]] = []

        def add(at: int, name: str, parts: Mapping[str, object]) -> None:
            requests.append((at * _SOME_TIME_MS, self.numbered(who, name, parts)))

        for day in range(1, days + 1):  # the first half is held while the second is granted
            add(0 if day <= half else 2, "grant", self.moving(c.Grant(2, Days(day)), "grant"))
        held = c.PlaceHold(2 * half, hold_id, 600)
        add(1, "take_hold", self.moving(held, "take_hold"))
        add(3, "capture", _capture_of(self, hold_id, order_id, 2 * half))
        till_points = 2 * (days - half)
        add(4, "spend_on_order", _spend_of(self, "till-1", order_id, till_points))
        gone = 5 + self.random.choice((0, half, days, days + 5)) * _DAY_MS // _SOME_TIME_MS
        update = goods_back(self.random, self.now_ms()) if self.random.random() < 0.3 else None
        parts = _update_order(self, who, order_id=order_id, cancelled=True, update=update)
        add(gone, "update_order", parts)
        for spending_id in (hold_id, "till-1", hold_id, "till-1"):
            back = _return_spending(self, who, spending_id, order_id=order_id)
            add(gone + 1, "return_spending", back)
        return requests

    def read(self) -> Request:
        """A customer reads their points, or their history."""
        name = self.random.choice(("read", "read", "history"))
        return self.numbered(self.somebody(), name, {"reads": True})

    def other_content(self, request: Request) -> Request:
        """Another request by mistake under the same identity."""
        parts = {"identity": request.identity, "content": {**request.content, "points": 10_007}}
        command = c.Grant(7, Never())
        return self.numbered(request.who, "other_content", {**parts, "command": command})

    def follow_ups(self, request: Request) -> list[tuple[int, Request]]:
        """What follows a hold and its order, each with the milliseconds until then."""
        if request.name == "take_hold":
            return self._after_hold(request)
        if request.name == "capture" and self.random.random() < 0.4:
            return self._after_spending(request, request.hold_id or "")
        if request.name == "spend_on_order" and self.random.random() < 0.4:
            return self._after_spending(request, self.random.choice(TILL_SPENDINGS))
        return []

    def _after_hold(self, hold: Request) -> list[tuple[int, Request]]:
        assert isinstance(hold.command, c.PlaceHold)
        ends_ms, code = hold.command.seconds * 1000, hold.command.hold_id
        steps: list[tuple[int, str]] = []
        if self.random.random() < 0.7:
            steps.append((self.random.randint(20, 400), "mark_ready"))
        drawn = self.random.random()
        around_ms = ends_ms + self.random.choice((-100, -30, -10, -5, 0, 10, 100, 5_000))
        inside_ms = self.random.randint(0, ends_ms)
        if drawn < 0.5:
            steps.append((self.random.choice((inside_ms, around_ms)), "capture"))
        elif drawn < 0.8:
            release_ms = self.random.choice((inside_ms, inside_ms, around_ms))
            steps += [(release_ms, "begin_release"), (release_ms + 150, "release_hold")]
            if self.random.random() < 0.5:
                steps.append((release_ms + 75, "mark_ready"))
        elif drawn < 0.9:
            steps.append((self.random.randint(20, 400), "undo_hold"))
        if drawn < 0.2 or drawn > 0.95:
            steps.append((ends_ms + self.random.randint(0, 40_000_000), "capture"))
        steps += self._besides(inside_ms, around_ms)
        return [
            (after_ms, self.numbered(hold.who, name, MAKERS[name](self, hold.who, code)))
            for after_ms, name in steps
        ]

    def approve_pending(self, shop: str, order: Order) -> Request:
        """What a sweep requests for an order whose points need not be pending any longer."""
        order_id, expiry = order.order_id, self.expiry()
        assert order.customer_id is not None, "an order with points has an owner"
        command = c.UpdateOrder(order_id, OrderUpdate(), EarningRule(unit_minor=1), expiry)
        parts = {"command": command}
        return self.numbered((shop, order.customer_id), "approve_pending", parts)

    def _besides(self, inside_ms: int, around_ms: int) -> list[tuple[int, str]]:
        """What may happen to the customer meanwhile, apart from the hold."""
        likely = ((0.3, around_ms, "settle"), (0.1, min(inside_ms, 5_000), "merge"))
        return [
            (after_ms, name) for share, after_ms, name in likely if self.random.random() < share
        ]

    def _after_spending(self, spent: Request, spending_id: str) -> list[tuple[int, Request]]:
        """The order is cancelled; what it had spent is returned, twice."""
        if self.random.random() < 0.5:
            return self._after_goods_back(spent, spending_id)
        order_id, who = spent.order_id or "", spent.who
        cancel = _update_order(self, who, order_id=order_id, cancelled=True)
        back = _return_spending(self, who, spending_id, order_id=order_id)
        after_ms = self.random.choice((0, 50, 1_000, 100_000, 90_000_000))
        return [
            (after_ms, self.numbered(who, "update_order", cancel)),
            (after_ms + self.random.choice((0, 30)), self.numbered(who, "return_spending", back)),
            (after_ms + 5_000, self.numbered(who, "return_spending", back)),
        ]

    def _after_goods_back(self, spent: Request, spending_id: str) -> list[tuple[int, Request]]:
        """Goods are refunded, then the order grows; each time spent points are returned."""
        order_id, who = spent.order_id or "", spent.who
        after_ms = self.random.choice((50, 1_000, 100_000, 90_000_000))
        later_ms = self.random.choice((2_000, 100_000, 200_000_000))
        first, then = goods_back(self.random, self.now_ms()), grown(self.now_ms())
        requests = list[tuple[int, Request]]()
        for at_ms, update in ((after_ms, first), (after_ms + later_ms, then)):
            parts = _update_order(self, who, order_id=order_id, update=update)
            requests.append((at_ms, self.numbered(who, "update_order", parts)))
            back = _return_spending(self, who, spending_id, order_id=order_id)
            requests.append((at_ms + 500, self.numbered(who, "return_spending", back)))
        return requests

    # --- parts -----------------------------------------------------------------------------------

    def points(self) -> int:
        """A few points; now and then more than anybody has."""
        return self.random.choice((1, 2, 3, 5, 8, 8, 13, 20, 34))

    def expiry(self) -> ExpiryRule:
        """When points expire: mostly soon."""
        if self.profile.rolling:
            return Rolling(self.random.choice((Days(1), Days(2), Months(1))))
        if self.profile.many_lots:
            return Days(self.random.randint(1, 40))
        yesterday = self.today() - timedelta(days=1)
        rounded = Days(9, RoundTo.MONTH_END), Months(1), Months(2, RoundTo.YEAR_END), Never()
        fixed = FixedDate(self.today()), FixedDate(yesterday)
        return self.random.choice((Days(1), Days(1), Days(2), Days(3), *rounded, *fixed))

    def lapsed_expiry(self) -> ExpiryRule | None:
        """The rule for points that come back too late: mostly none."""
        return self.random.choice((None, None, Days(1), Days(3), Months(1)))

    def renew(self) -> Rolling | None:
        """The rule of a rolling programme."""
        return Rolling(self.random.choice((Days(1), Days(2)))) if self.profile.rolling else None

    def today(self) -> date:
        """The day, for somebody in Tokyo."""
        return day_of(instant(self.now_ms()), "Asia/Tokyo")

    def identity(self, kind: str) -> Identity:
        """A key for this request alone."""
        return Identity(kind, f"key-{self._count + 1}")

    def moving(self, command: c.Command, name: str, **more: object) -> dict[str, object]:
        """The parts of a request that moves points: it always has an identity."""
        return {
            "command": command,
            "identity": self.identity(name),
            "content": {"action": name, "points": getattr(command, "points", None)},
            "reason": self.random.choice(("", "thanks")),
            "caused_by": self.random.choice(("", "", f"{CUSTOMERS[0]}-000000000001")),
            **more,
        }

    def of_order(self, command: c.Command, name: str) -> dict[str, object]:
        """The parts of a request about an order: it needs no identity, but sometimes has one."""
        parts: dict[str, object] = {"command": command}
        if self.random.random() < 0.3:
            parts["identity"] = self.identity(name)
        return parts

    def code(self, who: Who) -> str:
        """A code of the customer's holds, mostly the latest; now and then one that never was."""
        codes = self._codes[who]
        if not codes or self.random.random() < 0.03:
            return f"{who[0]}-{who[1]}-never"
        return codes[-1] if self.random.random() < 0.85 else self.random.choice(codes)

    def new_code(self, who: Who) -> str:
        """A code of a new hold."""
        codes = self._codes[who]
        codes.append(f"{who[0]}-{who[1]}-{self._count + 1}")
        return codes[-1]

    def order_id(self, who: Who) -> str:
        """One of a customer's few orders."""
        return f"{who[1]}{self.random.randrange(ORDERS_PER_CUSTOMER)}"


class Maker(Protocol):
    """Draws the parts of a request of one kind; `code` is its hold's, where it is about one."""

    def __call__(self, w: Workload, who: Who, code: str | None = None, /) -> dict[str, object]:
        """The parts, by the names of the fields of `Request`."""
        ...


def _grant(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    topic = w.random.choice(sorted(c.GRANT_TOPICS))
    most = w.profile.per_hour if topic is Topic.ADD_FLOW else None
    grant = c.Grant(w.points(), w.expiry(), Topic(topic), flow_per_hour=most)
    return w.moving(grant, "grant")


def _consume(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    return w.moving(c.Consume(w.points(), w.renew(), w.profile.per_hour), "consume")


def _remove(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    return w.moving(c.Remove(w.points()), "remove")


def _extend(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    """Mostly a day on which something may expire: lots are short-lived here."""
    old_day = w.today() + timedelta(days=w.random.choice((0, 1, 1, 2, 2, 3, 9)))
    longer = w.random.choice((1, 1, 2, 30))
    return w.moving(c.ExtendExpiry(old_day, old_day + timedelta(days=longer)), "extend")


def _reverse_import(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    points, apart = w.points(), Random(f"{w.now_ms()}")  # as above: no draw of others moves
    was_removal = apart.random() < 0.5
    day = instant(w.now_ms()).date() + timedelta(days=apart.choice((-2, 0, 1, 2, 30)))
    in_lots = points if was_removal else apart.randint(0, points)
    lots = (Lot(day, in_lots),) if in_lots else ()
    command = c.ReverseImport(points, lots, "2026-move#1", was_removal=was_removal)
    return w.moving(command, "reverse_import")


def _take_hold(w: Workload, who: Who, _: str | None = None) -> dict[str, object]:
    hold_id, seconds = w.new_code(who), w.random.choice((600, 600, 600, 60, 5))
    code, worth_minor = w.random.choice((f"PTS-{hold_id}", "")), w.random.choice((1, 1, 10))
    command = c.PlaceHold(
        w.points(), hold_id, seconds, w.lapsed_expiry(), code, worth_minor, w.profile.per_hour
    )
    return w.moving(command, "take_hold")


def _hold_step(step: type) -> Maker:
    harmless = step in (c.MarkReady, c.BeginRelease)

    def make(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
        code = code or w.code(who)
        if step is c.UndoHold:
            in_doubt = w.random.random() < 0.5
            return w.moving(c.UndoHold(code, code_in_doubt=in_doubt), step.__name__)
        if harmless and w.random.random() < 0.5:
            return {"command": step(code)}
        return w.moving(step(code), step.__name__)

    return make


def _capture(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    return _capture_of(w, code or w.code(who), w.order_id(who), w.points())


def _capture_of(w: Workload, hold_id: str, order_id: str, points: int) -> dict[str, object]:
    renew, rule = w.renew(), w.random.choice(tuple(ReturnSpent))
    return w.of_order(c.CaptureHold(points, hold_id, order_id, renew, rule), "capture")


def _spend_on_order(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    spending_id = w.random.choice(TILL_SPENDINGS)
    return _spend_of(w, spending_id, w.order_id(who), w.points())


def _spend_of(w: Workload, spending_id: str, order_id: str, points: int) -> dict[str, object]:
    renew, rule = w.renew(), w.random.choice(tuple(ReturnSpent))
    command = c.SpendOnOrder(points, order_id, spending_id, renew, rule)
    return w.of_order(command, "spend_on_order")


def _update_order(
    w: Workload,
    who: Who,
    code: str | None = None,
    *,
    order_id: str = "",
    cancelled: bool | None = None,
    update: OrderUpdate | None = None,
) -> dict[str, object]:
    order_id, expiry = order_id or w.order_id(who), w.expiry()
    cancelled = w.random.random() < 0.15 if cancelled is None else cancelled
    update = update or drawn_update(w.random, w.now_ms(), cancelled=cancelled)
    return w.of_order(c.UpdateOrder(order_id, update, drawn_rule(w.random), expiry), "update_order")


def _return_spending(
    w: Workload, who: Who, code: str | None = None, *, order_id: str = ""
) -> dict[str, object]:
    order_id, hold_id = order_id or w.order_id(who), code or w.code(who)
    command = c.ReturnSpending(order_id, hold_id, w.expiry(), w.lapsed_expiry())
    return w.of_order(command, "return_spending")


def _settle(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    return {"command": c.Settle()}


def _merge(w: Workload, who: Who, code: str | None = None) -> dict[str, object]:
    return {"merge_into": w.random.choice(CUSTOMERS)}


HOLD_STEPS: Final = ("mark_ready", "begin_release", "undo_hold", "release_hold", "capture")
"""Drawn alone they are rare: most follow a hold."""

MAKERS: Final[dict[str, Maker]] = {
    "grant": _grant,
    "grant_again": _grant,
    "grant_once_more": _grant,
    "consume": _consume,
    "remove": _remove,
    "reverse_import": _reverse_import,
    "take_hold": _take_hold,
    "mark_ready": _hold_step(c.MarkReady),
    "begin_release": _hold_step(c.BeginRelease),
    "undo_hold": _hold_step(c.UndoHold),
    "release_hold": _hold_step(c.ReleaseHold),
    "capture": _capture,
    "update_order": _update_order,
    "spend_on_order": _spend_on_order,
    "return_spending": _return_spending,
    "settle": _settle,
    "merge": _merge,
    "extend": _extend,
}
