"""Every customer's figures, computed from how a shop's orders stand in the end.

Nothing here knows of messages, books or lots. It is what a shop owner would reckon with pencil and
paper: what was bought, what was taken back, when it was paid, what of it was paid with points.
Money is in the currency's smallest unit, exact; points and the sums of money are whole numbers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor


@dataclass(slots=True)
class Line:
    """A line of an order: `pieces` were bought altogether, and `removed` of them by editing.

    `discount` and `tax` are those of all pieces.
    """

    price: int
    pieces: int
    discount: int = 0
    tax: int = 0
    is_gift_card: bool = False
    removed: int = 0

    @property
    def remaining(self) -> Fraction:
        """The part that was not removed."""
        return 1 - self.gone

    @property
    def gone(self) -> Fraction:
        """The part that was removed."""
        return Fraction(self.removed, self.pieces)

    @property
    def net(self) -> int:
        """What all pieces cost after discounts."""
        return self.price * self.pieces - self.discount


@dataclass(slots=True)
class Return:
    """One refund: goods that came back (price, tax, whether a gift card), and money paid back.

    `pieces` of goods came back altogether. `shipping` is what of it was meant for shipping or
    duties, whether it was paid back or not.
    """

    goods: list[tuple[int, int, bool]] = field(default_factory=list)
    money: int = 0
    shipping: int = 0
    pieces: int = 0


@dataclass(slots=True)
class CodeUse:
    """A code on an order: how many points were held for it, and what it took off."""

    owner: str
    held_points: int
    money: int


@dataclass(slots=True)
class Bought:
    """An order as the shop sees it in the end. `customer` is None for a guest.

    `percent` is what the customer's rank makes of it, 0 for whom the programme leaves out.
    """

    order_id: str
    customer: str | None
    created_at: datetime
    lines: list[Line]
    taxes_included: bool = True
    percent: int = 100
    is_test: bool = False
    paid_at: datetime | None = None
    is_cancelled: bool = False
    returns: list[Return] = field(default_factory=list)
    codes: list[CodeUse] = field(default_factory=list)
    till_points: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The programme, as its owner wrote it down."""

    unit: int
    points_per_unit: int
    rounding: str
    minimum: int
    tax_earns: bool
    gift_cards_earn: bool
    test_orders_earn: bool
    approved_on_creation: bool
    pending_days: int
    sign_up: int
    worth: int
    return_spent: str

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "Rules":
        """Read what the owner wrote."""
        return cls(
            unit=int(texts["earn_unit_minor"]),
            points_per_unit=int(texts["points_per_unit"]),
            rounding=texts["rounding"],
            minimum=int(texts["minimum_minor"]),
            tax_earns=texts["earn_on_tax"] == "included",
            gift_cards_earn=texts["gift_cards_earn"] == "yes",
            test_orders_earn=texts["test_orders_earn"] == "yes",
            approved_on_creation=texts["approve_on"] == "created",
            pending_days=int(texts["pending_days"]),
            sign_up=int(texts["sign_up_points"]),
            worth=int(texts["point_worth_minor"]),
            return_spent=texts["return_spent"],
        )


@dataclass(slots=True)
class Shop:
    """All that happened in a shop, by the end. Customers who vanished in a merge say in whom."""

    rules: Rules
    customers: list[str]
    orders: list[Bought] = field(default_factory=list)
    merged_into: dict[str, str] = field(default_factory=dict)
    granted: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)

    def survivor(self, customer: str) -> str:
        """Who a customer is in the end."""
        while customer in self.merged_into:
            customer = self.merged_into[customer]
        return customer


@dataclass(slots=True)
class Sums:
    """The figures of one customer. `earned` is what was ever approved and not taken back."""

    approved: int = 0
    pending: int = 0
    spent: int = 0
    hold: int = 0
    earned: int = 0

    @property
    def total(self) -> int:
        """Approved and pending together."""
        return self.approved + self.pending


def figures(shop: Shop, now: datetime) -> dict[str, Sums]:
    """The figures of every customer who is left, where no points expire."""
    sums = {shop.survivor(customer): Sums() for customer in shop.customers}
    for customer in shop.customers:
        sums[shop.survivor(customer)].earned += shop.rules.sign_up + shop.granted[customer]
        sums[shop.survivor(customer)].hold += shop.held[customer]
    for order in shop.orders:
        if order.customer is not None:
            buyer = sums[shop.survivor(order.customer)]
            if is_approved(order, shop.rules, now):
                buyer.earned += points(order, shop.rules)
            else:
                buyer.pending += points(order, shop.rules)
        for owner, used in spent(order, shop.rules):
            sums[shop.survivor(owner)].spent += used
    for one in sums.values():
        one.approved = one.earned - one.spent - one.hold
    return sums


