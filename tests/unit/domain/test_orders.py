"""What must remain of an order's points, in whatever sequence its updates arrive."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.lots import Lot
from pointbook.domain.orders import (
    DebtPolicy,
    EarningRule,
    Goods,
    Order,
    OrderUpdate,
    Refund,
    Spending,
)
from pointbook.domain.refusal import Code
from pointbook.domain.state import State
from tests.support.domain import (
    IN_30_DAYS,
    NOW,
    SECOND,
    TODAY,
    account,
    after,
    day,
    done,
    hold,
    lots,
    order_of,
    promised,
    refused,
    through,
    topics,
)

ONE_PERCENT = EarningRule(unit_minor=100)
EMPTY = Account("1001")


def update(priced_minor: int, seconds: int = 0, **more: object) -> OrderUpdate:
    """An update of the order's goods as of so many seconds after now."""
    said = OrderUpdate(updated_at=NOW + seconds * SECOND, goods=Goods(priced_minor))
    return replace(said, **more)  # type: ignore[arg-type]


def refund(refund_id: str, priced_minor: int) -> OrderUpdate:
    return OrderUpdate(refunds=(Refund(refund_id, Goods(priced_minor)),))


CANCELLED = OrderUpdate(cancelled=True)
CONFIRMED = OrderUpdate(confirmed_at=NOW)


def merge(
    before: Account, order: Order, said: OrderUpdate, rule: EarningRule = ONE_PERCENT
) -> Decision:
    return done(State(before, order), c.UpdateOrder("o1", said, rule, IN_30_DAYS))


def after_all(
    before: Account, messages: Iterable[OrderUpdate], rule: EarningRule = ONE_PERCENT
) -> tuple[Account, Order]:
    """The account and the order after all of these messages."""
    order = Order("o1")
    for said in messages:
        decision = merge(before, order, said, rule)
        before, order = decision.account, decision.order or order
    return before, order


# --- updates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "points"), [(-1, 10), (0, 10), (1, 20)])
def test_the_newest_goods_win_and_of_equally_new_ones_the_smaller(
    seconds: int, points: int
) -> None:
    for messages in permutations([update(1000, 0), update(2000, seconds)]):
        _, order = after_all(EMPTY, messages)
        assert order.target_points == order.pending_points == points


EQUALLY_NEW = [
    [
        update(1000),
        update(1000, removed=Goods(500)),
        OrderUpdate(refunds=(Refund("r2", Goods(0), 500),)),
    ],
    [
        update(1000),
        OrderUpdate(refunds=(Refund("r1", Goods(500), None),)),
        OrderUpdate(refunds=(Refund("r1", Goods(500), 0),)),
        OrderUpdate(refunds=(Refund("r2", Goods(0), 500),)),
    ],
]


@pytest.mark.parametrize("said", EQUALLY_NEW)
def test_of_equally_new_updates_the_same_counts_whichever_came_first(
    said: list[OrderUpdate],
) -> None:
    found = {after_all(EMPTY, messages)[1].target_points for messages in permutations(said)}
    assert len(found) == 1


@pytest.mark.parametrize("said", [OrderUpdate(goods=Goods(1000)), OrderUpdate(updated_at=NOW)])
def test_goods_without_their_time_or_a_time_without_goods_say_nothing(said: OrderUpdate) -> None:
    after, order = after_all(EMPTY, [said])
    assert (order.goods, order.target_points, after.version) == (None, 0, 0)


def test_pieces_that_are_missing_before_their_refund_is_listed_are_taken_back_once() -> None:
    """As when a return is received first and refunded later, in whatever sequence that arrives."""
    created, paid_back = update(2000, confirmed_at=NOW), Refund("r1", Goods(1000))
    received = update(1000, 1, removed=Goods(1000))
    alone = OrderUpdate(refunds=(replace(paid_back, reported_at=NOW + 2 * SECOND),))
    listed = update(2000, 2, refunds=(replace(paid_back, reported_at=NOW + 2 * SECOND),))
    for messages in permutations([created, received, alone, listed]):
        before, order = EMPTY, Order("o1")
        for said in messages:
            decision = merge(before, order, said)
            before, order = decision.account, decision.order or order
            assert order.goods is None or 10 <= before.figures.total <= 20
        assert before.figures.approved == 10
        assert before.figures.lifetime <= 20


