"""What an order earns: its base, its minimum, its rounding, and what refunds leave of it."""

from dataclasses import replace

import pytest

from pointbook.domain.orders import EarningRule, Goods, Order, OrderUpdate, Refund, Rounding
from tests.reference.order_items import earned, earning_money
from tests.support.domain import NOW

ONE_PERCENT = EarningRule(unit_minor=100)
YEN = EarningRule(unit_minor=1)


def remaining(
    goods: Goods, *refunds: Refund, rule: EarningRule = YEN, taxes_included: bool = True
) -> int:
    """The points that remain of an order of these goods."""
    update = OrderUpdate(NOW, goods, taxes_included=taxes_included, refunds=refunds)
    return Order("o1").merged_with(update, rule).target_points


# --- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "floor", "half_up", "ceil"),
    [
        (-1, 0, 0, 0),
        (0, 0, 0, 0),
        (1, 0, 0, 1),
        (49, 0, 0, 1),
        (50, 0, 1, 1),
        (51, 0, 1, 1),
        (99, 0, 1, 1),
        (100, 1, 1, 1),
        (101, 1, 1, 2),
        (149, 1, 1, 2),
        (150, 1, 2, 2),
        (199, 1, 2, 2),
        (200, 2, 2, 2),
    ],
)
def test_parts_of_a_unit_are_rounded_as_the_programme_says(
    base: int, floor: int, half_up: int, ceil: int
) -> None:
    for rounding, points in zip(Rounding, (floor, half_up, ceil), strict=True):
        rule = EarningRule(100, rounding=rounding)
        assert rule.points(base) == earned(rule, base) == points


@pytest.mark.parametrize(
    ("percent", "floor", "half_up", "ceil"),
    [
        (100, 3, 3, 3),
        (116, 3, 3, 4),
        (117, 3, 4, 4),
        (133, 3, 4, 4),
        (134, 4, 4, 5),
        (200, 6, 6, 6),
    ],
)
def test_parts_of_a_point_by_rank_are_rounded_as_the_programme_says(
    percent: int, floor: int, half_up: int, ceil: int
) -> None:
    for rounding, points in zip(Rounding, (floor, half_up, ceil), strict=True):
        rule = EarningRule(100, 3, percent, rounding)
        assert rule.points(100) == earned(rule, 100) == points


@pytest.mark.parametrize(
    ("field", "least"),
    [
        ("unit_minor", 1),
        ("points_per_unit", 1),
        ("multiplier_percent", 0),
        ("minimum_minor", 0),
        ("pending_days", 0),
    ],
)
def test_a_number_of_an_earning_rule_has_a_least(field: str, least: int) -> None:
    replace(ONE_PERCENT, **{field: least})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{field} is {least - 1}, but must"):
        replace(ONE_PERCENT, **{field: least - 1})  # type: ignore[arg-type]


def test_points_are_pending_for_a_year_at_most() -> None:
    replace(ONE_PERCENT, pending_days=365)
    with pytest.raises(ValueError, match="pending_days is 366, but must be 0 to 365"):
        replace(ONE_PERCENT, pending_days=366)


@pytest.mark.parametrize("rounding", Rounding)
def test_a_rank_may_earn_nothing(rounding: Rounding) -> None:
    assert EarningRule(100, 3, 0, rounding).points(10_050) == 0


# --- tax and gift cards --------------------------------------------------------------------------

TAX = [
    # the rule counts it, the price has it, 1000 and 100 of tax on it
    (True, True, 1000),
    (True, False, 1100),
    (False, True, 900),
    (False, False, 1000),
]


@pytest.mark.parametrize(("counted", "included", "base"), TAX)
def test_tax_is_in_the_base_or_out_of_it_as_the_programme_says(
    counted: bool, included: bool, base: int
) -> None:
    goods, rule = Goods(1000, 100), replace(YEN, tax_included=counted)
    assert rule.base_minor(goods, taxes_included=included) == base
    assert earning_money(rule, goods, included=included) == base
    assert remaining(goods, rule=rule, taxes_included=included) == base
    back = Refund("r1", Goods(500, 50))
    assert remaining(goods, back, rule=rule, taxes_included=included) == base // 2


GIFT_CARDS = [
    # they earn, the rule counts tax, the price has it; 1000 with 100 of tax, 400 and 30 of it cards
    (False, True, True, 600),
    (False, True, False, 670),
    (False, False, True, 530),
    (False, False, False, 600),
    *((True, *row) for row in TAX),
]


@pytest.mark.parametrize(("earn", "counted", "included", "base"), GIFT_CARDS)
def test_gift_cards_earn_only_where_the_programme_says_so(
    earn: bool, counted: bool, included: bool, base: int
) -> None:
    goods = Goods(1000, 100, 400, 30)
    rule = replace(YEN, gift_cards_earn=earn, tax_included=counted)
    assert rule.base_minor(goods, taxes_included=included) == base
    assert earning_money(rule, goods, included=included) == base
    back = Refund("r1", Goods(400, 30, 400, 30))
    without_cards = replace(rule, gift_cards_earn=False)
    left = without_cards.base_minor(goods, taxes_included=included)
    assert remaining(goods, back, rule=rule, taxes_included=included) == left


