"""How often Flow changes one customer's points within an hour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account, HourlyCount
from pointbook.domain.decide import decide
from pointbook.domain.programme import default_programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State
from tests.support.domain import IN_30_DAYS, MILLISECOND, NOW, SECOND, account, done, refused

DEFAULTS = default_programme().flow_entries_per_hour
HOUR_ENDS = datetime(2027, 3, 10, 4, 0, tzinfo=UTC)
"""The first instant of the next hour."""

TWO = 2


def consumed(before: Account, times: int, now: datetime = NOW, most: int | None = TWO) -> Account:
    """After so many consumes of one point."""
    for _ in range(times):
        before = done(before, c.Consume(1, flow_per_hour=most), now).account
    return before


def test_within_an_hour_so_many_are_taken_and_no_more() -> None:
    after = consumed(account((1000, 20)), 2)
    assert refused(after, c.Consume(1, flow_per_hour=TWO)) is Code.LOOP_REFUSED
    assert refused(after, c.Grant(1, IN_30_DAYS, flow_per_hour=TWO)) is Code.LOOP_REFUSED


def test_the_refusal_says_how_often_and_what_to_look_for() -> None:
    after = consumed(account((5000, 20)), 1000, most=1000)
    refusal = decide(State(after), c.Consume(1, flow_per_hour=1000), NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.message == (
        "Workflows have changed this customer's points 1,000 times within an hour:"
        " look for two that start each other."
    )


def test_the_next_hour_begins_anew_at_its_first_instant() -> None:
    after = consumed(account((1000, 20)), 2)
    last = HOUR_ENDS - MILLISECOND
    assert refused(after, c.Consume(1, flow_per_hour=TWO), last) is Code.LOOP_REFUSED
    later = consumed(after, 2, HOUR_ENDS)
    assert later.flow_count == HourlyCount(hour=int(HOUR_ENDS.timestamp()) // 3600, commands=2)
    assert refused(later, c.Consume(1, flow_per_hour=TWO), HOUR_ENDS) is Code.LOOP_REFUSED


def test_a_hundred_consumes_within_seconds_are_not_cut_by_default() -> None:
    assert DEFAULTS == 500
    after = account((1000, 20))
    for number in range(100):
        now = NOW + number * SECOND / 10
        after = done(after, c.Consume(1, flow_per_hour=DEFAULTS), now).account
    assert after.balances.spent == 100


def test_what_is_refused_for_want_of_points_does_not_count() -> None:
    before = consumed(account((10, 20)), 1)
    for _ in range(5):
        assert refused(before, c.Consume(11, flow_per_hour=TWO)) is Code.INSUFFICIENT_POINTS
    assert before.flow_count is not None
    assert before.flow_count.commands == 1


@pytest.mark.parametrize(
    "command",
    [
        c.Grant(1, IN_30_DAYS),
        c.Consume(1),
        c.Remove(1),
        c.SpendOnOrder(1, "o1", "till"),
        c.Settle(),
    ],
)
def test_what_flow_did_not_ask_for_is_never_cut_and_does_not_count(command: c.Command) -> None:
    full = consumed(account((1000, 20)), 2)
    assert done(full, command).account.flow_count == full.flow_count


def test_a_clock_that_was_behind_does_not_begin_an_hour_twice() -> None:
    """Time never runs backwards for an account: the hour is that of its latest write."""
    full = consumed(account((1000, 20), now=HOUR_ENDS), 2, HOUR_ENDS)
    early = NOW - timedelta(hours=1)
    assert refused(full, c.Consume(1, flow_per_hour=TWO), early) is Code.LOOP_REFUSED


def test_a_lower_limit_holds_at_once() -> None:
    before = replace(account((1000, 20)), flow_count=HourlyCount(int(NOW.timestamp()) // 3600, 400))
    assert refused(before, c.Consume(1, flow_per_hour=300)) is Code.LOOP_REFUSED
    assert done(before, c.Consume(1, flow_per_hour=500)).account.flow_count is not None
