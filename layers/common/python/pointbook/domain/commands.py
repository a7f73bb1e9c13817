"""The commands that an account takes: imperative, made of ids, numbers and rules.

What a command is about (account, order, hold record) is loaded by its id and decided on as `State`.

`renew` is the rule of a programme with rolling expiry: the customer's activity renews every lot.
`lapsed_expiry` is the rule for points that come back after their day; None: they expire at once.
"""

from dataclasses import dataclass

from pointbook.domain.entry import Topic
from pointbook.domain.expiry import ExpiryRule, Rolling
from pointbook.domain.orders import EarningRule, OrderUpdate, ReturnSpent

POINTS_MAX = 1_000_000_000
"""The most points that one command moves."""

HOLD_SECONDS_MAX = 86_400

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

    `flow_per_hour` is how many commands Flow may give for one customer within an hour. `in_time`:
    refuse if the last valid day is past; otherwise such points are granted and expire at once.
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
    """approved → spent, by Flow. Refused when there is not enough.

    `flow_per_hour` is how many commands Flow may give for one customer within an hour.
    """

    points: int
    renew: Rolling | None = None
    flow_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Remove(_MovesPoints):
    """approved → removed, by the merchant's hand. Refused when there is not enough."""

    points: int


@dataclass(frozen=True, slots=True)
class TakeHold(_MovesPoints):
    """approved → hold, for `seconds`. One hold at a time.

    `code` is the discount that the customer gets for it, `worth_minor` what each point is worth as
    payment. `holds_per_hour` is how many holds one customer may take within an hour.
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

    `code_in_doubt`: nobody knows whether it was made after all.
    """

    hold_id: str
    code_in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class BeginRelease:
    """The customer gives the hold up; its code is to be switched off first. Moves no points."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """hold → approved, only while releasing: the code is off."""

    hold_id: str


@dataclass(frozen=True, slots=True)
class CaptureHold(_MovesPoints):
    """hold → spent: an order carries the hold's code and used `points` of it.

    The rest comes back. After the hold has ended the points are taken again: first those that have
    expired since, then free points; what is missing becomes a debt. `return_spent` says when they
    come back from the order. Refused where the hold belongs to another customer.
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
    Refused where the order belongs to another customer.
    """

    order_id: str
    update: OrderUpdate
    rule: EarningRule | None
    expiry: ExpiryRule
    needs_rule: bool = False


@dataclass(frozen=True, slots=True)
class SpendOnOrder(_MovesPoints):
    """approved → spent: an order says that points were used at a till; once a `spending_id`.

    They have been used already, so too few points are no reason to refuse: a debt is left.
    `return_spent` says when they come back from the order. Refused where the order belongs to
    another customer.
    """

    points: int
    order_id: str
    spending_id: str
    renew: Rolling | None = None
    return_spent: ReturnSpent = ReturnSpent.REFUNDED


@dataclass(frozen=True, slots=True)
class ReturnSpending:
    """Return as many of the points spent on an order as its current state requires.

    spent → approved, or, where a later update says that less came back, approved → spent again.
    `spending_id` names it: a hold, or the till. Refused where another customer spent the points.
    """

    order_id: str
    spending_id: str
    expiry: ExpiryRule
    lapsed_expiry: ExpiryRule | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """Write down what has fallen due; nothing else."""


type Command = (
    Grant
    | Consume
    | Remove
    | TakeHold
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
