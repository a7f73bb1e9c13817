"""The values of a customer's metafields."""

from datetime import UTC, date, datetime

from pointbook.domain.account import Account
from pointbook.domain.buckets import Balances
from pointbook.domain.expiry import NEVER
from pointbook.domain.lots import Lot, Lots
from pointbook.domain.metafields import RANK, TYPES, metafields_of

NOW = datetime(2026, 12, 31, 10, 30, 15, 999_000, tzinfo=UTC)
LAST_DAY = date(2026, 12, 31)
LATER = date(2027, 3, 31)


def account(*lots: Lot, pending: int = 0, debt: int = 0) -> Account:
    approved = sum(lot.points for lot in lots) - debt
    issued, spent = -approved - pending - debt, debt
    balances = Balances()._replace(approved=approved, pending=pending, issued=issued, spent=spent)
    kept: Lots = tuple(lots)
    return Account("1", version=1, balances=balances, lots=kept)


def test_the_metafields_are_the_figures_with_the_lot_that_expires_next() -> None:
    assert metafields_of(account(Lot(LAST_DAY, 300), Lot(LATER, 650), pending=40), NOW) == {
        "points_approved": "950",
        "points_pending": "40",
        "points_expiring": "300",
        "points_expiring_on": "2026-12-31",
        "points_as_of": "2026-12-31T10:30:15+00:00",
    }


def test_points_whose_last_day_is_over_are_no_longer_there() -> None:
    """In Tokyo it is the first of January, whether or not a sweep has run."""
    found = metafields_of(
        account(Lot(LAST_DAY, 300), Lot(LATER, 650)), datetime(2026, 12, 31, 15, 0, tzinfo=UTC)
    )
    assert found["points_approved"] == "650"
    assert (found["points_expiring"], found["points_expiring_on"]) == ("650", "2027-03-31")


def test_points_that_never_expire_are_not_announced_as_expiring() -> None:
    found = metafields_of(account(Lot(NEVER, 300)), NOW)
    assert found["points_expiring"] == "0"
    assert "points_expiring_on" not in found


def test_a_debt_is_below_zero() -> None:
    assert metafields_of(account(debt=70), NOW)["points_approved"] == "-70"


def test_a_rank_that_is_known_is_one_line_of_text() -> None:
    assert metafields_of(account(), NOW, " Gold\nMember ")[RANK] == "Gold Member"
    assert len(metafields_of(account(), NOW, "x" * 300)[RANK]) == 255
    assert RANK not in metafields_of(account(), NOW, None)
    assert RANK not in metafields_of(account(), NOW, "")


def test_every_key_has_a_type() -> None:
    found = metafields_of(account(Lot(LATER, 1)), NOW, "Gold")
    assert found.keys() == TYPES.keys()
