"""How often Flow changes a customer's points, and how many holds one takes, within a clock hour."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pointbook.domain import commands as c
from pointbook.domain.account import Account, HourlyCount
from pointbook.domain.decide import decide
from pointbook.domain.programme import default_programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.domain.state import State
from tests.support.domain import IN_30_DAYS, MILLISECOND, NOW, SECOND, account, done, refused

HOUR = int(NOW.timestamp()) // 3600
HOUR_ENDS = datetime(2027, 3, 10, 4, 0, tzinfo=UTC)
"""The first instant of the next hour."""

RICH = account((5000, 20))


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is counted: commands of so many points with a limit, so long apart."""

    command: Callable[..., c.Command]
    limit: str
    field: str
    code: Code
    apart: timedelta = timedelta()

    def one(self, most: int | None = 2, points: int = 1, hold_id: str = "h9") -> c.Command:
        more: dict[str, Any] = {self.limit: most}
        if self.field == "hold_count":
            more |= {"hold_id": hold_id, "seconds": 1}
        return self.command(points=points, **more)

    def times(
        self, before: Account, times: int, now: datetime = NOW, most: int | None = 2
    ) -> Account:
        """The account after so many."""
        for number in range(times):
            command = self.one(most, hold_id=f"h{number}")
            before = done(before, command, now + number * self.apart).account
        return before

    def pace(self, account: Account) -> HourlyCount | None:
        found: HourlyCount | None = getattr(account, self.field)
        return found


FLOW = Kind(c.Consume, "flow_per_hour", "flow_count", Code.LOOP_REFUSED)
HOLDS = Kind(c.PlaceHold, "holds_per_hour", "hold_count", Code.RATE_LIMITED, 2 * SECOND)
KINDS = pytest.mark.parametrize("kind", [FLOW, HOLDS], ids=["flow", "holds"])


@KINDS
def test_within_an_hour_so_many_are_taken_and_the_next_begins_at_its_first_instant(
    kind: Kind,
) -> None:
    after = kind.times(RICH, 2)
    assert refused(after, kind.one(), HOUR_ENDS - MILLISECOND) is kind.code
    later = kind.times(after, 2, HOUR_ENDS)
    assert kind.pace(later) == HourlyCount(HOUR + 1, 2)
    assert refused(later, kind.one(), HOUR_ENDS + 5 * SECOND) is kind.code


def test_grants_and_consumes_of_flow_are_counted_together() -> None:
    grant = c.Grant(1, IN_30_DAYS, flow_per_hour=2)
    assert refused(FLOW.times(RICH, 2), grant) is Code.LOOP_REFUSED


def test_the_refusal_of_flow_says_how_often_and_what_to_look_for() -> None:
    after = FLOW.times(RICH, 1000, most=1000)
    refusal = decide(State(after), FLOW.one(1000), NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.message == (
        "Workflows have changed this customer's points 1,000 times within an hour:"
        " look for two that start each other."
    )


@pytest.mark.parametrize(
    ("before_the_end", "seconds"),
    [(timedelta(hours=1) - 4 * SECOND, 3596), (SECOND, 1), (MILLISECOND, 1), (1.5 * SECOND, 2)],
)
def test_the_refusal_of_a_hold_says_after_how_many_seconds_the_hour_is_over(
    before_the_end: timedelta, seconds: int
) -> None:
    now, full = HOUR_ENDS - before_the_end, HOLDS.times(RICH, 2)
    refusal = decide(State(full), HOLDS.one(), now)
    assert isinstance(refusal, Refusal)
    assert refusal.retry_after_seconds == seconds
    assert done(full, HOLDS.one(), now + seconds * SECOND).account.hold is not None


@KINDS
def test_what_is_refused_for_want_of_points_does_not_count(kind: Kind) -> None:
    before, later = kind.times(RICH, 1), NOW + 60 * SECOND
    for _ in range(5):
        assert refused(before, kind.one(points=5001), later) is Code.INSUFFICIENT_POINTS
    assert kind.pace(done(before, kind.one(), later).account) == HourlyCount(HOUR, 2)


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
def test_what_flow_did_not_request_is_never_cut_and_does_not_count(command: c.Command) -> None:
    full = FLOW.times(RICH, 2)
    assert done(full, command).account.flow_count == full.flow_count


@pytest.mark.parametrize("step", [c.MarkReady, c.BeginRelease, c.UndoHold])
def test_what_becomes_of_a_hold_does_not_count(step: type) -> None:
    before = HOLDS.times(RICH, 2)
    assert refused(before, HOLDS.one(9), NOW + 2 * SECOND) is Code.HOLD_OPEN
    assert done(before, step("h1"), NOW + 2 * SECOND).account.hold_count == before.hold_count


def test_holds_and_what_flow_does_are_counted_apart() -> None:
    after = done(HOLDS.times(RICH, 2), FLOW.one(1), NOW + 60 * SECOND).account
    assert (after.hold_count, after.flow_count) == (HourlyCount(HOUR, 2), HourlyCount(HOUR, 1))
    assert refused(after, HOLDS.one(), NOW + 60 * SECOND) is Code.RATE_LIMITED


@KINDS
def test_without_a_limit_nothing_is_counted(kind: Kind) -> None:
    assert kind.pace(kind.times(RICH, 50, most=None)) is None


def test_the_default_limits_cut_no_hundred_consumes_and_no_twenty_holds() -> None:
    defaults = default_programme()
    assert (defaults.flow_entries_per_hour, defaults.holds_per_hour) == (500, 20)
    assert FLOW.times(RICH, 100, most=500).balances.spent == 100
    assert HOLDS.times(RICH, 20, most=20).hold_count == HourlyCount(HOUR, 20)


@KINDS
def test_a_clock_that_is_slow_does_not_begin_an_hour_again(kind: Kind) -> None:
    """Time never runs backwards for an account: the hour is that of its latest write."""
    full = kind.times(account((5000, 20), now=HOUR_ENDS), 2, HOUR_ENDS)
    assert refused(full, kind.one(), HOUR_ENDS + 5 * SECOND) is kind.code
    late = replace(full, hold=None)
    assert refused(late, kind.one(), NOW - timedelta(hours=1)) is kind.code


def test_a_lower_limit_holds_at_once() -> None:
    before = replace(RICH, flow_count=HourlyCount(HOUR, 400))
    assert refused(before, FLOW.one(300)) is Code.LOOP_REFUSED
    assert done(before, FLOW.one(500)).account.flow_count is not None