# --- the minimum ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("priced", "points"), [(2999, 0), (3000, 30), (3001, 30)])
def test_an_order_below_the_minimum_earns_nothing(priced: int, points: int) -> None:
    assert remaining(Goods(priced), rule=replace(ONE_PERCENT, minimum_minor=3000)) == points


def test_the_minimum_is_held_against_what_earns() -> None:
    rule = replace(ONE_PERCENT, minimum_minor=3000)
    assert remaining(Goods(3000, 0, 1), rule=rule) == 0
    assert remaining(Goods(2800, 200), rule=rule, taxes_included=False) == 30
    assert remaining(Goods(3000, 200), rule=replace(rule, tax_included=False)) == 0


def test_a_refund_does_not_bring_an_order_below_the_minimum() -> None:
    rule = replace(ONE_PERCENT, minimum_minor=3000)
    assert remaining(Goods(3000), Refund("r1", Goods(2900)), rule=rule) == 1
    assert remaining(Goods(3000), Refund("r1", money_minor=2900), rule=rule) == 1


# --- money paid back beside the goods ------------------------------------------------------------


@pytest.mark.parametrize(
    ("goods", "taxes_included", "money", "points"),
    [
        (Goods(1000), True, 400, 600),
        (Goods(1000), True, 1000, 0),
        (Goods(1000), True, 1001, 0),
        (Goods(1000, 100), True, 400, 600),  # the tax is in the price: 1000 were paid
        (Goods(1000, 100), False, 550, 550),  # and here 1100, all of which earn
        (Goods(3000, 0, 2000), True, 1500, 500),  # half of what was paid, so half of what earns
        (Goods(3000, 0, 2000), True, 1, 1000),  # a third
        (Goods(3000, 0, 2000), True, 2, 999),  # two thirds
        (Goods(2000, 0, 1000), True, 1, 999),  # a half counts as one
        (Goods(0), True, 500, 0),
        (Goods(1000, 0, 1000), True, 500, 0),
    ],
)
def test_money_paid_back_is_spread_over_all_that_was_paid(
    goods: Goods, taxes_included: bool, money: int, points: int
) -> None:
    back = Refund("r1", money_minor=money)
    assert remaining(goods, back, taxes_included=taxes_included) == points


def test_money_paid_back_in_parts_is_rounded_once() -> None:
    goods = Goods(3000, 0, 2000)
    refunds = [Refund(f"r{number}", money_minor=1) for number in range(3)]
    assert [remaining(goods, *refunds[:count]) for count in range(4)] == [1000, 1000, 999, 999]


def test_goods_and_money_of_one_refund_both_count() -> None:
    assert remaining(Goods(1000), Refund("r1", Goods(300), 200)) == 500


@pytest.mark.parametrize(("later", "left"), [(0, 700), (299, 700), (300, 700), (301, 699)])
@pytest.mark.parametrize("recorded", [None, -300])
def test_money_that_was_still_owed_for_goods_takes_nothing_more(
    later: int, left: int, recorded: int | None
) -> None:
    """An edit takes goods off, and what they cost is paid back later, whichever arrives first."""
    edit, money = Refund("r1", Goods(300), recorded), Refund("r2", money_minor=later)
    for refunds in ((edit, money), (money, edit)):
        assert remaining(Goods(1000), *refunds) == left


def test_what_was_owed_has_the_tax_on_it() -> None:
    goods, gone = Goods(1000, 100), Goods(500, 50)
    refunds = (Refund("r1", gone, None), Refund("r2", money_minor=550))
    assert remaining(goods, *refunds, taxes_included=False) == 550
    assert remaining(goods, *refunds, taxes_included=True) == 450


def test_money_for_pieces_that_were_removed_takes_nothing_more() -> None:
    refund = Refund("r1", money_minor=301)
    update = OrderUpdate(NOW, Goods(700), removed=Goods(300), refunds=(refund,))
    assert Order("o1").merged_with(update, YEN).target_points == 699


def test_pieces_whose_refund_arrives_by_itself_are_not_owed_for_any_more() -> None:
    """So an amount beside it takes its share."""
    amount, returned = Refund("r1", money_minor=100), Refund("r2", Goods(300))
    update = OrderUpdate(NOW, Goods(700), removed=Goods(300), refunds=(amount,))
    alone = OrderUpdate(refunds=(returned,))
    for first, second in ((update, alone), (alone, update)):
        assert Order("o1").merged_with(first, YEN).merged_with(second, YEN).target_points == 600


def test_a_fee_that_the_shop_retained_may_be_given_back_later() -> None:
    refunds = [Refund("r1", Goods(300), -100), Refund("r2", money_minor=100)]
    assert [remaining(Goods(1000), *refunds[:count]) for count in (1, 2)] == [700, 700]


@pytest.mark.parametrize("rounding", Rounding)
def test_what_earns_nothing_rounds_to_nothing_when_all_is_paid_back(rounding: Rounding) -> None:
    rule = EarningRule(60, 3, 110, rounding)
    for back in (Refund("r1", Goods(1050, 80)), Refund("r1", money_minor=1050)):
        assert remaining(Goods(1050, 80), back, rule=rule) == 0
