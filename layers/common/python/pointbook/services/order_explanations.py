"""How the points of one order come about: base, rule, rank, refunds, and what remains.

Amounts are in the currency's smallest unit. Granted and taken back are what the entries say,
everything else is the order's own state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointbook.domain.buckets import Bucket
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.money import decimal_text
from pointbook.domain.orders import EarningRule, Order, ReturnSpent, Rounding, Spending
from pointbook.domain.ports import Clock
from pointbook.domain.refusal import Code, Refusal
from pointbook.ledger.ledger import Ledger
from pointbook.services.account_reads import AccountReads

_EARNING = frozenset({Topic.PENDING_ADD, Topic.PENDING_CANCEL, Topic.ADD_ORDER, Topic.SUB_REFUND})

_ROUNDING = {
    Rounding.FLOOR: "rounded down",
    Rounding.HALF_UP: "rounded to the nearest whole number",
    Rounding.CEIL: "rounded up",
}
_RETURN_SPENT = {
    ReturnSpent.CANCELLED: "once the order is canceled",
    ReturnSpent.REFUNDED: "once the order is canceled or all its goods are refunded",
    ReturnSpent.SHARE: "in proportion to the goods that are refunded",
}


@dataclass(frozen=True, slots=True)
class _Earned:
    """What the entries say of an order's grant; `entries` are theirs, oldest first."""

    granted: int
    taken_back: int
    entries: tuple[Entry, ...]

    @property
    def remaining(self) -> int:
        return self.granted - self.taken_back


