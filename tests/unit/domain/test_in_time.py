"""Points that somebody gives a last day by hand, and points that come without any activity."""

from datetime import timedelta

import pytest

from pointbook.domain.commands import Grant
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import (
    Days,
    ExpiryRule,
    FixedDate,
    Months,
    Never,
    Rolling,
    without_renewal,
)
from pointbook.domain.refusal import Code
from tests.support.domain import END_OF_TODAY, MILLISECOND, NOW, account, done, refused, through


def test_points_may_be_valid_through_today_and_not_through_yesterday() -> None:
    today = Grant(100, through(10), Topic.ADD_MANUAL, in_time=True)
    assert done(account(), today, END_OF_TODAY - MILLISECOND).account.figures.approved == 100
    assert refused(account(), today, END_OF_TODAY) is Code.DAY_PAST


def test_the_day_is_the_accounts_own_which_never_goes_back() -> None:
    seen = done(account(), Grant(1, Never()), END_OF_TODAY).account
    today = Grant(100, through(10), in_time=True)
    assert refused(seen, today, NOW - timedelta(days=5)) is Code.DAY_PAST


@pytest.mark.parametrize(
    ("rule", "rested"),
    [
        (Rolling(Months(12)), Months(12)),
        (Days(30), Days(30)),
        (Never(), Never()),
        (FixedDate(through(9).day), FixedDate(through(9).day)),
    ],
)
def test_points_that_come_without_activity_last_as_long_and_renew_nothing(
    rule: ExpiryRule, rested: ExpiryRule
) -> None:
    assert without_renewal(rule) == rested
