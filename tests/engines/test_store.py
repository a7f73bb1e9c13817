"""What the store promises, on every engine that claims to be DynamoDB, the fake included."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pointbook.domain.account import Account, Hold
from pointbook.domain.chain import BookedEntry
from pointbook.domain.expiry import NEVER, lapse_instant
from pointbook.domain.lots import Lot
from pointbook.domain.orders import EarningRule
from pointbook.domain.ports import (
    DUE_SHARDS,
    AccountWrite,
    AlreadyDone,
    Committed,
    DueKind,
    Loaded,
    ReadRequest,
    VersionConflict,
    Write,
)
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import BATCH_KEYS_MAX
from tests.support import generated
from tests.support.engine import SHOP, Engine, all_entries
from tests.support.examples import (
    CODE,
    CUSTOMER,
    HOLD_ID,
    LAST_DAY,
    NOON,
    ORDER,
    OTHER,
    a_hold_record,
    a_write,
    an_account,
    an_entry,
    an_idempotency_record,
    an_order,
)

EVERYTHING = ReadRequest(SHOP, CUSTOMER, key_hash="ab" * 32, order_id=ORDER, hold_id=HOLD_ID)
numbers = count(10**20)  # beyond any id that is generated, such as that of an order's customer


def loaded(store: DynamoStore, request: ReadRequest = EVERYTHING) -> Loaded:
    return store.load(request, fresh=True)


# --- what is written is what is read -----------------------------------------------------------


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink over a network takes minutes
)
@given(data=st.data())
def test_whatever_is_written_is_read_back_the_same(engine: Engine, data: st.DataObject) -> None:
    store, customer_id, order_id = engine.store(), str(next(numbers)), str(next(numbers))
    account = data.draw(generated.accounts(customer_id))
    entry = data.draw(generated.entries(customer_id))
    idempotency_record = data.draw(generated.idempotency_record)
    order = data.draw(generated.orders(order_id))
    record = replace(data.draw(generated.hold_records), hold_id=f"h{customer_id}")
    accounts = (AccountWrite(account, (entry,)),)
    write = Write(SHOP, accounts, idempotency_record, customer_id, order, record)
    assert store.commit(write) == Committed()

    request = ReadRequest(SHOP, customer_id, idempotency_record.key_hash, order_id, record.hold_id)
    everything = Loaded(account, idempotency_record, order, record)
    assert store.load(request, fresh=True) == everything
    assert store.load(request, fresh=False) == everything
    assert store.account(SHOP, customer_id) == account
    assert all_entries(store, customer_id) == [entry]


@pytest.mark.parametrize("fresh", [True, False])
def test_nothing_is_read_where_nothing_was_written(engine: Engine, fresh: bool) -> None:
    store = engine.store()

    assert store.load(EVERYTHING, fresh=fresh) == Loaded()
    assert store.account(SHOP, CUSTOMER) is None
    assert all_entries(store, CUSTOMER) == []


@pytest.mark.parametrize("fresh", [True, False])
def test_only_what_is_requested_is_read(engine: Engine, fresh: bool) -> None:
    store = engine.store()
    store.commit(a_write())

    assert store.load(ReadRequest(SHOP, CUSTOMER), fresh=fresh) == Loaded(an_account())
    assert store.load(ReadRequest(SHOP, OTHER, order_id=ORDER), fresh=fresh) == Loaded(
        order=an_order()
    )


def test_accounts_of_two_shops_are_separate(engine: Engine) -> None:
    store = engine.store()
    store.commit(a_write())

    assert store.account("other.myshopify.com", CUSTOMER) is None
    assert store.commit(replace(a_write(), shop="other.myshopify.com")) == Committed()
    assert store.entries("third.myshopify.com", CUSTOMER, before_version=9, limit=9) == []


def test_a_hold_record_is_found_by_its_id_and_in_its_shop_alone(engine: Engine) -> None:
    store = engine.store()
    store.commit(a_write())

    assert loaded(store, ReadRequest(SHOP, OTHER, hold_id=HOLD_ID)).hold_record == a_hold_record()
    for hold_id in (HOLD_ID.upper(), f"{HOLD_ID} ", CODE):
        assert loaded(store, ReadRequest(SHOP, CUSTOMER, hold_id=hold_id)).hold_record is None
    elsewhere = ReadRequest("other.myshopify.com", CUSTOMER, hold_id=HOLD_ID)
    assert loaded(store, elsewhere).hold_record is None


# --- each condition alone -----------------------------------------------------------------------

type Change = Callable[[Write], Write]
"""What makes one condition of an otherwise good second write fail."""


def with_account(account: Account, version: int = 2) -> Change:
    entries = (an_entry(version=version),)
    return lambda write: replace(write, accounts=(AccountWrite(account, entries),))


FAILING: dict[str, tuple[Change, bool]] = {
    "a new account": (with_account(an_account()), True),
    "an account over a missing revision": (with_account(an_account(revision=3)), True),
    "an entry": (
        lambda write: with_account(write.accounts[0].account, version=1)(write),
        False,
    ),
    "a new order": (lambda write: replace(write, order=an_order(1)), False),
    "an order over a missing revision": (lambda write: replace(write, order=an_order(3)), False),
    "a new hold record": (lambda write: replace(write, hold_record=a_hold_record(1)), False),
    "a hold record over a missing revision": (
        lambda write: replace(write, hold_record=a_hold_record(3)),
        False,
    ),
}
"""And whether it is the account's."""


