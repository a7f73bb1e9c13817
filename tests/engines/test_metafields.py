"""The metafields' cursors: the latest version wins, and nobody is lost, on every engine."""

from datetime import UTC, datetime, timedelta

import pytest

from pointbook.store import keys
from pointbook.store.metafields import Cursor, List, Metafields, ScannedAccount
from pointbook.store.stored_items import StoredItems
from pointbook.store.table import Table
from tests.engines.counting import CountingClient
from tests.support.engine import DYNAMODB_LOCAL, SHOP, Engine
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver, SetClock

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
EVER = datetime(9999, 1, 1, tzinfo=UTC)
NAMESPACE = "$app"
DAY = ("points_expiring_on",)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def metafields(engine: Engine, clock: SetClock) -> Metafields:
    driver = LedgerDriver(engine)
    for customer_id in (CUSTOMER, OTHER):
        for number in range(3):
            driver.grant(1, customer_id=customer_id, key=str(number))
    return Metafields(Table(engine.client, engine.table), clock)


def due(metafields: Metafields, which: List = List.CHANGES, until: datetime = EVER) -> list[str]:
    return list(metafields.due(SHOP, which, until))


def cursor(metafields: Metafields, customer_id: str = CUSTOMER) -> Cursor:
    (row,) = metafields.read(SHOP, [customer_id])
    return row.cursor()


def test_a_request_keeps_its_time_and_the_latest_version(metafields: Metafields) -> None:
    metafields.request(SHOP, CUSTOMER, 1, NOW)
    metafields.request(SHOP, OTHER, 1, NOW + timedelta(seconds=1))
    metafields.request(SHOP, CUSTOMER, 3, LATER)
    metafields.request(SHOP, CUSTOMER, 2, LATER)
    assert due(metafields) == [CUSTOMER, OTHER], "the longest due first"
    assert due(metafields, until=NOW) == [CUSTOMER]
    assert cursor(metafields) == Cursor(3, 0, None, "", frozenset(), NOW)


def test_who_is_written_is_off_the_list_until_something_newer_comes(
    metafields: Metafields, clock: SetClock
) -> None:
    metafields.request(SHOP, CUSTOMER, 2, NOW)
    metafields.begin(SHOP, CUSTOMER, NAMESPACE, DAY)
    assert cursor(metafields).optional == {*DAY}
    metafields.finish(SHOP, CUSTOMER, 3, ())
    assert due(metafields) == []
    assert cursor(metafields) == Cursor(2, 3, clock.at, NAMESPACE, frozenset(), None)
    metafields.request(SHOP, CUSTOMER, 3, LATER)
    assert due(metafields) == [], "it was written already"
    metafields.request(SHOP, CUSTOMER, 4, LATER)
    assert due(metafields) == [CUSTOMER]


def test_what_was_requested_during_a_write_is_written_ten_seconds_later(
    metafields: Metafields,
) -> None:
    metafields.request(SHOP, CUSTOMER, 2, NOW)
    metafields.request(SHOP, CUSTOMER, 3, NOW)
    metafields.finish(SHOP, CUSTOMER, 2, ())
    assert due(metafields, until=LATER - timedelta(seconds=1)) == []
    assert due(metafields, until=LATER) == [CUSTOMER]
    assert cursor(metafields).written == 2


def test_a_fill_waits_behind_changes_and_takes_nobody_from_them(metafields: Metafields) -> None:
    metafields.request(SHOP, CUSTOMER, 3, LATER)
    for customer_id in (CUSTOMER, OTHER):
        metafields.request(SHOP, customer_id, 3, NOW, List.FILL)
    assert (due(metafields), due(metafields, List.FILL)) == ([CUSTOMER], [OTHER])
    metafields.request(SHOP, OTHER, 4, LATER)
    assert (due(metafields), due(metafields, List.FILL)) == ([OTHER, CUSTOMER], [])


def test_a_fill_trusts_no_record_of_what_is_there(metafields: Metafields) -> None:
    metafields.request(SHOP, CUSTOMER, 3, NOW)
    metafields.begin(SHOP, CUSTOMER, NAMESPACE, ())
    metafields.finish(SHOP, CUSTOMER, 3, ())
    metafields.request(SHOP, CUSTOMER, 3, NOW, List.FILL)
    assert cursor(metafields).optional == {"points_expiring_on", "points_rank"}