def test_an_update_that_says_nothing_new_writes_nothing() -> None:
    before, order = after_all(EMPTY, [update(1000, confirmed_at=NOW), refund("r1", 100)])
    again = merge(
        before, order, update(1000, confirmed_at=NOW, refunds=(Refund("r1", Goods(100)),))
    )
    assert (again.entries, again.order) == ((), None)
    assert not again.changes(before)


def test_what_an_order_earns_is_pending_until_it_is_confirmed() -> None:
    before, order = after_all(EMPTY, [update(1000)])
    assert (before.figures.pending, before.figures.approved) == (10, 0)
    decision = merge(before, order, CONFIRMED)
    assert topics(decision.entries) == ["points/add/order"]
    assert decision.account.figures == (10, 0, 10, 10, 0, 0)
    assert order_of(decision).grant_lots == (Lot(TODAY + timedelta(days=30), 10),)


def test_a_confirmed_order_earns_at_once() -> None:
    decision = merge(EMPTY, Order("o1"), update(1000, confirmed_at=NOW))
    assert topics(decision.entries) == ["points/add/order"]
    assert order_of(decision).customer_id == "1001"


def test_an_order_goes_on_earning_by_its_first_rule() -> None:
    before, order = after_all(EMPTY, [update(1000)])
    double = EarningRule(100, 2, programme_version=2)
    decision = merge(before, order, update(2000, 1), double)
    assert order_of(decision).target_points == 20
    assert order_of(decision).rule == ONE_PERCENT


def test_a_refund_is_identified_by_its_id_and_counted_once() -> None:
    """Also where one message names it twice."""
    twice = OrderUpdate(refunds=(Refund("r1", Goods(300)),) * 2)
    _, order = after_all(EMPTY, [update(1000), twice, refund("r1", 300), refund("r2", 200)])
    assert order.pending_points == 5


@pytest.mark.parametrize(("seconds", "left"), [(-1, 7), (0, 5), (1, 5)])
def test_what_is_newest_of_a_refund_wins_and_of_equally_new_what_took_more(
    seconds: int, left: int
) -> None:
    """Whichever comes first."""
    less = Refund("r1", money_minor=300, reported_at=NOW)
    more = Refund("r1", money_minor=500, reported_at=NOW + seconds * SECOND)
    for messages in permutations(
        [update(1000), *(OrderUpdate(refunds=(one,)) for one in (less, more))]
    ):
        assert after_all(EMPTY, messages)[1].pending_points == left


def test_a_refund_whose_money_did_not_arrive_takes_nothing_in_the_end() -> None:
    on_its_way = OrderUpdate(refunds=(Refund("r1", money_minor=300, reported_at=NOW),))
    failed = OrderUpdate(refunds=(Refund("r1", money_minor=None, reported_at=NOW + SECOND),))
    for messages in permutations([update(1000, confirmed_at=NOW), on_its_way, failed]):
        after, order = after_all(EMPTY, messages)
        assert order.approved_points == after.figures.approved == 10


@pytest.mark.parametrize(("third", "left"), [(399, 1), (400, 0), (401, 0), (9999, 0)])
def test_partial_refunds_never_take_more_than_was_granted(third: int, left: int) -> None:
    messages = [update(1000, confirmed_at=NOW), refund("r1", 300), refund("r2", 200)]
    after, order = after_all(EMPTY, [*messages, refund("r3", third + 1)])
    assert order.approved_points == after.figures.approved == left
    assert after.balances.reversed == 10 - left


MESSAGES = [
    update(1000, 0),
    update(1200, 1, confirmed_at=NOW),
    refund("r1", 300),
    replace(refund("r2", 100), updated_at=NOW + 2 * SECOND, goods=Goods(1100)),
]