@pytest.mark.parametrize(("change", "is_accounts"), FAILING.values(), ids=FAILING.keys())
def test_one_failing_condition_stops_the_whole_write(
    engine: Engine, change: Change, is_accounts: bool
) -> None:
    store = engine.store()
    store.commit(a_write())
    second = a_write(revision=2, key_hash="ef" * 32)

    verdict = store.commit(change(second))

    assert verdict == VersionConflict({CUSTOMER: an_account()} if is_accounts else {})
    assert loaded(store) == Loaded(
        an_account(), an_idempotency_record(), an_order(), a_hold_record()
    )
    assert loaded(store, replace(EVERYTHING, key_hash="ef" * 32)).idempotency_record is None
    assert len(all_entries(store, CUSTOMER)) == 1
    assert store.commit(second) == Committed()  # with all its conditions true


@pytest.mark.parametrize("part", ["account", "order", "hold_record"])
def test_a_later_revision_needs_the_one_before_to_be_there(engine: Engine, part: str) -> None:
    store = engine.store()
    good = a_write(revision=1)
    writes = {
        "account": replace(good, accounts=(AccountWrite(an_account(revision=2), ()),)),
        "order": replace(good, order=an_order(2)),
        "hold_record": replace(good, hold_record=a_hold_record(2)),
    }

    assert store.commit(writes[part]) == VersionConflict()
    assert loaded(store) == Loaded()
    assert store.commit(good) == Committed()


def test_a_recorded_request_is_already_done(engine: Engine) -> None:
    store = engine.store()
    store.commit(a_write())
    again = replace(
        a_write(revision=2),
        idempotency_record=replace(an_idempotency_record(), content_hash="11" * 32),
    )

    assert store.commit(again) == AlreadyDone(an_idempotency_record())
    assert loaded(store).account == an_account()


def test_already_done_takes_precedence_over_a_version_conflict(engine: Engine) -> None:
    store = engine.store()
    store.commit(a_write())

    assert store.commit(a_write()) == AlreadyDone(an_idempotency_record())


def test_an_account_is_handed_back_only_if_nothing_else_had_changed(engine: Engine) -> None:
    store = engine.store()
    store.commit(a_write())
    both_gone = replace(
        a_write(revision=1), idempotency_record=an_idempotency_record("ef" * 32), hold_record=None
    )

    assert store.commit(both_gone) == VersionConflict()
    assert store.commit(replace(both_gone, order=None)) == VersionConflict({CUSTOMER: an_account()})


# --- two accounts -------------------------------------------------------------------------------


def pair(source: Account, target: Account, version: int) -> Write:
    return Write(
        SHOP,
        (
            AccountWrite(source, (an_entry(CUSTOMER, version),)),
            AccountWrite(target, (an_entry(OTHER, version),)),
        ),
    )


