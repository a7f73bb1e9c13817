"""What is known of an order, and what must remain of its points.

News of an order comes late, twice and in any order. So nothing is added up as it comes in: what is
known is kept, and the points that must remain are computed from it as a target.
Rules: mission, "Orders, refunds, customers".
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from pointbook.domain.lots import Lots


class Rounding(StrEnum):
    """How parts of a point are treated."""

    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


@dataclass(frozen=True, slots=True)
class EarningRule:
    """`points_per_unit` for each `unit_minor` of the base, times the customer's rank.

    `unit_minor` is money in the currency's smallest unit, `multiplier_percent` the rank's share
    (150 is one and a half). `programme_version` says which programme it stood in.
    """

    unit_minor: int
    points_per_unit: int = 1
    multiplier_percent: int = 100
    rounding: Rounding = Rounding.FLOOR
    programme_version: int = 1

    def __post_init__(self) -> None:
        for name in ("unit_minor", "points_per_unit", "multiplier_percent"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least 1")

    def points(self, base_minor: int) -> int:
        """The points that this base earns; none for a base of nothing or below."""
        units = _divided(max(0, base_minor), self.unit_minor, self.rounding)
        return _divided(units * self.points_per_unit * self.multiplier_percent, 100, self.rounding)


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of an order: how much of the base it took away. Known by its id, counted once."""

    refund_id: str
    base_minor: int


@dataclass(frozen=True, slots=True)
class Spending:
    """Points of one hold that an order used, and the lots they came from.

    What was missing and became a debt came from no lot: `points` minus the lots.
    """

    hold_id: str
    customer_id: str
    points: int
    lots: Lots
    given_back: bool = False


@dataclass(frozen=True, slots=True)
class OrderNews:
    """What one message says about an order. None and empty mean: it says nothing about that."""

    updated_at: datetime | None = None
    base_minor: int | None = None
    confirmed: bool = False
    cancelled: bool = False
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """All that is known of one order.

    `revision` counts writes and is the condition of the next one. `base_minor` is None until the
    order itself was seen. `rule` is the one in force when the order first earned; it is kept, so
    that a later change of the programme changes nothing. `pending_points` and `approved_points`
    are what now remains of its grant, `grant_lots` where the approved part went.
    """

    order_id: str
    customer_id: str | None = None
    revision: int = 0
    updated_at: datetime | None = None
    base_minor: int | None = None
    rule: EarningRule | None = None
    confirmed: bool = False
    cancelled: bool = False
    refunds: tuple[Refund, ...] = ()
    pending_points: int = 0
    approved_points: int = 0
    grant_lots: Lots = ()
    spendings: tuple[Spending, ...] = field(default=())

    def told(self, news: OrderNews, rule: EarningRule) -> "Order":
        """What is known after `news`. The base with the newest `updated_at` wins.

        Being confirmed, being cancelled and each refund are never taken back.
        """
        refunds: dict[str, Refund] = {}
        for refund in (*self.refunds, *news.refunds):
            refunds.setdefault(refund.refund_id, refund)
        order = replace(
            self,
            confirmed=self.confirmed or news.confirmed,
            cancelled=self.cancelled or news.cancelled,
            refunds=tuple(refunds.values()),
        )
        if news.base_minor is None or news.updated_at is None:
            return order
        if self.updated_at is not None and news.updated_at < self.updated_at:
            return order
        return replace(
            order,
            updated_at=news.updated_at,
            base_minor=news.base_minor,
            rule=self.rule or rule,
        )

    @property
    def target_points(self) -> int:
        """The points that must remain of its grant, pending or approved."""
        if self.cancelled or self.rule is None or self.base_minor is None:
            return 0
        refunded_minor = sum(refund.base_minor for refund in self.refunds)
        return self.rule.points(self.base_minor - refunded_minor)


def _divided(amount: int, unit: int, rounding: Rounding) -> int:
    match rounding:
        case Rounding.FLOOR:
            return amount // unit
        case Rounding.CEIL:
            return -(-amount // unit)
        case Rounding.HALF_UP:
            return (2 * amount + unit) // (2 * unit)
