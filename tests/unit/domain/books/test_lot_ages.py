"""When points were granted is known of every point in a lot, wherever it went meanwhile."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from pointbook.domain import commands as c
from pointbook.domain.books.lot_ages import LotAges
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import Days, FixedDate, Rolling
from pointbook.domain.lots import total
from tests.support.book_days import MIDNIGHT, Shop, busy_shop

NEW_YEAR = FixedDate(date(2026, 12, 31))
FIRST, SECOND, THIRD = (MIDNIGHT + timedelta(days=number) for number in range(3))


def ages(shop: Shop, customer_id: str = "1") -> tuple[LotAges, dict[datetime, int]]:
    """The lots of a customer, and how many of their points came at each instant."""
    found = LotAges()
    for entry in shop.entries[customer_id]:
        found.add(entry)
    points: dict[datetime, int] = {}
    for piece, _ in found.outstanding():
        points[piece.since] = points.get(piece.since, 0) + piece.points
    return found, points


def two_grants() -> Shop:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(100, NEW_YEAR), FIRST)
    shop.execute("1", c.Grant(50, NEW_YEAR), SECOND)
    return shop


def test_the_oldest_points_of_a_lot_are_used_first() -> None:
    shop = two_grants()
    shop.execute("1", c.Consume(120), THIRD)
    assert ages(shop)[1] == {SECOND: 30}


def test_points_keep_their_age_through_a_hold() -> None:
    shop = two_grants()
    shop.execute("1", c.PlaceHold(120, "h", 600, code="C"), THIRD)
    found, points = ages(shop)
    assert points == {FIRST: 100, SECOND: 50}
    assert sum(piece.points for piece, is_held in found.outstanding() if is_held) == 120
    shop.execute("1", c.ReleaseHold("h"), THIRD + timedelta(seconds=1))
    assert ages(shop)[1] == {FIRST: 100, SECOND: 50}


def test_points_keep_their_age_when_activity_renews_them() -> None:
    shop, rolling = Shop(Random(1)), Rolling(Days(30))
    shop.execute("1", c.Grant(100, rolling), FIRST)
    shop.execute("1", c.Grant(50, rolling), SECOND)
    assert len(shop.accounts["1"].lots) == 1, "both have the later day"
    shop.execute("1", c.Consume(30, renew=rolling), THIRD)
    assert ages(shop)[1] == {FIRST: 70, SECOND: 50}


def test_imported_points_are_as_old_as_in_the_other_app_if_the_row_says_so() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(100, NEW_YEAR), FIRST)
    shop.execute("1", c.Grant(50, NEW_YEAR, Topic.ADD_IMPORT, "move#0a-1@2025-04-01"), SECOND)
    shop.execute("1", c.Grant(30, NEW_YEAR, Topic.ADD_IMPORT, "move#0b-1"), THIRD)
    found = LotAges("Asia/Tokyo")
    for entry in shop.entries["1"]:
        found.add(entry)
    april = datetime(2025, 3, 31, 15, tzinfo=UTC)
    pieces = [piece for piece, _ in found.outstanding()]
    assert [(one.since, one.origin.booked_at, one.points) for one in pieces] == [
        (april, SECOND, 50),
        (FIRST, FIRST, 100),
        (THIRD, THIRD, 30),
    ]
    shop.execute("1", c.Consume(60), THIRD + timedelta(hours=1))
    left = found.add(shop.entries["1"][-1])
    assert [(one.since, one.points) for one in left] == [(april, 50), (FIRST, 10)]


def test_only_an_import_has_an_original_day_and_never_one_to_come() -> None:
    shop = Shop(Random(1))
    shop.execute("1", c.Grant(1, NEW_YEAR, Topic.ADD_FLOW, "move#0a-1@2025-04-01"), FIRST)
    shop.execute("1", c.Grant(2, NEW_YEAR, Topic.ADD_IMPORT, "move#0a-1@2026-12-24"), SECOND)
    assert ages(shop)[1] == {FIRST: 1, SECOND: 2}


def test_what_leaves_says_which_lot_it_was_in() -> None:
    shop, found = two_grants(), LotAges()
    shop.execute("1", c.Consume(120), THIRD)
    left = [piece for entry in shop.entries["1"] for piece in found.add(entry)]
    assert [(one.valid_through, one.since, one.points) for one in left] == [
        (NEW_YEAR.day, FIRST, 100),
        (NEW_YEAR.day, SECOND, 20),
    ]


def test_ages_of_random_accounts_sum_up_to_their_lots() -> None:
    shop = busy_shop(seed=4, per_day=1_500, customers=40)
    for customer_id, account in shop.accounts.items():
        found, points = ages(shop, customer_id)
        held = account.hold.lots if account.hold else ()
        assert sum(points.values()) == total(account.lots) + total(held)
        assert set(found.free) == {lot.valid_through for lot in account.lots}