def test_two_accounts_are_written_together_and_one_becomes_a_tombstone(engine: Engine) -> None:
    store = engine.store()
    store.commit(pair(an_account(), an_account(OTHER), 1))
    tombstone = replace(an_account(revision=2), lots=(), merged_into=OTHER)

    assert store.commit(pair(tombstone, an_account(OTHER, 2), 2)) == Committed()
    assert store.account(SHOP, CUSTOMER) == tombstone
    assert store.account(SHOP, OTHER) == an_account(OTHER, 2)
    assert [len(all_entries(store, customer_id)) for customer_id in (CUSTOMER, OTHER)] == [2, 2]
    assert due(engine, DueKind.LOT, NOON + timedelta(days=99)) == {(SHOP, OTHER)}


@pytest.mark.parametrize("changed", [{CUSTOMER}, {OTHER}, {CUSTOMER, OTHER}])
def test_neither_account_is_written_if_one_had_changed(engine: Engine, changed: set[str]) -> None:
    store = engine.store()
    store.commit(pair(an_account(), an_account(OTHER), 1))
    revisions = {each: 1 if each in changed else 2 for each in (CUSTOMER, OTHER)}
    source, target = (an_account(each, revision) for each, revision in revisions.items())

    assert store.commit(pair(source, target, 2)) == VersionConflict(
        {each: an_account(each) for each in changed}
    )
    assert store.account(SHOP, CUSTOMER) == an_account()
    assert store.account(SHOP, OTHER) == an_account(OTHER)
    assert [len(all_entries(store, customer_id)) for customer_id in (CUSTOMER, OTHER)] == [1, 1]


# --- entries ------------------------------------------------------------------------------------


def entries_of(versions: Iterable[int]) -> tuple[BookedEntry, ...]:
    return tuple(an_entry(version=version) for version in versions)


def with_entries(store: DynamoStore, versions: range, revision: int = 1) -> None:
    account = replace(an_account(revision=revision), version=versions[-1])
    write = Write(SHOP, (AccountWrite(account, entries_of(versions)),))
    assert store.commit(write) == Committed()


def test_twenty_entries_go_into_one_write(engine: Engine) -> None:
    store = engine.store()
    with_entries(store, range(1, 21))

    assert all_entries(store, CUSTOMER) == list(entries_of(range(1, 21)))


def test_entries_come_newest_first_below_a_version_and_up_to_a_limit(engine: Engine) -> None:
    store = engine.store()
    for revision, first in enumerate(range(1, 110, 20), start=1):
        with_entries(store, range(first, first + 20), revision)
    # An idempotency record and the account share the partition key; neither is an entry.
    store.commit(Write(SHOP, (), an_idempotency_record(), CUSTOMER))

    def versions(before_version: int, limit: int) -> list[int]:
        found = store.entries(SHOP, CUSTOMER, before_version=before_version, limit=limit)
        return [booked.entry.version for booked in found]

    assert versions(112, 3) == [111, 110, 109]
    assert versions(101, 2) == [100, 99]
    assert versions(3, 10) == [2, 1]
    assert versions(2, 10) == [1]
    assert versions(1, 10) == []
    assert versions(0, 10) == []
    assert versions(10**12, 10_000) == list(range(120, 0, -1))


# --- what falls due -----------------------------------------------------------------------------


def due(engine: Engine, kind: DueKind, now: datetime) -> set[tuple[str, str]]:
    store = engine.store()
    found = [one[:2] for shard in range(DUE_SHARDS) for one in store.due(kind, shard, now)]
    assert len(found) == len(set(found)), f"twice in {found}"
    return set(found)


def test_a_lot_is_due_from_the_instant_at_which_it_lapses(engine: Engine) -> None:
    store = engine.store()
    lapses_at = lapse_instant(LAST_DAY, "Asia/Tokyo")
    store.commit(a_write())

    assert due(engine, DueKind.LOT, lapses_at - timedelta(milliseconds=1)) == set()
    assert due(engine, DueKind.LOT, lapses_at) == {(SHOP, CUSTOMER)}
    assert due(engine, DueKind.HOLD, lapses_at) == set()


