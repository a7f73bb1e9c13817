"""Updates of orders and earning rules, drawn from a seed."""

from dataclasses import replace
from datetime import datetime
from random import Random

from pointbook.domain.orders import (
    NO_GOODS,
    DebtPolicy,
    EarningRule,
    Goods,
    OrderUpdate,
    Refund,
    Rounding,
)
from tests.support.instants import instant

_LONG_AGO_MS = 1_700_000_000_000


def drawn_update(random: Random, now_ms: int, *, cancelled: bool) -> OrderUpdate:
    """An update of an order: it seldom has all fields."""
    refund = Refund(
        refund_id=random.choice(("r1", "r2", "r3")),
        goods=_pieces(
            random, random.choice((NO_GOODS, Goods(300), Goods(450, 45), _goods(random)))
        ),
        money_minor=random.choice((0, 0, 100, 333, 5_000, -200, None)),
        reported_at=instant(_LONG_AGO_MS + random.randrange(3) * 1000),
    )
    return OrderUpdate(
        updated_at=instant(_LONG_AGO_MS + random.randrange(6) * 1000),
        triggered_at=_triggered_at(random),
        goods=_pieces(random, _goods(random)) if random.random() < 0.8 else None,
        removed=_pieces(random, random.choice((NO_GOODS, NO_GOODS, Goods(300), Goods(450, 45)))),
        taxes_included=random.random() < 0.6,
        confirmed_at=_confirmed_at(random, now_ms) if random.random() < 0.5 else None,
        cancelled=cancelled,
        refunds=(refund,) if random.random() < 0.3 else (),
    )


def drawn_rule(random: Random) -> EarningRule:
    """An earning rule."""
    return EarningRule(
        unit_minor=random.choice((100, 100, 60)),
        multiplier_percent=random.choice((100, 150, 150, 0)),
        rounding=random.choice(tuple(Rounding)),
        minimum_minor=random.choice((0, 0, 0, 1_000, 1_050, 1_051)),
        tax_included=random.random() < 0.6,
        gift_cards_earn=random.random() < 0.4,
        pending_days=random.choice((0, 0, 1, 2)),
        debt_policy=random.choice(tuple(DebtPolicy)),
    )


def _goods(random: Random) -> Goods:
    """Goods bought or refunded: now and then with tax, and with gift cards among them."""
    priced = random.choice((0, 500, 1_000, 1_050, 2_500))
    tax = random.choice((0, 0, priced // 10, priced * 8 // 100 + 1))
    if random.random() < 0.7:
        return Goods(priced, tax)
    return Goods(priced, tax, priced // 2, random.choice((0, tax // 2)))


def _pieces(random: Random, goods: Goods) -> Goods:
    """So many of them; where only an amount is known, none."""
    return replace(goods, pieces=random.choice((0, 1, 1, 2, 3)))


def _triggered_at(random: Random) -> datetime | None:
    """Soon after any `updated_at`; not every message has it."""
    if random.random() < 0.6:
        return None
    return instant(_LONG_AGO_MS + 6_000 + random.randrange(3))


def goods_back(random: Random, now_ms: int) -> OrderUpdate:
    """The newest update: all or some goods are refunded, at their price, at none, at more."""
    minor, pieces = random.choice(((1_000, 2), (0, 2), (300, 1), (300, 1), (1_500, 1)))
    back = Goods(minor, pieces=pieces)
    refund = Refund("r9", back, reported_at=instant(now_ms))
    return OrderUpdate(updated_at=instant(now_ms), goods=Goods(1_000, pieces=2), refunds=(refund,))


def grown(now_ms: int) -> OrderUpdate:
    """Newer still: one more piece was bought."""
    return OrderUpdate(updated_at=instant(now_ms + 1), goods=Goods(1_700, pieces=3))


def _confirmed_at(random: Random, now_ms: int) -> datetime:
    """Just now, or a while ago; by some clock that is ahead, in a moment."""
    ago_ms = random.choice((0, -50, 3_000, 86_399_950, 86_400_000, 172_800_000))
    return instant(now_ms - ago_ms)
