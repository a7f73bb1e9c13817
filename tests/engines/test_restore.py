"""A copy of the table is put back as it was, whatever has been written since."""

from typing import Any

import pytest

from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.store import keys
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from pointbook.store.table_differences import TableDifferences
from pointbook.store.table_restore import TableRestore
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine, items_of, opened
from tests.support.examples import CUSTOMER, NOON, OTHER
from tests.support.interrupted import WRITES, CutOff, Interrupted
from tests.support.ledgers import FLOW, LedgerDriver, SetClock
from tests.support.table import table_request
from tests.support.verified import faults_in

both = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)
NEW, GONE = "7010", "7011"


def copied(engine: Engine) -> str:
    """A copy of the table as it is now, without a stream, as AWS restores one."""
    name = f"{engine.table}-copy"
    engine.client.create_table(**table_request(name))
    for item in items_of(engine).values():
        engine.client.put_item(TableName=name, Item=item)
    return name


def restored(engine: Engine, copy: str, live: Any = None) -> list[PrivacyRequest]:
    """Put the copy back; `live` is a client for the live table."""
    table_restore = TableRestore(
        Table(engine.client, copy), Table(live or engine.client, engine.table), SetClock()
    )
    with TableDifferences() as found:
        table_restore.load(found, lambda _: None)
        reopened = table_restore.reopen_erasures(found)
        for one in found.differences():
            table_restore.apply(one)
    return reopened


def live_a_little(driver: LedgerDriver) -> None:
    driver.grant(1000, key="first")
    driver.consume(300, key="second")
    driver.hold(100)
    driver.grant(50, customer_id=OTHER)
    driver.grant(70, customer_id=GONE)


def go_on(driver: LedgerDriver) -> None:
    driver.capture(100)
    for number in range(5):
        driver.consume(10, key=f"later-{number}")
    driver.grant(5, customer_id=NEW)
    driver.ledger.merge(SHOP, OTHER, GONE, FLOW)


@both
def test_the_table_is_as_it_was(engine: Engine, driver: LedgerDriver) -> None:
    live_a_little(driver)
    copy = copied(engine)
    go_on(driver)
    assert items_of(engine) != items_of(engine, copy)
    restored(engine, copy)
    assert items_of(engine) == items_of(engine, copy)
    assert faults_in(engine.client, engine.table) == []
    assert driver.figures() == {
        "approved": 600,
        "total": 600,
        "lifetime": 1000,
        "spent": 300,
        "hold": 100,
    }
    assert driver.figures(NEW) == {}


@both
def test_a_request_from_before_is_a_duplicate_and_one_since_is_new(
    engine: Engine, driver: LedgerDriver
) -> None:
    live_a_little(driver)
    copy = copied(engine)
    go_on(driver)
    restored(engine, copy)
    before, since = driver.consume(300, key="second"), driver.consume(10, key="later-0")
    assert isinstance(before, Booked)
    assert isinstance(since, Booked)
    assert (before.duplicate, since.duplicate) == (True, False)
    assert faults_in(engine.client, engine.table) == []


@both
def test_an_empty_table_is_filled_from_the_copy(engine: Engine, driver: LedgerDriver) -> None:
    """As after the stack was deleted and deployed again: the kept table is the copy."""
    live_a_little(driver)
    fresh = Engine(engine.name, engine.client, f"{engine.table}-fresh")
    fresh.client.create_table(**table_request(fresh.table))
    restored(fresh, engine.table)
    assert items_of(fresh) == items_of(engine)


def test_nothing_is_written_where_nothing_differs() -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    live_a_little(LedgerDriver(engine))
    copy = copied(engine)
    before = engine.client.sequence
    assert restored(engine, copy) == []
    assert engine.client.sequence == before


@pytest.mark.parametrize("more_entries", [5, 250])
def test_wherever_it_is_cut_off_accounts_are_whole_and_another_run_finishes(
    more_entries: int,
) -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    live_a_little(driver)
    copy = copied(engine)
    for number in range(more_entries):
        driver.consume(1, key=f"more-{number}")
    go_on(driver)
    half_way = set[str]()
    for writes in range(100):
        as_it_is = items_of(engine)
        try:
            restored(engine, copy, Interrupted(engine.client, writes, WRITES))
        except CutOff:
            half_way |= {
                one.kind
                for one in faults_in(engine.client, engine.table)
                if one.customer_id == CUSTOMER
            }
            for item in as_it_is.values():
                engine.client.put_item(TableName=engine.table, Item=item)
            continue
        break
    assert items_of(engine) == items_of(engine, copy)
    if more_entries < 100:
        assert half_way <= {"hold", "order"}, "what is in other partitions comes a moment later"


