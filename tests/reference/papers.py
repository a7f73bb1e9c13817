"""What a shop remembers about orders and codes, kept as it was heard.

Where the product keeps a summary of an order, this keeps every message and reads them all again.
"""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import ceil, floor

from pointbook.domain.orders import EarningRule, OrderNews, Rounding


@dataclass(slots=True)
class Code:
    """A hold's code: the last day of each point that was held, and the orders that carried it."""

    days: list[date]
    orders: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Spent:
    """One order's use of one code: a day for each point taken from a lot, the rest were owed."""

    hold_id: str
    days: list[date]
    points: int
    given_back: bool = False


@dataclass(slots=True)
class OrderPaper:
    """All messages about one order, and what was done for it."""

    heard: list[tuple[OrderNews, EarningRule]] = field(default_factory=list)
    pending: int = 0
    approved_days: list[date] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)

    def copy(self) -> "OrderPaper":
        """The same paper, to write on."""
        spent = [Spent(s.hold_id, s.days, s.points, s.given_back) for s in self.spent]
        return OrderPaper(list(self.heard), self.pending, list(self.approved_days), spent)

    @property
    def confirmed(self) -> bool:
        """Whether any message said so."""
        return any(news.confirmed for news, _ in self.heard)

    @property
    def cancelled(self) -> bool:
        """Whether any message said so."""
        return any(news.cancelled for news, _ in self.heard)

    @property
    def target(self) -> int:
        """The points that must remain, read from all messages."""
        rule: EarningRule | None = None
        newest: OrderNews | None = None
        refunds: dict[str, int] = {}
        for news, rule_then in self.heard:
            for refund in news.refunds:
                refunds.setdefault(refund.refund_id, refund.base_minor)
            if news.base_minor is None or news.updated_at is None:
                continue
            rule = rule or rule_then
            known = newest.updated_at if newest else None
            if known is None or known <= news.updated_at:
                newest = news
        if self.cancelled or rule is None or newest is None or newest.base_minor is None:
            return 0
        return earned(rule, newest.base_minor - sum(refunds.values()))


@dataclass(slots=True)
class Papers:
    """The shop's memory, shared by its customers."""

    codes: dict[str, Code] = field(default_factory=dict)
    orders: dict[str, OrderPaper] = field(default_factory=dict)

    def order(self, order_id: str) -> OrderPaper:
        """A copy of the order's paper, a blank one if nothing was heard of it."""
        known = self.orders.get(order_id)
        return known.copy() if known else OrderPaper()


def earned(rule: EarningRule, base_minor: int) -> int:
    """The points for a base, with exact fractions."""
    if base_minor <= 0:
        return 0
    units = _whole(Fraction(base_minor, rule.unit_minor), rule.rounding)
    return _whole(
        units * rule.points_per_unit * Fraction(rule.multiplier_percent, 100), rule.rounding
    )


def _whole(amount: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.FLOOR:
        return floor(amount)
    if rounding is Rounding.CEIL:
        return ceil(amount)
    return floor(amount + Fraction(1, 2))