class OrderExplanations:
    """Explains orders of one shop. Only reads. Raises LedgerUnavailable."""

    def __init__(self, ledger: Ledger, reads: AccountReads, clock: Clock, currency: str) -> None:
        """Read `ledger`; amounts are written in `currency`."""
        self._ledger = ledger
        self._reads = reads
        self._clock = clock
        self._currency = currency

    def explain(self, shop: str, order_id: str) -> dict[str, Any] | Refusal:
        """Return the body of `GET /operator/orders/{order_id}`.

        Refused for an order that is not known, or whose webhook has not been worked on.
        """
        order = self._ledger.order(shop, order_id)
        if order is None:
            message = f"Order {order_id} is not known here: no webhook has brought it yet."
            return Refusal(Code.ORDER_NOT_FOUND, message)
        earned = self._earned(shop, order)
        spent = sum(one.points for one in order.spendings)
        returned = sum(one.returned_points for one in order.spendings)
        rule = order.rule if order.goods is not None else None
        return {
            "order_id": order.order_id,
            "name": order.name or None,
            "customer_id": order.customer_id,
            "currency": self._currency,
            "base": order.base_minor if rule else None,
            "refunded": order.refunded_minor if rule else None,
            "rule": _rule(rule) if rule else None,
            "rank": {"multiplier_percent": rule.multiplier_percent} if rule else None,
            "canceled": order.cancelled,
            "granted": earned.granted,
            "taken_back": earned.taken_back,
            "pending": order.pending_points,
            "spent": spent,
            "returned": returned,
            "remaining": earned.remaining,
            "entries": [_entry(one) for one in earned.entries],
            "why": list(self._why(order, earned)),
        }

    def _earned(self, shop: str, order: Order) -> _Earned:
        """Read the entries of everybody whose account the order's points have been on."""
        if order.customer_id is None:
            return _Earned(0, 0, ())
        found: list[Entry] = []
        for account in self._reads.accounts_of(shop, order.customer_id):
            for booked in self._reads.entries(shop, account.customer_id, account.version + 1):
                entry = booked.entry
                if entry.about == order.order_id and entry.topic in _EARNING:
                    found.append(entry)
        found.sort(key=lambda entry: (entry.at, entry.version))
        moves = [dict(entry.moves) for entry in found]
        granted = -sum(one.get(Bucket.ISSUED, 0) for one in moves)
        back = sum(one.get(Bucket.CANCELLED, 0) + one.get(Bucket.REVERSED, 0) for one in moves)
        return _Earned(granted, back, tuple(found))

    # --- in words ---------------------------------------------------------------------------------

    def _why(self, order: Order, earned: _Earned) -> Iterator[str]:
        yield from self._why_earned(order)
        if earned.granted:
            yield (
                f"Entries: {_points(earned.granted)} granted, {earned.taken_back:,} taken back;"
                f" {_remain(earned.remaining)}."
            )
        yield from self._why_remaining(order, earned)
        for spending in order.spendings:
            yield _why_spent(spending)

    def _why_earned(self, order: Order) -> Iterator[str]:
        rule = order.rule
        if order.customer_id is None:
            yield "The order names no customer, so it earns nothing."
            return
        if order.goods is None:
            yield "Only refunds of the order are known, not its goods, so it earns nothing yet."
            return
        if rule is None:
            yield "No earning rule is stored with the order, so it has earned nothing yet."
            return
        base_minor, refunded_minor = order.base_minor, order.refunded_minor
        tax = "tax included" if rule.tax_included else "without tax"
        cards = "gift cards included" if rule.gift_cards_earn else "without gift cards"
        yield (
            f"Base: {self._money(base_minor)}, the goods after discounts, {tax}, {cards}; points"
            " used as payment do not earn."
        )
        yield (
            f"Rule: version {rule.programme_version} of the programme,"
            f" {_points(rule.points_per_unit)} for each {self._money(rule.unit_minor)},"
            f" {_ROUNDING[rule.rounding]}."
        )
        yield _why_rank(rule.multiplier_percent)
        if base_minor < rule.minimum_minor:
            minimum = self._money(rule.minimum_minor)
            yield f"Orders below {minimum} earn nothing, so this one earns nothing."
            return
        before = rule.points(base_minor)
        yield f"{self._money(base_minor)} earn {_points(before)}."
        if order.cancelled:
            yield "The order was canceled, so it earns nothing."
        elif refunded_minor:
            left = base_minor - refunded_minor
            yield (
                f"{self._money(refunded_minor)} of the base were refunded or taken off; the other"
                f" {self._money(left)} earn {_points(order.target_points)}."
            )

    def _why_remaining(self, order: Order, earned: _Earned) -> Iterator[str]:
        if order.waived_points:
            yield (
                f"{_points(order.waived_points)} could not be taken back, as the customer had"
                " spent them; the programme waives such points, so the customer keeps them."
            )
        if order.pending_points:
            yield self._why_pending(order)
        stored = order.pending_points + order.approved_points
        if stored != earned.remaining:
            yield (
                f"The order's own record says {stored:,}, not {earned.remaining:,}:"
                " run `pointbook verify`."
            )

    def _why_pending(self, order: Order) -> str:
        points, at = _points(order.pending_points), order.approves_at
        if at is None:
            return f"{points} of these are pending until the order is paid."
        until = at.astimezone(UTC).isoformat(timespec="minutes")
        if at <= self._clock.now():
            return f"{points} of these are still pending, but due since {until}."
        return f"{points} of these are pending until {until}."

    def _money(self, minor: int) -> str:
        return f"{decimal_text(minor, self._currency)} {self._currency}"


def _rule(rule: EarningRule) -> dict[str, Any]:
    return {
        "programme_version": rule.programme_version,
        "points_per_unit": rule.points_per_unit,
        "unit": rule.unit_minor,
        "rounding": rule.rounding,
        "minimum": rule.minimum_minor,
        "tax_included": rule.tax_included,
        "gift_cards_earn": rule.gift_cards_earn,
        "pending_days": rule.pending_days,
        "debt_policy": rule.debt_policy,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "at": _instant(entry.at),
        "topic": entry.topic,
        "points": entry.points,
    }


def _why_rank(percent: int) -> str:
    if percent == 100:
        return "Rank: none that multiplies points."
    if percent == 0:
        return (
            "Rank: times 0. The customer has the excluded tag, it is a test order, or the programme"
            " gave no points."
        )
    return f"Rank: the customer's rank at that time multiplies points by {percent / 100:g}."


def _why_spent(spending: Spending) -> str:
    where = "at a till" if spending.spending_id == "till" else f"by hold {spending.spending_id}"
    used = f"{_points(spending.points)} were used on the order {where}"
    rule = _RETURN_SPENT[spending.return_spent]
    return f"{used}, {spending.returned_points:,} of these have come back; they do {rule}."


def _points(number: int) -> str:
    return f"{number:,} point{'' if number == 1 else 's'}"


def _remain(number: int) -> str:
    return f"{number:,} remain{'s' if number == 1 else ''}"


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds")
