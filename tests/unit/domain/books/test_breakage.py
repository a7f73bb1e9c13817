"""Breakage is estimated from lots that have run off: the share that expired, by age."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from pointbook.domain import commands as c
from pointbook.domain.books.breakage import estimate
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import EXPIRED, NEVER_EXPIRES, USED, LotGroup, Statement
from pointbook.domain.expiry import FixedDate, Months
from tests.support.book_days import MIDNIGHT, TOKYO, Shop

RUN_OFF = Counter({(0, USED): 50, (2, USED): 30, (3, EXPIRED): 20})
"""Of 100 points 50 were used at once, 30 after two months, and 20 expired after three."""


def statement(**outstanding: int) -> Statement:
    """So many points for each month of coming; all expire some day."""
    groups = {
        LotGroup("2027-12", came.removeprefix("m").replace("_", "-"), 1): (points, 0)
        for came, points in outstanding.items()
    }
    return Statement(outstanding=groups, run_off=RUN_OFF)


def test_the_rate_is_what_expired_of_what_was_there_at_that_age() -> None:
    rates = estimate(statement(), "2026-11").rates
    assert rates == {0: Fraction(1, 5), 1: Fraction(2, 5), 2: Fraction(2, 5), 3: 1}


def test_old_points_are_more_likely_to_expire() -> None:
    assert estimate(statement(m2026_11=1_000), "2026-11").points == 200
    assert estimate(statement(m2026_09=1_000), "2026-11").points == 400
    assert estimate(statement(m2026_10=1_000), "2026-11").points == 400
    assert estimate(statement(m2020_01=1_000), "2026-11").points == 1_000, "older than any"


def test_points_that_never_expire_are_not_in_the_base() -> None:
    found = Statement(
        outstanding={LotGroup(NEVER_EXPIRES, "2026-11", 1): (1_000, 0)}, run_off=RUN_OFF
    )
    assert (estimate(found, "2026-11").base, estimate(found, "2026-11").points) == (0, 0)


def test_lots_that_are_over_expire_for_certain() -> None:
    group = LotGroup(EXPIRED, "2026-11", 1)
    for run_off in (Counter[tuple[int, str]](), RUN_OFF):
        found = Statement(outstanding={group: (6, 4)}, run_off=run_off)
        assert estimate(found, "2026-11").points == 10


def test_without_a_lot_that_has_run_off_there_is_no_estimate() -> None:
    found = estimate(Statement(outstanding={LotGroup("2027-12", "2026-11", 1): (10, 0)}), "2026-11")
    assert not found.is_estimated
    assert (found.base, found.points) == (10, 0)


def test_only_lots_whose_last_day_is_over_count_and_only_of_two_years() -> None:
    shop = Shop(Random(1))
    long_ago = MIDNIGHT - timedelta(days=1_200)
    shop.execute("1", c.Grant(100, Months(2)), long_ago)
    shop.execute("1", c.Settle(), long_ago + timedelta(days=100))
    past = FixedDate((MIDNIGHT - timedelta(days=60)).date())
    shop.execute("1", c.Grant(100, past), MIDNIGHT - timedelta(days=200))
    shop.execute("1", c.Consume(60), MIDNIGHT - timedelta(days=200))
    shop.execute("1", c.Remove(10), MIDNIGHT - timedelta(days=200))
    shop.execute("1", c.Settle(), MIDNIGHT - timedelta(days=40))
    shop.execute("1", c.Grant(1_000, Months(12)), MIDNIGHT)
    shop.execute("1", c.Consume(500), MIDNIGHT)
    day = date(2026, 11, 21)
    found = shop.statement(Period(day, day, TOKYO))
    assert found.run_off == {(0, USED): 60, (4, EXPIRED): 30}, "removed points count for neither"
