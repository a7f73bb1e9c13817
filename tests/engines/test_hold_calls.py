"""Calls to Shopify counted by the minute: on every engine."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from pointbook.store import keys
from pointbook.store.hold_calls import HoldCallLimiter
from pointbook.store.table import Table
from tests.engines.counting import CountingClient
from tests.fakes.dynamodb import size_bytes
from tests.support import engine as engines
from tests.support.engine import MEMORY, SHOP, Engine

NOW = datetime(2026, 11, 22, 3, 59, 59, 999_000, tzinfo=UTC)
NEXT_MINUTE = NOW + timedelta(milliseconds=1)
ANNA, BEN, CLEO, DAN, EVE = (f"{number:08x}" for number in range(5))


@pytest.fixture
def calls(engine: Engine) -> HoldCallLimiter:
    return HoldCallLimiter(Table(engine.client, engine.table))


def test_so_many_calls_a_minute_for_all_together(calls: HoldCallLimiter) -> None:
    waits = [calls.count(SHOP, who, NOW, 4) for who in (ANNA, BEN, CLEO, DAN, EVE, ANNA)]
    assert waits == [0, 0, 0, 0, 1, 1]
    assert calls.count("other.myshopify.com", EVE, NOW, 4) == 0


@pytest.mark.parametrize(("most", "share"), [(1, 1), (3, 1), (4, 1), (5, 2), (60, 15)])
def test_one_customer_gets_a_quarter_rounded_up(
    calls: HoldCallLimiter, most: int, share: int
) -> None:
    waits = [calls.count(SHOP, ANNA, NOW, most) for _ in range(share + 2)]
    assert waits == [0] * share + [1, 1]
    assert bool(calls.count(SHOP, BEN, NOW, most)) is (most == 1)


def test_the_next_minute_begins_anew_at_its_first_instant(calls: HoldCallLimiter) -> None:
    begun = NOW - timedelta(milliseconds=59_999)
    assert [calls.count(SHOP, ANNA, begun, 1) for _ in range(2)] == [0, 60]
    assert calls.count(SHOP, ANNA, NOW, 1) == 1
    assert [calls.count(SHOP, ANNA, NEXT_MINUTE, 1) for _ in range(2)] == [0, 60]


def test_a_slightly_slow_clock_counts_in_the_minute_that_has_begun(
    calls: HoldCallLimiter,
) -> None:
    assert calls.count(SHOP, ANNA, NEXT_MINUTE, 2) == 0
    assert [calls.count(SHOP, BEN, NOW, 2), calls.count(SHOP, CLEO, NOW, 2)] == [0, 61]
    assert calls.count(SHOP, CLEO, NEXT_MINUTE, 2) == 60


def test_a_count_of_a_time_that_never_came_is_forgotten(calls: HoldCallLimiter) -> None:
    calls.count(SHOP, ANNA, NOW + timedelta(days=1), 1)
    assert calls.count(SHOP, ANNA, NOW, 1) == 0


@pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)
def test_calls_at_once_are_counted_each(calls: HoldCallLimiter) -> None:
    with ThreadPoolExecutor(12) as pool:
        names = [f"{number % 6:08x}" for number in range(24)]
        waits = list(pool.map(lambda who: calls.count(SHOP, who, NOW, 12), names))
    assert waits.count(0) == 12


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_a_count_costs_one_write_and_the_first_of_a_minute_two(engine: Engine) -> None:
    client = CountingClient(engine.client)
    calls = HoldCallLimiter(Table(client, engine.table))
    calls.count(SHOP, ANNA, NOW, 60)
    assert client.operations == ["update_item", "put_item"]
    client.forget()
    calls.count(SHOP, ANNA, NOW, 60)
    assert client.operations == ["update_item"]
    assert [call.units for call in client.calls] == [1.0]


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_a_minute_of_the_default_rate_fits_the_kilobyte_that_is_paid_for(engine: Engine) -> None:
    calls = HoldCallLimiter(Table(engine.client, engine.table))
    for number in range(60):
        assert calls.count("a" * 40 + ".myshopify.com", f"{number:08x}", NOW, 60) == 0
    ((_, item),) = engine.client.items(engine.table).items()
    assert size_bytes(item) <= 1024


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_one_item_of_the_shop_counts_the_latest_minute_alone(
    engine: Engine, calls: HoldCallLimiter
) -> None:
    calls.count(SHOP, ANNA, NOW, 4)
    calls.count(SHOP, BEN, NEXT_MINUTE, 4)
    ((key, item),) = engine.client.items(engine.table).items()
    assert key == (keys.shop(SHOP), keys.HOLD_CALLS)
    assert (item["calls"], f"by_{ANNA}" in item, item[f"by_{BEN}"]) == (
        {"N": "1"},
        False,
        {"N": "1"},
    )