def test_an_account_of_many_changes_keeps_every_entry_below_its_version() -> None:
    """A copy of an account that the live table has lost: entries come before the account."""
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    for number in range(150):
        driver.grant(1, key=str(number))
    copy = copied(engine)
    live = opened(MEMORY, engine.client)
    for writes in range(100):
        try:
            restored(live, copy, Interrupted(engine.client, writes, WRITES))
        except CutOff:
            stored = items_of(live)
            if (keys.customer(SHOP, CUSTOMER), keys.ACCOUNT) in stored:
                entries = [sk for _, sk in stored if sk.startswith(keys.ENTRY)]
                assert len(entries) == 150
            continue
        break
    assert items_of(live) == items_of(engine, copy)


def erased(table: Table, customer_id: str) -> PrivacyRequest:
    """The proof that a customer was erased."""
    request = PrivacyRequest(Kind.CUSTOMER, SHOP, customer_id, NOON, customer_id=customer_id)
    saved = PrivacyRequests(table).save(request)
    assert saved is not None
    done = PrivacyRequests(table).save(saved.finished(NOON))
    assert done is not None
    return done


@both
def test_who_was_erased_since_is_erased_again_with_their_orders(
    engine: Engine, driver: LedgerDriver
) -> None:
    driver.update_order(updated_at=NOON, goods=None)
    live_a_little(driver)
    copy, table = copied(engine), Table(engine.client, engine.table)
    order = keys.order(SHOP, "9001")
    stored = engine.client.get_item(TableName=copy, Key=order).get("Item")
    assert stored is not None
    done = erased(table, CUSTOMER)
    (reopened,) = restored(engine, copy)
    assert (reopened.state, reopened.finished_at, reopened.order_ids) == (
        State.OPEN,
        None,
        ("9001",),
    )
    assert reopened.received_at == done.received_at
    assert restored(engine, copy) == [], "once"


@both
def test_requests_from_before_the_copy_stay_as_they_are(
    engine: Engine, driver: LedgerDriver
) -> None:
    live_a_little(driver)
    done = erased(Table(engine.client, engine.table), OTHER)
    copy = copied(engine)
    go_on(driver)
    assert restored(engine, copy) == []
    found = PrivacyRequests(Table(engine.client, engine.table)).find(Kind.CUSTOMER, SHOP, OTHER)
    assert found == done


@both
def test_what_shopify_said_since_is_kept_and_tokens_are_not_copied(
    engine: Engine, driver: LedgerDriver
) -> None:
    live_a_little(driver)
    pk = keys.shop(SHOP)

    def put(sk: str, value: str) -> None:
        key = keys.key(pk, sk)
        engine.client.put_item(TableName=engine.table, Item={**key, "value": {"S": value}})

    for sk in (keys.ACCESS_TOKEN, f"{keys.TRIGGER}points-changed", keys.PROGRAMME):
        put(sk, "before")
    copy = copied(engine)
    for sk in (keys.ACCESS_TOKEN, f"{keys.TRIGGER}points-changed", keys.PROGRAMME):
        put(sk, "since")
    put(keys.APP_REMOVED, "since")
    till = keys.key(keys.TILL, keys.TILL_TOKEN)
    heads = keys.key(keys.HEADS, keys.HEADS_RUN)
    for key in (till, heads):
        engine.client.put_item(TableName=engine.table, Item={**key, "value": {"S": "since"}})
    restored(engine, copy)
    assert items_of(engine)[keys.HEADS, keys.HEADS_RUN]["value"]["S"] == "since"
    assert items_of(engine)[keys.TILL, keys.TILL_TOKEN]["value"]["S"] == "since"
    found = {sk: item["value"]["S"] for (at, sk), item in items_of(engine).items() if at == pk}
    assert found == {
        keys.ACCESS_TOKEN: "since",
        f"{keys.TRIGGER}points-changed": "since",
        keys.APP_REMOVED: "since",
        keys.PROGRAMME: "before",
    }


def test_a_copy_that_changes_meanwhile_is_refused() -> None:
    engine = opened(MEMORY, MemoryDynamoDB())
    driver = LedgerDriver(engine)
    live_a_little(driver)
    copy = copied(engine)
    go_on(driver)
    table_restore = TableRestore(
        Table(engine.client, copy), Table(engine.client, engine.table), SetClock()
    )
    with TableDifferences() as found:
        table_restore.load(found, lambda _: None)
        engine.client.delete_item(TableName=copy, Key=keys.account(SHOP, CUSTOMER))
        customer = keys.customer(SHOP, CUSTOMER)
        (changed,) = (one for one in found.differences() if one.pk == customer)
        with pytest.raises(LedgerUnavailable):
            table_restore.apply(changed)
