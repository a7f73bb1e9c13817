"""Whatever is damaged behind the ledger's back is found and named, and nothing else is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from pointbook.domain.commands import SpendOnOrder
from pointbook.domain.orders import EarningRule, Goods
from pointbook.domain.privacy import Kind, PrivacyRequest
from pointbook.domain.reconcile import Damage
from pointbook.store import items, keys
from pointbook.store.outbox import Cursor, Outbox
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from pointbook.store.till_pushes import TillPushes
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine, all_entries, opened
from tests.support.examples import CUSTOMER, HOLD_ID, NOON, ORDER, OTHER
from tests.support.ledgers import FLOW, LedgerDriver
from tests.support.verified import faults_in, verification, verified

type Item = dict[str, Any]

GONE = "7003"
LATER = timedelta(days=3650)
IN_A_MONTH = EarningRule(unit_minor=100, pending_days=30)


class Shop:
    """A shop with all there is: an open hold, one that was used, an order, an outbox, a merge."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.driver = driver = LedgerDriver(engine)
        self.outbox = Outbox(Table(engine.client, engine.table))
        for points in (1000, 500):
            driver.grant(points, key=f"grant-{points}")
        driver.hold(100)
        driver.capture(100)
        driver.update_order(IN_A_MONTH, updated_at=NOON, goods=Goods(5_000), confirmed_at=NOON)
        driver.say(SpendOnOrder(20, ORDER, "till"))
        driver.hold(50, hold_id="h2")
        driver.grant(10, customer_id=GONE)
        driver.ledger.merge(SHOP, GONE, OTHER, FLOW)
        self.publish(CUSTOMER, 2)
        TillPushes(Table(engine.client, engine.table)).request(SHOP, CUSTOMER, 4, NOON)

    def publish(self, customer_id: str, version: int, requested: int = 1) -> None:
        """Entries up to a version were published, and some more were requested."""
        now = datetime.now(UTC)
        taken = Cursor(SHOP, customer_id, "x", now + timedelta(seconds=30))
        assert isinstance(self.outbox.acquire(taken, now, None), Cursor)
        assert self.outbox.release(Cursor(SHOP, customer_id, "x", now, published=version))
        self.outbox.request(SHOP, customer_id, version + requested, now)

    def get(self, key: Item) -> Item:
        """An item as it is stored."""
        found: Item = self.engine.client.get_item(TableName=self.engine.table, Key=key)["Item"]
        return found

    def put(self, item: Item) -> None:
        """Put an item over whatever is there."""
        self.engine.client.put_item(TableName=self.engine.table, Item=item)

    def edit(self, key: Item, **changes: Item | None) -> None:
        """Change attributes of an item; None takes one away."""
        edited = {**self.get(key), **changes}
        self.put({name: value for name, value in edited.items() if value is not None})

    def delete(self, key: Item) -> None:
        """Delete an item."""
        self.engine.client.delete_item(TableName=self.engine.table, Key=key)

    def found(self) -> set[tuple[str, str, int]]:
        """The faults that verifying finds: customer, kind, version."""
        faults = faults_in(self.engine.client, self.engine.table)
        return {(one.customer_id, one.kind, one.version) for one in faults}


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)


both = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)

ACCOUNT = keys.account(SHOP, CUSTOMER)
CURSOR = keys.outbox(SHOP, CUSTOMER)
TILL_CURSOR = keys.till_push(SHOP, CUSTOMER)
AN_ORDER = keys.order(SHOP, ORDER)
USED, OPEN = keys.hold(SHOP, HOLD_ID), keys.hold(SHOP, "h2")
ZERO: Item = {"N": "0"}


def entry(version: int) -> Item:
    return keys.key(keys.customer(SHOP, CUSTOMER), keys.entry(version))


def _request(shop: Shop) -> None:
    records = (item for item in _all(shop) if item["sk"]["S"].startswith(keys.REQUEST))
    name = {"S": f"{CUSTOMER}-000000000099"}
    shop.put({**next(records), "entry_ids": {"L": [name]}})


def _all(shop: Shop) -> list[Item]:
    found: list[Item] = shop.engine.client.scan(TableName=shop.engine.table)["Items"]
    return found


