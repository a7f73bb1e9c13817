"""What instructions cost: calls on every engine, units where an engine counts them as AWS does.

AWS's rules: a transacted write costs 2 units for each begun KB, a transacted read 2 for each 4 KB,
an eventually consistent read 0.5 for each 4 KB, found or not; an index costs nothing as long as its
keys stay. The in-memory engine counts the table by these rules and leaves indexes out; MiniStack
counts writes and their indexes but no batch reads; DynamoDB Local and moto count otherwise.
"""

from datetime import timedelta

import pytest

from pointbook.domain.account import Account, Hold, HoldState, HourlyCount
from pointbook.domain.buckets import Balances
from pointbook.domain.lots import Lot
from pointbook.domain.ports import IdempotencyRecord
from pointbook.domain.reconcile import reconcile
from pointbook.domain.refusal import Refusal
from pointbook.ledger.instruction import Booked
from pointbook.store import items
from tests.engines.counting import CountingClient
from tests.engines.grown import grow
from tests.fakes.dynamodb import size_bytes
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, MINISTACK, SHOP, Engine, all_entries
from tests.support.examples import CUSTOMER, NOON, an_entry
from tests.support.ledgers import LedgerDriver

KB = 1024
CONSUME = ["batch_get_item", "transact_write_items"]
REPLAY = ["batch_get_item"]
REFUSAL = ["batch_get_item", "transact_get_items"]
DUE_KEYS = ("due_lot", "due_lot_at", "due_hold", "due_hold_at")


class Counted:
    """A ledger whose calls are counted."""

    def __init__(self, engine: Engine) -> None:
        self.client = CountingClient(engine.client)
        self.driver = LedgerDriver(engine, self.client)

    def consume(self, points: int, key: str) -> Booked | Refusal:
        """Count this and nothing else."""
        self.client.forget()
        return self.driver.consume(points, key)


@pytest.fixture
def counted(engine: Engine) -> Counted:
    """With 1,000 points in each of two lots."""
    counted = Counted(engine)
    counted.driver.grant(1_000)
    counted.driver.clock.pass_time(days=1)
    counted.driver.grant(1_000)
    return counted


def test_looking_takes_one_call_and_history_two(counted: Counted) -> None:
    counted.client.forget()
    counted.driver.ledger.read(SHOP, CUSTOMER)
    assert counted.client.operations == ["get_item"]

    counted.client.forget()
    counted.driver.ledger.history(SHOP, CUSTOMER, limit=50)
    assert counted.client.operations == ["get_item", "query"]


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_consuming_costs_one_read_unit_and_six_write_units(counted: Counted) -> None:
    counted.consume(10, "k1")
    assert (counted.client.read_units, counted.client.write_units) == (1.0, 6.0)

    counted.consume(10, "k1")
    assert (counted.client.read_units, counted.client.write_units) == (1.0, 0.0)

    counted.consume(99_999, "k2")
    assert (counted.client.read_units, counted.client.write_units) == (1.0 + 4.0, 0.0)


@pytest.mark.parametrize("engine", [MINISTACK], indirect=True)
def test_the_index_costs_nothing_until_the_soonest_lot_is_gone(counted: Counted) -> None:
    counted.consume(999, "k1")
    assert counted.client.write_units == 6.0

    counted.consume(1, "k2")
    assert counted.client.write_units == 6.0 + 2.0  # one key out of the index, one in

    counted.consume(1, "k3")
    assert counted.client.write_units == 6.0


@pytest.mark.parametrize("engine", [DYNAMODB_LOCAL], indirect=True)
def test_aws_own_engine_counts_a_repetition_as_one_read_unit(counted: Counted) -> None:
    counted.consume(10, "k1")
    counted.consume(10, "k1")

    assert counted.client.read_units == 1.0


def test_consuming_leaves_the_keys_of_the_indexes_alone(counted: Counted) -> None:
    def due_keys_after(points: int, key: str) -> list[object]:
        counted.consume(points, key)
        (request,) = counted.client.requests("transact_write_items")
        item = request["TransactItems"][0]["Put"]["Item"]
        assert item["sk"] == {"S": "ACCOUNT"}, "the account comes first"
        return [item.get(name) for name in DUE_KEYS]

    first = due_keys_after(10, "k1")
    assert first[:2] != [None, None]
    assert due_keys_after(989, "k2") == first
    assert due_keys_after(1, "k3") != first


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_ten_thousand_entries_of_history_change_none_of_it_and_reconcile(engine: Engine) -> None:
    counted = Counted(engine)
    account = grow(counted.driver.store, 10_000)
    assert reconcile(account, all_entries(counted.driver.store, CUSTOMER)) == []

    assert isinstance(counted.consume(10, "k1"), Booked)
    assert counted.client.operations == CONSUME
    assert (counted.client.read_units, counted.client.write_units) == (1.0, 6.0)
    assert isinstance(counted.consume(10, "k1"), Booked)
    assert counted.client.operations == REPLAY
    assert isinstance(counted.consume(99_999, "k2"), Refusal)
    assert counted.client.operations == REFUSAL

    assert account.version == 10_000
    stored = counted.driver.store.account(SHOP, CUSTOMER)
    assert stored is not None
    assert size_bytes(items.account_item(SHOP, stored)) < 300


# --- sizes --------------------------------------------------------------------------------------

LONG_ID = "7012345678901"


def large_account(lots: int, *, held: bool) -> Account:
    days = [NOON.date() + timedelta(days=30 * number) for number in range(1, lots + 1)]
    all_lots = tuple(Lot(day, 12_345) for day in days)
    hold = Hold("f" * 32, 24_690, all_lots[:2], NOON, HoldState.RELEASING) if held else None
    return Account(
        customer_id=LONG_ID,
        account_id="f" * 16,
        version=123_456,
        revision=123_456,
        as_of=NOON,
        last_at=NOON,
        balances=Balances(*[-12_345_678] * 9),
        lots=all_lots,
        hold=hold,
        head="f" * 64,
        flow_count=HourlyCount(600_000, 499),
        hold_count=HourlyCount(600_000, 20),
    )


@pytest.mark.parametrize(("lots", "held"), [(40, False), (30, True)])
def test_an_account_of_many_lots_fits_the_kilobyte_that_is_paid_for(lots: int, held: bool) -> None:
    account = large_account(lots, held=held)

    assert size_bytes(items.account_item(SHOP, account)) <= KB


def test_the_largest_account_stays_far_from_the_limit_of_an_item() -> None:
    account = large_account(100, held=True)

    assert size_bytes(items.account_item(SHOP, account)) <= 2 * KB


def test_an_entry_and_an_idempotency_record_fit_a_kilobyte_each() -> None:
    idempotency_record = IdempotencyRecord(
        "f" * 64, "f" * 64, (f"{LONG_ID}-000000123456",) * 2, an_entry().entry.figures
    )

    assert size_bytes(items.entry_item(SHOP, an_entry(LONG_ID))) <= KB // 2
    assert size_bytes(items.idempotency_item(SHOP, LONG_ID, idempotency_record)) <= KB // 2


def test_every_lot_costs_fifteen_bytes() -> None:
    def size(lots: int) -> int:
        account = large_account(lots, held=False)
        return size_bytes(items.account_item(SHOP, account))

    assert size(11) - size(10) == 15
