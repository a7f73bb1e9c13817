"""Points that an order used at a till: gone once, whether they were there or not."""

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account
from pointbook.domain.expiry import Days, Rolling
from pointbook.domain.order_points import ALARM_SPENT_WITHOUT_POINTS
from tests.support.domain import (
    account,
    after,
    done,
    hold,
    in_debt,
    lots,
    order_of,
)


def spend(points: int, spending_id: str = "till", renew: Rolling | None = None) -> c.SpendOnOrder:
    return c.SpendOnOrder(points, "o1", spending_id, renew)


def test_points_used_at_a_till_are_spent_the_soonest_to_expire_first() -> None:
    decision = done(account((4, 25), (3, 20)), spend(5))
    (entry,) = decision.entries
    assert (entry.topic, entry.about) == ("points/sub/order", "o1")
    assert dict(entry.moves) == {"approved": -5, "spent": 5}
    assert decision.alarms == ()
    assert lots(decision.account.lots) == {25: 2}
    (spending,) = order_of(decision).spendings
    assert (spending.spending_id, spending.customer_id, spending.points) == ("till", "1001", 5)
    assert lots(spending.lots) == {20: 3, 25: 2}


def test_points_are_spent_once_under_one_id() -> None:
    first = done(account((9, 20)), spend(5))
    again = done(after(first), spend(5))
    assert (again.entries, again.order, again.alarms) == ((), None, ())
    more = done(after(first), spend(2, "till-2"))
    assert more.account.figures.spent == 7
    assert [s.spending_id for s in order_of(more).spendings] == ["till", "till-2"]


@pytest.mark.parametrize(("there", "alarmed"), [(6, False), (5, False), (4, True), (0, True)])
def test_points_that_were_not_there_become_a_debt_with_an_alarm(there: int, alarmed: bool) -> None:
    decision = done(account((there, 20)) if there else Account("1001"), spend(5))
    assert decision.account.figures.approved == there - 5
    assert decision.account.figures.spent == 5
    assert decision.alarms == ((ALARM_SPENT_WITHOUT_POINTS,) if alarmed else ())


def test_a_debt_grows_by_what_is_spent_in_spite_of_it() -> None:
    decision = done(in_debt(3), spend(5))
    assert decision.account.debt == 8
    assert order_of(decision).spendings[0].lots == ()


def test_held_points_are_not_there_for_a_till() -> None:
    held, _ = hold(account((5, 20)), 4)
    decision = done(held, spend(2))
    assert (decision.account.figures.hold, decision.account.debt) == (4, 1)


def test_spending_at_a_till_is_an_activity_that_renews_the_rest() -> None:
    decision = done(account((4, 20)), spend(1, renew=Rolling(Days(18))))
    assert lots(decision.account.lots) == {28: 3}
