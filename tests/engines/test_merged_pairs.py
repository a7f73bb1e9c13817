"""Merged customers are erased in parallel, in every order, and nothing of them is left anywhere."""

import logging
from collections.abc import Iterator

import pytest

from pointbook.domain.orders import Order
from pointbook.store import keys, order_items
from tests.engines.merged_pairs import HELD_POINTS, ORDER_POINTS, PairsShop
from tests.fakes.privacy import everything
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, Engine
from tests.support.leftovers import leftovers, shop_balances, wrong_accounts

PAIRS = {MEMORY: 200, DYNAMODB_LOCAL: 12}


@pytest.fixture(autouse=True)
def errors_only() -> Iterator[None]:
    """Thousands of log lines take longer than what they tell of."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("engine", PAIRS, indirect=True)
def test_merged_pairs_are_erased_in_every_order_by_parallel_workers_and_no_sum_changes(
    engine: Engine,
) -> None:
    shop = PairsShop(engine, PAIRS[engine.name])
    shop.run()

    table = everything(engine)
    assert shop.dead_letters == []
    assert leftovers(table, shop.customers) == []
    assert list(shop.bucket.objects) == []
    assert wrong_accounts(table) == []
    orders = {
        order.order_id: order
        for order in (order_items.order_of(item) for item in table if item["sk"]["S"] == keys.ORDER)
    }
    _has_what_was_under_way(shop, orders)
    assert shop_balances(table) == shop.expected_balances(
        earned=sum(order.approved_points for order in orders.values()),
        used=sum(
            spending.points - spending.returned_points
            for order in orders.values()
            for spending in order.spendings
        ),
    )


def _has_what_was_under_way(shop: PairsShop, orders: dict[str, Order]) -> None:
    """An order that had points before its customer was erased goes on as any other."""
    for pair in shop.pairs:
        under_way, of_target = orders[pair.order_id(1)], orders[pair.order_id(2)]
        earned = 0 if pair.is_cancelled else ORDER_POINTS
        assert (under_way.approved_points, under_way.pending_points) == (earned, 0)
        assert of_target.approved_points == ORDER_POINTS
        used = [spending.points - spending.returned_points for spending in under_way.spendings]
        spent = 0 if pair.is_cancelled else HELD_POINTS
        assert used == ([spent] if pair.uses_hold else []), f"pair {pair.number}"