DAMAGES: dict[str, tuple[Callable[[Shop], None], Damage, int]] = {
    "an entry is missing": (lambda shop: shop.delete(entry(2)), Damage.GAP, 3),
    "the last entry is missing": (lambda shop: shop.delete(entry(7)), Damage.ACCOUNT, 0),
    "an entry was altered": (
        lambda shop: shop.edit(entry(2), source={"S": "manual"}),
        Damage.HASH,
        2,
    ),
    "a text was altered": (
        lambda shop: shop.edit(entry(1), reason={"S": "!"}, salt={"S": "?"}),
        Damage.TEXT,
        1,
    ),
    "the figures of an entry": (
        lambda shop: shop.edit(entry(2), figures={"L": [ZERO] * 6}),
        Damage.FIGURES,
        2,
    ),
    "the lots of an account": (lambda shop: shop.edit(ACCOUNT, lots={"L": []}), Damage.ACCOUNT, 0),
    "an entry cannot be read": (
        lambda shop: shop.edit(entry(2), moves={"S": "damaged"}),
        Damage.UNREADABLE,
        2,
    ),
    "an account cannot be read": (
        lambda shop: shop.edit(ACCOUNT, balances=None),
        Damage.UNREADABLE,
        0,
    ),
    "an account is missing": (lambda shop: shop.delete(ACCOUNT), Damage.NO_ACCOUNT, 0),
    "an account never expires": (
        lambda shop: shop.edit(ACCOUNT, due_lot=None, due_lot_at=None),
        Damage.DUE,
        0,
    ),
    "a hold is released on another day": (
        lambda shop: shop.edit(ACCOUNT, due_hold_at=ZERO),
        Damage.DUE,
        0,
    ),
    "pending points are never approved": (
        lambda shop: shop.edit(AN_ORDER, due_pending=None, due_pending_at=None),
        Damage.DUE,
        0,
    ),
    "what waits for Flow is on no list": (
        lambda shop: shop.edit(CURSOR, due_trigger=None, due_trigger_at=None),
        Damage.DUE,
        0,
    ),
    "what waits for Flow is on another shop's list": (
        lambda shop: shop.edit(CURSOR, due_trigger={"S": "DUE#trigger#second.myshopify.com"}),
        Damage.DUE,
        0,
    ),
    "metafields that wait are on no list": (
        lambda shop: shop.put({**keys.metafields(SHOP, CUSTOMER), "requested": {"N": "7"}}),
        Damage.DUE,
        0,
    ),
    "a cursor is beyond the last entry": (
        lambda shop: shop.edit(CURSOR, published={"N": "99"}),
        Damage.OUTBOX,
        7,
    ),
    "more is to be published than there is": (
        lambda shop: shop.edit(CURSOR, requested={"N": "99"}),
        Damage.OUTBOX,
        7,
    ),
    "what waits for the till is on no list": (
        lambda shop: shop.edit(TILL_CURSOR, due_trigger=None, due_trigger_at=None),
        Damage.DUE,
        0,
    ),
    "what waits for the till is on Flow's list": (
        lambda shop: shop.edit(TILL_CURSOR, due_trigger={"S": keys.due_triggers(SHOP)}),
        Damage.DUE,
        0,
    ),
    "more was pushed to the till than there is": (
        lambda shop: shop.edit(TILL_CURSOR, published={"N": "99"}),
        Damage.OUTBOX,
        7,
    ),
    "a push cannot be read": (
        lambda shop: shop.edit(TILL_CURSOR, planned={"M": {}}),
        Damage.UNREADABLE,
        0,
    ),
    "an open hold has no record": (lambda shop: shop.delete(OPEN), Damage.HOLD, 0),
    "a record says another number": (
        lambda shop: shop.edit(OPEN, points={"N": "60"}),
        Damage.HOLD,
        0,
    ),
    "a used hold's order is missing": (lambda shop: shop.delete(AN_ORDER), Damage.HOLD, 0),
    "an order is missing": (lambda shop: shop.delete(AN_ORDER), Damage.ORDER, 0),
    "an order earned more": (
        lambda shop: shop.edit(AN_ORDER, approved={"N": "7"}),
        Damage.ORDER,
        0,
    ),
    "an order did not spend": (
        lambda shop: shop.edit(AN_ORDER, spendings={"L": []}),
        Damage.ORDER,
        0,
    ),
    "an order names a stranger": (
        lambda shop: shop.edit(AN_ORDER, customer={"S": "7009"}),
        Damage.ORDER,
        0,
    ),
    "a request names an entry that is not there": (_request, Damage.REQUEST, 99),
}
"""What is done to the shop, and how that is named at which version of the customer's entries."""


@both
def test_a_sound_shop_has_no_faults(shop: Shop) -> None:
    result, faults = verified(shop.engine.client, shop.engine.table)
    assert faults == []
    assert (result.accounts, result.entries) == (3, 7 + 2 + 1)
    assert result.units > 0


@both
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_named(shop: Shop, damage: str) -> None:
    plant, kind, version = DAMAGES[damage]
    plant(shop)
    names = {(named, at) for _, named, at in shop.found()}
    assert (kind, version) in names


@both
def test_a_merged_customer_who_leads_nowhere_is_found(shop: Shop) -> None:
    shop.delete(keys.account(SHOP, OTHER))
    assert (GONE, Damage.MERGE, 0) in shop.found()


def test_every_kind_of_damage_is_planted_somewhere() -> None:
    planted = {kind for _, kind, _ in DAMAGES.values()} | {Damage.MERGE}
    chains = {Damage.OUT_OF_ORDER, Damage.CHAIN, Damage.SUM, Damage.TIME}
    records = {Damage.REWRITTEN, Damage.CUT_OFF, Damage.GONE, Damage.HEADS, Damage.STATEMENT}
    assert planted | chains | records == set(Damage), (
        "chains: the domain's test_reconcile.py; records: test_recorded_heads.py"
    )


