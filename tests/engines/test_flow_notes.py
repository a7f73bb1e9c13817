"""Reports are counted and recorded, reminders are claimed and recorded: on every engine."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pointbook.clock import SystemClock
from pointbook.domain.erase import tombstone
from pointbook.domain.lots import Lot
from pointbook.domain.reminders import Reminder, with_sent
from pointbook.store import items, keys
from pointbook.store.customer_items import CustomerErased
from pointbook.store.outbox import Cursor, Outbox
from pointbook.store.reports import Reports
from pointbook.store.sent_reminders import Reminders
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.engine import SHOP, Engine
from tests.support.examples import CUSTOMER, OTHER, an_idempotency_record
from tests.support.ledgers import LedgerDriver

NOW = datetime(2026, 11, 22, 3, 59, 59, 999_000, tzinfo=UTC)
NEXT_HOUR = NOW + timedelta(milliseconds=1)
CLAIM = timedelta(seconds=60)
DAY, LATER = date(2026, 12, 22), date(2026, 12, 31)


@pytest.fixture
def reports(engine: Engine) -> Reports:
    return Reports(Table(engine.client, engine.table))


@pytest.fixture
def reminders(engine: Engine) -> Reminders:
    return Reminders(Table(engine.client, engine.table), SystemClock())


def test_so_many_reports_an_hour_and_each_customer_for_himself(reports: Reports) -> None:
    assert [reports.count(SHOP, CUSTOMER, NOW, 3) for _ in range(5)] == [True] * 3 + [False] * 2
    assert reports.count(SHOP, OTHER, NOW, 3)
    assert [reports.count(SHOP, CUSTOMER, NEXT_HOUR, 1) for _ in range(2)] == [True, False]


def test_a_slightly_slow_clock_counts_in_the_hour_that_has_begun(
    reports: Reports,
) -> None:
    assert reports.count(SHOP, CUSTOMER, NEXT_HOUR, 2)
    assert [reports.count(SHOP, CUSTOMER, NOW, 2) for _ in range(2)] == [True, False]
    assert not reports.count(SHOP, CUSTOMER, NEXT_HOUR, 2)


class Erasing(MemoryDynamoDB):
    """Erases the customer right after an update, once it is `armed`."""

    armed = False

    def update_item(self, **request: Any) -> Any:
        try:
            return super().update_item(**request)
        finally:
            if self.armed:
                stone = items.account_item(SHOP, tombstone(CUSTOMER, None))
                self.put_item(TableName=request["TableName"], Item=stone)
                self.delete_item(TableName=request["TableName"], Key=request["Key"])


def test_a_new_hour_counts_nothing_of_a_customer_who_was_erased_meanwhile() -> None:
    client = Erasing()
    engine = engines.opened(engines.MEMORY, client)
    reports = Reports(Table(client, engine.table))
    reports.count(SHOP, CUSTOMER, NOW, 1)
    client.armed = True
    with pytest.raises(CustomerErased):
        reports.count(SHOP, CUSTOMER, NEXT_HOUR, 1)
    assert [sk for _, sk in client.items(engine.table)] == [keys.ACCOUNT]


@pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)
def test_reports_at_once_are_counted_each(reports: Reports) -> None:
    with ThreadPoolExecutor(12) as pool:
        counted = list(pool.map(lambda _: reports.count(SHOP, CUSTOMER, NOW, 7), range(12)))
    assert sum(counted) == 7


def test_a_report_is_recorded_as_it_was_first(reports: Reports) -> None:
    first = an_idempotency_record()
    assert reports.find(SHOP, CUSTOMER, first.key_hash) is None
    assert reports.record(SHOP, CUSTOMER, first) == first
    another = type(first)(first.key_hash, first.content_hash, (), first.figures)
    assert reports.record(SHOP, CUSTOMER, another) == first
    assert reports.find(SHOP, CUSTOMER, first.key_hash) == first
    assert reports.find(SHOP, OTHER, first.key_hash) is None


def reminder(day: date, *lead_days: int) -> Reminder:
    return Reminder(Lot(day, 10), frozenset(lead_days))


def test_an_account_is_claimed_by_one_sender_and_sent_reminders_are_recorded(
    reminders: Reminders,
) -> None:
    assert reminders.claim(SHOP, CUSTOMER, NOW, NOW + CLAIM) == {}
    assert reminders.claim(SHOP, CUSTOMER, NOW, NOW + CLAIM) is None
    after = with_sent({}, reminder(DAY, 30), NOW.date())
    after = with_sent(after, reminder(LATER, 30, 7), NOW.date())
    reminders.release(SHOP, CUSTOMER, after)
    assert reminders.claim(SHOP, CUSTOMER, NOW, NOW + CLAIM) == {
        DAY: frozenset({30}),
        LATER: frozenset({30, 7}),
    }
    assert reminders.claim(SHOP, CUSTOMER, NOW + CLAIM, NOW + 2 * CLAIM) is not None


def test_accounts_are_read_with_their_sent_reminders(engine: Engine, reminders: Reminders) -> None:
    driver = LedgerDriver(engine)
    driver.grant(70)
    reminders.claim(SHOP, CUSTOMER, NOW, NOW + CLAIM)
    reminders.release(SHOP, CUSTOMER, {DAY: frozenset({7})})
    (found,) = reminders.accounts(SHOP, [CUSTOMER, "7999"])
    assert (found.customer_id, found.account().balances.approved) == (CUSTOMER, 70)
    assert found.sent_reminders() == {DAY: frozenset({7})}


def test_the_outbox_and_the_reminders_leave_each_others_notes_alone(
    engine: Engine, reminders: Reminders
) -> None:
    """They share an account's cursor."""
    outbox = Outbox(Table(engine.client, engine.table))
    reminders.claim(SHOP, CUSTOMER, NOW, NOW + CLAIM)
    cursor = outbox.acquire(Cursor(SHOP, CUSTOMER, "mine", NOW + CLAIM), NOW, None)
    assert isinstance(cursor, Cursor)
    outbox.discard(cursor)
    reminders.release(SHOP, CUSTOMER, {DAY: frozenset({7})})
    assert outbox.release(cursor)
    assert reminders.claim(SHOP, CUSTOMER, NOW, NOW + CLAIM) == {DAY: frozenset({7})}
