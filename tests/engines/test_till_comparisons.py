"""Comparisons with the till on every engine: every account once, and what is kept is read again."""

from datetime import UTC, datetime

import pytest

from pointbook.clock import SystemClock
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.store.table import Table
from pointbook.store.till_comparisons import (
    Comparisons,
    Position,
    Running,
    Summary,
    TillComparisons,
    Totals,
)
from tests.support.engine import SHOP, Engine

AT = datetime(2026, 11, 30, 3, tzinfo=UTC)
OTHER_SHOP = "other.myshopify.com"
IDS = [str(8_840_734_670_000 + number) for number in range(12)]


@pytest.fixture
def comparisons(engine: Engine) -> TillComparisons:
    return TillComparisons(Table(engine.client, engine.table))


@pytest.mark.parametrize("limit", [1, 5, 200])
def test_every_account_of_the_shop_comes_once_wherever_it_is_continued(
    engine: Engine, comparisons: TillComparisons, limit: int
) -> None:
    ledger = Ledger(engine.store(), SystemClock())
    for number, customer_id in enumerate(IDS):
        shop = OTHER_SHOP if number % 4 == 3 else SHOP
        for _ in range(2):
            command = Instruction(shop, customer_id, Grant(5, Never()), Cause("flow", "run"))
            assert isinstance(ledger.execute(command), Booked)
    expected = sorted(one for number, one in enumerate(IDS) if number % 4 != 3)
    found, position = list[str](), None
    while True:
        page = comparisons.accounts(SHOP, position, limit)
        found += page.customer_ids
        position = page.position
        if position is None:
            break
    assert sorted(found) == expected
    assert comparisons.count(SHOP) == len(expected)
    after: Position = comparisons.after(SHOP, found[2])
    rest = comparisons.accounts(SHOP, after, 200).customer_ids
    assert list(rest) == found[3:]


def test_what_is_kept_is_read_again(comparisons: TillComparisons) -> None:
    assert comparisons.read(SHOP) == Comparisons()
    totals = Totals(
        compared=3, equal=1, till_less=1, till_less_points=30, till_more=1, till_more_points=5
    )
    running = Running(AT, ("pk", "sk"), end=True, later=("1", "2"), totals=totals)
    for kept in (
        Comparisons(running=running),
        Comparisons(running=Running(AT), last=Summary(AT, AT, totals)),
        Comparisons(last=Summary(AT, AT, Totals())),
    ):
        comparisons.save(SHOP, kept)
        assert comparisons.read(SHOP) == kept
    assert comparisons.read(OTHER_SHOP) == Comparisons()