class Busy(MemoryDynamoDB):
    """A table on which somebody writes after every page that is scanned or read again."""

    def __init__(self, page_items: int = 2) -> None:
        super().__init__(page_items=page_items)
        self.meanwhile: Callable[[], object] = int

    def scan(self, **request: Any) -> Item:
        page = super().scan(**request)
        self._let_write()
        return page

    def query(self, **request: Any) -> Item:
        page = super().query(**request)
        self._let_write()
        return page

    def _let_write(self) -> None:
        """Somebody writes, who reads in peace."""
        write, self.meanwhile = self.meanwhile, int
        write()
        self.meanwhile = write


def test_writes_while_it_runs_are_no_faults() -> None:
    busy = Busy()
    shop = Shop(opened(MEMORY, busy))
    numbers = list(range(40))

    def write() -> None:
        if not numbers:
            return
        driver, number = shop.driver, numbers.pop(0)
        driver.grant(1, key=f"more-{number}")
        driver.release(f"h{number + 2}")
        driver.hold(5, hold_id=f"h{number + 3}")
        driver.grant(1, customer_id=f"8{number:03}")
        account = driver.store.account(SHOP, CUSTOMER)
        assert account is not None
        shop.publish(CUSTOMER, account.version, requested=0)

    busy.meanwhile = write
    faults = faults_in(busy, shop.engine.table)
    assert faults == []
    assert not numbers, "somebody wrote all the time"


def test_a_fault_is_found_although_the_account_is_written_all_the_time() -> None:
    busy = Busy()
    shop = Shop(opened(MEMORY, busy))
    shop.edit(entry(2), source={"S": "manual"})
    points = iter([1] * 60)
    busy.meanwhile = lambda: [shop.driver.grant(one) for one in islice(points, 1)]
    assert (CUSTOMER, Damage.HASH, 2) in shop.found()


def test_an_account_that_is_written_between_two_reads_is_read_again() -> None:
    busy = Busy(page_items=1000)
    shop = Shop(opened(MEMORY, busy))
    points = iter([1] * 10)
    busy.meanwhile = lambda: [shop.driver.grant(one) for one in islice(points, 1)]
    faults: list[Any] = []
    verification(busy, shop.engine.table, faults).customer(SHOP, CUSTOMER)
    assert faults == []
    assert not list(points), "it was written all the time"


def test_a_shop_that_is_being_erased_has_no_faults(shop_in_memory: Shop) -> None:
    shop = shop_in_memory
    shop.delete(AN_ORDER)
    assert shop.found()
    PrivacyRequests(Table(shop.engine.client, shop.engine.table)).save(
        PrivacyRequest(Kind.SHOP, SHOP, SHOP, NOON)
    )
    assert shop.found() == set()


@pytest.fixture
def shop_in_memory() -> Shop:
    return Shop(opened(MEMORY, MemoryDynamoDB()))


@both
def test_one_customer_is_verified_alone(shop: Shop) -> None:
    shop.edit(entry(2), source={"S": "manual"})
    for customer_id, expected in ((CUSTOMER, 1), (OTHER, 0)):
        faults: list[Any] = []
        result = verification(shop.engine.client, shop.engine.table, faults).customer(
            SHOP, customer_id
        )
        assert (result.accounts, result.faults, len(faults)) == (1, expected, expected)


def test_a_rate_slows_it_down(shop_in_memory: Shop) -> None:
    engine, faults = shop_in_memory.engine, list[Any]()
    result = verification(engine.client, engine.table, faults, rate=2.0).everything(
        None, lambda _: None
    )
    assert result.seconds == pytest.approx(result.units / 2, abs=0.2)
    assert result.seconds > 5


@both
def test_a_sample_stays_within_its_units_and_finds_what_it_meets(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.edit(entry(2), source={"S": "manual"})
    after = (keys.customer(SHOP, "7000"), keys.ACCOUNT)
    faults: list[Any] = []
    whole = verification(shop.engine.client, shop.engine.table, faults).sample(after, 1000, 60)
    assert (whole.complete, whole.accounts, len(faults)) == (True, 3, 1), "each account once"
    monkeypatch.setattr("pointbook.services.verification.SAMPLE_PAGE_ITEMS", 2)
    part = verification(shop.engine.client, shop.engine.table, faults).sample(after, 0.1, 60)
    assert not part.complete
    assert part.accounts < 2


def test_the_examples_have_the_entries_that_the_damages_name(shop_in_memory: Shop) -> None:
    entries = all_entries(shop_in_memory.driver.store, CUSTOMER)
    assert [booked.entry.version for booked in entries] == list(range(1, 8))
    assert items.entry_item(SHOP, entries[1])["sk"] == entry(2)["sk"]
