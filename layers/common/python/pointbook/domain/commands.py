"""The commands that an account takes: imperative, made of ids, numbers and rules.

What a command is about (account, order, hold record) is loaded by its id and decided on as `State`.

Fields that several commands have:

    renew           the rule of a programme with rolling expiry: activity renews every lot
    lapsed_expiry   the rule for points that come back after their last day; None: they expire
    flow_per_hour   how many commands Flow may give for one customer within an hour
    return_spent    when the points spent come back from the order

A command about an order or a hold is refused if that belongs to another customer.
"""

from dataclasses import dataclass
from datetime import date

from pointbook.domain.account import HOLD_SECONDS_MAX
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import ExpiryRule, Rolling
from pointbook.domain.lots import Lots, total
from pointbook.domain.orders import EarningRule, OrderUpdate, ReturnSpent

POINTS_MAX = 1_000_000_000
"""The most points that one command moves."""

GRANT_TOPICS = frozenset(
    {Topic.ADD_ORDER, Topic.ADD_SIGN_UP, Topic.ADD_MANUAL, Topic.ADD_FLOW, Topic.ADD_IMPORT}
)


def check_points(points: int) -> None:
    """Raise ValueError unless this is a number of points that one command may move."""
    if type(points) is not int or not 1 <= points <= POINTS_MAX:
        raise ValueError(f"points is {points!r}, but must be a whole number, 1 to {POINTS_MAX}")


class _MovesPoints:
    points: int

    def __post_init__(self) -> None:
        check_points(self.points)


@dataclass(frozen=True, slots=True)
class Grant(_MovesPoints):
    """issued → approved, into a lot by `expiry`.

    `in_time`: refuse if the last valid day is past; otherwise such points expire at once.
    """

    points: int
    expiry: ExpiryRule
    topic: Topic = Topic.ADD_FLOW
    about: str = ""
    flow_per_hour: int | None = None
    in_time: bool = False

    def __post_init__(self) -> None:
        check_points(self.points)
        if self.topic not in GRANT_TOPICS:
            raise ValueError(f"{self.topic} is not the topic of a grant")


@dataclass(frozen=True, slots=True)
class Consume(_MovesPoints):
    """approved → spent, by Flow. Refused when there is not enough."""

    points: int
    renew: Rolling | None = None
    flow_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Remove(_MovesPoints):
    """approved → removed, by the merchant's hand. Refused when there is not enough."""

    points: int
    about: str = ""


@dataclass(frozen=True, slots=True)
class ExtendExpiry:
    """The free lot that lasts through `old_day` lasts through `new_day`. Moves no points.

    Refused if there is no such lot. Held points come back to the lot that they came from.
    """

    old_day: date
    new_day: date

    def __post_init__(self) -> None:
        if self.new_day <= self.old_day:
            raise ValueError(f"new_day is {self.new_day}, but must be after {self.old_day}")

    about: str = ""


@dataclass(frozen=True, slots=True)
class ReverseImport(_MovesPoints):
    """Undo the entry of an imported row, which moved `points` into or out of `lots`.

    What was granted is taken back, approved → reversed: never more than is free, so no debt is
    made, and nothing of lots that have lapsed since. `was_removal`: what the row removed comes
    back, removed → approved, into the same lots.
    """

    points: int
    lots: Lots
    about: str
    was_removal: bool = False

    def __post_init__(self) -> None:
        check_points(self.points)
        in_lots = total(self.lots)
        if in_lots > self.points or (self.was_removal and in_lots < self.points):
            raise ValueError(f"{self.lots} do not fit {self.points} points")


@dataclass(frozen=True, slots=True)
class PlaceHold(_MovesPoints):
    """approved → hold, for `seconds`. One hold at a time.

    `code` is the customer's discount code, `worth_minor` the value of each point, and
    `holds_per_hour` the number of holds that one customer may place within an hour.
    """

    points: int
    hold_id: str
    seconds: int
    lapsed_expiry: ExpiryRule | None = None
    code: str = ""
    worth_minor: int = 1
    holds_per_hour: int | None = None

    def __post_init__(self) -> None:
        check_points(self.points)
        if not 1 <= self.seconds <= HOLD_SECONDS_MAX:
            raise ValueError(f"seconds is {self.seconds}, but must be 1 to {HOLD_SECONDS_MAX}")


@dataclass(frozen=True, slots=True)
class MarkReady:
    """The discount exists: preparing → ready. Moves no points."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class UndoHold:
    """hold → approved, only while preparing: the discount could not be made.

    `code_in_doubt`: the discount may exist nevertheless.
    """

    hold_id: str
    code_in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class BeginRelease:
    """The customer releases the hold: its code is to be deactivated first. Moves no points."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """hold → approved, only while releasing: the code is deactivated."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class CaptureHold(_MovesPoints):
    """hold → spent: an order used the hold's code, for `points` of the hold; the rest comes back.

    After the hold has ended the points are taken again: first those that have expired since, then
    free points; what is missing becomes a debt.
    """

    points: int
    hold_id: str
    order_id: str
    renew: Rolling | None = None
    return_spent: ReturnSpent = ReturnSpent.REFUNDED


@dataclass(frozen=True, slots=True)
class UpdateOrder:
    """Merge an update into an order and move whatever brings its points to their target.

    `rule` is stored with the order if it has none yet; None leaves the order without one.
    `needs_rule`: refuse if the order's goods are known (from another message) but it has no rule.
    """

    order_id: str
    update: OrderUpdate
    rule: EarningRule | None
    expiry: ExpiryRule
    needs_rule: bool = False


@dataclass(frozen=True, slots=True)
class SpendOnOrder(_MovesPoints):
    """approved → spent: points were used at a till, as the order says; once for each `spending_id`.

    They have been used already, so it is not refused for lack of points: a debt is left.
    """

    points: int
    order_id: str
    spending_id: str
    renew: Rolling | None = None
    return_spent: ReturnSpent = ReturnSpent.REFUNDED


@dataclass(frozen=True, slots=True)
class ReturnSpending:
    """Return as many of the points spent on an order as its current state requires.

    spent → approved, or, if a later update says that less came back, approved → spent again.
    `spending_id` is a hold's id or "till".
    """

    order_id: str
    spending_id: str
    expiry: ExpiryRule
    lapsed_expiry: ExpiryRule | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """Record what has fallen due; nothing else."""


type Command = (
    Grant
    | Consume
    | Remove
    | ExtendExpiry
    | ReverseImport
    | PlaceHold
    | MarkReady
    | UndoHold
    | BeginRelease
    | ReleaseHold
    | CaptureHold
    | UpdateOrder
    | SpendOnOrder
    | ReturnSpending
    | Settle
)
