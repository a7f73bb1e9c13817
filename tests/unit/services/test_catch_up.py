"""Catch-up: what another app says by now, less what the ledger has booked of its import."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from pointbook.aws.metered import MeteredClient
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Consume, Grant, Remove, ReverseImport
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import FixedDate, Months, Never
from pointbook.domain.lots import Lot
from pointbook.domain.refusal import Refusal
from pointbook.errors import InvalidRequest
from pointbook.services.bulk_imports.rows import Calendar
from pointbook.services.catch_up import (
    Balance,
    Day,
    Difference,
    Export,
    Moved,
    absent,
    differences,
    read_balance,
    read_catch_up_id,
)
from pointbook.store.ledger_reader import LedgerReader
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.support import engine as engines
from tests.support.engine import SHOP, opened
from tests.support.examples import CUSTOMER, NOON, OTHER
from tests.support.ledgers import LedgerDriver

TODAY = NOON.date()
PAST = TODAY - timedelta(days=1)
SOON, LATER = TODAY + timedelta(days=31), TODAY + timedelta(days=365)
MOVE = "2026-12-move"
CALENDAR = Calendar("Asia/Tokyo", TODAY)


class Books:
    """A ledger in memory, and what it has booked of the import."""

    def __init__(self) -> None:
        self.engine = opened(engines.MEMORY, MemoryDynamoDB(page_items=2))
        self.driver = LedgerDriver(self.engine)

    def book(
        self, points: int, day: Day = LATER, about: str = f"{MOVE}#1", customer: str = CUSTOMER
    ) -> None:
        """Book an entry that names `about`."""
        expiry = FixedDate(day or LATER)
        command: Grant | Remove = (
            Grant(points, expiry, Topic.ADD_IMPORT, about) if points > 0 else Remove(-points, about)
        )
        assert not isinstance(self.driver.say(command, customer_id=customer), Refusal)

    def settle(self, export: Export) -> list[tuple[Day, int, int]]:
        """Book what differs, as the command does; the days, points and numbers of it."""
        found = list(differences(export, self.moved(), TODAY, "Hi"))
        for one in found:
            about = f"{one.import_id(MOVE)}#"
            self.book(one.points, one.expires_on, about, one.customer_id)
        return [(one.expires_on, one.points, one.number) for one in found]

    def moved(self) -> Moved:
        """What the ledger has booked, read as the command reads it."""
        client = MeteredClient(self.engine.client, self.driver.clock)
        moved = Moved(MOVE)
        reader = LedgerReader(client, self.engine.table, self.driver.clock)
        for found in reader.accounts(SHOP):
            assert found.account is not None
            moved.add(found.account, found.entries)
        return moved


@pytest.fixture
def books() -> Books:
    return Books()


def export(*rows: tuple[str, int, Day]) -> Export:
    read = Export()
    for customer_id, points, day in rows:
        read.add(Balance(customer_id, "Old app", points, day))
    return read


def found(
    read: Export, moved: Moved, without: Iterable[str] = ()
) -> list[tuple[str, Day, int, int]]:
    every = differences(read, moved, TODAY, "Hi", frozenset(without))
    return [(one.customer_id, one.expires_on, one.before, one.now) for one in every]


def test_what_was_earned_and_spent_meanwhile_is_found_by_day(books: Books) -> None:
    books.book(100, SOON)
    books.book(50, LATER)
    read = export((CUSTOMER, 70, SOON), (CUSTOMER, 90, LATER), (OTHER, 5, LATER))
    assert sorted(found(read, books.moved())) == sorted(
        [(CUSTOMER, LATER, 50, 90), (CUSTOMER, SOON, 100, 70), (OTHER, LATER, 0, 5)]
    )


def test_a_customer_s_additions_come_first(books: Books) -> None:
    books.book(100, SOON)
    assert books.settle(export((CUSTOMER, 100, LATER))) == [(LATER, 100, 1), (SOON, -100, 1)]
    assert books.driver.figures()["approved"] == 100
    (lot,) = books.driver.account().lots
    assert lot.valid_through == LATER, "the soonest-expiring points go first"


def test_it_is_settled_as_often_as_one_likes_until_nothing_differs(books: Books) -> None:
    """Back and forth to the same points: each step is one of its own."""
    books.book(100)
    steps = [books.settle(export((CUSTOMER, points, LATER))) for points in (50, 100, 50, 100, 100)]
    assert steps == [
        [(LATER, -50, 1)],
        [(LATER, 50, 2)],
        [(LATER, -50, 3)],
        [(LATER, 50, 4)],
        [],
    ]
    assert books.driver.figures()["approved"] == 100


def test_what_happens_here_meanwhile_is_left_out(books: Books) -> None:
    books.book(100)
    books.book(30, about="another-import#1")
    books.book(20, about=f"{MOVE}2#1")
    books.book(20, about=f"{MOVE}.1.never#1")
    books.driver.say(Grant(500, FixedDate(LATER)))
    books.driver.say(Consume(60))
    assert found(export((CUSTOMER, 100, LATER)), books.moved()) == []


def test_days_that_are_past_are_left_out_on_both_sides(books: Books) -> None:
    books.book(100, TODAY)
    books.driver.clock.pass_time(days=1)
    books.book(7, LATER)
    tomorrow = TODAY + timedelta(days=1)
    read = export((CUSTOMER, 7, LATER), (CUSTOMER, 30, PAST))
    assert list(differences(read, books.moved(), tomorrow, "Hi")) == []


def test_without_a_day_only_the_sum_is_compared(books: Books) -> None:
    books.book(100, SOON)
    books.book(50, LATER)
    assert found(export((CUSTOMER, 150, None)), books.moved()) == []
    assert books.settle(export((CUSTOMER, 160, None))) == [(None, 10, 1)]
    assert books.settle(export((CUSTOMER, 160, None))) == []


def test_who_is_in_no_later_export_has_nothing_there_any_more(books: Books) -> None:
    books.book(100, SOON)
    books.book(50, LATER)
    books.book(9, LATER, customer=OTHER)
    read = export((OTHER, 9, LATER))
    assert absent(read, books.moved()) == 1
    assert books.settle(read) == [(None, -150, 1)]
    assert books.driver.figures()["lifetime"] == 150
    assert (absent(read, books.moved()), books.settle(read)) == (0, [])


def test_a_customer_with_a_row_that_cannot_be_read_is_left_alone(books: Books) -> None:
    books.book(100)
    books.book(9, customer=OTHER)
    assert found(export(), books.moved(), without=[CUSTOMER]) == [(OTHER, None, 9, 0)]


@pytest.mark.parametrize("exported", [(CUSTOMER, OTHER), (OTHER,)])
def test_merged_customers_are_one(books: Books, exported: tuple[str, ...]) -> None:
    """The old app may have merged them, too, or not."""
    books.book(100, customer=CUSTOMER)
    books.book(40, customer=OTHER)
    books.driver.ledger.merge(SHOP, CUSTOMER, OTHER, Cause("shopify"))
    same = export(*((one, 140 // len(exported), LATER) for one in exported))
    assert found(same, books.moved()) == []
    more = export(*((one, 150 // len(exported), LATER) for one in exported))
    assert books.settle(more) == [(LATER, 10, 1)]
    assert books.settle(more) == []
    assert books.driver.figures(OTHER)["approved"] == 150


def test_a_row_that_repaid_a_debt_counts_in_full() -> None:
    """Points that went into no lot are of no day: the sum still is what was booked."""
    books = Books()
    books.book(100)
    moved = books.moved()
    moved.points[CUSTOMER] = {LATER: 60, None: 40}
    assert found(export((CUSTOMER, 100, None)), moved) == []


def test_several_rows_of_one_day_are_summed_up_under_the_last_title() -> None:
    read = export((CUSTOMER, 3, LATER), (CUSTOMER, 4, LATER))
    read.add(Balance(CUSTOMER, "Renamed", 0, LATER))
    (one,) = differences(read, Moved(MOVE), TODAY, "Hi")
    assert (one.points, one.title) == (7, "Renamed")


def test_the_id_of_a_step_is_that_of_an_import_and_the_same_whenever_it_is_booked() -> None:
    step = Difference(CUSTOMER, LATER, 5, 9, 12, "Hi")
    assert step.import_id("m" * 40) == f"{'m' * 40}.12.{LATER}"
    undated = Difference(CUSTOMER, None, 5, 9, 999_999_999, "Hi")
    assert len(undated.import_id("m" * 40)) <= 64


@pytest.mark.parametrize(
    ("field", "value"),
    [("customer_id", "8.84E+12"), ("point", "-5"), ("point", "1,250"), ("expired_at", "12/31/27")],
)
def test_a_row_that_cannot_be_read_names_its_field(field: str, value: str) -> None:
    row: dict[str, Any] = {"customer_id": CUSTOMER, "title": "", "point": "0", "expired_at": None}
    assert read_balance(row, Never(), CALENDAR) == Balance(CUSTOMER, "", 0, None)
    with pytest.raises(InvalidRequest) as refused:
        read_balance(row | {field: value}, Never(), CALENDAR)
    assert refused.value.field == field


def test_points_without_a_last_day_last_from_their_original_day_on_as_an_import_has_them() -> None:
    row = {"customer_id": CUSTOMER, "point": "70", "created_at": " 2026-03-05 "}
    assert read_balance(row, Months(12), CALENDAR).expires_on == date(2027, 3, 5)
    assert read_balance(row, Never(), CALENDAR).expires_on is None
    given = row | {"expired_at": "2027-01-31"}
    assert read_balance(given, Months(12), CALENDAR).expires_on == date(2027, 1, 31)
    with pytest.raises(InvalidRequest) as refused:
        read_balance(row | {"created_at": "last year"}, Months(12), CALENDAR)
    assert refused.value.field == "created_at"


def test_points_that_have_lapsed_by_their_original_day_are_not_caught_up(books: Books) -> None:
    books.book(100)
    lapsed = {"customer_id": OTHER, "point": "400", "created_at": "2024-03-05"}
    read = export((CUSTOMER, 100, LATER))
    read.add(read_balance(lapsed, Months(12), CALENDAR))
    assert found(read, books.moved()) == []


@pytest.mark.parametrize("points", [100, -100])
def test_an_import_that_was_undone_is_known(books: Books, points: int) -> None:
    books.book(500, about="other#1")
    books.book(points)
    assert not books.moved().is_undone
    lots = (Lot(LATER, 100),)
    command = ReverseImport(100, lots, f"{MOVE}#1", was_removal=points < 0)
    assert not isinstance(books.driver.say(command), Refusal)
    assert books.moved().is_undone


def test_an_id_that_is_too_long_for_its_catch_ups_is_refused() -> None:
    assert read_catch_up_id("m" * 40) == "m" * 40
    with pytest.raises(InvalidRequest, match="up to 40 characters"):
        read_catch_up_id("m" * 41)


def test_a_day_in_a_name_that_is_none_is_another_import_s(books: Books) -> None:
    books.book(100)
    books.book(5, about=f"{MOVE}.1.2026-13-01#")
    assert found(export((CUSTOMER, 100, LATER)), books.moved()) == []
