"""A shop moves in from another app, and no customer's points drift: both ways of the manual.

With 2,000 customers: `python -m tests.functions.switch_over --customers 2000`.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.functions.switch_over import WAYS, Move, move_beside

pytestmark = pytest.mark.shopify_schema

CUSTOMERS = 200


@pytest.mark.parametrize("way", WAYS)
def test_every_customer_has_the_old_balance_and_what_happened_since(
    tmp_path: Path, way: str
) -> None:
    move = Move(tmp_path, CUSTOMERS)
    WAYS[way](move)
    assert move.wrong() == {}
    move.passes(10)
    move.customers_go_on()
    assert move.since, "something has happened since"
    assert move.wrong() == {}
    assert move.catches_up()["differences"] == 0
    assert move.faults() == []


def test_an_order_that_the_old_app_has_counted_earns_nothing_whenever_it_changes(
    tmp_path: Path,
) -> None:
    move = Move(tmp_path, 20)
    placed = move.now.replace(microsecond=0)
    move.passes(60)
    move_beside(move)
    move.sends_order(9_001, move.customers[0], placed, move.now)
    assert move.wrong() == {}


def test_what_an_interrupted_catch_up_has_booked_is_not_booked_twice(tmp_path: Path) -> None:
    move = Move(tmp_path, 40)
    move.sets("earning=paused", "spending=paused")
    move.imports()
    for customer_id in move.customers:
        move.old.earn(customer_id, 7, move.old.days[0])
        move.old.spend(customer_id, 3)
    file = move.export()
    with move.interrupted_after(10):
        move.catches_up(file)
    assert 0 < len(move.wrong()) < 40
    assert move.catches_up(file)["exit"] == 0
    assert move.wrong() == {}
    move.passes(int(timedelta(days=3) / timedelta(minutes=1)))
    assert move.catches_up(file, "--dry-run") == move.catches_up(file, "--dry-run") | {"exit": 0}


def test_a_move_can_be_taken_back_by_catching_up_with_an_empty_export(tmp_path: Path) -> None:
    move = Move(tmp_path, 40)
    move.sets("earning=paused", "spending=paused")
    move.imports()
    move.customers_go_on()
    move.catches_up()
    assert move.wrong() == {}
    move.old.lots.clear()
    assert move.catches_up()["absent"] > 0
    assert move.wrong() == {}
