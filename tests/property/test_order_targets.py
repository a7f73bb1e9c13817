"""Updates of an order lead to the same points in any sequence: those of the reference."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from pointbook.domain.account import Account
from pointbook.domain.commands import Command, Grant, ReturnSpending, SpendOnOrder, UpdateOrder
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.expiry import Never
from pointbook.domain.orders import (
    NO_GOODS,
    EarningRule,
    Goods,
    Order,
    OrderUpdate,
    Refund,
    ReturnSpent,
    Rounding,
)
from pointbook.domain.state import State
from tests.reference.order_items import OrderRecord, Spent, earned, earning_money

NOW = datetime(2027, 3, 10, 3, tzinfo=UTC)
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)


@st.composite
def goods_of(draw: st.DrawFn, price_max: int = 5_000) -> Goods:
    """Goods that a shop may sell, gift cards among them: no tax above the price of either."""
    priced = draw(st.integers(0, price_max))
    tax = draw(st.integers(0, priced))
    gift_card = draw(st.just(0) | st.integers(0, priced))
    others_tax_max = min(tax, priced - gift_card)
    gift_card_tax = draw(st.integers(tax - others_tax_max, min(tax, gift_card)))
    return Goods(priced, tax, gift_card, gift_card_tax, draw(st.integers(0, 4)))


RULES = st.builds(
    EarningRule,
    unit_minor=st.integers(1, 200),
    points_per_unit=st.integers(1, 3),
    multiplier_percent=st.integers(0, 250),
    rounding=st.sampled_from(Rounding),
    minimum_minor=st.just(0) | st.integers(0, 3_000),
    tax_included=st.booleans(),
    gift_cards_earn=st.booleans(),
    pending_days=st.integers(0, 3),
)
REFUNDS = st.tuples(
    *(
        st.builds(Refund, st.just(name), st.just(NO_GOODS) | goods_of(500), st.integers(0, 500))
        for name in ("r1", "r2", "r3")
    )
)
"""One of each id, which paid back at least what its goods had cost."""

# Few instants, so that updates of one instant meet.
INSTANTS = st.none() | st.sampled_from([NOW, NOW, NOW + MILLISECOND, NOW - DAY])

REPORTED_REFUNDS = st.builds(
    Refund,
    st.sampled_from(["r1", "r2"]),
    st.just(NO_GOODS) | goods_of(500),
    st.none() | st.integers(-500, 500),
    INSTANTS,
)
"""What updates say of two refunds, at some instant or other."""


@st.composite
def messages(draw: st.DrawFn, most: int = 4) -> list[OrderUpdate]:
    """Updates of one order, some of them twice."""
    updates = st.builds(
        OrderUpdate,
        updated_at=INSTANTS,
        triggered_at=st.none() | st.sampled_from([NOW, NOW + MILLISECOND]),
        goods=st.none() | goods_of() | goods_of(3),
        removed=st.just(NO_GOODS) | goods_of(500),
        taxes_included=st.booleans(),
        confirmed_at=INSTANTS,
        cancelled=st.sampled_from([False] * 7 + [True]),
        refunds=st.lists(REPORTED_REFUNDS, max_size=3).map(tuple),
    )
    drawn = draw(st.lists(updates, min_size=1, max_size=most))
    return [*drawn, drawn[0]][:most]


def merged(updates: Iterable[OrderUpdate], rule: EarningRule) -> Order:
    """The order after these updates."""
    order = Order("901")
    for said in updates:
        order = order.merged_with(said, rule)
    return order


def bought(goods: Goods, rule: EarningRule, *refunds: Refund, included: bool = True) -> Order:
    """An order of these goods."""
    return merged([OrderUpdate(NOW, goods, taxes_included=included, refunds=refunds)], rule)


@given(messages(), RULES)
def test_updates_lead_to_one_target_in_any_sequence(
    updates: list[OrderUpdate], rule: EarningRule
) -> None:
    ends = {
        (order.target_points, order.goods, order.taxes_included, order.approves_at, order.cancelled)
        for order in (merged(each, rule) for each in permutations(updates))
    }
    assert len(ends) == 1
    record = OrderRecord([(said, rule) for said in updates])
    ((target, goods, *_, cancelled),) = ends
    assert (target, cancelled) == (record.target, record.cancelled)
    assert goods == (record.newest.goods if record.newest else None)


@given(messages(3), RULES)
def test_an_account_ends_with_the_target_in_any_sequence_of_updates(
    updates: list[OrderUpdate], rule: EarningRule
) -> None:
    record = OrderRecord([(said, rule) for said in updates])
    target, approved = record.target, record.is_approved(NOW)
    for each in permutations(updates):
        account, order = Account("7001"), Order("901")
        for said in each:
            command = UpdateOrder("901", said, rule, Never())
            decision = decide(State(account, order), command, NOW)
            assert isinstance(decision, Decision)
            account, order = decision.account, decision.order or order
        assert (order.pending_points, order.approved_points) == (
            (0, target) if approved else (target, 0)
        )
        assert (account.figures.pending, account.figures.approved) == (
            order.pending_points,
            order.approved_points,
        )


@given(messages(3), st.sampled_from(ReturnSpent), st.integers(1, 50), st.integers(0, 60))
def test_an_account_ends_with_the_same_spent_points_in_any_sequence_of_updates(
    updates: list[OrderUpdate], rule: ReturnSpent, points: int, there: int
) -> None:
    """Every message once more at the end, and points that were spent before any or after the first.

    Nothing is earned, so that only what was spent moves.
    """
    worthless = EarningRule(1, multiplier_percent=0)
    record = OrderRecord([(said, worthless) for said in updates])
    returned = record.comes_back(Spent("till", [], points, rule))
    for spent_first in (True, False):
        for each in permutations(updates):
            account, order = Account("7001"), Order("901")
            commands = [UpdateOrder("901", said, worthless, Never()) for said in (*each, *each)]
            spend = SpendOnOrder(points, "901", "till", None, rule)
            back = ReturnSpending("901", "till", Never())
            steps: list[UpdateOrder | ReturnSpending | SpendOnOrder] = []
            for update in commands:
                steps += [update, back]
            steps.insert(0 if spent_first else 1, spend)
            if there:
                account = _decided(State(account), Grant(there, Never())).account
            for step in [*steps, back]:
                decision = _decided(State(account, order), step)
                account, order = decision.account, decision.order or order
            assert order.spendings[0].returned_points == returned
            assert account.figures.spent == points - returned
            assert account.figures.approved == there - points + returned


def _decided(state: State, command: Command) -> Decision:
    decision = decide(state, command, NOW)
    assert isinstance(decision, Decision), decision
    return decision


@given(messages(3), st.permutations([1, 2, 3]))
def test_of_states_within_one_second_the_one_sent_last_counts(
    updates: list[OrderUpdate], order: list[int]
) -> None:
    """Whatever the goods are: not the smaller ones."""
    states = {at: OrderUpdate(NOW, Goods(at), triggered_at=NOW + at * MILLISECOND) for at in order}
    older = [replace(said, updated_at=NOW - DAY, refunds=(), cancelled=False) for said in updates]
    unsaid = OrderUpdate(NOW, Goods(0))
    latest = merged([*older, *(states[at] for at in order), unsaid], EarningRule(1))
    assert (latest.goods, latest.triggered_at) == (Goods(3), NOW + 3 * MILLISECOND)


@given(goods_of(), RULES, REFUNDS, st.booleans())
def test_a_refund_never_raises_what_remains(
    goods: Goods, rule: EarningRule, refunds: tuple[Refund, ...], included: bool
) -> None:
    targets = [
        bought(goods, rule, *refunds[:count], included=included).target_points
        for count in range(len(refunds) + 1)
    ]
    assert targets == sorted(targets, reverse=True)
    assert targets[-1] >= 0
    assert targets[0] in (0, earned(rule, earning_money(rule, goods, included=included)))


@given(goods_of(), RULES, st.booleans(), st.lists(st.integers(0, 5_000), max_size=3))
def test_when_all_that_was_paid_is_paid_back_nothing_remains(
    goods: Goods, rule: EarningRule, included: bool, cuts: list[int]
) -> None:
    """Exactly nothing, however it is rounded and in how many parts it is paid back."""
    paid = goods.priced_minor + (0 if included else goods.tax_minor)
    marks = [0, *sorted(min(cut, paid) for cut in cuts), paid]
    refunds = [
        Refund(f"r{at}", money_minor=marks[at + 1] - marks[at]) for at in range(len(marks) - 1)
    ]
    assert bought(goods, rule, *refunds, included=included).target_points == 0


@given(goods_of(), goods_of(500), RULES, st.booleans(), st.integers(0, 4))
def test_money_for_goods_that_are_gone_takes_nothing_more(
    goods: Goods, gone: Goods, rule: EarningRule, included: bool, parts: int
) -> None:
    """Paid back later, at once or in parts, with or without a refund that names the goods."""
    expected = bought(goods, rule, Refund("r0", gone), included=included).target_points
    price = gone.priced_minor + (0 if included else gone.tax_minor)
    shares = [price // parts] * parts if parts else []
    later = [Refund(f"r{at + 1}", money_minor=share) for at, share in enumerate(shares)]
    recorded = [Refund("r0", gone, None), *later]
    assert bought(goods, rule, *recorded, included=included).target_points == expected
    edited = OrderUpdate(NOW, goods, gone, included, refunds=tuple(later))
    expected = bought(goods, rule, included=included).target_points
    assert merged([edited], rule).target_points == expected
    returned = OrderUpdate(refunds=(Refund("r0", gone, None, NOW),))
    for each in ([edited, returned], [returned, edited]):
        assert merged(each, rule).target_points == expected


@given(st.lists(goods_of(), max_size=3), st.lists(goods_of(), max_size=3), RULES, st.booleans())
def test_goods_that_came_back_leave_what_the_others_earn(
    kept: list[Goods], returned: list[Goods], rule: EarningRule, included: bool
) -> None:
    """As if they had never been bought, where there is no minimum."""
    if kept:
        rule = replace(rule, minimum_minor=0)
    refunds = [Refund(f"r{at}", line) for at, line in enumerate(returned)]
    left = bought(_together(kept), rule, included=included).target_points
    whole = _together([*kept, *returned])
    assert bought(whole, rule, *refunds, included=included).target_points == left


@given(goods_of(), RULES, REFUNDS)
def test_the_same_sale_earns_the_same_with_its_tax_in_the_price_or_on_top(
    goods: Goods, rule: EarningRule, refunds: tuple[Refund, ...]
) -> None:
    on_top = bought(goods, rule, *refunds, included=False)
    inside = bought(
        _tax_in_price(goods),
        rule,
        *(replace(refund, goods=_tax_in_price(refund.goods)) for refund in refunds),
    )
    assert on_top.target_points == inside.target_points


@given(goods_of(), RULES, st.sampled_from([-MILLISECOND, timedelta(), MILLISECOND]))
def test_points_are_pending_until_the_very_instant_at_which_they_are_approved(
    goods: Goods, rule: EarningRule, offset: timedelta
) -> None:
    """First seen just now; then looked at again without an update, around that instant."""
    updates = OrderUpdate(NOW, goods, confirmed_at=NOW)
    decision = decide(State(Account("7001")), UpdateOrder("901", updates, rule, Never()), NOW)
    assert isinstance(decision, Decision)
    assert decision.order is not None
    target = decision.order.target_points
    approved_at_once = rule.pending_days == 0
    assert decision.account.figures.pending == (0 if approved_at_once else target)
    assert decision.order.due_at == (None if approved_at_once or not target else _approval(rule))
    instant = _approval(rule) + offset
    state = State(decision.account, decision.order)
    again = decide(state, UpdateOrder("901", OrderUpdate(), rule, Never()), instant)
    assert isinstance(again, Decision)
    is_approved = approved_at_once or offset >= timedelta()
    expected = (0, target) if is_approved else (target, 0)
    assert (again.account.figures.pending, again.account.figures.approved) == expected


def _approval(rule: EarningRule) -> datetime:
    return NOW + rule.pending_days * DAY


def _tax_in_price(goods: Goods) -> Goods:
    return replace(
        goods,
        priced_minor=goods.priced_minor + goods.tax_minor,
        gift_card_minor=goods.gift_card_minor + goods.gift_card_tax_minor,
    )


def _together(lines: list[Goods]) -> Goods:
    return Goods(
        sum(line.priced_minor for line in lines),
        sum(line.tax_minor for line in lines),
        sum(line.gift_card_minor for line in lines),
        sum(line.gift_card_tax_minor for line in lines),
    )
