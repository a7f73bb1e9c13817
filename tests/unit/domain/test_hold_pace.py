"""How many holds one customer takes within an hour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account, HourlyCount
from pointbook.domain.decide import decide
from pointbook.domain.programme import default_programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State
from tests.support.domain import MILLISECOND, NOW, SECOND, account, done, refused

HOUR = int(NOW.timestamp()) // 3600
HOUR_ENDS = datetime(2027, 3, 10, 4, 0, tzinfo=UTC)
"""The first instant of the next hour."""


def a_hold(number: int, most: int | None = 2) -> c.PlaceHold:
    return c.PlaceHold(1, f"h{number}", 1, holds_per_hour=most)


def held(before: Account, times: int, now: datetime = NOW, most: int | None = 2) -> Account:
    """After so many holds of one point, each over after a second."""
    for number in range(times):
        before = done(before, a_hold(number, most), now + 2 * number * SECOND).account
    return before


def test_within_an_hour_so_many_holds_are_taken_and_no_more() -> None:
    after = held(account((100, 20)), 2)
    assert refused(after, a_hold(9), HOUR_ENDS - MILLISECOND) is Code.RATE_LIMITED
    assert done(after, a_hold(9), HOUR_ENDS).account.hold_count == HourlyCount(HOUR + 1, 1)


@pytest.mark.parametrize(
    ("before_the_end", "seconds"),
    [(timedelta(hours=1) - 4 * SECOND, 3596), (SECOND, 1), (MILLISECOND, 1), (1.5 * SECOND, 2)],
)
def test_the_refusal_says_after_how_many_seconds_the_hour_is_over(
    before_the_end: timedelta, seconds: int
) -> None:
    now = HOUR_ENDS - before_the_end
    refusal = decide(State(held(account((100, 20)), 2)), a_hold(9), now)
    assert isinstance(refusal, Refusal)
    assert refusal.retry_after_seconds == seconds
    later = done(held(account((100, 20)), 2), a_hold(9), now + seconds * SECOND)
    assert later.account.hold is not None


def test_a_hold_that_is_refused_does_not_count() -> None:
    before = held(account((100, 20)), 1)
    assert refused(before, c.PlaceHold(101, "h9", 60, holds_per_hour=2)) is Code.HOLD_OPEN
    later = NOW + 60 * SECOND
    assert refused(before, c.PlaceHold(101, "h9", 60, holds_per_hour=2), later) is (
        Code.INSUFFICIENT_POINTS
    )
    assert done(before, a_hold(9), later).account.hold_count == HourlyCount(HOUR, 2)


@pytest.mark.parametrize("step", [c.MarkReady, c.BeginRelease, c.UndoHold])
def test_what_becomes_of_a_hold_does_not_count(step: type) -> None:
    before = held(account((100, 20)), 2)
    assert done(before, step("h1"), NOW + 2 * SECOND).account.hold_count == before.hold_count


def test_holds_and_what_flow_does_are_counted_apart() -> None:
    full = held(account((100, 20)), 2)
    later = NOW + 60 * SECOND
    after = done(full, c.Consume(1, flow_per_hour=1), later).account
    assert (after.hold_count, after.flow_count) == (HourlyCount(HOUR, 2), HourlyCount(HOUR, 1))
    assert refused(after, a_hold(9), later) is Code.RATE_LIMITED


def test_without_a_limit_nothing_is_counted() -> None:
    assert held(account((100, 20)), 50, most=None).hold_count is None


def test_no_customer_who_tries_again_now_and_then_meets_the_usual_limit() -> None:
    usual = default_programme().holds_per_hour
    assert usual == 20
    assert held(account((100, 20)), 20, most=usual).hold_count == HourlyCount(HOUR, 20)


def test_a_clock_that_is_behind_does_not_begin_an_hour_anew() -> None:
    full = replace(account((100, 20), now=HOUR_ENDS), hold_count=HourlyCount(HOUR + 1, 2))
    assert refused(full, a_hold(9), NOW - timedelta(hours=2)) is Code.RATE_LIMITED
