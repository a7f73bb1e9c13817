"""Orders and holds of a shop, with every message about them as it came.

Where the product keeps a summary of an order, this keeps every message and reads them all again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil, floor

from pointbook.domain.orders import EarningRule, Goods, OrderUpdate, Refund, Rounding


@dataclass(slots=True)
class Code:
    """A hold's code: the last day of each point that was held, and the orders that carried it."""

    days: list[date]
    text: str = ""
    worth_minor: int = 1
    owner: str | None = None
    orders: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Spent:
    """One order's use of one hold, or of points at a till; `spending_id` names either.

    `owner` spent them. `returned` of the points came back, those in `returned_days` to be spent
    again. Of the others a day for each point taken from a lot; the rest were owed. `rule` says what
    brings them back.
    """

    spending_id: str
    days: list[date]
    points: int
    rule: str = "refunded"
    owner: str | None = None
    returned: int = 0
    returned_days: list[date] = field(default_factory=list)

    def copy(self) -> "Spent":
        """The same, to write on."""
        return replace(self, days=list(self.days), returned_days=list(self.returned_days))


@dataclass(slots=True)
class OrderRecord:
    """All messages about one order, and what was done for it."""

    messages: list[tuple[OrderUpdate, EarningRule | None]] = field(default_factory=list)
    owner: str | None = None
    pending: int = 0
    approved_days: list[date] = field(default_factory=list)
    let_go: int = 0
    spent: list[Spent] = field(default_factory=list)

    def copy(self) -> "OrderRecord":
        """The same record, to write on."""
        return replace(
            self,
            messages=list(self.messages),
            approved_days=list(self.approved_days),
            spent=[spent.copy() for spent in self.spent],
        )

    @property
    def confirmed_at(self) -> datetime | None:
        """The earliest that any message said."""
        return min(
            (update.confirmed_at for update, _ in self.messages if update.confirmed_at),
            default=None,
        )

    @property
    def cancelled(self) -> bool:
        """Whether any message said so."""
        return any(update.cancelled for update, _ in self.messages)

    @property
    def refunds(self) -> dict[str, Refund]:
        """What is newest of each refund; of several at one instant that which takes most."""
        listed = [refund for update, _ in self.messages for refund in update.refunds]
        return {refund.refund_id: refund for refund in sorted(listed, key=_age)}

    @property
    def rule(self) -> EarningRule | None:
        """The first rule that there was once a message had named goods."""
        named = False
        for update, rule in self.messages:
            named = named or _names_goods(update)
            if named and rule is not None:
                return rule
        return None

    @property
    def newest(self) -> OrderUpdate | None:
        """The latest message that named goods; of several at one instant that which earns least."""
        naming = [update for update, _ in self.messages if _names_goods(update)]
        latest: OrderUpdate | None = None
        for update in sorted(naming, key=_smallest_last):
            if latest is None or not _is_older(update, latest):
                latest = update
        return latest

    @property
    def listed(self) -> list[str]:
        """The refunds that the latest message named, if it was of goods removed beside them."""
        return _listed(self.newest) if self.newest else []

    @property
    def approves_at(self) -> datetime | None:
        """When the points stop being pending."""
        since, rule = self.confirmed_at, self.rule
        return since + timedelta(days=rule.pending_days) if since and rule else None

    @property
    def due_at(self) -> datetime | None:
        """When it must be looked at without a message."""
        return self.approves_at if self.pending else None

    def is_approved(self, moment: datetime) -> bool:
        """Whether points are no longer pending at that moment."""
        return self.approves_at is not None and not moment < self.approves_at

    @property
    def target(self) -> int:
        """The points that must remain, read from all messages."""
        rule, newest = self.rule, self.newest
        if self.cancelled or rule is None or newest is None or newest.goods is None:
            return 0
        included = newest.taxes_included
        bought = earning_money(rule, newest.goods, included=included)
        if bought < rule.minimum_minor:
            return 0
        refunds = self.refunds.values()

        def earns(goods: Goods) -> int:
            return earning_money(rule, goods, included=included)

        back = sum(earns(refund.goods) for refund in refunds) - self._said_twice(newest, earns)
        all_paid = _price(newest.goods, included)
        if all_paid > 0:
            beside = sum(_beside(refund, included) for refund in refunds)
            beside += self._said_twice(newest, lambda goods: _price(goods, included))
            beside -= _price(newest.removed, included)
            back += _whole(Fraction(max(0, beside) * bought, all_paid), Rounding.HALF_UP)
        return earned(rule, bought - back)

    def comes_back(self, spent: Spent) -> int:
        """How many of the points spent the customer must have again, read from all messages."""
        if self.cancelled:
            return spent.points
        newest = self.newest
        if newest is None or newest.goods is None:
            return 0
        pieces = self._share_back(newest, lambda goods: goods.pieces)
        price = self._share_back(newest, lambda goods: _price(goods, newest.taxes_included))
        by_count = price if pieces is None else pieces  # some messages only name a sum
        if by_count == 1 and spent.rule != "cancelled":
            return spent.points
        by_worth = pieces if price is None else price  # what points paid for costs nothing
        return floor((by_worth or 0) * spent.points) if spent.rule == "share" else 0

    def _share_back(self, newest: OrderUpdate, count: Callable[[Goods], int]) -> Fraction | None:
        """Which part of all goods is with the shop again; None where there is nothing to count."""
        assert newest.goods is not None
        bought = count(newest.goods) + count(newest.removed)
        if bought <= 0:
            return None
        back = sum(count(refund.goods) for refund in self.refunds.values())
        back += count(newest.removed) - self._said_twice(newest, count)
        return Fraction(min(max(0, back), bought), bought)

    def _said_twice(self, newest: OrderUpdate, count: Callable[[Goods], int]) -> int:
        """What is off the order already when its refund says so."""
        listed = {refund.refund_id for refund in newest.refunds}
        others = [one.goods for one in self.refunds.values() if one.refund_id not in listed]
        return max(0, min(count(newest.removed), sum(count(goods) for goods in others)))