def confirmed_at(order: Bought, rules: Rules) -> datetime | None:
    """Since when there is reason to approve the order's points."""
    reasons = [order.paid_at, order.created_at if rules.approved_on_creation else None]
    return min((reason for reason in reasons if reason is not None), default=None)


def is_approved(order: Bought, rules: Rules, now: datetime) -> bool:
    """Whether the order's points may be spent by now."""
    since = confirmed_at(order, rules)
    return since is not None and since + timedelta(days=rules.pending_days) <= now


def spent(order: Bought, rules: Rules) -> Iterable[tuple[str, int]]:
    """Whose points paid for an order, and how many of them did not come back."""
    back = share_back(order, rules)
    for use in order.codes:
        if use.money > 0:
            used = min(use.held_points, ceil(Fraction(use.money, rules.worth)))
            yield use.owner, used - floor(used * back)
    if order.till_points and order.customer is not None:
        yield order.customer, order.till_points - floor(order.till_points * back)


def share_back(order: Bought, rules: Rules) -> Fraction:
    """Which part of the points that paid for an order comes back to those who paid with them."""
    if order.is_cancelled:
        return Fraction(1)
    pieces = sum(line.pieces for line in order.lines)
    gone = sum(line.removed for line in order.lines) + sum(one.pieces for one in order.returns)
    if rules.return_spent == "cancelled":
        return Fraction(0)
    if gone == pieces:
        return Fraction(1)
    if rules.return_spent == "refunded":
        return Fraction(0)
    left, removed = (
        _paid([(line.net * part, line.tax * part, False) for line, part in parts], order)
        for parts in (
            [(line, line.remaining) for line in order.lines],
            [(line, line.gone) for line in order.lines],
        )
    )
    paid = left + removed
    if paid == 0:
        return Fraction(gone, pieces)
    refunded = sum(_paid(one.goods, order) for one in order.returns)
    return min(Fraction(1), Fraction(removed + refunded, paid))


def points(order: Bought, rules: Rules) -> int:
    """The points that an order is worth in the end."""
    percent = order.percent if rules.test_orders_earn or not order.is_test else 0
    if order.is_cancelled or percent == 0:
        return 0
    bought = [
        (line.net * line.remaining, line.tax * line.remaining, line.is_gift_card)
        for line in order.lines
    ]
    base = _earning(bought, order, rules)
    if base < rules.minimum:
        return 0
    back = sum(_earning(one.goods, order, rules) for one in order.returns)
    paid = _paid(bought, order)
    if paid > 0:
        back += _whole(Fraction(_beside_goods(order) * base, paid), "half_up")
    left = max(0, base - back)
    units = _whole(Fraction(left, rules.unit), rules.rounding)
    return _whole(Fraction(units * rules.points_per_unit * percent, 100), rules.rounding)


type Goods = Iterable[tuple[Fraction | int, Fraction | int, bool]]


def _earning(goods: Goods, order: Bought, rules: Rules) -> int:
    """What of these goods earns. Each sum of money is a whole number of smallest units."""
    goods = list(goods)
    price = _sum(price for price, _, _ in goods)
    tax = _sum(tax for _, tax, _ in goods)
    if not rules.gift_cards_earn:
        price -= _sum(price for price, _, is_gift_card in goods if is_gift_card)
        tax -= _sum(tax for _, tax, is_gift_card in goods if is_gift_card)
    if rules.tax_earns and not order.taxes_included:
        return price + tax
    if order.taxes_included and not rules.tax_earns:
        return price - tax
    return price


def _paid(goods: Goods, order: Bought) -> int:
    """What the customer paid for all of these goods, with the tax on them."""
    goods = list(goods)
    price = _sum(price for price, _, _ in goods)
    return price if order.taxes_included else price + _sum(tax for _, tax, _ in goods)


def _beside_goods(order: Bought) -> int:
    """Money paid back, all in all, neither for goods that are gone nor for shipping.

    A shop that still owes money for goods pays that first.
    """
    removed = [(line.net * line.gone, line.tax * line.gone, False) for line in order.lines]
    owed = _sum(price + (0 if order.taxes_included else tax) for price, tax, _ in removed)
    for one in order.returns:
        owed += _paid(one.goods, order) + one.shipping - one.money
    return max(0, -owed)


def _sum(amounts: Iterable[Fraction | int]) -> int:
    return _whole(Fraction(sum(amounts, Fraction(0))), "half_up")


def _whole(amount: Fraction, rounding: str) -> int:
    match rounding:
        case "floor":
            return floor(amount)
        case "ceil":
            return ceil(amount)
    return floor(amount + Fraction(1, 2))
