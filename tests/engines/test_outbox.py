"""The outbox's cursors: one sender at a time, no request gets lost, on every engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pointbook.store.outbox import Cursor, Leased, LeaseLost, Outbox, Unpublished
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
from tests.support.engine import SHOP, Engine
from tests.support.examples import CUSTOMER, OTHER
from tests.support.ledgers import LedgerDriver

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
OTHER_SHOP = "other.myshopify.com"


@pytest.fixture
def outbox(engine: Engine) -> Outbox:
    return Outbox(Table(engine.client, engine.table))


def lease_request(lease: str = "mine", now: datetime = NOW, customer_id: str = CUSTOMER) -> Cursor:
    return Cursor(SHOP, customer_id, lease, now + LEASE)


def acquired(outbox: Outbox, lease: str = "mine", now: datetime = NOW) -> Cursor:
    cursor = outbox.acquire(lease_request(lease, now), now, None)
    assert isinstance(cursor, Cursor)
    return cursor


def due(outbox: Outbox, now: datetime = NOW) -> list[str]:
    return list(outbox.due(SHOP, now))


def test_a_lease_is_one_senders_until_its_time_is_over(outbox: Outbox) -> None:
    assert acquired(outbox) == lease_request()
    assert outbox.acquire(lease_request("theirs"), NOW, None) == Leased(NOW + LEASE)
    later = NOW + LEASE
    assert outbox.acquire(lease_request("theirs", later), later, None) == lease_request(
        "theirs", later
    )
    for change in (outbox.advance, outbox.release, lambda one: outbox.reschedule(one, NOW)):
        with pytest.raises(LeaseLost):
            change(replace(lease_request(), published=7))
    outbox.discard(lease_request())
    assert outbox.published(SHOP, CUSTOMER) == 0
    assert outbox.acquire(lease_request("third"), NOW, None) == Leased(later + LEASE)


def test_progress_is_stored_and_the_next_sender_goes_on_from_there(outbox: Outbox) -> None:
    cursor = replace(acquired(outbox), published=3, triggers_sent=1, lease_until=NOW + 2 * LEASE)
    outbox.advance(cursor)
    assert outbox.acquire(lease_request("theirs"), NOW + LEASE, None) == Leased(NOW + 2 * LEASE)
    assert outbox.release(replace(cursor, published=4, triggers_sent=0))
    assert outbox.published(SHOP, CUSTOMER) == 4
    assert acquired(outbox, "theirs").published == 4


def test_an_account_is_not_leased_again_for_a_published_version(outbox: Outbox) -> None:
    assert outbox.release(replace(acquired(outbox), published=3))
    assert outbox.acquire(lease_request(), NOW, 3) is None
    assert isinstance(outbox.acquire(lease_request(), NOW, 4), Cursor)


def test_a_rescheduled_account_is_due_at_its_time_with_its_number_of_attempts(
    outbox: Outbox,
) -> None:
    outbox.reschedule(
        replace(acquired(outbox), published=2, triggers_sent=1, attempts=5), NOW + LEASE
    )
    assert due(outbox) == []
    assert due(outbox, NOW + LEASE) == [CUSTOMER]
    assert list(outbox.due(OTHER_SHOP, NOW + LEASE)) == []
    again = acquired(outbox)
    assert (again.published, again.triggers_sent, again.attempts) == (2, 1, 5)
    assert due(outbox, NOW + LEASE) == [CUSTOMER], "should this sender end here, it is still due"
    assert outbox.release(replace(again, published=3, triggers_sent=0, attempts=0))
    assert due(outbox, NOW + LEASE) == []
    assert replace(acquired(outbox), lease="") == replace(lease_request(""), published=3)


def test_a_request_during_a_run_is_not_removed_by_it(outbox: Outbox) -> None:
    cursor = replace(acquired(outbox), published=7)
    outbox.request(SHOP, CUSTOMER, 8, NOW)
    assert not outbox.release(cursor)
    assert due(outbox) == [CUSTOMER]
    assert outbox.published(SHOP, CUSTOMER) == 0, "nothing was changed"
    assert outbox.release(replace(cursor, published=8))
    assert due(outbox) == []


def test_requesting_no_more_than_was_requested_or_published_changes_nothing(outbox: Outbox) -> None:
    outbox.request(SHOP, CUSTOMER, 9, NOW)
    outbox.request(SHOP, CUSTOMER, 8, NOW)
    cursor = acquired(outbox)
    assert not outbox.release(replace(cursor, published=8))
    assert outbox.release(replace(cursor, published=9))
    outbox.request(SHOP, CUSTOMER, 9, NOW)
    assert due(outbox) == []


def test_requesting_again_leaves_an_account_its_place_in_the_queue(outbox: Outbox) -> None:
    outbox.request(SHOP, CUSTOMER, 1, NOW)
    outbox.request(SHOP, OTHER, 1, NOW + timedelta(seconds=1))
    outbox.request(SHOP, CUSTOMER, 2, NOW + LEASE)
    assert due(outbox, NOW + LEASE) == [CUSTOMER, OTHER], "the longest due first"


def test_a_cursor_that_published_nothing_is_removed_unless_there_is_a_request(
    outbox: Outbox, engine: Engine
) -> None:
    outbox.discard(acquired(outbox))
    key = {"pk": {"S": f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}"}, "sk": {"S": "OUTBOX"}}
    assert "Item" not in engine.client.get_item(TableName=engine.table, Key=key)
    cursor = acquired(outbox)
    outbox.request(SHOP, CUSTOMER, 1, NOW)
    outbox.discard(cursor)
    assert due(outbox) == [CUSTOMER]


def test_other_attributes_of_a_cursor_stay(outbox: Outbox, engine: Engine) -> None:
    item = {"pk": {"S": f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}"}, "sk": {"S": "OUTBOX"}}
    sent_reminders = {"M": {"20261231": {"L": [{"N": "30"}]}}}
    engine.client.put_item(TableName=engine.table, Item={**item, "sent_reminders": sent_reminders})
    outbox.discard(acquired(outbox))
    outbox.advance(replace(lease_request(), published=1))
    assert outbox.release(replace(lease_request(), published=2))
    outbox.reschedule(replace(acquired(outbox), published=2), NOW)
    outbox.request(SHOP, CUSTOMER, 3, NOW)
    assert outbox.rewind(SHOP, CUSTOMER, 1, 3, NOW)
    stored = engine.client.get_item(TableName=engine.table, Key=item, ConsistentRead=True)["Item"]
    assert stored["sent_reminders"] == sent_reminders


def test_a_cursor_is_rewound_unless_a_sender_holds_it(outbox: Outbox) -> None:
    cursor = acquired(outbox)
    assert not outbox.rewind(SHOP, CUSTOMER, 2, 7, NOW)
    assert outbox.release(replace(cursor, published=7))
    assert outbox.rewind(SHOP, CUSTOMER, 2, 7, NOW)
    assert (outbox.published(SHOP, CUSTOMER), due(outbox)) == (2, [CUSTOMER])
    again = acquired(outbox)
    assert not outbox.release(replace(again, published=6)), "up to where it was"
    assert outbox.release(replace(again, published=7))


def test_entries_are_read_in_order_above_a_version(outbox: Outbox, engine: Engine) -> None:
    driver = LedgerDriver(engine)
    for points in range(1, 8):
        driver.grant(points)
    read = [
        [booked.entry.version for booked in outbox.entries(SHOP, CUSTOMER, above, limit)]
        for above, limit in ((0, 100), (0, 3), (3, 3), (6, 3), (7, 3))
    ]
    assert read == [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3], [4, 5, 6], [7], []]


def test_unpublished_accounts_are_found_however_long_they_are(
    outbox: Outbox, engine: Engine
) -> None:
    driver = LedgerDriver(engine)
    for customer_id in ("7001", "7002", "7003", "7004"):
        for number in range(3):
            driver.grant(
                1, customer_id=customer_id, key=f"{customer_id}-{number}", reason="x" * 200
            )
    for customer_id, published in (("7002", 3), ("7003", 1)):
        cursor = outbox.acquire(lease_request(customer_id=customer_id), NOW, None)
        assert isinstance(cursor, Cursor)
        assert outbox.release(replace(cursor, published=published))
    seen: list[int] = []
    found = sorted(outbox.unpublished(seen.append), key=lambda one: one.customer_id)
    assert found == [
        Unpublished(SHOP, "7001", 3, 0),
        Unpublished(SHOP, "7003", 3, 1),
        Unpublished(SHOP, "7004", 3, 0),
    ]
    assert seen[-1] == 4 * 7 + 2, "four accounts, twelve entries, twelve records, two cursors"


def test_the_latest_trigger_subscription_counts(engine: Engine) -> None:
    subscriptions = TriggerSubscriptions(Table(engine.client, engine.table))
    assert subscriptions.disabled_handles(SHOP) == frozenset(), (
        "nothing recorded: it may be enabled"
    )
    assert subscriptions.record(SHOP, "points-changed", NOW, enabled=False)
    assert subscriptions.record(SHOP, "points-balance", NOW, enabled=True)
    assert not subscriptions.record(SHOP, "points-changed", NOW, enabled=True), "recorded before"
    assert not subscriptions.record(SHOP, "points-changed", NOW - LEASE, enabled=True), "older"
    assert subscriptions.disabled_handles(SHOP) == {"points-changed"}
    assert subscriptions.disabled_handles(OTHER_SHOP) == frozenset()
    assert subscriptions.record(SHOP, "points-changed", NOW + LEASE, enabled=True)
    assert subscriptions.disabled_handles(SHOP) == frozenset()