@pytest.mark.parametrize("more", [(), (CANCELLED,)])
def test_updates_lead_to_the_same_points_in_any_sequence(
    more: tuple[OrderUpdate, ...],
) -> None:
    ends = set()
    for messages in permutations([*MESSAGES, *more, MESSAGES[2]]):
        after, order = after_all(account((50, 31)), messages)
        figures = after.figures
        facts = replace(order, refunds=tuple(sorted(order.refunds, key=lambda r: r.refund_id)))
        ends.add(
            (
                figures.approved,
                figures.pending,
                figures.total,
                figures.spent,
                figures.hold,
                after.lots,
                replace(facts, rule=None),
            )
        )
    ((approved, pending, *_),) = ends
    assert (approved, pending) == (50 if more else 57, 0)


@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_cancelled_order_keeps_no_points_whenever_it_was_cancelled(when: int) -> None:
    messages = [update(1000), CONFIRMED]
    messages.insert(when, CANCELLED)
    after, order = after_all(EMPTY, messages)
    assert after.figures.total == order.pending_points == order.approved_points == 0


def test_pending_points_are_taken_back_before_approved_ones() -> None:
    order = Order("o1", "1001", 0, NOW, Goods(1000), rule=ONE_PERCENT)
    order = replace(order, pending_points=4, approved_points=6)
    order = replace(order, grant_lots=(Lot(day(20), 2), Lot(day(25), 4)))
    before = promised(account((2, 20), (4, 25), (9, 15)), 4).account
    decision = merge(before, order, refund("r1", 700))
    assert topics(decision.entries) == ["points/pending/cancel", "points/sub/refund"]
    assert [entry.points for entry in decision.entries] == [4, 3]
    assert lots(decision.account.lots) == {15: 9, 25: 3}
    assert lots(order_of(decision).grant_lots) == {25: 3}


@pytest.mark.parametrize(("policy", "approved"), [(DebtPolicy.CARRY, -10), (DebtPolicy.CLAMP, 0)])
def test_a_refund_of_spent_points_follows_the_debt_policy_under_which_they_were_granted(
    policy: DebtPolicy, approved: int
) -> None:
    rule = replace(ONE_PERCENT, debt_policy=policy)
    before, order = after_all(EMPTY, [update(1000, confirmed_at=NOW)], rule)
    before = done(before, c.Consume(10)).account
    for later in DebtPolicy:
        decision = merge(before, order, CANCELLED, replace(ONE_PERCENT, debt_policy=later))
        assert decision.account.figures.approved == approved
        assert order_of(decision).current_points == 0


def test_points_that_a_refund_let_go_are_not_granted_again_when_it_fails() -> None:
    """They never left, so what takes the order up again gives them a second time."""
    clamp = replace(ONE_PERCENT, debt_policy=DebtPolicy.CLAMP)
    before, order = after_all(EMPTY, [update(1000, confirmed_at=NOW)], clamp)
    before = done(before, c.Consume(8)).account
    for said, approved, standing in (
        (refund("r1", 1000), 0, 0),
        (update(1500, 1), 0, 5),
        (update(2200, 2), 4, 12),
        (CANCELLED, 0, 0),
    ):
        decision = merge(before, order, said)
        before, order = decision.account, order_of(decision)
        assert (before.figures.approved, order.current_points) == (approved, standing)
    assert (before.figures.lifetime, order.approved_points, order.waived_points) == (14, 8, 8)


def test_an_update_is_refused_where_the_promised_points_have_left_pending() -> None:
    _, order = after_all(EMPTY, [update(1000)])
    other = State(promised(EMPTY, 9).account, order)
    for said in (CONFIRMED, CANCELLED, update(2000, 1)):
        command = c.UpdateOrder("o1", said, ONE_PERCENT, IN_30_DAYS)
        assert refused(other, command) is Code.NOT_PENDING


def test_an_order_of_another_customer_moves_no_points_of_this_one() -> None:
    _, order = after_all(EMPTY, [update(1000)])
    theirs = replace(order, customer_id="1002", pending_points=0)
    confirm = c.UpdateOrder("o1", CONFIRMED, ONE_PERCENT, IN_30_DAYS)
    for command in (confirm, c.SpendOnOrder(1, "o1", "till")):
        assert refused(State(account((5, 20)), theirs), command) is Code.NOT_THE_OWNER


