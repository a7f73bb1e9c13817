"""Points of an order stay pending for the days of the programme, counted from its confirmation."""

from datetime import datetime, timedelta

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.decision import Decision
from pointbook.domain.orders import EarningRule, Goods, Order, OrderUpdate, Refund
from pointbook.domain.state import State
from tests.support.domain import IN_30_DAYS, NOW, done, order_of, topics

DAY = timedelta(days=1)
TWO_DAYS = EarningRule(unit_minor=100, pending_days=2)
CONFIRMED = OrderUpdate(NOW, Goods(1000), confirmed_at=NOW)
NO_UPDATE = OrderUpdate()
EMPTY = Account("1001")


def merge(
    before: Account,
    order: Order,
    update: OrderUpdate,
    now: datetime = NOW,
    rule: EarningRule = TWO_DAYS,
) -> Decision:
    return done(State(before, order), c.UpdateOrder("o1", update, rule, IN_30_DAYS), now)


def promised() -> tuple[Account, Order]:
    """An order confirmed now, with 10 points that are pending for two days."""
    decision = merge(EMPTY, Order("o1"), CONFIRMED)
    return decision.account, order_of(decision)


def test_a_confirmed_order_waits_for_its_days() -> None:
    account, order = promised()
    assert (account.figures.pending, account.figures.approved) == (10, 0)
    assert order.approves_at == order.due_at == NOW + 2 * DAY


def test_approved_points_last_from_the_day_on_which_they_are_approved() -> None:
    account, order = promised()
    decision = merge(account, order, NO_UPDATE, NOW + 2 * DAY)
    assert topics(decision.entries) == ["points/add/order"]
    assert [lot.valid_through.day for lot in decision.account.lots] == [11]  # 12 March and 30 days
    assert order_of(decision).due_at is None
    again = merge(decision.account, order_of(decision), NO_UPDATE, NOW + 3 * DAY)
    assert (again.entries, again.order) == ((), None)


def test_the_earliest_confirmation_counts_in_whatever_order_they_come() -> None:
    earlier = OrderUpdate(confirmed_at=NOW - DAY)
    for updates in ((CONFIRMED, earlier), (earlier, CONFIRMED)):
        order = Order("o1")
        for said in updates:
            order = order.merged_with(said, TWO_DAYS)
        assert (order.confirmed_at, order.approves_at) == (NOW - DAY, NOW + DAY)


def test_an_order_that_is_not_confirmed_is_never_due() -> None:
    order = order_of(merge(EMPTY, Order("o1"), OrderUpdate(NOW, Goods(1000))))
    assert (order.pending_points, order.approves_at, order.due_at) == (10, None, None)
    confirmed = Order("o1").merged_with(OrderUpdate(confirmed_at=NOW), TWO_DAYS)
    assert (confirmed.approves_at, confirmed.due_at) == (None, None)


def test_a_refund_while_points_are_pending_takes_them_from_there() -> None:
    account, order = promised()
    decision = merge(account, order, OrderUpdate(refunds=(Refund("r1", Goods(400)),)))
    assert topics(decision.entries) == ["points/pending/cancel"]
    assert order_of(decision).due_at == NOW + 2 * DAY
    later = merge(decision.account, order_of(decision), NO_UPDATE, NOW + 2 * DAY)
    assert later.account.figures.approved == 6


def test_nothing_is_due_of_an_order_that_lost_all_its_points() -> None:
    account, order = promised()
    gone = merge(account, order, OrderUpdate(cancelled=True))
    assert order_of(gone).due_at is None


def test_what_an_order_earns_later_is_approved_at_once_when_the_days_are_over() -> None:
    account, order = promised()
    updates = OrderUpdate(NOW + 2 * DAY, Goods(1500))
    decision = merge(account, order, updates, NOW + 2 * DAY)
    assert topics(decision.entries) == ["points/add/order", "points/add/order"]
    assert decision.account.figures.approved == 15


def test_an_account_that_has_seen_a_later_time_approves_by_it() -> None:
    account, order = promised()
    account = done(account, c.Grant(1, IN_30_DAYS), NOW + 2 * DAY).account
    assert merge(account, order, NO_UPDATE, NOW).account.figures.approved == 11
    assert account.figures.approved == 1
