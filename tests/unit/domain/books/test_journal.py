"""The journal balances, and explains the change of the liability by its movements."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from pointbook.domain.books.journal import LedgerAccount, Line, Practice, journal, worth_of
from pointbook.domain.books.movements import Movement, Sum, available
from pointbook.domain.books.periods import Period
from pointbook.domain.books.statement import Statement
from pointbook.domain.buckets import Bucket, transfer
from tests.support.book_days import TOKYO, busy_shop

YEN = Decimal(1)


def moved(*movements: tuple[Movement, Bucket, Bucket, int]) -> Statement:
    day: dict[Movement, Sum] = {}
    for kind, source, target, points in movements:
        day[kind] = Sum()
        day[kind].add(points, transfer(source, target, points), is_of_earlier_day=False)
    return Statement(days={date(2026, 11, 21): day})


EVERYTHING = moved(
    (Movement.PROMISED, Bucket.ISSUED, Bucket.PENDING, 900),
    (Movement.GRANTED, Bucket.ISSUED, Bucket.APPROVED, 1_000),
    (Movement.APPROVED, Bucket.PENDING, Bucket.APPROVED, 500),
    (Movement.HELD, Bucket.APPROVED, Bucket.HOLD, 80),
    (Movement.SPENT, Bucket.HOLD, Bucket.SPENT, 300),
    (Movement.RETURNED, Bucket.SPENT, Bucket.APPROVED, 40),
    (Movement.EXPIRED, Bucket.APPROVED, Bucket.EXPIRED, 20),
    (Movement.REMOVED, Bucket.APPROVED, Bucket.REMOVED, 5),
)
SALES, LIABILITY = LedgerAccount.SALES, LedgerAccount.CONTRACT_LIABILITY


def test_a_contract_liability_is_made_of_sales_and_becomes_sales() -> None:
    assert journal(EVERYTHING, Practice.CONTRACT_LIABILITY, YEN) == [
        Line(Movement.GRANTED, SALES, LIABILITY, 1_000, 1_000),
        Line(Movement.APPROVED, SALES, LIABILITY, 500, 500),
        Line(Movement.SPENT, LIABILITY, SALES, 300, 300),
        Line(Movement.RETURNED, SALES, LIABILITY, 40, 40),
        Line(Movement.EXPIRED, LIABILITY, SALES, 20, 20),
        Line(Movement.REMOVED, LIABILITY, SALES, 5, 5),
    ]


def test_a_provision_is_an_expense_and_what_is_not_used_is_reversed() -> None:
    accounts = {
        line.movement: (line.debit, line.credit)
        for line in journal(EVERYTHING, Practice.PROVISION, YEN)
    }
    provision = LedgerAccount.PROVISION
    assert accounts[Movement.GRANTED] == (LedgerAccount.PROVISION_EXPENSE, provision)
    assert accounts[Movement.SPENT] == (provision, SALES)
    assert accounts[Movement.RETURNED] == (SALES, provision)
    assert accounts[Movement.EXPIRED] == (provision, LedgerAccount.PROVISION_REVERSAL)


def test_an_advance_is_named_so() -> None:
    line = journal(EVERYTHING, Practice.ADVANCE, YEN)[0]
    assert (line.debit, line.credit) == (SALES, LedgerAccount.ADVANCES_RECEIVED)


@pytest.mark.parametrize("practice", Practice)
def test_the_lines_explain_the_change_of_the_liability(practice: Practice) -> None:
    shop, day = busy_shop(seed=7, per_day=800), date(2026, 11, 21)
    statement = shop.statement(Period(day, day + timedelta(days=1), TOKYO))
    liability = {
        Practice.CONTRACT_LIABILITY: LedgerAccount.CONTRACT_LIABILITY,
        Practice.ADVANCE: LedgerAccount.ADVANCES_RECEIVED,
        Practice.PROVISION: LedgerAccount.PROVISION,
    }[practice]
    lines = journal(statement, practice, YEN)
    credited = sum(line.points for line in lines if line.credit is liability)
    debited = sum(line.points for line in lines if line.debit is liability)
    assert credited - debited == available(statement.closing) - available(statement.opening)
    assert all(liability in (line.debit, line.credit) for line in lines)


def test_amounts_are_rounded_once_to_the_smallest_unit() -> None:
    assert worth_of(333, Decimal("0.85")) == 283
    assert worth_of(1, Decimal("0.5")) == 1
    line = journal(EVERYTHING, Practice.CONTRACT_LIABILITY, Decimal("0.85"))[0]
    assert (line.points, line.amount_minor) == (1_000, 850)