def test_due_work_moves_with_the_soonest_lot_and_goes_with_the_last(engine: Engine) -> None:
    store, later = engine.store(), date(2027, 3, 31)

    def keep(revision: int, *lots: Lot) -> None:
        account = replace(an_account(revision=revision), lots=lots)
        assert store.commit(Write(SHOP, (AccountWrite(account, ()),))) == Committed()

    keep(1, Lot(LAST_DAY, 60), Lot(later, 40))
    keep(2, Lot(later, 40))
    assert due(engine, DueKind.LOT, lapse_instant(LAST_DAY, "Asia/Tokyo")) == set()
    assert due(engine, DueKind.LOT, lapse_instant(later, "Asia/Tokyo")) == {(SHOP, CUSTOMER)}
    keep(3, Lot(LAST_DAY, 60))
    assert due(engine, DueKind.LOT, lapse_instant(LAST_DAY, "Asia/Tokyo")) == {(SHOP, CUSTOMER)}
    keep(4, Lot(NEVER, 60))
    assert due(engine, DueKind.LOT, NOON + timedelta(days=36_500)) == set()
    keep(5)
    assert due(engine, DueKind.LOT, NOON + timedelta(days=36_500)) == set()


def test_a_hold_is_due_when_it_ends_and_no_longer_when_it_is_gone(engine: Engine) -> None:
    store, ends_at = engine.store(), NOON + timedelta(minutes=10)
    hold = Hold("h1", 30, (Lot(LAST_DAY, 30),), ends_at)
    held = replace(an_account(), hold=hold)
    store.commit(Write(SHOP, (AccountWrite(held, ()),)))

    assert due(engine, DueKind.HOLD, ends_at - timedelta(milliseconds=1)) == set()
    assert due(engine, DueKind.HOLD, ends_at) == {(SHOP, CUSTOMER)}
    assert due(engine, DueKind.LOT, ends_at) == set()

    store.commit(Write(SHOP, (AccountWrite(an_account(revision=2), ()),)))
    assert due(engine, DueKind.HOLD, ends_at) == set()


def test_an_order_is_due_when_its_pending_points_are_approved_and_not_after(
    engine: Engine,
) -> None:
    store, approves_at = engine.store(), NOON + timedelta(days=14)
    rule = EarningRule(unit_minor=100, pending_days=14)
    pending = replace(an_order(), rule=rule, confirmed_at=NOON, pending_points=10)
    store.commit(Write(SHOP, (AccountWrite(an_account(), ()),), order=pending))

    assert due(engine, DueKind.PENDING, approves_at - timedelta(milliseconds=1)) == set()
    assert due(engine, DueKind.PENDING, approves_at) == {(SHOP, ORDER)}
    assert due(engine, DueKind.HOLD, approves_at) == set()

    approved = replace(pending, revision=2, pending_points=0, approved_points=10)
    store.commit(Write(SHOP, (AccountWrite(an_account(revision=2), ()),), order=approved))
    assert due(engine, DueKind.PENDING, approves_at) == set()


def test_any_number_of_orders_is_read_at_once_and_those_of_another_shop_are_not(
    engine: Engine,
) -> None:
    store = engine.store()
    wanted = [str(8000 + number) for number in range(BATCH_KEYS_MAX + 1)]
    assert store.orders(SHOP, wanted) == {}
    for order_id in (wanted[0], wanted[-1]):
        order = replace(an_order(), order_id=order_id, name="#1001")
        store.commit(Write(SHOP, (), order=order))
    store.commit(Write("other.myshopify.com", (), order=replace(an_order(), order_id=wanted[1])))
    found = store.orders(SHOP, wanted)
    assert set(found) == {wanted[0], wanted[-1]}
    assert found[wanted[-1]].name == "#1001"


def test_due_work_of_all_shops_and_customers_is_found_once(engine: Engine) -> None:
    store = engine.store()
    shops = [SHOP, "other.myshopify.com"]
    expected = {(shop, str(7000 + number)) for shop in shops for number in range(12)}
    for shop, customer_id in expected:
        store.commit(Write(shop, (AccountWrite(an_account(customer_id), ()),)))

    assert due(engine, DueKind.LOT, NOON + timedelta(days=99)) == expected
