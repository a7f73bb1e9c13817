"""The rules of orders: the merged state of all updates, and the point targets computed from it.

Updates of an order come late, twice and out of sequence. So nothing is added up as it arrives: the
order keeps the newest state, and the points that must remain are computed from it as a target.
Rules: docs/programme.md, "What a refund takes back".
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pointbook.domain.lots import Lots

PENDING_DAYS_MAX = 365

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Rounding(StrEnum):
    """How fractions of a point are rounded."""

    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


class DebtPolicy(StrEnum):
    """What happens when a refund takes back more points than there are."""

    CARRY = "carry"
    CLAMP = "clamp"


class ReturnSpent(StrEnum):
    """Which part of the points spent on an order comes back, and when.

    CANCELLED: all, once the order is cancelled. REFUNDED: all, once it is cancelled or all its
    goods are refunded. SHARE: in proportion to the goods refunded.
    """

    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Goods:
    """The price of goods after discounts, as Shopify states it, in the currency's smallest unit.

    `tax_minor` is the tax on them: part of `priced_minor` or on top of it, as the order says. The
    `gift_card_` amounts are the gift cards' share of price and tax. `pieces` is the number of
    goods, 0 if only an amount is known: goods paid for with points may have a price of 0.
    """

    priced_minor: int
    tax_minor: int = 0
    gift_card_minor: int = 0
    gift_card_tax_minor: int = 0
    pieces: int = 0


NO_GOODS = Goods(0)


@dataclass(frozen=True, slots=True)
class EarningRule:
    """`points_per_unit` for each `unit_minor` of the base, times the customer's rank.

    Money is in the currency's smallest unit. `multiplier_percent` is the rank's multiplier (150 is
    one and a half, 0 earns nothing). An order below `minimum_minor` earns nothing. `tax_included`
    and `gift_cards_earn` define the base, `pending_days` how long points stay pending after the
    order was confirmed, `debt_policy` what a refund does if there are too few points to take back.
    `programme_version` is the version of the programme it came from.
    """

    unit_minor: int
    points_per_unit: int = 1
    multiplier_percent: int = 100
    rounding: Rounding = Rounding.FLOOR
    programme_version: int = 1
    minimum_minor: int = 0
    tax_included: bool = True
    gift_cards_earn: bool = False
    pending_days: int = 0
    debt_policy: DebtPolicy = DebtPolicy.CARRY

    def __post_init__(self) -> None:
        for name in ("unit_minor", "points_per_unit"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be at least 1")
        for name in ("multiplier_percent", "minimum_minor"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, but must not be below 0")
        if not 0 <= self.pending_days <= PENDING_DAYS_MAX:
            raise ValueError(
                f"pending_days is {self.pending_days}, but must be 0 to {PENDING_DAYS_MAX}"
            )

    def points(self, base_minor: int) -> int:
        """The points that this base earns; 0 for a base of 0 or below."""
        units = _divided(max(0, base_minor), self.unit_minor, self.rounding)
        return _divided(units * self.points_per_unit * self.multiplier_percent, 100, self.rounding)

    def base_minor(self, goods: Goods, *, taxes_included: bool) -> int:
        """The part of the goods' price that earns; `taxes_included`: the price includes tax."""
        priced, tax = goods.priced_minor, goods.tax_minor
        if not self.gift_cards_earn:
            priced, tax = priced - goods.gift_card_minor, tax - goods.gift_card_tax_minor
        if self.tax_included == taxes_included:
            return priced
        return priced + tax if self.tax_included else priced - tax


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of an order as of `reported_at`; each id counts once.

    `goods` were returned. `money_minor`, tax included, was refunded beyond their price; negative:
    the part of their price that was not refunded. None: no money was refunded at all (yet).
    """

    refund_id: str
    goods: Goods = NO_GOODS
    money_minor: int | None = 0
    reported_at: datetime | None = None

    def replaces(self, other: "Refund") -> bool:
        """Whether this state is newer; of two at one instant the larger refund wins."""
        return self._precedence > other._precedence

    @property
    def _precedence(self) -> tuple[datetime, bool, int, tuple[int, ...]]:
        has_moved = self.money_minor is not None
        return self.reported_at or _LONG_AGO, has_moved, self.money_minor or 0, astuple(self.goods)


@dataclass(frozen=True, slots=True)
class Spending:
    """Points that an order used: those of a hold, or "till".

    `returned_points` of them have come back, into `returned_lots` unless they repaid a debt. `lots`
    are where the others came from; what was missing and became a debt came from no lot.
    `return_spent` is the rule in force when they were spent; later programmes do not change it.
    """

    spending_id: str
    customer_id: str
    points: int
    lots: Lots
    return_spent: ReturnSpent = ReturnSpent.REFUNDED
    returned_points: int = 0
    returned_lots: Lots = ()


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """What one message says about an order; None and empty fields say nothing.

    `goods` are what was bought, before the listed `refunds`, as of `updated_at`; `removed` is what
    was taken off the order without a refund. `triggered_at` is when Shopify sent the message: more
    precise than `updated_at`, which is in whole seconds. `confirmed_at` is when the order was paid
    (or created, if the programme approves on that). `name` is what people call it, such as #1001.
    """

    updated_at: datetime | None = None
    goods: Goods | None = None
    removed: Goods = NO_GOODS
    taxes_included: bool = True
    confirmed_at: datetime | None = None
    cancelled: bool = False
    refunds: tuple[Refund, ...] = ()
    triggered_at: datetime | None = None
    name: str = ""

    @property
    def listed(self) -> tuple[str, ...]:
        """The ids of its refunds, if something was also removed; they matter only then."""
        if self.removed == NO_GOODS:
            return ()
        return tuple(sorted({refund.refund_id for refund in self.refunds}))


@dataclass(frozen=True, slots=True)
class Order:
    """The merged state of one order.

    `revision` counts writes and is the condition of the next one. `goods` is None before the first
    message about the order itself; they are as of `updated_at` and `triggered_at`. `listed` are the
    ids of the refunds in the message that reported `removed`. `rule` is the one in force when goods
    and customer were first known; later programmes do not change it. `pending_points` and
    `approved_points` are what remains of its grant, `grant_lots` the lots of the approved part.
    `waived_points` of the approved ones could not be taken back, and were waived instead of
    becoming a debt. `name` is what people call it, such as #1001; "" if that is not known.
    """

    order_id: str
    customer_id: str | None = None
    revision: int = 0
    updated_at: datetime | None = None
    goods: Goods | None = None
    removed: Goods = NO_GOODS
    listed: tuple[str, ...] = ()
    taxes_included: bool = True
    rule: EarningRule | None = None
    confirmed_at: datetime | None = None
    cancelled: bool = False
    refunds: tuple[Refund, ...] = ()
    pending_points: int = 0
    approved_points: int = 0
    grant_lots: Lots = ()
    waived_points: int = 0
    spendings: tuple[Spending, ...] = field(default=())
    triggered_at: datetime | None = None
    name: str = ""

    def merged_with(self, update: OrderUpdate, rule: EarningRule | None) -> "Order":
        """The order after `update`: the newest goods, and of each refund the newest state.

        The earliest confirmation counts; confirmation and cancellation are never undone.
        `rule` is None while the order's customer is unknown: ranks are customers'.
        """
        refunds: dict[str, Refund] = {}
        for refund in (*self.refunds, *update.refunds):
            earlier = refunds.get(refund.refund_id)
            if earlier is None or refund.replaces(earlier):
                refunds[refund.refund_id] = refund
        order = replace(
            self,
            confirmed_at=min(filter(None, (self.confirmed_at, update.confirmed_at)), default=None),
            cancelled=self.cancelled or update.cancelled,
            refunds=tuple(refunds.values()),
            name=update.name or self.name,
        )
        has_goods = update.goods is not None and update.updated_at is not None
        if has_goods and self._is_replaced_by(update):
            order = replace(
                order,
                updated_at=update.updated_at,
                triggered_at=update.triggered_at,
                goods=update.goods,
                removed=update.removed,
                listed=update.listed,
                taxes_included=update.taxes_included,
            )
        return order if order.goods is None else replace(order, rule=self.rule or rule)

    @property
    def target_points(self) -> int:
        """The points that must remain of its grant, pending or approved."""
        if self.cancelled or self.rule is None or self.goods is None:
            return 0
        base_minor = self._base_minor(self.goods)
        if base_minor < self.rule.minimum_minor:
            return 0
        return self.rule.points(base_minor - self._refunded_minor(base_minor))

    @property
    def base_minor(self) -> int:
        """The part of its price that earns, before refunds. It needs goods and a rule."""
        assert self.goods is not None, "only a known order has a base"
        return self._base_minor(self.goods)

    @property
    def refunded_minor(self) -> int:
        """The part of the base that was refunded."""
        return self._refunded_minor(self.base_minor)

    def returned_target(self, spending: Spending) -> int:
        """How many points of one spending must have come back, given the order's state.

        Rule: docs/programme.md, "When spent points come back".
        """
        if self.cancelled:
            return spending.points
        if self.goods is None or spending.return_spent is ReturnSpent.CANCELLED:
            return 0
        pieces_back, pieces = self._returned_and_bought(lambda goods: goods.pieces)
        back_minor, bought_minor = self._returned_and_bought(self._price_minor)
        if pieces_back >= pieces if pieces else back_minor >= bought_minor > 0:
            return spending.points
        if spending.return_spent is ReturnSpent.REFUNDED:
            return 0
        back, bought = (back_minor, bought_minor) if bought_minor > 0 else (pieces_back, pieces)
        return spending.points * max(0, min(back, bought)) // bought if bought else 0

    @property
    def current_points(self) -> int:
        """The points that it has earned so far: every update adjusts them to the target."""
        return self.pending_points + self.approved_points - self.waived_points

    @property
    def lacks_rule(self) -> bool:
        """Whether its goods are known, but not their earning rule."""
        return self.goods is not None and self.rule is None

    @property
    def has_points(self) -> bool:
        """Whether it has earned or used any points."""
        return bool(self.current_points or self.waived_points or self.spendings)

    @property
    def approves_at(self) -> datetime | None:
        """When its pending points become approved; None if it is not confirmed yet."""
        if self.confirmed_at is None or self.rule is None:
            return None
        return self.confirmed_at + timedelta(days=self.rule.pending_days)

    @property
    def due_at(self) -> datetime | None:
        """When pending points must be approved, even without another update."""
        return self.approves_at if self.pending_points else None

    def _is_replaced_by(self, update: OrderUpdate) -> bool:
        """Whether the goods of `update` replace the stored ones."""
        return self.goods is None or _precedence(update) > _precedence(self)

    def _base_minor(self, goods: Goods) -> int:
        assert self.rule is not None, "without a rule there is no base"
        return self.rule.base_minor(goods, taxes_included=self.taxes_included)

    def _refunded_minor(self, base_minor: int) -> int:
        """The refunded part of the base: the goods, and the extra money's share of the price."""
        assert self.goods is not None, "only a known order has a base"
        goods_minor = sum(self._base_minor(refund.goods) for refund in self.refunds)
        goods_minor -= self._refunded_and_removed(self._base_minor)
        paid_minor = self._price_minor(self.goods)
        if paid_minor <= 0:
            return goods_minor
        money_minor = self._extra_money_minor()
        return goods_minor + _divided(money_minor * base_minor, paid_minor, Rounding.HALF_UP)

    def _returned_and_bought(self, count: Callable[[Goods], int]) -> tuple[int, int]:
        """How much of the goods was refunded or removed, and how much was bought in total."""
        assert self.goods is not None, "the order's goods must be known"
        removed = count(self.removed)
        refunded = sum(count(refund.goods) for refund in self.refunds) - self._refunded_and_removed(
            count
        )
        return refunded + removed, count(self.goods) + removed

    def _refunded_and_removed(self, count: Callable[[Goods], int]) -> int:
        """What counts as removed although it was refunded, by a refund that was not listed."""
        others = (one.goods for one in self.refunds if one.refund_id not in self.listed)
        return max(0, min(sum(map(count, others)), count(self.removed)))

    def _extra_money_minor(self) -> int:
        """Money that all refunds together paid beyond the price of returned and removed goods."""
        extra_minor = sum(self._extra_refund_minor(refund) for refund in self.refunds)
        owed_minor = self._price_minor(self.removed) - self._refunded_and_removed(self._price_minor)
        return max(0, extra_minor - owed_minor)

    def _extra_refund_minor(self, refund: Refund) -> int:
        if refund.money_minor is None:
            return -self._price_minor(refund.goods)
        return refund.money_minor

    def _price_minor(self, goods: Goods) -> int:
        """The price of goods, tax included."""
        return goods.priced_minor + (0 if self.taxes_included else goods.tax_minor)


def _precedence(
    version: OrderUpdate | Order,
) -> tuple[datetime, datetime, *tuple[int, ...], tuple[str, ...]]:
    """The sort key of goods: the newest win; of two at one instant the smaller ones.

    An update that does not say when it was sent comes before all others of its second.
    Gift cards, included tax and fewer removals make goods smaller.
    """
    assert version.goods is not None, "only goods are compared"
    assert version.updated_at is not None, "goods without a time are ignored"
    return (
        version.updated_at,
        version.triggered_at or _LONG_AGO,
        -version.goods.priced_minor,
        -version.goods.tax_minor,
        version.goods.gift_card_minor,
        version.goods.gift_card_tax_minor,
        -version.goods.pieces,
        *(-minor for minor in astuple(version.removed)),
        version.taxes_included,
        version.listed,
    )


def _divided(amount: int, unit: int, rounding: Rounding) -> int:
    match rounding:
        case Rounding.FLOOR:
            return amount // unit
        case Rounding.CEIL:
            return -(-amount // unit)
        case Rounding.HALF_UP:
            return (2 * amount + unit) // (2 * unit)
