"""A statement closes: opening figures and movements by the entries meet the accounts' figures."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from pointbook.domain import commands as c
from pointbook.domain.books.movements import Movement, available
from pointbook.domain.books.periods import Period, months_between
from pointbook.domain.books.statement import (
    EXPIRED,
    NEVER_EXPIRES,
    Books,
    LotGroup,
    Statement,
    joined,
)
from pointbook.domain.buckets import Balances, Bucket
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import NEVER, Days, FixedDate, Never
from pointbook.domain.lots import Lot
from tests.support.book_days import MIDNIGHT, TOKYO, Shop, busy_shop

DAY = date(2026, 11, 21)
NOVEMBER_21 = Period(DAY, DAY, TOKYO)
NOON = MIDNIGHT + timedelta(hours=12)


@pytest.fixture(scope="module")
def busy() -> Shop:
    """10,000 entries on November 21."""
    return busy_shop(seed=16, per_day=10_000)


@pytest.mark.slow
def test_a_day_with_10_000_random_movements_closes(busy: Shop) -> None:
    found = busy.statement(NOVEMBER_21)
    assert found.entries >= 10_000
    assert found.difference == Balances()
    assert found.lots_difference == 0
    assert found.is_closed
    assert {
        *(Movement.GRANTED, Movement.HELD, Movement.RELEASED, Movement.SPENT),
        *(Movement.EXPIRED, Movement.REMOVED, Movement.MERGED),
    } <= found.movements.keys()
    assert Movement.OTHER not in found.movements


@pytest.mark.slow
def test_a_day_begins_where_the_day_before_ended(busy: Shop) -> None:
    before = DAY - timedelta(days=1)
    yesterday = busy.statement(Period(before, before, TOKYO))
    assert any(yesterday.closing)
    assert busy.statement(NOVEMBER_21).opening == yesterday.closing


@pytest.mark.slow
def test_what_is_recorded_later_changes_no_day_that_is_over(busy: Shop) -> None:
    ended = Shop(Random(0), dict(busy.accounts), {k: [*v] for k, v in busy.entries.items()})
    before = ended.statement(NOVEMBER_21)
    for customer_id in list(ended.accounts):
        ended.move(customer_id, MIDNIGHT + timedelta(days=90))
    assert ended.count() > busy.count()
    after = ended.statement(NOVEMBER_21)
    assert (after.opening, after.movements, after.closing, after.outstanding) == (
        before.opening,
        before.movements,
        before.closing,
        before.outstanding,
    )


@pytest.mark.slow
def test_days_joined_are_the_statement_of_the_whole_period(busy: Shop) -> None:
    days = [DAY + timedelta(days=number) for number in (-1, 0, 1)]
    parts = [busy.statement(Period(day, day, TOKYO)) for day in days]
    whole = busy.statement(Period(days[0], days[-1], TOKYO))
    assert joined(parts) == whole


@pytest.mark.slow
def test_a_statement_in_parts_is_that_of_one_go(busy: Shop) -> None:
    statement, ids = Statement(), list(busy.accounts)
    for part in (ids[:7], ids[7:]):
        books = Books(NOVEMBER_21, busy.versions, statement)
        for customer_id in part:
            assert books.add(busy.accounts[customer_id], busy.entries[customer_id])
    assert statement == busy.statement(NOVEMBER_21)


def damaged(busy: Shop, change: str) -> Shop:
    """A copy with one thing that is wrong."""
    shop = Shop(Random(0), dict(busy.accounts), {k: [*v] for k, v in busy.entries.items()})
    customer_id = next(one for one in shop.accounts if shop.accounts[one].balances.spent)
    account, entries = shop.accounts[customer_id], shop.entries[customer_id]
    match change:
        case "edited account":
            balances = account.balances
            edited = balances._replace(approved=balances.approved + 1, issued=balances.issued - 1)
            shop.accounts[customer_id] = replace(account, balances=edited)
        case "missing entry":
            del entries[2]
        case "edited entry":
            moves = ((Bucket.ISSUED, -1), (Bucket.APPROVED, 1))
            entries[0] = replace(entries[0], moves=moves)
        case "edited lots":
            entries[0] = replace(entries[0], lots=(*entries[0].lots, Lot(NEVER, 5)))
    return shop


@pytest.mark.parametrize("change", ["edited account", "missing entry", "edited entry"])
@pytest.mark.slow
def test_a_planted_difference_does_not_close(busy: Shop, change: str) -> None:
    found = damaged(busy, change).statement(NOVEMBER_21)
    assert any(found.difference)
    assert not found.is_closed


@pytest.mark.slow
def test_lots_that_are_not_the_points_do_not_close(busy: Shop) -> None:
    found = damaged(busy, "edited lots").statement(NOVEMBER_21)
    assert found.lots_difference != 0
    assert not found.is_closed


def test_an_account_that_cannot_be_read_leaves_the_statement_open() -> None:
    books = Books(NOVEMBER_21, (), Statement())
    books.add_unreadable()
    assert not books.statement.is_closed


# --- what is of an earlier day --------------------------------------------------------------------


def test_what_took_effect_on_an_earlier_day_is_told_apart() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(100, Days(1)), NOON - timedelta(days=6))
    shop.execute("1", c.Grant(30, Never()), NOON - timedelta(days=6))
    shop.execute("1", c.Consume(10), NOON)  # the lot lapsed four days ago, and nobody looked
    moved = shop.statement(NOVEMBER_21).movements
    assert (moved[Movement.EXPIRED].points, moved[Movement.EXPIRED].earlier_points) == (100, 100)
    assert moved[Movement.EXPIRED].earlier_entries == 1
    assert (moved[Movement.SPENT].points, moved[Movement.SPENT].earlier_points) == (10, 0)


def test_a_day_ends_at_midnight_in_the_shops_time_zone() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(1, Never()), MIDNIGHT - timedelta(milliseconds=1))
    shop.execute("1", c.Grant(10, Never()), MIDNIGHT)
    shop.execute("1", c.Grant(100, Never()), MIDNIGHT + timedelta(hours=23, minutes=59))
    shop.execute("1", c.Grant(1000, Never()), MIDNIGHT + timedelta(hours=24))
    found = shop.statement(NOVEMBER_21)
    assert (found.opening.approved, found.closing.approved) == (1, 111)
    assert found.movements[Movement.GRANTED].points == 110
    assert shop.statement(Period(DAY, DAY, "UTC")).opening.approved == 11


def test_a_day_of_a_change_to_summer_time_has_23_hours() -> None:
    day = Period(date(2027, 3, 28), date(2027, 3, 28), "Europe/Berlin")
    assert day.end - day.start == timedelta(hours=23)


def test_a_kind_that_nobody_knows_is_counted_all_the_same() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(100, Never()), NOON)
    (entry,) = shop.entries["1"]
    moves = ((Bucket.ISSUED, -100), (Bucket.REMOVED, 100))
    shop.entries["1"] = [replace(entry, moves=moves, lots=())]
    balances = Balances(issued=-100, removed=100)
    shop.accounts["1"] = replace(shop.accounts["1"], balances=balances, lots=())
    found = shop.statement(NOVEMBER_21)
    assert found.movements[Movement.OTHER].points == 100
    assert found.is_closed


def test_an_extension_and_the_undo_of_an_import_have_kinds_of_their_own() -> None:
    shop = Shop(Random(1))
    old_day, new_day = date(2027, 3, 31), date(2027, 9, 30)
    shop.execute("1", c.Grant(100, FixedDate(old_day)), NOON - timedelta(days=40))
    shop.execute("1", c.Remove(30), NOON - timedelta(days=1))
    assert shop.execute("1", c.ExtendExpiry(old_day, new_day), NOON)
    lots = (Lot(new_day, 30),)
    assert shop.execute("1", c.ReverseImport(30, lots, "move#1", was_removal=True), NOON)
    assert shop.execute(
        "1", c.ReverseImport(20, (Lot(new_day, 20),), "move#2", was_removal=False), NOON
    )
    found = shop.statement(NOVEMBER_21)
    assert {kind: available(one.changes) for kind, one in found.movements.items()} == {
        Movement.EXTENDED: 0,
        Movement.RESTORED: 30,
        Movement.UNDONE: -20,
    }
    assert {group.expires for group in found.outstanding} == {"2027-09"}
    assert found.is_closed


def test_merged_points_stay_in_the_shop() -> None:
    shop = Shop(Random(1))
    for customer_id in ("1", "2"):
        shop.execute(customer_id, c.Grant(100, Never()), NOON - timedelta(days=1))
    assert shop.merge("1", "2", NOON)
    found = shop.statement(NOVEMBER_21)
    assert found.movements[Movement.MERGED].changes == Balances()
    assert (found.opening, found.closing) == (found.closing, found.opening)
    assert found.is_closed


def test_what_customers_owe_is_stated_beside_the_lots() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(100, Never()), NOON)
    shop.execute("2", c.Grant(100, Never()), NOON)
    owing = replace(
        shop.entries["2"][0],
        version=2,
        topic=Topic.SUB_REFUND,
        moves=((Bucket.APPROVED, -130), (Bucket.REVERSED, 130)),
        lots=shop.entries["2"][0].lots[:0],
    )
    taken = replace(owing, lots=tuple(one._replace(points=-100) for one in shop.accounts["2"].lots))
    shop.entries["2"].append(taken)
    balances = Balances(issued=-100, approved=-30, reversed=130)
    shop.accounts["2"] = replace(shop.accounts["2"], version=2, balances=balances, lots=())
    found = shop.statement(NOVEMBER_21)
    assert (found.owed, available(found.closing)) == (30, 70)
    assert sum(free + held for free, held in found.outstanding.values()) == 100
    assert found.is_closed


# --- what is outstanding --------------------------------------------------------------------------


def test_lots_are_grouped_by_expiry_month_age_and_programme() -> None:
    shop = Shop(Random(1))
    shop.versions = ((NOON - timedelta(days=400), 1), (NOON - timedelta(days=10), 2))
    shared = FixedDate(date(2027, 3, 31))
    shop.execute("1", c.Grant(100, shared), NOON - timedelta(days=60))
    shop.execute("1", c.Grant(40, shared), NOON - timedelta(days=1))
    shop.execute("1", c.Grant(7, Never()), NOON)
    shop.execute("1", c.PlaceHold(30, "h", 600, code="C"), NOON)
    found = shop.statement(NOVEMBER_21)
    assert found.outstanding == {
        LotGroup("2027-03", "2026-09", 1): (70, 30),
        LotGroup("2027-03", "2026-11", 2): (40, 0),
        LotGroup(NEVER_EXPIRES, "2026-11", 2): (7, 0),
    }


def test_points_from_before_the_first_programme_are_of_none() -> None:
    shop = Shop(Random(1))
    shop.versions = ((NOON, 1),)
    shop.execute("1", c.Grant(7, Never()), NOON - timedelta(days=1))
    assert list(shop.statement(NOVEMBER_21).outstanding) == [LotGroup(NEVER_EXPIRES, "2026-11", 0)]


def test_lots_that_expire_at_the_closing_instant_are_named_so() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(100, FixedDate(DAY)), NOON)
    shop.execute("1", c.Settle(), NOON + timedelta(days=1))
    found = shop.statement(NOVEMBER_21)
    assert found.outstanding == {LotGroup(EXPIRED, "2026-11", 0): (100, 0)}
    following = DAY + timedelta(days=1)
    moved = shop.statement(Period(following, following, TOKYO)).movements[Movement.EXPIRED]
    assert (moved.points, moved.earlier_points) == (100, 0), "it expired at 0:00 of the next day"


def test_months() -> None:
    november = Period.month(2026, 11, TOKYO)
    assert (november.first, november.last) == (date(2026, 11, 1), date(2026, 11, 30))
    assert Period.month(2028, 2, TOKYO).last == date(2028, 2, 29)
    assert november.start == datetime(2026, 10, 31, 15, tzinfo=UTC)
    assert len(list(november.days())) == 30
    assert months_between("2025-12", "2026-11") == 11
    assert months_between("2026-12", "2026-11") == 0


def test_imported_points_have_the_age_of_the_other_app_and_the_programme_of_the_import() -> None:
    shop = Shop(Random(1), versions=((NOON - timedelta(days=9), 1), (NOON, 2)))
    imported = c.Grant(500, Never(), Topic.ADD_IMPORT, "move#0a-1@2025-04-01")
    shop.execute("1", imported, NOON + timedelta(hours=1))
    found = shop.statement(NOVEMBER_21)
    assert found.outstanding == {LotGroup(NEVER_EXPIRES, "2025-04", 2): (500, 0)}