def test_an_order_of_whoever_was_merged_into_this_customer_is_theirs() -> None:
    order = Order("o1", customer_id="1002")
    merged = replace(EMPTY, merged_from=("1003", "1002"))
    for state in (State(merged, order), State(EMPTY, order, customer_id="1002")):
        decision = done(state, c.UpdateOrder("o1", update(1000), ONE_PERCENT, IN_30_DAYS))
        assert decision.account.figures.pending == 10
        assert order_of(decision).customer_id == "1002"


def test_an_update_is_refused_where_the_order_has_come_to_need_a_rule() -> None:
    bought = Order("o1", updated_at=NOW, goods=Goods(1000))
    command = c.UpdateOrder("o1", CONFIRMED, None, IN_30_DAYS, needs_rule=True)
    assert refused(State(EMPTY, bought), command) is Code.RULE_MISSING
    assert done(State(EMPTY, replace(bought, rule=ONE_PERCENT)), command).account.version == 1
    assert done(State(EMPTY), command).account.version == 0, "without goods no rule is needed"


# --- points spent on it --------------------------------------------------------------------------


def spent_order(*, cancelled: bool = True) -> tuple[Account, Order]:
    """An order that spent a hold of 7: 4 valid through 20 March, 3 through 25."""
    held, record = hold(account((4, 20), (6, 25)), 7)
    decision = done(State(held, hold_record=record), c.CaptureHold(7, "h1", "o1"))
    return decision.account, replace(order_of(decision), cancelled=cancelled)


def give_back(hold_id: str = "h1") -> c.ReturnSpending:
    return c.ReturnSpending("o1", hold_id, through(30))


def test_a_cancelled_order_gives_spent_points_back_into_the_same_lots_once() -> None:
    before, order = spent_order()
    decision = done(State(before, order), give_back())
    assert topics(decision.entries) == ["points/add/refund"]
    assert lots(decision.account.lots) == {20: 4, 25: 6}
    assert order_of(decision).spendings[0].returned_points == 7
    again = done(after(decision), give_back())
    assert (again.entries, again.order) == ((), None)


@pytest.mark.parametrize("hold_id", ["h1", "h2"])
def test_only_what_a_cancelled_order_spent_comes_back(hold_id: str) -> None:
    before, order = spent_order(cancelled=hold_id != "h1")
    assert done(State(before, order), give_back(hold_id)).entries == ()


def test_each_hold_that_an_order_spent_comes_back_by_itself() -> None:
    before, order = spent_order()
    other = Spending("h0", "1001", 1, (), returned_points=1)
    order = replace(order, spendings=(other, *order.spendings))
    decision = done(State(before, order), give_back())
    assert decision.account.figures.approved == 10
    assert [s.returned_points for s in order_of(decision).spendings] == [1, 7]


def test_points_that_were_a_debt_come_back_on_a_new_day() -> None:
    before, order = spent_order()
    order = replace(order, spendings=(replace(order.spendings[0], lots=(Lot(day(20), 4),)),))
    assert lots(done(State(before, order), give_back()).account.lots) == {20: 4, 25: 3, 30: 3}


def test_no_more_comes_back_than_the_account_has_spent() -> None:
    _, order = spent_order()
    less = done(account((9, 20)), c.Consume(6)).account
    assert refused(State(less, order), give_back()) is Code.NOT_SPENT


def test_what_another_customer_spent_does_not_come_back_to_this_one() -> None:
    before, order = spent_order()
    theirs = replace(order.spendings[0], customer_id="1002")
    state = State(before, replace(order, spendings=(theirs,)))
    assert refused(state, give_back()) is Code.NOT_THE_OWNER


def test_deciding_changes_neither_the_account_nor_the_order() -> None:
    before, order = spent_order()
    state = State(before, order)
    assert decide(state, give_back(), NOW) == decide(state, give_back(), NOW)
    assert order.spendings[0].returned_points == 0