@dataclass(slots=True)
class OrderItems:
    """The shop's memory, shared by its customers."""

    codes: dict[str, Code] = field(default_factory=dict)
    orders: dict[str, OrderRecord] = field(default_factory=dict)

    def order(self, order_id: str) -> OrderRecord:
        """A copy of the order's record, a blank one if there was no message about it."""
        existing = self.orders.get(order_id)
        return existing.copy() if existing else OrderRecord()


def earning_money(rule: EarningRule, goods: Goods, *, included: bool) -> int:
    """What of these goods earns: their price with or without tax, gift cards only if they earn.

    `included`: the price that was told has the tax in it.
    """
    plain, gift_cards = _parts(goods)
    parts = [plain, gift_cards] if rule.gift_cards_earn else [plain]
    count = _with_tax if rule.tax_included else _without_tax
    return sum(count(price, tax, included) for price, tax in parts)


def earned(rule: EarningRule, base_minor: int) -> int:
    """The points for a base, with exact fractions."""
    if base_minor <= 0:
        return 0
    units = _whole(Fraction(base_minor, rule.unit_minor), rule.rounding)
    return _whole(
        units * rule.points_per_unit * Fraction(rule.multiplier_percent, 100), rule.rounding
    )


def _beside(refund: Refund, included: bool) -> int:
    """Money beside the goods that came back; all that they had cost is owed where none moved."""
    return -_price(refund.goods, included) if refund.money_minor is None else refund.money_minor


def _price(goods: Goods, included: bool) -> int:
    return sum(_with_tax(*part, included) for part in _parts(goods))


def _age(refund: Refund) -> tuple[object, ...]:
    """The oldest first; of one instant those that paid back least."""
    reported_at = refund.reported_at.timestamp() if refund.reported_at else float("-inf")
    moved = () if refund.money_minor is None else (refund.money_minor,)
    return reported_at, moved, _numbers(refund.goods), refund.goods.pieces


def _names_goods(update: OrderUpdate) -> bool:
    return update.goods is not None and update.updated_at is not None


def _is_older(update: OrderUpdate, latest: OrderUpdate) -> bool:
    """By Shopify's seconds; within one by when it was sent, where both say so."""
    assert update.updated_at is not None
    assert latest.updated_at is not None
    if update.updated_at != latest.updated_at:
        return update.updated_at < latest.updated_at
    if latest.triggered_at is None:
        return False
    return update.triggered_at is None or update.triggered_at < latest.triggered_at


def _smallest_last(update: OrderUpdate) -> tuple[object, ...]:
    """A low price, little tax, much of it gift cards, and so on: it earns least."""
    assert update.goods is not None
    price, tax, gift_card, gift_card_tax = _numbers(update.goods)
    removed = [-amount for amount in (*_numbers(update.removed), update.removed.pieces)]
    included = update.taxes_included
    pieces = -update.goods.pieces
    return -price, -tax, gift_card, gift_card_tax, pieces, removed, included, _listed(update)


def _listed(update: OrderUpdate) -> list[str]:
    ids = {refund.refund_id for refund in update.refunds}
    return sorted(ids) if any(_numbers(update.removed)) or update.removed.pieces else []


def _numbers(goods: Goods) -> tuple[int, int, int, int]:
    return goods.priced_minor, goods.tax_minor, goods.gift_card_minor, goods.gift_card_tax_minor


def _parts(goods: Goods) -> tuple[tuple[int, int], tuple[int, int]]:
    """Price and tax of what is no gift card, and of gift cards."""
    price, tax, gift_card, gift_card_tax = _numbers(goods)
    return (price - gift_card, tax - gift_card_tax), (gift_card, gift_card_tax)


def _with_tax(price: int, tax: int, included: bool) -> int:
    return price if included else price + tax


def _without_tax(price: int, tax: int, included: bool) -> int:
    return price - tax if included else price


def _whole(amount: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.FLOOR:
        return floor(amount)
    if rounding is Rounding.CEIL:
        return ceil(amount)
    return floor(amount + Fraction(1, 2))