def test_postponing_moves_only_who_is_on_a_list(metafields: Metafields) -> None:
    metafields.postpone(SHOP, CUSTOMER, LATER)
    assert metafields.read(SHOP, [CUSTOMER]) == []
    metafields.request(SHOP, CUSTOMER, 1, NOW)
    metafields.postpone(SHOP, CUSTOMER, LATER)
    assert due(metafields, until=NOW) == []
    assert due(metafields) == [CUSTOMER]


def test_a_customer_for_whom_more_was_requested_is_not_forgotten(metafields: Metafields) -> None:
    metafields.request(SHOP, CUSTOMER, 2, NOW)
    metafields.forget(SHOP, CUSTOMER, 1)
    assert due(metafields) == [CUSTOMER]
    metafields.forget(SHOP, CUSTOMER, 2)
    assert (due(metafields), metafields.read(SHOP, [CUSTOMER])) == ([], [])


def test_a_shop_has_one_writer_until_its_time_is_over(
    metafields: Metafields, clock: SetClock
) -> None:
    until = NOW + timedelta(seconds=58)
    assert metafields.acquire(SHOP, until)
    assert not metafields.acquire(SHOP, until + timedelta(seconds=1))
    assert metafields.acquire("other.myshopify.com", until)
    metafields.release(SHOP, NOW)
    assert not metafields.acquire(SHOP, until), "only its holder releases it"
    clock.at = until
    assert metafields.acquire(SHOP, until + timedelta(seconds=58))
    metafields.release(SHOP, until + timedelta(seconds=58))
    assert metafields.acquire(SHOP, until)


def test_the_deletion_for_an_erased_customer_is_a_list_of_its_own(
    engine: Engine, metafields: Metafields, clock: SetClock
) -> None:
    metafields.request(SHOP, CUSTOMER, 3, NOW)
    metafields.begin(SHOP, CUSTOMER, "loyalty", ())
    stored = StoredItems(Table(engine.client, engine.table), clock)
    (item,) = [one for one in stored.of_customer(SHOP, CUSTOMER, 100) if one.has_metafields]
    stored.request_deletion(item)
    assert due(metafields, List.DELETIONS, NOW) == [CUSTOMER]
    assert metafields.namespace_to_delete(SHOP, CUSTOMER) == "loyalty"
    metafields.postpone_deletion(SHOP, CUSTOMER, LATER)
    assert due(metafields, List.DELETIONS, NOW) == []
    metafields.finish_deletion(SHOP, CUSTOMER)
    assert due(metafields, List.DELETIONS) == []
    assert metafields.namespace_to_delete(SHOP, CUSTOMER) == ""
    metafields.postpone_deletion(SHOP, CUSTOMER, LATER)
    assert due(metafields, List.DELETIONS) == []


def test_every_account_is_known_with_its_cursor(engine: Engine, metafields: Metafields) -> None:
    metafields.request(SHOP, CUSTOMER, 2, NOW)
    engine.client.delete_item(TableName=engine.table, Key=keys.metafields(SHOP, OTHER))
    seen: list[int] = []
    found = {one.customer_id: one for one in metafields.scan(seen.append)}
    assert found == {
        CUSTOMER: ScannedAccount(SHOP, CUSTOMER, 3, Cursor(2, 0, None, "", frozenset(), NOW)),
        OTHER: ScannedAccount(SHOP, OTHER, 3, None),
    }
    assert seen[-1] == 15, "two accounts, each with three entries and requests, and one cursor"


@pytest.mark.parametrize("engine", [DYNAMODB_LOCAL], indirect=True)
def test_a_change_costs_four_write_units_and_one_to_read(
    engine: Engine, metafields: Metafields, clock: SetClock
) -> None:
    """Beside the first one of a customer, which creates the cursor in a transaction."""
    metafields.request(SHOP, CUSTOMER, 1, NOW)
    metafields.begin(SHOP, CUSTOMER, NAMESPACE, DAY)
    metafields.finish(SHOP, CUSTOMER, 1, DAY)
    client = CountingClient(engine.client)
    counted = Metafields(Table(client, engine.table), clock)
    counted.request(SHOP, CUSTOMER, 2, NOW)
    counted.read(SHOP, [CUSTOMER])
    counted.finish(SHOP, CUSTOMER, 2, DAY)
    assert [(one.operation, one.units) for one in client.calls] == [
        ("update_item", 2.0),
        ("batch_get_item", 1.0),
        ("update_item", 2.0),
    ]
